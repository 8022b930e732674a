"""Counts and ages over all rows, for monitoring; nothing here names anybody."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, Table, func, select

from ivr.call import CallState, Direction
from ivr.storage.schema import agenda, alerts, attempts, calls, follow_ups
from ivr.storage.schema_erased import erased_figures
from ivr.storage.schema_house import alarms
from ivr.storage.words import Figure


@dataclass(frozen=True)
class Open:
    """How many rows of one kind are open, and since when the oldest is."""

    count: int
    since: datetime | None

    def age(self, now: datetime) -> float:
        """Seconds for which the oldest has been open; 0: none is."""
        return max(0.0, (now - self.since).total_seconds()) if self.since else 0.0


@dataclass(frozen=True)
class Counts:
    """How the rows stand at one moment."""

    calls: dict[str, int]  #: direction -> calls that have not ended
    attempts: dict[str, int]  #: outcome -> attempts, ever; those of people who are erased, too
    due: Open
    follow_ups: Open
    alerts: Open
    alarms: Open


def count_rows(connection: Connection, day: date, now: datetime) -> Counts:
    """`day` is today in the centre's zone: what was due on days before is settled otherwise."""
    going = select(calls.c.direction, func.count()).where(calls.c.state != CallState.ENDED).group_by(calls.c.direction)
    ended = select(attempts.c.outcome, func.count()).where(attempts.c.outcome.is_not(None)).group_by(attempts.c.outcome)
    gone = select(erased_figures.c.value, func.sum(erased_figures.c.count)).where(
        erased_figures.c.figure == Figure.ATTEMPT
    )
    tried = Counter({str(name): int(count) for name, count in connection.execute(ended)})
    tried.update({str(name): int(count) for name, count in connection.execute(gone.group_by(erased_figures.c.value))})
    due = (agenda.c.day == day, agenda.c.settled.is_(None), agenda.c.next_at <= now)
    return Counts(
        calls={str(each): 0 for each in Direction} | {str(name): count for name, count in connection.execute(going)},
        attempts=dict(tried),
        due=_open(connection, agenda, agenda.c.next_at, *due),
        follow_ups=_open(connection, follow_ups, follow_ups.c.opened_at, follow_ups.c.closed_at.is_(None)),
        alerts=_open(
            connection, alerts, alerts.c.at, alerts.c.acknowledged_at.is_(None) & alerts.c.withdrawn_at.is_(None)
        ),
        alarms=_open(connection, alarms, alarms.c.raised_at, alarms.c.ended_at.is_(None)),
    )


def erased_on(connection: Connection, day: date) -> dict[str, dict[str, int]]:
    """What people who are erased had on a day: figure -> value -> count. Nobody can be told from it."""
    found: dict[str, dict[str, int]] = {}
    columns = (erased_figures.c.figure, erased_figures.c["value"], erased_figures.c["count"])
    for figure, value, count in connection.execute(select(*columns).where(erased_figures.c.day == day)):
        found.setdefault(figure, {})[value] = count
    return found


def _open(
    connection: Connection, table: Table, since: ColumnElement[datetime], *conditions: ColumnElement[bool]
) -> Open:
    wanted = select(func.count(), func.min(since)).select_from(table).where(*conditions)
    count, oldest = connection.execute(wanted).one()
    return Open(count, oldest)
