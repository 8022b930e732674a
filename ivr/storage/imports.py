"""Imports of a roster: stored so that the last one can be undone, as long as nobody was rung by it."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, tzinfo
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from ivr.errors import BadInput, Problem, problem
from ivr.files.import_preview import Holder
from ivr.person import OWN_TIME, Hours, Person, Risk, begins_anew
from ivr.roster import completed, contradictions
from ivr.storage.decisions import Signed, close_person
from ivr.storage.people import Stored, known_people, take_in, upsert_people
from ivr.storage.portions import portions
from ivr.storage.schema import METADATA, agenda, attempts, numbers, people, person_slots, touched
from ivr.storage.schema_imports import imported, imports

_HOLDERS = (
    select(numbers.c.number, people.c.id, people.c.name, people.c.kana, people.c.birth_date)
    .join(people, people.c.id == numbers.c.person_id)
    .where(people.c.closed_at.is_(None), numbers.c.number.in_(bindparam("wanted", expanding=True)))
)
_NAMESAKES = select(people.c.id, people.c.name, people.c.kana, people.c.birth_date).where(
    people.c.birth_date.is_not(None), people.c.name.in_(bindparam("wanted", expanding=True))
)
#: Tables whose rows about somebody new go with an undone import; a row in any other is history that must stay.
_OF_ROSTER = (touched, agenda, person_slots, numbers, imported)


@dataclass(frozen=True)
class Import:
    """One import."""

    id: int
    at: datetime
    by: str
    file: str


class Refusal(StrEnum):
    """Why an import cannot be undone."""

    NONE = "none"  #: there was none, or it is undone
    RUNG = "rung"  #: people were rung since
    CHANGED = "changed"  #: entries were changed since, here or by the centre
    RECORDED = "recorded"  #: there is more on record by now of people who were new


class NotUndone(Exception):
    """Nothing was undone."""

    def __init__(self, why: Refusal, ids: Sequence[str] = ()) -> None:
        super().__init__(str(why))
        self.why = why
        self.ids = tuple(ids)


def holders_of(connection: Connection, wanted: Collection[str]) -> dict[str, list[Holder]]:
    """Number -> those under observation who have it, of the numbers asked for."""
    found: dict[str, list[Holder]] = {}
    for part in portions(sorted(wanted)):
        for number, *holder in connection.execute(_HOLDERS, {"wanted": part}):
            found.setdefault(number, []).append(Holder(*holder))
    return found


def namesakes_of(connection: Connection, given: Sequence[Person]) -> dict[tuple[str, date], list[Holder]]:
    """Name and birth date -> those who have both, of the people asked for."""
    wanted = {(each.name, each.birth_date) for each in given if each.birth_date}
    found: dict[tuple[str, date], list[Holder]] = {}
    for part in portions(sorted({name for name, _ in wanted})):
        for row in connection.execute(_NAMESAKES, {"wanted": part}):
            if (row.name, row.birth_date) in wanted:
                found.setdefault((row.name, row.birth_date), []).append(Holder(*row))
    return found


def begin_import(connection: Connection, file: str, signed: Signed) -> int:
    """Write down that one begins; its id."""
    values = {"at": signed.at, "by": signed.by, "file": file}
    key = connection.execute(insert(imports).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def count_earlier(connection: Connection, import_id: int) -> int:
    """How many entries there are of imports before this one, which cannot be undone any more."""
    earlier = select(func.count()).select_from(imported).where(imported.c.import_id != import_id)
    return connection.execute(earlier).scalar_one()


def forget_earlier(connection: Connection, import_id: int, most: int) -> None:
    """Forget up to `most` of them."""
    old = select(imported.c.import_id, imported.c.person_id).where(imported.c.import_id != import_id).limit(most)
    rows = [{"of": of, "whom": whom} for of, whom in connection.execute(old)]
    if rows:
        gone = delete(imported).where(
            imported.c.import_id == bindparam("of"), imported.c.person_id == bindparam("whom")
        )
        connection.execute(gone, rows)


def import_part(
    connection: Connection,
    import_id: int | None,
    given: Sequence[Person],
    columns: Collection[str],
    signed: Signed,
    zone: tzinfo,
) -> Stored:
    """`take_in`, with what is stored where the file lacks a column, and what there was before remembered.

    `import_id`: of `begin_import`; None: of an import that was to change nothing.

    Raises BadInput if an entry contradicts itself by now: it was changed since the preview.
    """
    known = known_people(connection, given)
    whole = [completed(each, known[each.id], columns) if each.id in known else each for each in given]
    wrong = [Problem(bad.message, {"id": each.id} | bad.values) for each in whole for bad in contradictions(each)]
    if wrong:
        raise BadInput(problem("cli.people.import.changed_meanwhile"), *wrong)
    rows = [
        {
            "import_id": import_id,
            "person_id": each.id,
            "before": None if before is None else _written(before),
            "stored": _hash(each),
            "reopened": int(_reopens(before, each, zone)),
        }
        for each in whole
        if (before := known.get(each.id)) is None or replace(before, pause=None, closing=None) != each
    ]
    stored = take_in(connection, whole, signed, zone, known)
    if rows and import_id is not None:
        connection.execute(insert(imported), rows)
    return stored


def _reopens(before: Person | None, now: Person, zone: tzinfo) -> bool:
    return before is not None and before.closing is not None and begins_anew(now, before.closing, zone)


def last_import(connection: Connection) -> Import | None:
    """The last one, if it is not undone."""
    row = connection.execute(select(imports).order_by(imports.c.id.desc()).limit(1)).mappings().first()
    if row is None or row["undone_at"] is not None:
        return None
    return Import(row["id"], row["at"], row["by"], row["file"])


def count_imported(connection: Connection, last: Import) -> tuple[int, int]:
    """How many people it added, and how many entries it changed."""
    counted = select(func.count(), func.count(imported.c.before)).where(imported.c.import_id == last.id)
    total, changed = connection.execute(counted).one()
    return total - changed, changed


def ids_of(connection: Connection, last: Import) -> tuple[str, ...]:
    """The people whom it added or changed, by id."""
    wanted = select(imported.c.person_id).where(imported.c.import_id == last.id).order_by(imported.c.person_id)
    return tuple(connection.execute(wanted).scalars())


def check_undo(connection: Connection, last: Import, ids: Sequence[str]) -> None:
    """Raises NotUndone, with the people for whom it is too late."""
    since = [attempts.c.person_id.in_(ids), attempts.c.planned_at >= last.at]
    if rung := connection.execute(select(attempts.c.person_id).where(*since).distinct()).scalars().all():
        raise NotUndone(Refusal.RUNG, sorted(rung))
    rows = _rows(connection, last, ids)
    known = known_people(connection, _of_ids(rows))
    changed = [id for id, row in rows.items() if id not in known or _hash(known[id]) != row["stored"]]
    if changed:
        raise NotUndone(Refusal.CHANGED, changed)
    if recorded := _recorded(connection, [id for id, row in rows.items() if row["before"] is None]):
        raise NotUndone(Refusal.RECORDED, sorted(recorded))


def undo_part(connection: Connection, last: Import, ids: Sequence[str], signed: Signed) -> None:
    """Put the entries of these people back as they were before the import; who was new is gone. Raises NotUndone."""
    check_undo(connection, last, ids)
    rows = _rows(connection, last, ids)
    upsert_people(connection, [_read(id, row["before"]) for id, row in rows.items() if row["before"]], signed.at)
    for id, row in rows.items():
        if row["reopened"]:
            close_person(connection, id, signed)
    new = [{"whom": id} for id, row in rows.items() if row["before"] is None]
    if new:
        for table in _OF_ROSTER:
            connection.execute(delete(table).where(table.c.person_id == bindparam("whom")), new)
        connection.execute(delete(people).where(people.c.id == bindparam("whom")), new)
    done = delete(imported).where(imported.c.import_id == last.id, imported.c.person_id == bindparam("whom"))
    connection.execute(done, [{"whom": id} for id in rows])


def end_undo(connection: Connection, last: Import, at: datetime) -> None:
    """All of it is undone."""
    connection.execute(update(imports).where(imports.c.id == last.id).values(undone_at=at))


def _rows(connection: Connection, last: Import, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    wanted = select(imported).where(imported.c.import_id == last.id, imported.c.person_id.in_(ids))
    return {row["person_id"]: dict(row) for row in connection.execute(wanted).mappings()}


def _of_ids(ids: Collection[str]) -> list[Person]:
    return [Person(each, "", "", (), ()) for each in ids]


def _recorded(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Those of them about whom there is a row beside the roster's own."""
    found: set[str] = set()
    for table in METADATA.sorted_tables:
        for key in table.foreign_keys if table not in _OF_ROSTER else ():
            if key.column is people.c.id:
                found.update(connection.execute(select(key.parent).where(key.parent.in_(ids)).distinct()).scalars())
    return found


