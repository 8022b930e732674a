"""Where the centre and we disagree about a person: found, shown, and settled by staff or because both say the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from ivr.errors import BadInput, Problem, problem
from ivr.roster import Rules, cells_of, read_cells
from ivr.storage.alarms import keep_alarms
from ivr.storage.decisions import Signed, close_person, reopen_person
from ivr.storage.people import get_person, upsert_people
from ivr.storage.pulled import count_conflicts
from ivr.storage.schema_centre import AGREED
from ivr.storage.schema_centre import conflicts as table
from ivr.sync.merging import CLOSED, STANDING, Conflict, Kept, read_written, written

#: The alarm that stands while one is open, as `alarm.<kind>` of the catalogue.
CONFLICTS = "sync_conflicts"
_OPEN = table.c.settled_at.is_(None)


@dataclass(frozen=True)
class Found:
    """A difference as stored."""

    id: int
    person_id: str
    field: str
    here: Mapping[str, str]  #: column of the roster -> text, as it stood here when the difference was found
    centre: Mapping[str, str]
    kept: Kept  #: what stands in the roster meanwhile
    found_at: datetime


def open_conflicts(connection: Connection) -> tuple[Found, ...]:
    """Those that nobody has settled, the oldest first."""
    return tuple(map(_found, connection.execute(select(table).where(_OPEN).order_by(table.c.id)).mappings()))


def note_conflict(connection: Connection, person_id: str, found: Conflict, at: datetime) -> bool:
    """Write it down; False if there is an open one about the same: that one holds what the centre says now."""
    same = update(table).where(table.c.person_id == person_id, table.c.field == found.field, _OPEN)
    if connection.execute(same.values(centre=written(found.centre), kept=found.kept)).rowcount:
        return False
    values = {
        "person_id": person_id,
        "field": found.field,
        "here": written(found.here),
        "centre": written(found.centre),
        "kept": found.kept,
        "found_at": at,
    }
    connection.execute(insert(table), values)
    return True


def end_agreed(connection: Connection, person_id: str, fields: Sequence[str], at: datetime) -> None:
    """Both sides say the same about these fields by now."""
    same = update(table).where(table.c.person_id == person_id, table.c.field.in_(fields), _OPEN)
    connection.execute(same.values(settled_at=at, settled=AGREED))


def restate(connection: Connection, found: Found, centre: Mapping[str, str]) -> None:
    """The centre says something else by now."""
    connection.execute(update(table).where(table.c.id == found.id).values(centre=written(centre)))


def settle(connection: Connection, ids: Sequence[int], kept: Kept, rules: Rules, signed: Signed) -> None:
    """Staff have decided whose word holds; from now on that stands in the roster.

    Raises BadInput with every problem: no open difference has that number, or the settings no longer allow the value.
    """
    known = {each.id: each for each in open_conflicts(connection)}
    problems = [problem("cli.sync.settle.unknown", id=each) for each in ids if each not in known]
    for each in (known[id] for id in ids if id in known):
        if kept is not each.kept:
            problems += _apply(connection, each, each.here if kept is Kept.HERE else each.centre, rules, signed)
        values = {"settled_at": signed.at, "settled": kept, "settled_by": signed.by, "settled_reason": signed.reason}
        connection.execute(update(table).where(table.c.id == each.id).values(values))
    if problems:
        raise BadInput(*problems)
    tell_of_conflicts(connection, signed.at)


def _apply(
    connection: Connection, found: Found, value: Mapping[str, str], rules: Rules, signed: Signed
) -> list[Problem]:
    if found.field == STANDING:
        decide = close_person if value[STANDING] == CLOSED else reopen_person
        decide(connection, found.person_id, signed)  # False: it stands so by now
        return []
    person = get_person(connection, found.person_id)
    assert person is not None
    _, changed, problems = read_cells({**cells_of(person), **value}, rules)
    if changed is not None:
        upsert_people(connection, [changed], signed.at)
    return problems


def decided_last(connection: Connection, person_id: str, field: str) -> datetime | None:
    """When staff last settled a difference about this; None: never."""
    by_staff = (table.c.person_id == person_id, table.c.field == field, table.c.settled.in_(tuple(Kept)))
    last: datetime | None = connection.execute(select(func.max(table.c.settled_at)).where(*by_staff)).scalar_one()
    return last


def tell_of_conflicts(connection: Connection, at: datetime) -> None:
    """The alarm stands while there is one."""
    count = count_conflicts(connection)
    keep_alarms(connection, (CONFLICTS,), [(CONFLICTS, "", str(count))] if count else [], at)


def _found(row: RowMapping) -> Found:
    here, centre = (read_written(row[side]) for side in ("here", "centre"))
    return Found(row["id"], row["person_id"], row["field"], here, centre, Kept(row["kept"]), row["found_at"])
