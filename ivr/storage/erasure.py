"""Erases all there is of one person: every row and recording, in one transaction, and a tombstone stays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    false,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from ivr.call import CallState
from ivr.files.given_text import fold
from ivr.person import Person
from ivr.storage.conflicts import tell_of_conflicts
from ivr.storage.decisions import Signed
from ivr.storage.facts import get_fact, set_fact
from ivr.storage.outbox import next_sequence, put
from ivr.storage.people import get_person
from ivr.storage.personal import ABOUT, NUMBERS_OF_OTHERS, Traces, traces_of
from ivr.storage.schema import METADATA, agenda, alerts, attempts, calls, follow_ups, reports, voice_messages
from ivr.storage.schema_callers import caller_tries
from ivr.storage.schema_erased import erased_figures
from ivr.storage.schema_outbox import outbox
from ivr.storage.tombstones import Tombstone, erased_among, set_tombstone
from ivr.storage.words import Figure
from ivr.sync.delivery import State
from ivr.sync.documents import ErasureDocument, Kind


class Refusal(StrEnum):
    """Why somebody cannot be erased."""

    NOBODY = "nobody"  #: no such person
    ERASED = "erased"  #: done before
    OBSERVED = "observed"  #: staff have not closed: erasing would drop them
    LIVE = "live"  #: a call rings or goes on
    IN_FLIGHT = "in_flight"  #: something about them is on its way to the centre: the erasure must arrive after it
    UNSENT = "unsent"  #: the centre has not got everything yet
    NAMED = "named"  #: the reason, which stays, has their name or number in it


class Refused(Exception):
    """Nothing was erased."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(str(why))
        self.why = why


@dataclass(frozen=True)
class Extent:
    """How much there is of somebody."""

    rows: int
    recordings: tuple[str, ...]  #: ids of voice messages
    unsent: int  #: documents that the centre has not got
    open_tasks: int  #: follow-ups that are not closed
    open_alerts: int  #: that nobody has acknowledged


#: The fact that something was erased since the free space of the database was last cleared; empty: nothing.
FORGET = "erasure.forget"


def forgotten(connection: Connection) -> None:
    """The free space was cleared (Database.forget)."""
    set_fact(connection, FORGET, "")


def must_forget(connection: Connection) -> bool:
    """Whether something of somebody who was erased may still lie in free space."""
    return bool(get_fact(connection, FORGET))


#: What stands in the table of callers' tries for a number that is forgotten. No number has such a key.
FORGOTTEN = "-"


def extent_of(connection: Connection, person_id: str) -> Extent:
    """What an erasure would take away."""
    of = traces_of(connection, person_id)

    def count(table: Table, *conditions: ColumnElement[bool]) -> int:
        wanted = select(func.count()).select_from(table).where(ABOUT[table.name](of), *conditions)
        return connection.execute(wanted).scalar_one()

    return Extent(
        rows=sum(count(METADATA.tables[name]) for name in ABOUT),
        recordings=_recordings(connection, of),
        unsent=count(outbox, outbox.c.state != State.ACKNOWLEDGED),
        open_tasks=count(follow_ups, follow_ups.c.closed_at.is_(None)),
        open_alerts=count(alerts, alerts.c.acknowledged_at.is_(None) & alerts.c.withdrawn_at.is_(None)),
    )


def check_erasable(connection: Connection, person_id: str, signed: Signed, *, unsent_too: bool) -> None:
    """Raises Refused. `unsent_too`: what the centre has not got never leaves; the erasure goes in its place."""
    person = get_person(connection, person_id)
    if person is None:
        raise Refused(Refusal.ERASED if erased_among(connection, [person_id]) else Refusal.NOBODY)
    if person.closing is None:
        raise Refused(Refusal.OBSERVED)
    if names(person, signed.reason):
        raise Refused(Refusal.NAMED)
    of = traces_of(connection, person_id)
    if _exists(connection, calls, of, calls.c.state != CallState.ENDED) or _exists(
        connection, attempts, of, attempts.c.state != CallState.ENDED
    ):
        raise Refused(Refusal.LIVE)
    if _exists(connection, outbox, of, outbox.c.state == State.IN_FLIGHT):
        raise Refused(Refusal.IN_FLIGHT)
    if not unsent_too and _exists(connection, outbox, of, outbox.c.state != State.ACKNOWLEDGED):
        raise Refused(Refusal.UNSENT)


def names(person: Person, reason: str) -> bool:
    """Whether a reason says who it was, in whatever way it is written (see `fold`).

    A part of a name of one letter may be in any word, and is not looked for.
    """
    said = fold(reason)
    whole = [fold(each) for each in (person.name, person.kana)]
    parts = [part for name in (person.name, person.kana) for each in name.split() if len(part := fold(each)) > 1]
    digits = "".join(each for each in said if each.isdigit())
    return any(each in said for each in filter(None, (*whole, *parts))) or any(
        each in digits for each in person.numbers
    )


def erase_person(
    connection: Connection,
    person_id: str,
    signed: Signed,
    day: date,
    remove: Callable[[Sequence[str]], None],
    *,
    unsent_too: bool,
) -> None:
    """Erase somebody whose observation staff have closed. Raises Refused.

    `day`: today, local. `remove` is given the ids of their recordings, and called before the commit: whoever dies in
    between finds the rows still there, and erases again.
    """
    check_erasable(connection, person_id, signed, unsent_too=unsent_too)
    _erase(connection, Tombstone(person_id, signed.at, signed.by, signed.reason), day, remove)


