"""Which rows are about a person: of every table, said here, or said that none of it is. What is erased or exported.

A test compares both lists with the tables of the schema and with their foreign keys, so that no table is forgotten.
"""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, CompoundSelect, Connection, Select, and_, or_, select, union

from ivr.storage.callers import NUMBER_KEY
from ivr.storage.facts import get_fact
from ivr.storage.packed import unpack
from ivr.storage.schema import (
    METADATA,
    agenda,
    alerts,
    answers,
    attempts,
    calls,
    decisions,
    follow_ups,
    numbers,
    people,
    person_slots,
    reports,
    sessions,
    touched,
    voice_messages,
)
from ivr.storage.schema_callers import caller_tries, caller_unlocks
from ivr.storage.schema_centre import centre_people, conflicts
from ivr.storage.schema_erased import transfers
from ivr.storage.schema_imports import imported
from ivr.storage.schema_outbox import outbox
from ivr.storage.schema_telephones import telephones
from ivr.storage.words import Auth


@dataclass(frozen=True)
class Traces:
    """By what the rows of one person are found."""

    person_id: str
    numbers: tuple[str, ...]  #: that are or were theirs, the household's too
    own: tuple[str, ...]  #: those of them that nobody else has or had
    number_keys: tuple[str, ...]  #: what stands for `own` in the table of callers' tries
    attempts: tuple[str, ...]
    sessions: tuple[str, ...]
    reports: tuple[str, ...]
    calls: tuple[str, ...]
    shared_calls: tuple[str, ...]  #: those of them on which somebody else was rung or reported, too


Rows = Callable[[Traces], ColumnElement[bool]]


def _of_person(table: Any) -> Rows:
    return lambda of: table.c.person_id == of.person_id


def _claimed(table: Any) -> Rows:
    """Also of a caller who was taken for nobody, but keyed this ID."""
    return lambda of: or_(
        table.c.person_id == of.person_id,
        and_(table.c.person_id.is_(None), table.c.claimed_id == of.person_id),
    )


def _of_sessions(table: Any) -> Rows:
    return lambda of: table.c.session_id.in_(of.sessions)


#: Table -> its rows about a person.
ABOUT: Mapping[str, Rows] = {
    "people": lambda of: people.c.id == of.person_id,
    "numbers": _of_person(numbers),
    "person_slots": _of_person(person_slots),
    "decisions": _of_person(decisions),
    "agenda": _of_person(agenda),
    "touched": _of_person(touched),
    "transfers": _of_person(transfers),
    "centre_people": _of_person(centre_people),
    "conflicts": _of_person(conflicts),
    "imported": _of_person(imported),
    "attempts": lambda of: attempts.c.id.in_(of.attempts),
    "calls": lambda of: calls.c.id.in_(of.calls),
    "sessions": lambda of: sessions.c.id.in_(of.sessions),
    "answers": _of_sessions(answers),
    "voice_messages": _of_sessions(voice_messages),
    "reports": lambda of: reports.c.id.in_(of.reports),
    "alerts": lambda of: or_(alerts.c.person_id == of.person_id, alerts.c.session_id.in_(of.sessions)),
    "follow_ups": lambda of: or_(
        _claimed(follow_ups)(of),
        and_(
            follow_ups.c.person_id.is_(None),
            or_(
                follow_ups.c.session_id.in_(of.sessions),
                and_(follow_ups.c.claimed_id.is_(None), follow_ups.c.number.in_(of.own)),
            ),
        ),
    ),
    "caller_tries": lambda of: caller_tries.c.claimed_id == of.person_id,
    "caller_unlocks": lambda of: caller_unlocks.c.claimed_id == of.person_id,
    "telephones": lambda of: telephones.c.number.in_(of.own),
    "outbox": lambda of: outbox.c.about.in_((of.person_id, *of.sessions, *of.reports)),
}
#: Tables in which nothing is about anybody, and why.
ABOUT_NOBODY: Mapping[str, str] = {
    "questionnaires": "what is asked, the same for all",
    "activations": "which questionnaire was asked when; names staff",
    "imports": "which file was imported when; names staff",
    "alarms": "about the service; never a name, a number or an answer",
    "facts": "about the service",
    "comparisons": "counts of a day",
    "tombstones": "an ID that is nobody's any more; stays",
    "erased_figures": "counts of a day",
}
#: Numbers in rows of others, where whoever was erased had rung: cleared, the row stays.
NUMBERS_OF_OTHERS = (calls.c.number, follow_ups.c.number)