def _said(person: Person) -> dict[str, object]:
    """What a roster says of a person, as JSON has it."""
    hours = person.hours and [person.hours.first.isoformat(), person.hours.until.isoformat()]
    return {
        **{name: getattr(person, name) for name in ("name", "kana", "language")},
        "numbers": list(person.numbers),
        "slots": list(person.slots),
        "own_time": person.own_time and person.own_time.isoformat(),
        "hours": hours,
        "risk": str(person.risk),
        "facts": dict(person.facts),
        **{name: (day := getattr(person, name)) and day.isoformat() for name in ("begins", "ends", "birth_date")},
    }


def _written(person: Person) -> str:
    return json.dumps(_said(person), ensure_ascii=False, sort_keys=True)


def _hash(person: Person) -> str:
    return hashlib.sha256(_written(person).encode()).hexdigest()[:32]


def _read(id: str, written: str) -> Person:
    """The person of what `_written` wrote."""
    told: dict[str, Any] = json.loads(written)
    hours = told["hours"] and Hours(*map(time.fromisoformat, told["hours"]))
    begins, ends, born = (told[name] and date.fromisoformat(told[name]) for name in ("begins", "ends", "birth_date"))
    own_time = told["own_time"] and time.fromisoformat(told["own_time"])
    assert (OWN_TIME in told["slots"]) == (own_time is not None)
    return Person(
        id,
        told["name"],
        told["kana"],
        tuple(told["numbers"]),
        tuple(told["slots"]),
        told["language"],
        own_time,
        hours,
        Risk(told["risk"]),
        told["facts"],
        begins,
        ends,
        birth_date=born,
    )