def erase_again(
    connection: Connection, stones: Sequence[Tombstone], day: date, remove: Callable[[Sequence[str]], None]
) -> tuple[str, ...]:
    """After a restore: erase whom a backup brought back, whatever it says of them. The IDs that were not known erased.

    For the start, while nothing dials and nothing is sent.
    """
    known = set(erased_among(connection, [each.person_id for each in stones]))
    fresh = [each for each in stones if each.person_id not in known]
    for each in fresh:
        _erase(connection, each, day, remove)
    return tuple(each.person_id for each in fresh)


def _erase(connection: Connection, stone: Tombstone, day: date, remove: Callable[[Sequence[str]], None]) -> None:
    of = traces_of(connection, stone.person_id)
    recordings = _recordings(connection, of)
    document = _document(connection, of, stone, day)
    _keep_figures(connection, of)
    # First: what staff decided can only go once it stands.
    set_tombstone(connection, stone)
    _let_go(connection, of)
    for table in reversed(METADATA.sorted_tables):
        if table.name in ABOUT:
            connection.execute(delete(table).where(_going(table, of)))
    tell_of_conflicts(connection, stone.at)
    put(connection, stone.person_id, document)
    set_fact(connection, FORGET, stone.at.isoformat())
    remove(recordings)


def _going(table: Table, of: Traces) -> ColumnElement[bool]:
    """The rows that are deleted: all about the person, but for calls that somebody else was on, too."""
    about = ABOUT[table.name](of)
    return and_(about, calls.c.id.not_in(of.shared_calls)) if table is calls else about


def _staying(table: Table, of: Traces) -> ColumnElement[bool]:
    # What is not known to go stays: to a database, not unknown is unknown.
    return not_(func.coalesce(_going(table, of), false()))


def _let_go(connection: Connection, of: Traces) -> None:
    """What stays is made to lead nowhere: references of other rows to these, and the person's numbers in other rows."""
    for name in ABOUT:
        table = METADATA.tables[name]
        for key in table.foreign_keys:
            parent = key.column.table
            if parent.name in ABOUT and key.parent.nullable:
                gone = select(key.column).where(_going(parent, of))
                dangling = update(table).where(key.parent.in_(gone), _staying(table, of))
                connection.execute(dangling.values({key.parent: None}))
    for number in NUMBERS_OF_OTHERS:
        stays = and_(number.in_(of.own), _staying(number.table, of))
        connection.execute(update(number.table).where(stays).values({number: None}))
    # The row stays: it counts against the ID that was tried, which is somebody else's.
    by_them = caller_tries.c.number_key.in_(of.number_keys)
    connection.execute(update(caller_tries).where(by_them).values(number_key=FORGOTTEN))


def _keep_figures(connection: Connection, of: Traces) -> None:
    """Add what the days lose to the counts, which name nobody."""
    counted: Mapping[Figure, tuple[Table, Column[str]]] = {
        Figure.ATTEMPT: (attempts, attempts.c.outcome),
        Figure.REPORT: (reports, reports.c.completeness),
        Figure.STEP: (agenda, agenda.c.settled),
    }
    for figure, (table, value) in counted.items():
        wanted = select(table.c.day, value, func.count()).where(ABOUT[table.name](of), value.is_not(None))
        for day, each, count in connection.execute(wanted.group_by(table.c.day, value)).all():
            key = {"day": day, "figure": figure, "value": each}
            same = [erased_figures.c[name] == given for name, given in key.items()]
            more = update(erased_figures).where(*same).values(count=erased_figures.c.count + count)
            if connection.execute(more).rowcount == 0:
                connection.execute(insert(erased_figures), key | {"count": count})


def _document(connection: Connection, of: Traces, stone: Tombstone, day: date) -> ErasureDocument:
    """What the centre is told: whom, and of which reports and attempts it may have something."""
    wanted = select(outbox.c.kind, outbox.c.subject).where(ABOUT["outbox"](of)).order_by(outbox.c.id)
    # Of an alert the report: the name of its rule says how somebody was.
    named = [(kind, subject.partition("/")[0]) for kind, subject in connection.execute(wanted).all()]
    return ErasureDocument(
        person_id=stone.person_id,
        day=day,
        sequence=next_sequence(connection, stone.person_id),
        frozen_at=stone.at,
        report_ids=tuple(dict.fromkeys(each for kind, each in named if kind in (Kind.REPORT, Kind.ALERT))),
        attempt_ids=tuple(dict.fromkeys(each for kind, each in named if kind == Kind.CALL)),
    )


def _recordings(connection: Connection, of: Traces) -> tuple[str, ...]:
    wanted = select(voice_messages.c.id).where(ABOUT["voice_messages"](of)).order_by(voice_messages.c.id)
    return tuple(connection.execute(wanted).scalars())


def _exists(connection: Connection, table: Table, of: Traces, *conditions: ColumnElement[bool]) -> bool:
    wanted = select(table.c.id).where(ABOUT[table.name](of), or_(*conditions)).limit(1)
    return connection.execute(wanted).first() is not None
