"""Who was erased: an ID, when, who said so and why. No name and no number; and the ID is nobody's for ever."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select

from ivr.errors import BadInput, problem
from ivr.storage.portions import portions
from ivr.storage.schema_erased import tombstones as table

_THESE = select(table.c.person_id).where(table.c.person_id.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True)
class Tombstone:
    """What stays of somebody."""

    person_id: str
    at: datetime
    by: str
    reason: str


def set_tombstone(connection: Connection, stone: Tombstone) -> None:
    """Write it down, for good. Raises IntegrityError if there is one of this ID."""
    connection.execute(insert(table), vars(stone))


def tombstones(connection: Connection) -> tuple[Tombstone, ...]:
    """All there are, the oldest first."""
    rows = connection.execute(select(table).order_by(table.c.at, table.c.person_id))
    return tuple(Tombstone(**row) for row in rows.mappings())


def erased_among(connection: Connection, ids: Iterable[str]) -> tuple[str, ...]:
    """Those of the IDs that were of somebody who is erased, sorted."""
    wanted = sorted(set(ids))
    return tuple(
        sorted(each for part in portions(wanted) for each in connection.execute(_THESE, {"ids": part}).scalars())
    )


def refuse_erased(connection: Connection, ids: Iterable[str]) -> None:
    """Raises BadInput with each of the IDs that was of somebody who is erased: for whatever makes people."""
    if erased := erased_among(connection, ids):
        raise BadInput(*(problem("storage.erased", id=each) for each in erased))
