"""The same loop on a clock that jumps from event to event, against a trunk and people made up by chance.

Nothing of an installation is touched: the record is in memory (scheduler.memory).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from ivr.call import Outcome
from ivr.config import Config
from ivr.handover import Settled
from ivr.person import Person
from ivr.storage import calls
from ivr.storage.sofar import NOTHING, SoFar
from ivr.window import EARLIEST, LATEST, PATIENTS
from scheduler.clock import ClockGuard
from scheduler.dialer import LONGEST_CALL, Dialer, tick
from scheduler.jobs import Job, jobs_of
from scheduler.memory import MemoryRows
from scheduler.model import Model, draw
from scheduler.pacing import free_lines
from scheduler.virtual import VirtualLoop


@dataclass
class Tally:
    """What the clock counted."""

    busy: float = 0.0  #: line-seconds in use while somebody was due
    usable: float = 0.0  #: line-seconds that there were while somebody was due
    carried: float = 0.0  #: line-seconds in use at all
    longest: float = 0.0  #: call
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
    lower_bound: float  #: seconds that the same calls take at least on as many lines
    decisions: int
    alarms: Sequence[tuple[datetime, str, str]]


#: Seconds between two looks at changes of the roster, at least: a day has a few of them, and looking 20,000 times costs
#: more than a small roster.
PACE = 30.0


class World:
    """One simulated day."""

    def __init__(
        self,
        config: Config,
        people: Sequence[Person],
        day: date,
        model: Model,
        chance: Random,
        before: SoFar = NOTHING,
        now: datetime | None = None,
    ) -> None:
        """`before` and `now`: the day is in its middle, and this much of it has been."""
        self.config, self.day, self.model, self.chance = config, day, model, chance
        self.begin = datetime.combine(day, datetime.min.time(), config.centre.zone).astimezone(UTC)
        self.loop = VirtualLoop(self._pass)
        self.rows = MemoryRows()
        for each in people:
            self.rows.enter(each, before.since.get(each.id, self.begin))
        self.rows.know(day, before)
        self.start_at = max(now or self.begin, self.begin)
        self.under_way = [each for each in before.attempts if each.outcome is None]  #: begun before, by the real one
        self.known = {(each.person_id, each.slot) for each in before.attempts}  #: who has had their first call
        self.tally = Tally()
        self.first_calls: dict[tuple[str, str], datetime] = {}  #: person and slot -> when
        self.ids = 0
        self.decisions = 0  #: of processes that were killed
        self.closing = 0
        self.jobs: list[asyncio.Task[None]] = []
        self.dialer = self._start()

    def now(self) -> datetime:
        """The virtual time."""
        return self.begin + timedelta(seconds=self.loop.time())

    def _start(self) -> Dialer:
        return Dialer(
            self.config,
            self.rows,
            ring=self._ring,
            is_open=lambda: True,
            inbound_now=lambda: 0,
            inherited_now=lambda: len(self.under_way),
            now=self.now,
            new_id=self._new_id,
            clock=ClockGuard(self.now, self.loop.time, lambda: True),
        )

    def _new_id(self) -> str:
        self.ids += 1
        return f"s{self.ids}"

    def _pass(self, seconds: float) -> None:
        """Everything of a moment has happened: so it stays until the next one."""
        dialer, tally = self.dialer, self.tally
        busy = sum(each.outbound for each in dialer.loads.values())
        tally.carried += busy * seconds
        now = self.now()
        if dialer.queue.due(now):
            resting = [load for load in dialer.loads.values() if load.rests_until and now < load.rests_until]
            if not resting:
                tally.busy += busy * seconds
                tally.usable += seconds * (
                    busy + sum(free_lines(each, dialer.loads[each.name], 0) for each in dialer.trunks)
                )

    async def _ring(self, attempt: calls.Attempt, trunk: str) -> None:
        tally = self.tally
        tally.attempts += 1
        now = self.now()
        tally.first_at = tally.first_at or now
        if (key := (attempt.person_id, attempt.slot)) not in self.first_calls:
            self.first_calls[key] = now
            if key not in self.known:
                tally.last_first_at = now
        in_use = sum(each.outbound for each in self.dialer.loads.values())
        tally.most_at_once = max(tally.most_at_once, in_use)
        outcome, seconds = self._draw(attempt)
        tally.longest = max(tally.longest, seconds)
        await asyncio.sleep(seconds)
        self._end(attempt, outcome)

    def _draw(self, attempt: calls.Attempt) -> tuple[Outcome, float]:
        """How a call will end, and after how many seconds."""
        model = self.model
        nth = len(self.rows.attempts[attempt.person_id, attempt.day])
        outcome = draw(model, self.chance, attempt.person_id, nth)
        if outcome is Outcome.NO_ANSWER:
            return outcome, model.seconds[outcome]
        return outcome, max(0.2, self.chance.gauss(1.0, model.spread) * model.seconds[outcome])

    def _end(self, attempt: calls.Attempt, outcome: Outcome) -> None:
        if outcome is Outcome.ANSWERED:
            self.rows.report(attempt.person_id, attempt.day)
        self.rows.end(attempt.id, attempt.person_id, attempt.day, outcome, self.now())
        self.tally.finished_at = self.now()

    async def _go_on(self, attempt: calls.Attempt) -> None:
        """A call that had begun before."""
        outcome, seconds = self._draw(attempt)
        until = attempt.planned_at + timedelta(seconds=seconds)
        await asyncio.sleep(max(1.0, (until - self.now()).total_seconds()))
        self._end(attempt, outcome)
        self.under_way.remove(attempt)

    async def _crash(self) -> None:
        """kill -9 and a new start."""
        tasks = [*self.jobs, *self.dialer.under_way]
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.rows.recover(self.now())
        self.decisions += self.dialer.decisions
        self.dialer = self._start()
        self._begin_jobs()

    def _begin_jobs(self) -> None:
        self.jobs = [
            asyncio.create_task(self._ticks() if job.id == "tick" else self._every(job)) for job in jobs_of(self.dialer)
        ]

    async def _every(self, job: Job) -> None:
        while True:
            await job.run()
            await asyncio.sleep(max(job.seconds, PACE))

    async def _ticks(self) -> None:
        """A tick whenever one can find something to do; those between find nothing."""
        longest = PACE
        while True:
            again = await tick(self.dialer)
            pause = longest if again is None else (again - self.now()).total_seconds()
            await asyncio.sleep(min(max(pause, 0.01), longest))

    async def _at(self, moment: datetime, act: Callable[[], Awaitable[None] | None]) -> None:
        await asyncio.sleep((moment - self.now()).total_seconds())
        done = act()
        if done is not None:
            await done

    async def _day(self) -> None:
        window = self._window()
        first = max(window[0] - timedelta(seconds=60), self.start_at)
        await asyncio.sleep((first - self.begin).total_seconds())
        # Before the first tick: they hold lines.
        events = [asyncio.create_task(self._go_on(each)) for each in self.under_way]
        self._begin_jobs()
        events += [asyncio.create_task(each) for each in self._events(*window)]
        # Everybody is reached or handed over by then: nobody is rung after the window, and no call is so long.
        await asyncio.sleep(max(0.0, (window[1] - self.now()).total_seconds()) + LONGEST_CALL.total_seconds())
        for each in [*self.jobs, *events, *self.dialer.under_way]:
            each.cancel()
        await asyncio.gather(*self.jobs, *events, *self.dialer.under_way, return_exceptions=True)

    def _window(self) -> tuple[datetime, datetime]:
        first, until = (datetime.combine(self.day, each, PATIENTS).astimezone(UTC) for each in (EARLIEST, LATEST))
        return first, until

    def _events(self, first: datetime, until: datetime) -> list[Any]:
        seconds = (until - first).total_seconds()
        people = list(self.rows.people)

        def moment() -> datetime:
            return first + timedelta(seconds=self.chance.random() * seconds)

        def some(part: float) -> list[str]:
            return self.chance.sample(people, round(part * len(people)))

        found: list[Any] = [self._at(moment(), self._crash) for _ in range(self.model.crashes)]
        for person_id in some(self.model.reports_in):
            found.append(self._at(moment(), partial(self.rows.report, person_id, self.day)))
        for person_id in some(self.model.closed):
            found.append(self._at(at := moment(), partial(self.rows.close, person_id, at)))
        return found

    def run(self) -> Result:
        """The day, as fast as it goes."""
        quiet = [logging.getLogger(f"scheduler.{each}") for each in ("dialer", "standing", "watch")]
        levels = [each.level for each in quiet]
        for each in quiet:
            each.setLevel(logging.CRITICAL)  # a hundred thousand lines help nobody
        try:
            self.loop.run_until_complete(self._day())
        finally:
            self.loop.close()
            for each, level in zip(quiet, levels, strict=True):
                each.setLevel(level)
        return self._result()

    def _result(self) -> Result:
        tally = self.tally
        ends = {key[0]: row.settled for key, row in self.rows.rows.items() if key[1] == self.day}
        reported = {person for person, day in self.rows.reported if day == self.day}
        handed = {person for person, day in (*self.rows.follow_ups, *self.rows.with_staff) if day == self.day}
        handed |= {person for person, how in ends.items() if how is Settled.HANDED_OVER}
        handed -= reported
        excluded = {person for person, how in ends.items() if how is Settled.EXCLUDED} - reported - handed
        lines = sum(each.usable for each in self.dialer.trunks)
        makespan = (tally.finished_at - tally.first_at).total_seconds() if tally.finished_at and tally.first_at else 0.0
        people = len(self.rows.people)
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
            makespan=makespan,
            lower_bound=max(tally.carried / lines, tally.longest),
            decisions=self.decisions + self.dialer.decisions,
            alarms=self.rows.raised,
        )
