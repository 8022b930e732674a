"""The roster in the database: persons, their numbers and their slots. What staff decide is in ivr.storage.decisions."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    RowMapping,
    Select,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from ivr.errors import BadInput, problem
from ivr.handover import PERIOD_OVER
from ivr.identity import padded_ids
from ivr.person import MOST_PLACES, Closing, Hours, Member, Pause, Person, Risk, begins_anew
from ivr.storage.decisions import Signed, reopen_person
from ivr.storage.portions import portions
from ivr.storage.schema import follow_ups, numbers, person_slots
from ivr.storage.schema import people as table
from ivr.storage.tombstones import erased_among, refuse_erased
from ivr.storage.touched import touch


class Wanted(NamedTuple):
    """Statements for some people: their numbers, their slots, themselves."""

    numbers: Select[Any]
    slots: Select[Any]
    people: Select[Any]


def selects(*conditions: ColumnElement[bool]) -> Wanted:
    """The statements for those people who fulfil the conditions, by id."""

    def owned(of: Table, value: str) -> Select[Any]:
        found = select(of.c.person_id, of.c[value]).join(table).where(*conditions)
        return found.order_by(of.c.person_id, of.c.position)

    return Wanted(
        owned(numbers, "number"), owned(person_slots, "slot"), select(table).where(*conditions).order_by(table.c.id)
    )


# Built once: SQLAlchemy takes three times as long to build a statement as to run it.
_ALL = selects()
_OBSERVED = selects(table.c.closed_at.is_(None))
_BY_IDS = selects(table.c.id.in_(bindparam("wanted", expanding=True)))
_HAVE_IDS = select(table.c.id).where(table.c.id.in_(bindparam("wanted", expanding=True)))
_BY_ID = selects(table.c.id == bindparam("wanted"))
_BY_NUMBER = selects(
    table.c.closed_at.is_(None),
    table.c.id.in_(select(numbers.c.person_id).where(numbers.c.number == bindparam("wanted"))),
)
#: Everybody who has this number, in the order in which they were entered: closed ones keep their place.
_PLACES = (
    select(table.c.id, table.c.closed_at)
    .join(numbers, numbers.c.person_id == table.c.id)
    .where(numbers.c.number == bindparam("wanted"))
    .order_by(table.c.created_at, table.c.id)
)
#: A period that was prolonged is not over any more.
_PROLONGED = update(follow_ups).where(
    follow_ups.c.person_id == bindparam("key"),
    follow_ups.c.reason == PERIOD_OVER,
    follow_ups.c.closed_at.is_(None),
    follow_ups.c.day <= bindparam("last"),
)


@dataclass(frozen=True)
class Stored:
    """What an import changed."""

    added: int
    changed: int
    closed: tuple[str, ...] = ()  #: ids of those whom staff had closed: they stay closed, and are not called


def upsert_people(connection: Connection, people: Sequence[Person], at: datetime) -> Stored:
    """Store what a roster says of each person, numbers and slots too; new ones are created `at`. Others stay.

    Pauses and closings are decisions of staff: a file neither makes nor ends them, whatever the records say.
    All or nothing, as everything in one transaction. Raises IntegrityError for an id that is not 6 to 8 characters,
    BadInput with every id that was of somebody who is erased.
    """
    return _upsert(connection, people, known_people(connection, people), at)


def _upsert(connection: Connection, people: Sequence[Person], known: Mapping[str, Person], at: datetime) -> Stored:
    new = [each for each in people if each.id not in known]
    refuse_erased(connection, (each.id for each in new))
    if padded := padded_among(connection, [each.id for each in new]):
        raise BadInput(*(problem("roster.id_padded_stored", id=id, stored=each) for id, each in padded.items()))
    # Only what differs, and all of a kind at once: a second import of a big roster must not hold up the calls.
    changed = [each for each in people if each.id in known and _said(each) != _said(known[each.id])]
    moved = [each for each in people if each.id in known and _owned(each) != _owned(known[each.id])]
    _each(connection, insert(table), [_columns(person) | {"created_at": at} for person in new])
    keyed = update(table).where(table.c.id == bindparam("key"))
    _each(connection, keyed, [_columns(person) | {"key": person.id} for person in changed])
    for part in (numbers, person_slots):
        gone = delete(part).where(part.c.person_id == bindparam("key"))
        _each(connection, gone, [{"key": person.id} for person in moved])
    _each(connection, insert(numbers), _rows("number", {each.id: each.numbers for each in (*new, *moved)}))
    _each(connection, insert(person_slots), _rows("slot", {each.id: each.slots for each in (*new, *moved)}))
    prolonged = [each for each in changed if each.ends != known[each.id].ends]
    rows = [{"key": each.id, "last": each.ends or _LAST_DAY, "closed_at": at} for each in prolonged]
    _each(connection, _PROLONGED, rows)
    touch(connection, (each.id for each in (*new, *changed, *moved)))
    closed = tuple(each.id for each in people if each.id in known and known[each.id].closing)
    return Stored(len(new), len({each.id for each in (*changed, *moved)}), closed)


_LAST_DAY = date.max


def padded_among(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """ID -> one that is on record, of whomever, and is the same but for zeros in front: no two people have such."""
    wanted = {each: id for id in ids for each in padded_ids(id)}
    found: dict[str, str] = {}
    for part in portions(sorted(wanted)):
        for each in connection.execute(_HAVE_IDS, {"wanted": part}).scalars():
            found.setdefault(wanted[each], each)
    for each in erased_among(connection, wanted):
        found.setdefault(wanted[each], each)
    return found


def take_in(
    connection: Connection,
    people: Sequence[Person],
    signed: Signed,
    zone: tzinfo,
    known: Mapping[str, Person] | None = None,
) -> Stored:
    """`upsert_people`, and whoever was closed and now has a new period (days in `zone`) is under observation again.

    That is a decision too, and written down as one. `closed` names those who stay closed. `known`: what is stored of
    them, if it was read in this transaction.
    """
    known = known_people(connection, people) if known is None else known
    closed = {each.id: each.closing for each in known.values() if each.closing}
    anew = {each.id for each in people if (end := closed.get(each.id)) and begins_anew(each, end, zone)}
    stored = _upsert(connection, people, known, signed.at)
    for person_id in sorted(anew):
        reopen_person(connection, person_id, signed)
    return replace(stored, closed=tuple(each for each in stored.closed if each not in anew))


def known_people(connection: Connection, people: Sequence[Person]) -> dict[str, Person]:
    """What is stored of these people, closed or not; not of the whole roster: that would hold up the calls."""
    ids = [each.id for each in people]
    return {each.id: each for part in portions(ids) for each in read_people(connection, _BY_IDS, {"wanted": part})}


def _each(connection: Connection, statement: Executable, rows: list[dict[str, object]]) -> None:
    # An empty list would run the statement once, without values.
    if rows:
        connection.execute(statement, rows)


def _rows(column: str, owned: Mapping[str, Sequence[str]]) -> list[dict[str, object]]:
    return [
        {"person_id": person_id, "position": position, column: value}
        for person_id, values in owned.items()
        for position, value in enumerate(values)
    ]


def _owned(person: Person) -> tuple[object, object]:
    return person.numbers, person.slots


def _said(person: Person) -> tuple[object, ...]:
    """What a roster says of a person, but for numbers and slots."""
    return (
        *(person.name, person.kana, person.language, person.own_time, person.hours),
        *(person.risk, person.facts, person.begins, person.ends, person.birth_date),
    )


def _columns(person: Person) -> dict[str, object]:
    return {
        "id": person.id,
        "name": person.name,
        "kana": person.kana,
        "language": person.language,
        "own_time": person.own_time,
        "hours_from": person.hours.first if person.hours else None,
        "hours_until": person.hours.until if person.hours else None,
        "risk": person.risk,
        "facts": json.dumps(dict(person.facts), ensure_ascii=False, sort_keys=True),
        "begins": person.begins,
        "ends": person.ends,
        "birth_date": person.birth_date,
    }


def list_people(connection: Connection, *, closed: bool = False) -> tuple[Person, ...]:
    """Everybody under observation, by id; with `closed` everybody there is."""
    return read_people(connection, _ALL if closed else _OBSERVED)


def count_people(connection: Connection) -> int:
    """How many there are, closed ones too."""
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def get_person(connection: Connection, person_id: str) -> Person | None:
    """The person, closed or not; None if there is none of this id."""
    return next(iter(read_people(connection, _BY_ID, {"wanted": person_id})), None)


def people_by_number(connection: Connection, number: str) -> tuple[Person, ...]:
    """Those under observation who have this number (a household shares one), by id. None has a withheld number."""
    return read_people(connection, _BY_NUMBER, {"wanted": number})


def household_of(connection: Connection, number: str) -> tuple[Member, ...]:
    """Those under observation who have this number, by their places.

    First come, first place; who is closed keeps theirs, so that what stands on the card of the others stays true. Only
    where ten or more have had the number the places are counted anew, among those who are left.
    """
    had = connection.execute(_PLACES, {"wanted": number}).all()
    left = had if len(had) <= MOST_PLACES else [each for each in had if each.closed_at is None]
    observed = {each.id: each for each in people_by_number(connection, number)}
    return tuple(Member(place, observed[each.id]) for place, each in enumerate(left, 1) if each.id in observed)


def read_people(
    connection: Connection, wanted: Wanted, values: Mapping[str, object] = MappingProxyType({})
) -> tuple[Person, ...]:
    """The people whom `selects` made statements for."""
    numbers_of = _grouped(connection, wanted.numbers, values)
    slots_of = _grouped(connection, wanted.slots, values)
    facts: dict[str, dict[str, str]] = {"{}": {}}  # many people have the same: reading each text once saves seconds
    people = []
    for row in connection.execute(wanted.people, values).mappings().all():
        written = row["facts"]
        if written not in facts:
            facts[written] = json.loads(written)
        people.append(_person(row, numbers_of.get(row["id"], ()), slots_of.get(row["id"], ()), facts[written]))
    return tuple(people)


def _grouped(connection: Connection, wanted: Select[Any], values: Mapping[str, object]) -> dict[str, list[str]]:
    of: dict[str, list[str]] = {}
    for person_id, value in connection.execute(wanted, values).all():
        of.setdefault(person_id, []).append(value)
    return of


_RISKS = {str(each): each for each in Risk}


def _person(row: RowMapping, owned: Sequence[str], slots: Sequence[str], facts: Mapping[str, str]) -> Person:
    pause = closing = None
    if row["paused_since"] is not None:
        pause = Pause(row["paused_since"], row["paused_until"], row["paused_by"], row["paused_reason"])
    if row["closed_at"] is not None:
        closing = Closing(row["closed_at"], row["closed_by"] or "-", row["closed_reason"] or "-")
    return Person(
        id=row["id"],
        name=row["name"],
        kana=row["kana"],
        numbers=tuple(owned),
        slots=tuple(slots),
        language=row["language"],
        own_time=row["own_time"],
        hours=Hours(row["hours_from"], row["hours_until"]) if row["hours_from"] is not None else None,
        risk=_RISKS[row["risk"]],
        facts=facts,
        begins=row["begins"],
        ends=row["ends"],
        pause=pause,
        closing=closing,
        birth_date=row["birth_date"],
    )
