"""The roster in the database: persons and their numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    RowMapping,
    Select,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from ivr.roster import Person
from ivr.storage.schema import numbers
from ivr.storage.schema import people as table


def selects(*conditions: ColumnElement[bool]) -> tuple[Select[Any], Select[Any]]:
    """The numbers of some people, and the people."""
    owned = select(numbers.c.person_id, numbers.c.number).join(table).where(*conditions)
    return owned.order_by(numbers.c.person_id, numbers.c.position), select(table).where(*conditions).order_by(
        table.c.id
    )


# Built once: SQLAlchemy takes three times as long to build a statement as to run it.
_ALL = selects()
_OBSERVED = selects(table.c.closed_at.is_(None))
_BY_ID = selects(table.c.id == bindparam("wanted"))
_BY_NUMBER = selects(
    table.c.closed_at.is_(None),
    table.c.id.in_(select(numbers.c.person_id).where(numbers.c.number == bindparam("wanted"))),
)


@dataclass(frozen=True)
class Stored:
    """What an import changed."""

    added: int
    changed: int


def upsert_people(connection: Connection, people: Sequence[Person], at: datetime) -> Stored:
    """Store each person exactly as given, numbers too; new ones are created `at`. Others stay as they are.

    A person given without `closed_at` is under observation, also if it was closed before.
    All or nothing, as everything in one transaction. Raises IntegrityError for an id that is not 6 to 8 characters.
    """
    known = {each.id: each for each in list_people(connection, closed=True)}
    new = [each for each in people if each.id not in known]
    # Only what differs, and all of a kind at once: a second import of a big roster must not hold up the calls.
    changed = [each for each in people if each.id in known and each != known[each.id]]
    _each(connection, insert(table), [_columns(person) | {"created_at": at} for person in new])
    keyed = update(table).where(table.c.id == bindparam("key"))
    _each(connection, keyed, [_columns(person) | {"key": person.id} for person in changed])
    _each(
        connection,
        delete(numbers).where(numbers.c.person_id == bindparam("key")),
        [{"key": person.id} for person in changed],
    )
    rows = [
        {"person_id": person.id, "position": position, "number": number}
        for person in (*new, *changed)
        for position, number in enumerate(person.numbers)
    ]
    _each(connection, insert(numbers), rows)
    return Stored(len(new), len(changed))


def _each(connection: Connection, statement: Executable, rows: list[dict[str, object]]) -> None:
    # An empty list would run the statement once, without values.
    if rows:
        connection.execute(statement, rows)


def _columns(person: Person) -> dict[str, object]:
    return {
        "id": person.id,
        "name": person.name,
        "kana": person.kana,
        "language": person.language,
        "slot": person.slot,
        "closed_at": person.closed_at,
    }


def close_person(connection: Connection, person_id: str, at: datetime) -> bool:
    """End the observation, by a decision of staff; False if it had ended or there is no such person."""
    found = connection.execute(
        update(table).where(table.c.id == person_id, table.c.closed_at.is_(None)).values(closed_at=at)
    )
    return found.rowcount == 1


def list_people(connection: Connection, *, closed: bool = False) -> tuple[Person, ...]:
    """Everybody under observation, by id; with `closed` everybody there is."""
    return read_people(connection, _ALL if closed else _OBSERVED)


def get_person(connection: Connection, person_id: str) -> Person | None:
    """The person, closed or not; None if there is none of this id."""
    return next(iter(read_people(connection, _BY_ID, {"wanted": person_id})), None)


def people_by_number(connection: Connection, number: str) -> tuple[Person, ...]:
    """Those under observation who have this number (a household shares one), by id. None has a withheld number."""
    return read_people(connection, _BY_NUMBER, {"wanted": number})


def read_people(
    connection: Connection, wanted: tuple[Select[Any], Select[Any]], values: Mapping[str, object] = MappingProxyType({})
) -> tuple[Person, ...]:
    """The people whom `selects` made statements for."""
    owned, found = wanted
    of: dict[str, list[str]] = {}
    for person_id, number in connection.execute(owned, values):
        of.setdefault(person_id, []).append(number)
    return tuple(_person(row, of.get(row["id"], ())) for row in connection.execute(found, values).mappings())


def _person(row: RowMapping, owned: Sequence[str]) -> Person:
    return Person(
        id=row["id"],
        name=row["name"],
        kana=row["kana"],
        numbers=tuple(owned),
        slot=row["slot"],
        language=row["language"],
        closed_at=row["closed_at"],
    )


def facts_of(connection: Connection, person_id: str) -> Mapping[str, str]:
    """What is known of a person besides who it is, such as oximeter -> yes. The roster has no such columns yet."""
    return {}
