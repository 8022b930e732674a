"""The record in memory, for simulations: the same methods and the same refusals as the database, without its price."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from ivr.call import CARRIED, CallState, Fault, Outcome
from ivr.core.sip_statuses import Others
from ivr.handover import HandOver, Settled
from ivr.person import Closing, Person
from ivr.storage import agenda, calls
from ivr.storage.agenda import NEVER_RANG, Facts, Row, TooManyTries, Used, uses_of, was_turned_down
from ivr.storage.schema import MOST_ATTEMPTS_A_SLOT
from ivr.storage.sofar import SoFar
from scheduler.health import End

Key = tuple[str, date, str]

#: Whose matter a simulated end is, as those of `ivr.core.sip_statuses` mostly are; others are the person's. What fails
#: is never sent.
FAULTS: dict[Outcome, Fault | None] = {
    Outcome.BAD_NUMBER: Fault.NUMBER,
    Outcome.CONGESTION: Fault.TRUNK,
    Outcome.REFUSED: Fault.TRUNK,
    Outcome.FAILED: None,
    Outcome.UNKNOWN: None,
}


@dataclass
class MemoryRows:
    """Everything that the loop reads and writes, for one process."""

    people: dict[str, Person] = field(default_factory=dict)
    since: dict[str, datetime] = field(default_factory=dict)
    rows: dict[Key, Row] = field(default_factory=dict)
    attempts: dict[tuple[str, date], list[calls.Attempt]] = field(default_factory=dict)
    on_number: dict[tuple[str, date], Used] = field(default_factory=dict)
    reported: set[tuple[str, date]] = field(default_factory=set)
    follow_ups: dict[tuple[str, date], HandOver] = field(default_factory=dict)
    with_staff: set[tuple[str, date]] = field(default_factory=set)  #: a task of theirs ends all calls of the day
    facts: dict[str, str] = field(default_factory=dict)
    alarms: dict[tuple[str, str], str] = field(default_factory=dict)
    raised: list[tuple[datetime, str, str]] = field(default_factory=list)
    closed: int = 0
    touched: set[str] = field(default_factory=set)
    counted: dict[tuple[date, str], list[int]] = field(default_factory=dict)  #: see agenda.Count
    sharing: dict[str, list[str]] = field(default_factory=dict)  #: number -> who has it
    together: dict[str, list[calls.Attempt]] = field(default_factory=dict)  #: attempt -> those that share its call
    by_trunk: dict[tuple[str, date], list[calls.Attempt]] = field(default_factory=dict)  #: in order
    kept: dict[str, str] = field(default_factory=dict)  #: person -> the trunk by which they were last reached
    bad: set[tuple[str, date]] = field(default_factory=set)  #: whose numbers staff were told of

    def enter(self, person: Person, at: datetime) -> None:
        """Somebody comes under observation, or changes."""
        for number in person.numbers:
            holders = self.sharing.setdefault(number, [])
            if person.id not in holders:
                holders.append(person.id)
        self.people[person.id] = person
        self.since.setdefault(person.id, at)

    def know(self, day: date, before: SoFar) -> None:
        """What has become of the day so far; days off are planned anew, as the loop does at its start."""
        for row in before.rows:
            if row.person_id in self.people and (row.settled is not Settled.EXCLUDED or row.tries):
                self._store(row)
        for each in before.attempts:
            self.attempts.setdefault((each.person_id, day), []).append(each)
            self.by_trunk.setdefault((each.trunk, day), []).append(each)
        called = [each for each in before.attempts if each.together_with is None]
        uses = uses_of((each.number, each.outcome, each.ended_at) for each in called)
        self.on_number.update({(number, day): used for number, used in uses.items()})
        self.reported.update((each, day) for each in before.reported & self.people.keys())
        self.with_staff.update((each, day) for each in before.with_staff & self.people.keys())

    def close(self, person_id: str, at: datetime) -> None:
        """Staff end the observation."""
        self.people[person_id] = replace(self.people[person_id], closing=Closing(at, "-", "-"))
        self.touched.add(person_id)
        self.closed += 1

    def report(self, person_id: str, day: date) -> None:
        """A complete report came in, by whatever way."""
        self.reported.add((person_id, day))
        self.follow_ups.pop((person_id, day), None)

    def answer(self, attempt_id: str, person_id: str, day: date) -> None:
        """Somebody takes the call."""
        self._change_attempt(attempt_id, person_id, day, state=CallState.TALKING)

    def end(self, attempt_id: str, person_id: str, day: date, outcome: Outcome, at: datetime) -> None:
        """An attempt is over, and those that share its call; the first word stands."""
        for other in self.together.pop(attempt_id, ()):
            self.end(other.id, other.person_id, day, outcome, at)
        fault = FAULTS.get(outcome, Fault.PERSON)
        ended = self._change_attempt(
            attempt_id, person_id, day, state=CallState.ENDED, outcome=outcome, ended_at=at, fault=fault
        )
        if ended is not None:
            if ended.together_with is None:
                self._used(ended.number, day, outcome, at)
            if fault is Fault.PERSON and ended.trunk:
                self.kept[person_id] = ended.trunk

    def _change_attempt(self, attempt_id: str, person_id: str, day: date, **changes: Any) -> calls.Attempt | None:
        """The attempt as it is now; None if it was over."""
        mine = self.attempts[person_id, day]
        for index, each in enumerate(mine):
            if each.id == attempt_id and each.outcome is None:
                mine[index] = replace(each, **changes)
                on_trunk = self.by_trunk[each.trunk, day]
                at = next(at for at in range(len(on_trunk) - 1, -1, -1) if on_trunk[at].id == attempt_id)
                on_trunk[at] = mine[index]
                return mine[index]
        return None

    def recover(self, at: datetime) -> int:
        """What a start does: calls of the process before are lost."""
        lost = 0
        for (person_id, day), mine in self.attempts.items():
            for each in mine:
                if each.outcome is None:
                    self.end(each.id, person_id, day, Outcome.UNKNOWN, at)
                    lost += 1
        return lost

    def _used(self, number: str, day: date, outcome: Outcome, at: datetime) -> None:
        before = self.on_number[number, day]
        vain = before.vain_until if outcome in (Outcome.ANSWERED, *NEVER_RANG) else at
        self.on_number[number, day] = Used(before.calls - (outcome in NEVER_RANG), vain, False)

    async def to_plan(self, *, changed: bool) -> Sequence[tuple[Person, datetime]]:
        found = [self.people[each] for each in self.touched] if changed else self.people.values()
        return [(each, self.since[each.id]) for each in found if changed or each.closing is None]

    async def plan_all(self, day: date, rows: Sequence[Row]) -> Sequence[Row]:
        new = [each for each in rows if (each.person_id, each.day, each.slot) not in self.rows]
        for each in new:
            self._store(each)
        return [each for each in new if each.settled is None]

    async def plan_changed(self, rows: Sequence[Row], planned: Sequence[str]) -> Sequence[Row]:
        found = []
        for each in rows:
            key = (each.person_id, each.day, each.slot)
            known = self.rows.get(key, each)
            if each.settled is None and known.settled in (None, Settled.EXCLUDED):
                known = replace(each, tries=known.tries)
            self._store(known)
            if known.settled is None:
                found.append(known)
        self.touched.difference_update(planned)
        return found

    async def open_periods_over(self, day: date, at: datetime) -> int:
        return 0  # nobody here has a period

    async def open_rows(self, day: date) -> Sequence[Row]:
        return [each for each in self.rows.values() if each.settled is None and each.day <= day]

    async def due(self, at: datetime) -> Sequence[tuple[str, str, str]]:
        return ()  # nothing fails here, so nobody is forgotten

    async def rows_of(self, keys: Sequence[tuple[str, str, str]]) -> Sequence[Row]:
        return ()

    async def facts_of(self, person_id: str, day: date) -> Facts:
        return self.know_of(person_id, day)

    def know_of(self, person_id: str, day: date) -> Facts:
        """All that is known of a person and day at this moment."""
        person = self.people[person_id]
        mine = tuple(self.attempts.get((person_id, day), ()))
        return Facts(
            person,
            self.since[person_id],
            mine,
            {each: used for each in person.numbers if (used := self.on_number.get((each, day))) is not None},
            (person_id, day) in self.reported,
            (person_id, day) in self.with_staff,
            False,
            trunk=self.kept.get(person_id, ""),
            others={each.id: self._others(each) for each in mine if was_turned_down(each.outcome, each.fault)},
        )

    def _others(self, attempt: calls.Attempt) -> Others:
        """As ivr.storage.agenda does."""
        beside = self.by_trunk[attempt.trunk, attempt.day]
        at = next(at for at in range(len(beside) - 1, -1, -1) if beside[at].id == attempt.id)
        before = self._tells(reversed(beside[:at]), attempt.person_id)
        after = self._tells(iter(beside[at + 1 :]), attempt.person_id)
        if any(each is not None and was_turned_down(each.outcome, each.fault) for each in (before, after)):
            return Others.REFUSED
        return Others.NONE if after is None else Others.THROUGH

    def _tells(self, found: Iterator[calls.Attempt], person_id: str) -> calls.Attempt | None:
        """The first call that tells something of the trunk to somebody who was turned down on it."""
        for each in found:
            if each.together_with is not None:
                continue
            if each.state is CallState.TALKING or each.fault in CARRIED:
                return each
            mine = self.attempts[each.person_id, each.day]
            down = [other.id for other in mine if was_turned_down(other.outcome, other.fault)]
            if each.person_id != person_id and each.id in down[:1]:
                return each
        return None

    async def open_rows_sharing(self, number: str, day: date) -> Sequence[Row]:
        holders = [each for each in self.sharing.get(number, ()) if self.people[each].closing is None]
        if len(holders) < 2:
            return ()
        rows = [
            row for each in holders for slot in self.people[each].slots if (row := self.rows.get((each, day, slot)))
        ]
        return sorted((row for row in rows if row.settled is None), key=lambda row: (row.person_id, row.slot))

    async def begin(
        self, attempt: calls.Attempt, then: datetime, others: Sequence[tuple[calls.Attempt, datetime]]
    ) -> Sequence[calls.Attempt]:
        self._begin(attempt, then)
        begun = []
        for other, later in others:
            with suppress(calls.AlreadyCalling, LookupError, TooManyTries):
                self._begin(other, later)
                begun.append(other)
        if begun:
            self.together[attempt.id] = begun
        return begun

    def _begin(self, attempt: calls.Attempt, then: datetime) -> None:
        key = (attempt.person_id, attempt.day, attempt.slot)
        row = self.rows[key]
        if row.settled is not None:
            raise LookupError(attempt.id)
        if row.tries >= MOST_ATTEMPTS_A_SLOT:
            raise TooManyTries
        mine = self.attempts.setdefault((attempt.person_id, attempt.day), [])
        used = self.on_number.get((attempt.number, attempt.day), Used(0, None, False))
        shares = attempt.together_with is not None
        if (used.in_use and not shares) or any(each.outcome is None for each in mine):
            raise calls.AlreadyCalling
        self._store(replace(row, tries=row.tries + 1, next_at=then))
        mine.append(attempt)
        self.by_trunk.setdefault((attempt.trunk, attempt.day), []).append(attempt)
        if not shares:
            self.on_number[attempt.number, attempt.day] = Used(used.calls + 1, used.vain_until, True)

    async def end_of(self, attempt: calls.Attempt) -> End:
        mine = self.attempts[attempt.person_id, attempt.day]
        now = next(each for each in mine if each.id == attempt.id)
        talking = now.state is CallState.TALKING
        return End(now.outcome, 0, talking, now.fault, attempt.person_id, attempt.planned_at)

    async def open_attempts(self) -> Sequence[calls.OpenAttempt]:
        return ()  # every simulated call ends

    async def end_lost(self, attempt: calls.OpenAttempt | calls.Attempt, outcome: Outcome, at: datetime) -> None:
        raise AssertionError("no simulated call is lost")

    def note(self, action: str, error: BaseException) -> None:
        raise error

    async def set_next(self, person_id: str, day: date, slot: str, at: datetime) -> None:
        self._change((person_id, day, slot), lambda row: replace(row, next_at=at))

    async def settle(self, person_id: str, day: date, slot: str, how: Settled) -> None:
        self._change((person_id, day, slot), lambda row: replace(row, next_at=None, settled=how))

    def _change(self, key: Key, change: Callable[[Row], Row]) -> None:
        row = self.rows[key]
        if row.settled is None:
            self._store(change(row))

    def _store(self, row: Row) -> None:
        key = (row.person_id, row.day, row.slot)
        count = self.counted.setdefault((row.day, row.slot), [0, 0, 0])
        for sign, each in ((-1, self.rows.get(key)), (1, row)):
            if each is not None:
                is_open = each.settled is None
                count[0] += sign
                count[1] += sign * (is_open and not each.tries)
                count[2] += sign * is_open
        self.rows[key] = row

    async def hand_over(
        self, row: tuple[str, date, str], reason: HandOver, due_at: datetime | None, at: datetime
    ) -> None:
        self.follow_ups.setdefault(row[:2], reason)
        await self.settle(*row, Settled.HANDED_OVER)

    async def tell_staff(
        self, row: tuple[str, date, str], reason: HandOver, due_at: datetime | None, at: datetime
    ) -> None:
        if row[:2] not in self.bad:
            self.bad.add(row[:2])
            self.follow_ups.setdefault(row[:2], reason)

    async def close_overdue(self, begun_before: datetime, at: datetime) -> int:
        return 0  # every simulated call ends

    async def counts(self, day: date) -> Sequence[agenda.Count]:
        return [agenda.Count(slot, *count) for (of, slot), count in self.counted.items() if of == day]

    async def observed(self) -> int:
        return len(self.people) - self.closed

    async def get_fact(self, key: str) -> str | None:
        return self.facts.get(key)

    async def set_fact(self, key: str, value: str) -> None:
        self.facts[key] = value

    async def raise_alarm(self, kind: str, subject: str, details: str, at: datetime) -> bool:
        new = (kind, subject) not in self.alarms
        self.alarms[kind, subject] = details
        if new:
            self.raised.append((at, kind, subject))
        return new

    async def end_alarm(self, kind: str, subject: str, at: datetime) -> bool:
        return self.alarms.pop((kind, subject), None) is not None

    async def standing_alarms(self) -> Sequence[tuple[str, str]]:
        return list(self.alarms)

    async def alarm_acknowledged(self, kind: str, since: datetime) -> bool:
        return False
