"""What the loop reads and writes: a protocol, and the database behind it. Knows no decision."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from ivr.call import Outcome
from ivr.handover import HandOver, Settled
from ivr.person import Person
from ivr.storage import agenda, alarms, calls, facts, periods
from ivr.storage.agenda import Facts, Row
from ivr.storage.database import Database
from scheduler.health import End

#: The last day on which everybody was reached or handed over.
SETTLED = "dialer.settled"
#: When the loop was last seen at work.
LAST_LOOK = "dialer.last_look"


class Rows(Protocol):
    """The record. Every method is one transaction."""

    async def to_plan(self, *, changed: bool) -> Sequence[tuple[Person, datetime]]:
        """Everybody under observation, and since when they are; or those whose entry changed, closed or not."""

    async def plan_all(self, day: date, rows: Sequence[Row]) -> Sequence[Row]:
        """Store what is new of a day. Returns what is new and open."""

    async def plan_changed(self, rows: Sequence[Row], planned: Sequence[str]) -> Sequence[Row]:
        """Store what is new, and plan what is open or excluded anew. Returns what is open of the rows."""

    async def open_periods_over(self, day: date, at: datetime) -> int:
        """A follow-up for everybody whose period is over and whom staff have not closed. How many."""

    async def open_rows(self, day: date) -> Sequence[Row]:
        """What is not settled, of this day and before."""

    async def due(self, at: datetime) -> Sequence[tuple[str, str, str]]:
        """Person, ISO day and slot of every row that is not settled and was to be looked at by then."""

    async def rows_of(self, keys: Sequence[tuple[str, str, str]]) -> Sequence[Row]:
        """Those of these rows that are not settled."""

    async def facts_of(self, person_id: str, day: date) -> Facts:
        """All that is known of a person and day at this moment."""

    async def open_rows_sharing(self, number: str, day: date) -> Sequence[Row]:
        """What is not settled on a day of everybody who has this number."""

    async def begin(
        self, attempt: calls.Attempt, then: datetime, others: Sequence[tuple[calls.Attempt, datetime]]
    ) -> Sequence[calls.Attempt]:
        """Write an attempt down with the next step, and those of others who share its call: who of them does.

        Raises AlreadyCalling, TooManyTries, LookupError.
        """

    async def end_of(self, attempt: calls.Attempt) -> End:
        """How its call ended, as far as anybody knows; `outcome` is None until it is written down."""

    async def open_attempts(self) -> Sequence[calls.OpenAttempt]:
        """Calls and attempts that have not ended, whoever dialled."""

    async def end_lost(self, attempt: calls.OpenAttempt | calls.Attempt, outcome: Outcome, at: datetime) -> None:
        """End what whoever held it did not end; if it cannot be written now, then later. The first end stands."""

    def note(self, action: str, error: BaseException) -> None:
        """Something failed: an alarm for staff, as soon as one can be written."""

    async def set_next(self, person_id: str, day: date, slot: str, at: datetime) -> None:
        """When to look again."""

    async def settle(self, person_id: str, day: date, slot: str, how: Settled) -> None:
        """Nothing more is to be done."""

    async def hand_over(
        self, row: tuple[str, date, str], reason: HandOver, due_at: datetime | None, at: datetime
    ) -> None:
        """Open a follow-up and settle the row."""

    async def tell_staff(
        self, row: tuple[str, date, str], reason: HandOver, due_at: datetime | None, at: datetime
    ) -> None:
        """Open a follow-up while calling goes on, once a day."""

    async def close_overdue(self, begun_before: datetime, at: datetime) -> int:
        """End what never ended. How many."""

    async def counts(self, day: date) -> Sequence[agenda.Count]:
        """How each slot of the day stands."""

    async def observed(self) -> int:
        """How many are under observation."""

    async def get_fact(self, key: str) -> str | None:
        """What was remembered."""

    async def set_fact(self, key: str, value: str) -> None:
        """Remember."""

    async def raise_alarm(self, kind: str, subject: str, details: str, at: datetime) -> bool:
        """False if it stands already."""

    async def end_alarm(self, kind: str, subject: str, at: datetime) -> bool:
        """False if there was none."""

    async def standing_alarms(self) -> Sequence[tuple[str, str]]:
        """Kind and subject of each."""

    async def alarm_acknowledged(self, kind: str, since: datetime) -> bool:
        """Whether staff have acknowledged one after `since`."""


class DatabaseRows:
    """The record in the database of the service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def to_plan(self, *, changed: bool) -> Sequence[tuple[Person, datetime]]:
        return await self._database.read(agenda.to_plan, changed=changed)

    async def plan_all(self, day: date, rows: Sequence[Row]) -> Sequence[Row]:
        return await self._database.write(agenda.plan_all, day, rows)

    async def plan_changed(self, rows: Sequence[Row], planned: Sequence[str]) -> Sequence[Row]:
        return await self._database.write(agenda.plan_changed, rows, planned)

    async def open_periods_over(self, day: date, at: datetime) -> int:
        return await self._database.write(periods.open_periods_over, day, at)

    async def open_rows(self, day: date) -> Sequence[Row]:
        return await self._database.read(agenda.open_rows, day)

    async def due(self, at: datetime) -> Sequence[tuple[str, str, str]]:
        return await self._database.read(agenda.due_keys, at)

    async def rows_of(self, keys: Sequence[tuple[str, str, str]]) -> Sequence[Row]:
        return await self._database.read(agenda.rows_of, keys)

    async def facts_of(self, person_id: str, day: date) -> Facts:
        return await self._database.read(agenda.facts_of, person_id, day)

    async def open_rows_sharing(self, number: str, day: date) -> Sequence[Row]:
        return await self._database.read(agenda.open_rows_sharing, number, day)

    async def begin(
        self, attempt: calls.Attempt, then: datetime, others: Sequence[tuple[calls.Attempt, datetime]]
    ) -> Sequence[calls.Attempt]:
        return await self._database.write(agenda.begin_attempts, attempt, then, others)

    async def end_of(self, attempt: calls.Attempt) -> End:
        return End(*await self._database.read(calls.end_of_attempt, attempt.id), attempt.person_id, attempt.planned_at)

    async def open_attempts(self) -> Sequence[calls.OpenAttempt]:
        return await self._database.read(calls.open_attempts)

    async def end_lost(self, attempt: calls.OpenAttempt | calls.Attempt, outcome: Outcome, at: datetime) -> None:
        call_id = attempt.call_id if isinstance(attempt, calls.OpenAttempt) else None
        attempt_id = attempt.attempt_id if isinstance(attempt, calls.OpenAttempt) else attempt.id
        await self._database.pending.write(calls.end_lost, attempt_id, call_id, outcome, at)

    def note(self, action: str, error: BaseException) -> None:
        self._database.pending.note(action, error)

    async def set_next(self, person_id: str, day: date, slot: str, at: datetime) -> None:
        await self._database.write(agenda.set_next, person_id, day, slot, at)

    async def settle(self, person_id: str, day: date, slot: str, how: Settled) -> None:
        await self._database.write(agenda.settle, person_id, day, slot, how)

    async def hand_over(
        self, row: tuple[str, date, str], reason: HandOver, due_at: datetime | None, at: datetime
    ) -> None:
        await self._database.write(agenda.hand_over, row, reason, due_at, at)

    async def tell_staff(
        self, row: tuple[str, date, str], reason: HandOver, due_at: datetime | None, at: datetime
    ) -> None:
        await self._database.write(agenda.tell_staff, row, reason, due_at, at)

    async def close_overdue(self, begun_before: datetime, at: datetime) -> int:
        return await self._database.write(calls.close_overdue, begun_before, at)

    async def counts(self, day: date) -> Sequence[agenda.Count]:
        return await self._database.read(agenda.counts, day)

    async def observed(self) -> int:
        return await self._database.read(agenda.observed)

    async def get_fact(self, key: str) -> str | None:
        return await self._database.read(facts.get_fact, key)

    async def set_fact(self, key: str, value: str) -> None:
        await self._database.write(facts.set_fact, key, value)

    async def raise_alarm(self, kind: str, subject: str, details: str, at: datetime) -> bool:
        return await self._database.write(alarms.raise_alarm, kind, subject, details, at)

    async def end_alarm(self, kind: str, subject: str, at: datetime) -> bool:
        return await self._database.write(alarms.end_alarm, kind, subject, at)

    async def standing_alarms(self) -> Sequence[tuple[str, str]]:
        return await self._database.read(alarms.standing_alarms)

    async def alarm_acknowledged(self, kind: str, since: datetime) -> bool:
        return await self._database.read(alarms.acknowledged_since, kind, since)
