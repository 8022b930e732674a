"""Alarms: what staff must know about the service itself. Raised once while they stand, ended, acknowledged."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from ivr.storage.schema_house import alarms


@dataclass(frozen=True)
class Alarm:
    """An alarm as stored."""

    id: int
    kind: str  #: id of the catalogue, `alarm.<kind>`
    subject: str  #: what it is about: a slot, a trunk; may be empty
    details: str  #: numbers for staff; never a name, a telephone number or an answer
    raised_at: datetime
    ended_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None


# Also when acknowledged: what staff know of is not told again until it was over.
_STANDING = (alarms.c.ended_at.is_(None),)


def raise_alarm(connection: Connection, kind: str, subject: str, details: str, at: datetime) -> bool:
    """Store it; False, with new details, if the same one stands already."""
    standing = update(alarms).where(alarms.c.kind == kind, alarms.c.subject == subject, *_STANDING)
    if connection.execute(standing.values(details=details)).rowcount:
        return False
    connection.execute(insert(alarms).values(kind=kind, subject=subject, details=details, raised_at=at))
    return True


def end_alarm(connection: Connection, kind: str, subject: str, at: datetime) -> bool:
    """What it was about is over; False if there was none."""
    standing = update(alarms).where(alarms.c.kind == kind, alarms.c.subject == subject, *_STANDING)
    return connection.execute(standing.values(ended_at=at)).rowcount > 0


def keep_alarms(
    connection: Connection, kinds: Collection[str], found: Iterable[tuple[str, str, str]], at: datetime
) -> tuple[list[str], list[str]]:
    """Of these kinds exactly what was found (kind, subject, details) stands from now on. The kinds raised and ended."""
    wanted = {(kind, subject): details for kind, subject, details in found}
    raised = [key[0] for key, details in wanted.items() if raise_alarm(connection, *key, details, at)]
    over = [key for key in standing_alarms(connection) if key[0] in kinds and key not in wanted]
    return raised, [key[0] for key in over if end_alarm(connection, *key, at)]


def standing_alarms(connection: Connection) -> tuple[tuple[str, str], ...]:
    """Kind and subject of what is not over."""
    return tuple((row.kind, row.subject) for row in connection.execute(_KEYS))


_KEYS = select(alarms.c.kind, alarms.c.subject).where(*_STANDING).order_by(alarms.c.id)


def acknowledge_alarm(connection: Connection, alarm_id: int, by: str, at: datetime) -> bool:
    """Staff saw it. False if somebody had before or there is none."""
    wanted = update(alarms).where(alarms.c.id == alarm_id, alarms.c.acknowledged_at.is_(None))
    return connection.execute(wanted.values(acknowledged_at=at, acknowledged_by=by)).rowcount == 1


def list_alarms(connection: Connection, *, every: bool = False) -> tuple[Alarm, ...]:
    """Those that nobody has acknowledged, the newest first; with `every` all there are."""
    wanted = select(alarms).order_by(alarms.c.id.desc())
    if not every:
        wanted = wanted.where(alarms.c.acknowledged_at.is_(None))
    return tuple(Alarm(**row) for row in connection.execute(wanted).mappings())


def acknowledged_since(connection: Connection, kind: str, since: datetime) -> bool:
    """Whether staff have acknowledged an alarm of this kind after `since`."""
    wanted = select(alarms.c.id).where(alarms.c.kind == kind, alarms.c.acknowledged_at >= since).limit(1)
    return connection.execute(wanted).first() is not None
