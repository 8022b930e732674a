"""The outbox by days, for comparing it with the centre; what that brought, its alarms, and sending once more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from ivr.storage.link import DIFFERS, UNCOMPARED, stand
from ivr.storage.portions import portions
from ivr.storage.schema_comparisons import comparisons
from ivr.storage.schema_outbox import outbox
from ivr.sync.comparison import Compared, Held, Outcome, begin_of, named
from ivr.sync.delivery import State

_HELD = select(outbox.c.id, outbox.c.key, outbox.c.sha256, outbox.c.state, outbox.c.queued_at)


def held_on(connection: Connection, day: date) -> tuple[Held, ...]:
    """What was frozen on a day, in the order in which it was."""
    # `queued_at` is the document's `frozen_at`: see ivr.storage.outbox.put.
    begin = begin_of(day)
    wanted = _HELD.where(outbox.c.queued_at >= begin, outbox.c.queued_at < begin + timedelta(days=1))
    return _held(connection, wanted.order_by(outbox.c.id))


def held_with(connection: Connection, keys: Sequence[str]) -> tuple[Held, ...]:
    """Those of these keys that we have, of whatever day."""
    return tuple(row for each in portions(keys) for row in _held(connection, _HELD.where(outbox.c.key.in_(each))))


def _held(connection: Connection, wanted: Select[Any]) -> tuple[Held, ...]:
    return tuple(
        Held(row.id, row.key, row.sha256, State(row.state), row.queued_at.date()) for row in connection.execute(wanted)
    )


def standing(connection: Connection) -> tuple[date | None, dict[date, Compared]]:
    """The day of the oldest document, and when which day was compared last."""
    oldest: datetime | None = connection.execute(select(func.min(outbox.c.queued_at))).scalar_one()
    compared = {
        row.day: Compared(row.compared_at, open=row.differences > 0 or row.unsent > 0)
        for row in connection.execute(select(comparisons))
    }
    return (oldest.date() if oldest else None), compared


@dataclass(frozen=True)
class Latest:
    """How comparing stands."""

    day: date | None  #: the last one that was compared; None: none was
    at: datetime | None  #: when anything was compared last
    differing: int  #: days on which the centre holds other documents


def latest(connection: Connection) -> Latest:
    """For a screen."""
    differing = func.count().filter(comparisons.c.differences > 0)
    wanted = select(func.max(comparisons.c.day), func.max(comparisons.c.compared_at), differing)
    return Latest(*connection.execute(wanted).one())


def keep(connection: Connection, outcome: Outcome, at: datetime) -> bool:
    """Write down what comparing a day brought; its alarm stands while it differs. Whether it differs."""
    values = {
        "compared_at": at,
        "here": outcome.here,
        "there": outcome.there,
        "unsent": outcome.unsent,
        "differences": len(outcome.differences),
    }
    if connection.execute(update(comparisons).where(comparisons.c.day == outcome.day).values(values)).rowcount == 0:
        connection.execute(insert(comparisons).values(day=outcome.day, **values))
    differs = bool(outcome.differences)
    stand(connection, DIFFERS, differs, named(outcome.differences), at, str(outcome.day))
    return differs


def note_late(connection: Connection, day: date | None, reason: str, at: datetime) -> None:
    """An alarm while this day should have been compared long ago; None ends it."""
    stand(connection, UNCOMPARED, day is not None, f"{day} {reason}", at)


def send_again(connection: Connection, ids: Iterable[int], at: datetime) -> int:
    """What the centre had acknowledged waits once more, with the same key and bytes. How many."""
    again = {"state": State.WAITING, "next_at": at, "settled_at": None, "tries": 0, "record_id": None}
    return sum(
        connection.execute(
            update(outbox)
            .where(outbox.c.id == each, outbox.c.state == State.ACKNOWLEDGED)
            .values(failed_since=None, problem="", **again)
        ).rowcount
        for each in ids
    )
