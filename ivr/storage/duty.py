"""Who has still to be reached on a day, and what is known of each: the facts the dialler decides on."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, bindparam, exists, or_, select

from ivr.call import CallState
from ivr.handover import PERIOD_OVER
from ivr.person import Person
from ivr.storage.calls import Attempt, attempt_of
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.storage.people import read_people, selects
from ivr.storage.schema import attempts, calls, follow_ups, people, reports, sessions
from ivr.storage.words import Completeness


@dataclass(frozen=True)
class Duty:
    """One person under observation whose day is open: no complete report from any source, not handed to staff.

    Whether a pause keeps the person from being called is for the policy to say (ivr.person.is_excluded), at the moment.
    """

    person: Person
    since: datetime  #: when the person was entered
    attempts: tuple[Attempt, ...]  #: of the day, oldest first
    talking: bool  #: a call of the person is in progress, whoever dialled


# Built once, and of what is open only: the dialler asks every second, for everybody.
_IS_OPEN = (
    people.c.closed_at.is_(None),
    people.c.created_at < bindparam("entered_before"),
    ~exists().where(
        reports.c.person_id == people.c.id,
        reports.c.day == bindparam("on_day"),
        reports.c.completeness == Completeness.COMPLETE,
    ),
    # That a period is over is a task for staff, and no reason to stop calling.
    ~exists().where(
        follow_ups.c.person_id == people.c.id,
        follow_ups.c.day == bindparam("on_day"),
        follow_ups.c.reason != PERIOD_OVER,
    ),
)
_PEOPLE = selects(*_IS_OPEN)
_SINCE = select(people.c.id, people.c.created_at).where(*_IS_OPEN)
_TRIED = (
    select(attempts)
    .join(people, people.c.id == attempts.c.person_id)
    .where(attempts.c.day == bindparam("on_day"), *_IS_OPEN)
    .order_by(attempts.c.planned_at, attempts.c.id)
)
_PERIOD_OVER = selects(
    people.c.closed_at.is_(None),
    people.c.ends < bindparam("on_day"),
    # One task until it is done; once it is done without closing the person, the next day asks again.
    ~exists().where(
        follow_ups.c.person_id == people.c.id,
        follow_ups.c.reason == PERIOD_OVER,
        or_(follow_ups.c.closed_at.is_(None), follow_ups.c.day == bindparam("on_day")),
    ),
)
_TALKING = (
    select(sessions.c.person_id)
    .join(calls, calls.c.session_id == sessions.c.id)
    .where(calls.c.state != CallState.ENDED)
)


def open_duties(connection: Connection, day: date, entered_before: datetime) -> tuple[Duty, ...]:
    """Everybody with an open day, by id; not those who were entered too late for it."""
    values = {"on_day": day, "entered_before": entered_before}
    found = read_people(connection, _PEOPLE, values)
    if not found:
        return ()
    since = {row.id: row.created_at for row in connection.execute(_SINCE, values)}
    tried: dict[str, list[Attempt]] = defaultdict(list)
    for row in connection.execute(_TRIED, values).mappings():
        tried[row["person_id"]].append(attempt_of(row))
    talking = set(connection.execute(_TALKING).scalars())
    return tuple(Duty(each, since[each.id], tuple(tried[each.id]), each.id in talking) for each in found)


def open_periods_over(connection: Connection, day: date, at: datetime) -> int:
    """Open the follow-up PERIOD_OVER of everybody who needs one on `day`. How many."""
    found = periods_over(connection, day)
    for each in found:
        open_follow_up(connection, NewFollowUp(day, PERIOD_OVER, each.id), at)
    return len(found)


def periods_over(connection: Connection, day: date) -> tuple[Person, ...]:
    """Everybody for whom a follow-up PERIOD_OVER has to be opened on `day`, by id; see ivr.person.is_period_over."""
    return read_people(connection, _PERIOD_OVER, {"on_day": day})
