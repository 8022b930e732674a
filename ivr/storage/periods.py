"""Whose period is over without a closing decision: a task for staff, and no reason to stop calling."""

from datetime import date, datetime

from sqlalchemy import Connection, bindparam, exists, or_

from ivr.handover import PERIOD_OVER
from ivr.person import Person
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.storage.people import read_people, selects
from ivr.storage.schema import follow_ups, people

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


def open_periods_over(connection: Connection, day: date, at: datetime) -> int:
    """Open the follow-up PERIOD_OVER of everybody who needs one on `day`. How many."""
    found = periods_over(connection, day)
    for each in found:
        open_follow_up(connection, NewFollowUp(day, PERIOD_OVER, each.id), at)
    return len(found)


def periods_over(connection: Connection, day: date) -> tuple[Person, ...]:
    """Everybody for whom a follow-up PERIOD_OVER has to be opened on `day`, by id; see ivr.person.is_period_over."""
    return read_people(connection, _PERIOD_OVER, {"on_day": day})