def traces_of(connection: Connection, person_id: str) -> Traces:
    """What leads to the rows about a person, whether there is one of this ID or not."""

    def found(wanted: Select[Any] | CompoundSelect[Any]) -> tuple[str, ...]:
        return tuple(sorted(set(connection.execute(wanted).scalars())))

    theirs = found(_numbers_of(lambda column: column == person_id))
    others = found(_numbers_of(lambda column: column != person_id, theirs))
    own = tuple(each for each in theirs if each not in others)
    tried = found(select(attempts.c.id).where(attempts.c.person_id == person_id))
    # Whoever rang from a number of theirs and was taken for nobody, and keyed no other ID.
    from_own = select(calls.c.session_id).where(calls.c.number.in_(own), calls.c.session_id.is_not(None))
    unnamed = and_(sessions.c.person_id.is_(None), sessions.c.claimed_id.is_(None), sessions.c.id.in_(from_own))
    held = found(select(sessions.c.id).where(or_(_claimed(sessions)(_seed(person_id)), unnamed)))
    reported = found(
        select(reports.c.id).where(or_(_claimed(reports)(_seed(person_id)), reports.c.session_id.in_(held)))
    )
    nobodys = and_(calls.c.number.in_(own), calls.c.session_id.is_(None), calls.c.attempt_id.is_(None))
    on_calls = select(answers.c.call_id).where(answers.c.session_id.in_(held), answers.c.call_id.is_not(None))
    theirs_or_nobodys = or_(
        calls.c.attempt_id.in_(tried), calls.c.session_id.in_(held), calls.c.id.in_(on_calls), nobodys
    )
    rung = found(select(calls.c.id).where(theirs_or_nobodys))
    key = get_fact(connection, NUMBER_KEY)
    return Traces(
        person_id=person_id,
        numbers=theirs,
        own=own,
        number_keys=tuple(hmac.new(key.encode(), each.encode(), "sha256").hexdigest() for each in own) if key else (),
        attempts=tried,
        sessions=held,
        reports=reported,
        calls=rung,
        shared_calls=tuple(sorted(_shared(connection, rung, tried, held))),
    )


def _numbers_of(
    whose: Callable[[Any], ColumnElement[bool]], among: tuple[str, ...] | None = None
) -> CompoundSelect[Any]:
    """Numbers that stand in the roster for these people, or did when we rang them or knew them by it."""
    known_by_it = (sessions.c.auth == Auth.REGISTERED_NUMBER, calls.c.number.is_not(None))
    ways: tuple[tuple[Select[Any], Column[Any]], ...] = (
        (select(numbers.c.number).where(whose(numbers.c.person_id)), numbers.c.number),
        (select(attempts.c.number).where(whose(attempts.c.person_id)), attempts.c.number),
        (
            select(calls.c.number)
            .join(sessions, sessions.c.id == calls.c.session_id)
            .where(whose(sessions.c.person_id), *known_by_it),
            calls.c.number,
        ),
    )
    return union(*(wanted if among is None else wanted.where(number.in_(among)) for wanted, number in ways))


def _seed(person_id: str) -> Traces:
    return Traces(person_id, (), (), (), (), (), (), (), ())


def _shared(connection: Connection, rung: tuple[str, ...], tried: tuple[str, ...], held: tuple[str, ...]) -> set[str]:
    """A household reports one after another on one call: of those calls, which others need."""
    of_others = or_(
        and_(calls.c.session_id.is_not(None), calls.c.session_id.not_in(held)),
        and_(calls.c.attempt_id.is_not(None), calls.c.attempt_id.not_in(tried)),
    )
    found = set(connection.execute(select(calls.c.id).where(calls.c.id.in_(rung), of_others)).scalars())
    for table in (answers, voice_messages):
        wanted = select(table.c.call_id).where(table.c.call_id.in_(rung), table.c.session_id.not_in(held))
        found |= set(connection.execute(wanted).scalars())
    return found


def rows_about(connection: Connection, person_id: str) -> dict[str, tuple[dict[str, Any], ...]]:
    """Table -> its rows about a person, as they are stored; every table that can have one.

    Of telephones also those of a number that others have too. What is kept as JSON is given as what it says.
    """
    of = traces_of(connection, person_id)
    found: dict[str, tuple[dict[str, Any], ...]] = {}
    for table in METADATA.sorted_tables:
        if table.name not in ABOUT:
            continue
        condition = telephones.c.number.in_(of.numbers) if table is telephones else ABOUT[table.name](of)
        wanted = select(table).where(condition).order_by(*table.primary_key.columns)
        found[table.name] = tuple(
            {name: _readable(value) for name, value in row.items()} for row in connection.execute(wanted).mappings()
        )
    return found


def _readable(value: object) -> object:
    if isinstance(value, bytes):
        value = unpack(value).decode("utf-8", "replace")
    if isinstance(value, str) and value[:1] == "{":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
