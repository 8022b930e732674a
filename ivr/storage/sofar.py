"""What has become of a day so far, for whoever looks ahead from its middle."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection, select

from ivr.handover import CALLING_GOES_ON, HandOver
from ivr.storage.agenda import Row, rows_of_day
from ivr.storage.calls import Attempt, attempts_of_day
from ivr.storage.schema import follow_ups, people, reports
from ivr.storage.words import Completeness


@dataclass(frozen=True)
class SoFar:
    """A day up to a moment."""

    rows: tuple[Row, ...] = ()  #: of the agenda
    attempts: tuple[Attempt, ...] = ()  #: oldest first, those under way too
    reported: frozenset[str] = frozenset()  #: persons with a complete report
    with_staff: frozenset[str] = frozenset()  #: persons about whom staff have a task that ends all calls of the day
    since: Mapping[str, datetime] = field(default_factory=dict)  #: person -> when they were entered


#: A day that has not begun.
NOTHING = SoFar()


def so_far(connection: Connection, day: date) -> SoFar:
    """What is known of the local day."""
    reported = select(reports.c.person_id).where(
        reports.c.day == day, reports.c.person_id.is_not(None), reports.c.completeness == Completeness.COMPLETE
    )
    # As a decision about a call sees it: what the dialler itself handed over ends one slot, not the day.
    tasks = select(follow_ups.c.person_id).where(
        follow_ups.c.day == day,
        follow_ups.c.person_id.is_not(None),
        follow_ups.c.reason.not_in((*HandOver, *CALLING_GOES_ON)),
    )
    entered = select(people.c.id, people.c.created_at).where(people.c.closed_at.is_(None))
    return SoFar(
        rows_of_day(connection, day),
        attempts_of_day(connection, day),
        frozenset(connection.execute(reported).scalars()),
        frozenset(connection.execute(tasks).scalars()),
        {row.id: row.created_at for row in connection.execute(entered)},
    )
