"""Whom nobody has reached on a day, at any moment: the list with which people take over with their own telephones."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, bindparam, select

from ivr.handover import HandOver
from ivr.person import Person
from ivr.storage.calls import Attempt, attempt_of
from ivr.storage.people import list_people
from ivr.storage.schema import attempts, follow_ups, reports
from ivr.storage.words import Completeness


@dataclass(frozen=True)
class NotReached:
    """One person under observation without a complete report of the day."""

    person: Person
    attempts: tuple[Attempt, ...]  #: of the day, oldest first
    tasks: tuple[str, ...]  #: reasons of open follow-ups of the day


_REPORTED = select(reports.c.person_id).where(
    reports.c.day == bindparam("on_day"), reports.c.completeness == Completeness.COMPLETE
)
_TASKS = select(follow_ups.c.person_id, follow_ups.c.reason, follow_ups.c.closed_at).where(
    follow_ups.c.day == bindparam("on_day"), follow_ups.c.person_id.is_not(None)
)
_TRIED = select(attempts).where(attempts.c.day == bindparam("on_day")).order_by(attempts.c.planned_at, attempts.c.id)


def not_reached(connection: Connection, day: date) -> tuple[NotReached, ...]:
    """Everybody without a complete report whom staff have not rung yet: high risk first, then by reading.

    From the roster and the reports, not from what the dialler planned: it works also when the dialler did not run.
    """
    values = {"on_day": day}
    reported = set(connection.execute(_REPORTED, values).scalars())
    tasks: dict[str, list[str]] = defaultdict(list)
    done: set[str] = set()
    for row in connection.execute(_TASKS, values):
        if row.closed_at is None:
            tasks[row.person_id].append(row.reason)
        elif row.reason in tuple(HandOver):
            done.add(row.person_id)
    tried: dict[str, list[Attempt]] = defaultdict(list)
    for each in connection.execute(_TRIED, values).mappings():
        tried[each["person_id"]].append(attempt_of(each))
    found = [
        NotReached(person, tuple(tried.get(person.id, ())), tuple(tasks.get(person.id, ())))
        for person in list_people(connection)
        if person.id not in reported and (person.id in tasks or person.id not in done)
    ]
    return tuple(sorted(found, key=lambda each: (-each.person.risk.rank, each.person.kana, each.person.id)))
