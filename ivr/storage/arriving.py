"""Takes what the centre says has changed: people, closings, reports from other ways; in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, insert, select

from ivr.errors import BadInput, Problem, problem
from ivr.messages import text
from ivr.person import Person, begins_anew
from ivr.roster import cells_of
from ivr.storage import pulled
from ivr.storage.alarms import end_alarm, raise_alarm
from ivr.storage.conflicts import (
    decided_last,
    end_agreed,
    note_conflict,
    open_conflicts,
    restate,
    tell_of_conflicts,
)
from ivr.storage.decisions import Signed, close_person, reopen_person
from ivr.storage.elsewhere import take_reported
from ivr.storage.facts import set_fact
from ivr.storage.people import known_people, upsert_people
from ivr.storage.schema import decisions
from ivr.storage.schema_centre import centre_people as table
from ivr.storage.tombstones import erased_among
from ivr.storage.words import Decided
from ivr.sync.changes import Changes, Page, Theirs
from ivr.sync.delivery import Link
from ivr.sync.merging import (
    CLOSED,
    FIELDS,
    OBSERVED,
    STANDING,
    Before,
    Cells,
    Conflict,
    Kept,
    Step,
    judge_standing,
    merge,
    part,
    read_written,
    written,
)

#: Alarm, as `alarm.<kind>` of the catalogue; its subject is the ID.
ERASED = "sync_erased"

_SAID = select(table).where(table.c.person_id.in_(bindparam("wanted", expanding=True)))
_FORGET = delete(table).where(table.c.person_id == bindparam("key"))
_REMEMBER = insert(table)


@dataclass(frozen=True)
class Arrived:
    """What came of some changes."""

    added: int = 0  #: people who were not here
    changed: int = 0  #: people whose entry in the roster changed
    closed: int = 0
    reopened: int = 0
    known: int = 0  #: people of whom the same, or something newer, was known
    reports: int = 0  #: that were not here
    conflicts: int = 0  #: differences that are new
    erased: int = 0  #: changes about people who were erased here; nothing of them was taken


def take_changes(connection: Connection, given: Changes, file: str, zone: tzinfo, at: datetime) -> Arrived:
    """Take all of them; the same once more changes nothing. `file` is only for messages; days are of `zone`.

    Who is not named stays as they are. Of whom was erased nothing is taken; while the centre has them under
    observation, an alarm says that nobody rings them. Raises BadInput with every problem, and then nothing may be
    stored.
    """
    given, erased = _without_erased(connection, given, at)
    said = {row["person_id"]: row for row in _said(connection, [each.person.id for each in given.people])}
    problems = [each for theirs in given.people for each in _contradiction(theirs, said, file)]
    news = [each for each in given.people if _is_new(each, said)]
    here = known_people(connection, [each.person for each in news])
    merged: list[Person] = []
    differences: dict[str, tuple[Conflict, ...]] = {}
    for each in news:
        ours, row = here.get(each.person.id), said.get(each.person.id)
        person, found = merge(_cells(row), ours, each.person) if ours else (each.person, ())
        merged.append(person)
        differences[person.id] = found
    stored = upsert_people(connection, merged, at)
    closed = reopened = conflicts = 0
    told = []
    for each, person in zip(news, merged, strict=True):
        row = said.get(person.id)
        step, shown = _stand(connection, each, here.get(person.id), row, zone, at)
        closed, reopened = closed + (step is Step.CLOSE), reopened + (step is Step.REOPEN)
        told.append(_told(each, row, step, at))
        found = differences[person.id]
        if shown is not None:
            found = (*found, _of_standing(each, shown))
        conflicts += sum([note_conflict(connection, person.id, one, at) for one in found])
    if told:
        connection.execute(_FORGET, [{"key": each["person_id"]} for each in told])
        connection.execute(_REMEMBER, told)
    _look_again(connection, {each.person.id: each for each in news}, at)
    tell_of_conflicts(connection, at)
    try:
        reports = take_reported(connection, given.reports, file, at)
    except BadInput as bad:
        raise BadInput(*problems, *bad.problems) from None
    if problems:
        raise BadInput(*problems)
    known = len(given.people) - len(news)
    return Arrived(stored.added, stored.changed, closed, reopened, known, reports, conflicts, erased)


def _without_erased(connection: Connection, given: Changes, at: datetime) -> tuple[Changes, int]:
    """The changes about people who were not erased here, and how many others there were."""
    named = (*(each.person.id for each in given.people), *(each.person_id for each in given.reports))
    gone = frozenset(erased_among(connection, named))
    if not gone:
        return given, 0
    for each in given.people:
        if each.person.id in gone and each.closed is None:
            raise_alarm(connection, ERASED, each.person.id, "", at)
        elif each.person.id in gone:
            end_alarm(connection, ERASED, each.person.id, at)
    left = Changes(
        tuple(each for each in given.people if each.person.id not in gone),
        tuple(each for each in given.reports if each.person_id not in gone),
    )
    return left, len(given.people) + len(given.reports) - len(left.people) - len(left.reports)


def _said(connection: Connection, ids: Sequence[str]) -> Sequence[RowMapping]:
    return connection.execute(_SAID, {"wanted": ids}).mappings().all()


def _is_new(theirs: Theirs, said: dict[str, RowMapping]) -> bool:
    row = said.get(theirs.person.id)
    return row is None or row["revision"] < theirs.revision


def _contradiction(theirs: Theirs, said: dict[str, RowMapping], file: str) -> list[Problem]:
    """One revision cannot say two things: which of them holds, and what else got lost, nobody could tell."""
    row = said.get(theirs.person.id)
    if row is None or row["revision"] != theirs.revision:
        return []
    # Field by field: a version that knows more columns finds the same in what an older one has stored.
    then, now = read_written(row["cells"]), cells_of(theirs.person)
    same = all(part(then, field) == part(now, field) for field in FIELDS) and row["closed_at"] == theirs.closed
    return [] if same else [problem("changes.other_content", file, theirs.line)]


def _cells(row: RowMapping | None) -> Cells | None:
    return read_written(row["cells"]) if row else None


_REOPENED = select(func.max(decisions.c.at)).where(
    decisions.c.person_id == bindparam("key"), decisions.c.kind == Decided.REOPEN
)


def _stand(
    connection: Connection, theirs: Theirs, ours: Person | None, row: RowMapping | None, zone: tzinfo, at: datetime
) -> tuple[Step, Kept | None]:
    """Close or take up again, as decisions; what was done, and whose word was kept if that is to be shown."""
    person_id = theirs.person.id
    closing = ours.closing if ours else None
    if theirs.closed is None and closing is None:
        return Step.NOTHING, None  # as almost everybody: no need to ask the database what staff decided
    before = Before(row["closed_at"], row["taken_at"]) if row else None
    said = _cells(row)
    new_period = said is None or part(said, "period") != part(cells_of(theirs.person), "period")
    step, shown = judge_standing(
        theirs.closed,
        closing.at if closing else None,
        before,
        connection.execute(_REOPENED, {"key": person_id}).scalar_one(),
        closing is not None and new_period and begins_anew(theirs.person, closing, zone),
        decided_last(connection, person_id, STANDING),
    )
    if step is Step.CLOSE:
        by = text("sync.by_centre", by=theirs.closed_by)
        close_person(connection, person_id, Signed(by, theirs.closed_reason, at))
    elif step is Step.REOPEN:
        signed = Signed(text("sync.centre"), text("sync.reopened"), at)
        reopen_person(connection, person_id, signed)
    return step, shown


def _told(theirs: Theirs, row: RowMapping | None, step: Step, at: datetime) -> dict[str, object]:
    """What the centre said, as a row: the next change is compared with it."""
    taken = at if step is Step.CLOSE else row["taken_at"] if row and row["closed_at"] == theirs.closed else None
    return {
        "person_id": theirs.person.id,
        "revision": theirs.revision,
        "cells": written(cells_of(theirs.person)),
        "closed_at": theirs.closed,
        "taken_at": taken,
        "said_at": at,
    }


def _of_standing(theirs: Theirs, kept: Kept) -> Conflict:
    """They are under observation on one side and closed on the other."""
    closed, observed = {STANDING: CLOSED}, {STANDING: OBSERVED}
    here, centre = (observed, closed) if theirs.closed else (closed, observed)
    return Conflict(STANDING, here, centre, kept)


def _look_again(connection: Connection, theirs: dict[str, Theirs], at: datetime) -> None:
    """A difference is over once the centre says what stood here; else it shows what the centre says now."""
    here = known_people(connection, [each.person for each in theirs.values()])
    for found in open_conflicts(connection):
        each = theirs.get(found.person_id)
        if each is None:
            continue
        if found.field == STANDING:
            agreed = found.kept is Kept.HERE and (here[found.person_id].closing is None) == (each.closed is None)
        else:
            now = part(cells_of(each.person), found.field)
            agreed = now == dict(found.here)
            restate(connection, found, now)
        if agreed:
            end_agreed(connection, found.person_id, [found.field], at)


def take_page(connection: Connection, page: Page, link: Link, file: str, zone: tzinfo, now: datetime) -> Arrived:
    """A whole page and the cursor behind it. Raises BadInput as `take_changes` does."""
    arrived = take_changes(connection, page.changes, file, zone, now)
    set_fact(connection, pulled.CURSOR, page.cursor)
    pulled.stand(connection, link, (), now)
    return arrived
