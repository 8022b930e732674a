"""What is counted of a simulated day, and what comes of it. Knows the record in memory, no clock and no loop."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from ivr.handover import Settled
from scheduler.bound import lower_bound
from scheduler.memory import MemoryRows


@dataclass
class Tally:
    """What the clock counted."""

    busy: float = 0.0  #: line-seconds in use while somebody was due
    usable: float = 0.0  #: line-seconds that there were while somebody was due
    releases: "array[float]" = field(default_factory=lambda: array("d"))  #: when each call might have begun, seconds
    earliest: "array[float]" = field(default_factory=lambda: array("d"))  #: ... had there been a line for each at once
    lengths: "array[float]" = field(default_factory=lambda: array("d"))  #: of the same calls, seconds
    most_at_once: int = 0
    attempts: int = 0
    first_at: datetime | None = None
    last_first_at: datetime | None = None  #: the last first call to a person
    finished_at: datetime | None = None  #: end of the last call


@dataclass(frozen=True)
class Result:
    """How a simulated day went."""

    people: int
    reported: int
    follow_up: int
    excluded: int
    dropped: int  #: whose day ended in none of these: must be 0
    attempts: int
    utilisation: float  #: busy line time / usable line time while anybody was due
    most_at_once: int
    first_at: datetime | None
    last_first_at: datetime | None
    finished_at: datetime | None
    makespan: float  #: seconds from the first call to the end of the last
    lower_bound: float  #: seconds that the same calls take at least on as many lines, in whatever order
    lower_bound_as_due: float  #: ... if none begins before it was due in this run, where retries follow late calls late
    decisions: int
    alarms: Sequence[tuple[datetime, str, str]]


def result_of(tally: Tally, rows: MemoryRows, day: date, begin: datetime, lines: int, decisions: int) -> Result:
    """How the day went. `begin`: from when on the releases count; `lines`: for calls of ours."""
    ends = {key[0]: row.settled for key, row in rows.rows.items() if key[1] == day}
    reported = {person for person, of in rows.reported if of == day}
    handed = {person for person, of in (*rows.follow_ups, *rows.with_staff) if of == day}
    handed |= {person for person, how in ends.items() if how is Settled.HANDED_OVER}
    handed -= reported
    excluded = {person for person, how in ends.items() if how is Settled.EXCLUDED} - reported - handed
    start = tally.first_at or begin
    makespan = ((tally.finished_at or start) - start).total_seconds()
    before = (start - begin).total_seconds()
    bounds = [lower_bound(each, tally.lengths, lines) - before for each in (tally.earliest, tally.releases)]
    people = len(rows.people)
    return Result(
        people=people,
        reported=len(reported),
        follow_up=len(handed),
        excluded=len(excluded),
        dropped=people - len(reported) - len(handed) - len(excluded),
        attempts=tally.attempts,
        utilisation=tally.busy / tally.usable if tally.usable else 1.0,
        most_at_once=tally.most_at_once,
        first_at=tally.first_at,
        last_first_at=tally.last_first_at,
        finished_at=tally.finished_at,
        makespan=round(makespan, 3),
        lower_bound=round(bounds[0], 3),
        lower_bound_as_due=round(bounds[1], 3),
        decisions=decisions,
        alarms=rows.raised,
    )
