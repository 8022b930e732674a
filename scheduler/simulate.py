"""The same loop on a clock that jumps from event to event, against a trunk and people made up by chance.

Nothing of an installation is touched: the record is in memory (scheduler.memory).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from ivr.call import Outcome
from ivr.config import Config
from ivr.person import Person
from ivr.storage import calls
from ivr.storage.sofar import NOTHING, SoFar
from ivr.window import EARLIEST, LATEST, PATIENTS, NoWindow, Window, slot_of
from scheduler.clock import ClockGuard
from scheduler.dayplan import judge
from scheduler.dialer import LONGEST_CALL, Dialer, tick
from scheduler.jobs import TICK, Job, jobs_of
from scheduler.memory import MemoryRows
from scheduler.model import Model, draw
from scheduler.pacing import free_lines
from scheduler.policy import next_time
from scheduler.tally import Result, Tally, result_of
from scheduler.virtual import VirtualLoop

#: Seconds between two looks at changes of the roster, at least: a day has a few of them, and looking 20,000 times costs
#: more than a small roster.
PACE = 30.0
#: Somebody or something takes such a call.
TAKEN = (Outcome.ANSWERED, Outcome.CUT_OFF, Outcome.NO_KEY)


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
        self.moment = 0.0, self.begin
        self.rows = MemoryRows()
        for each in people:
            self.rows.enter(each, before.since.get(each.id, self.begin))
        self.rows.know(day, before)
        self.start_at = max(now or self.begin, self.begin)
        self.under_way = [each for each in before.attempts if each.outcome is None]  #: begun before, by the real one
        self.known = {(each.person_id, each.slot) for each in before.attempts}  #: who has had their first call
        self.tally = Tally()
        self.first_calls: dict[tuple[str, str], datetime] = {}  #: person and slot -> when
        self.windows: dict[tuple[object, ...], Window | NoWindow] = {}  #: of people with the same slot and hours
        self.ends: dict[tuple[str, str], float] = {}  #: person and slot -> when, had none ever waited for a line
        self.soon = False  #: a tick waits for the pace of a trunk
        self.ids = 0
        self.decisions = 0  #: of processes that were killed
        self.closing = 0
        self.jobs: list[asyncio.Task[None]] = []
        self.dialer = self._start()
        self.pace = next(each.seconds for each in jobs_of(self.dialer) if each.id == "tick")

    def now(self) -> datetime:
        """The virtual time; asked for many times in one moment."""
        seconds = self.loop.time()
        if seconds != self.moment[0]:
            self.moment = seconds, self.begin + timedelta(seconds=seconds)
        return self.moment[1]

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
        key = (attempt.person_id, attempt.slot)
        for each in (attempt, *self.rows.together.get(attempt.id, ())):
            if (its := (each.person_id, each.slot)) not in self.first_calls:
                self.first_calls[its] = now
                if its not in self.known:
                    tally.last_first_at = now
        in_use = sum(each.outbound for each in self.dialer.loads.values())
        tally.most_at_once = max(tally.most_at_once, in_use)
        outcome, seconds = self._draw(attempt)
        due, earliest = self._due(attempt)
        tally.releases.append(due)
        tally.earliest.append(earliest)
        sharing = [key, *((each.person_id, each.slot) for each in self.rows.together.get(attempt.id, ()))]
        index = len(tally.lengths)
        tally.lengths.append(seconds)
        if outcome in TAKEN:
            self.rows.answer(attempt.id, attempt.person_id, attempt.day)
        try:
            await asyncio.sleep(seconds)
        finally:
            tally.lengths[index] = (self.now() - now).total_seconds()  # shorter, if the process was killed
            self.ends.update(dict.fromkeys(sharing, earliest + tally.lengths[index]))
        self._end(attempt, outcome)

    def _draw(self, attempt: calls.Attempt) -> tuple[Outcome, float]:
        """How a call will end, and after how many seconds."""
        model = self.model
        nth = len(self.rows.attempts[attempt.person_id, attempt.day])
        outcome = draw(model, self.chance, attempt.person_id, nth, attempt.number)
        if outcome is Outcome.NO_ANSWER:
            return outcome, model.seconds[outcome]
        return outcome, max(0.2, self.chance.gauss(1.0, model.spread) * model.seconds[outcome])

    def _end(self, attempt: calls.Attempt, outcome: Outcome) -> None:
        if outcome is Outcome.ANSWERED:
            # Everybody of a household who is due reports on one call.
            for each in (attempt, *self.rows.together.get(attempt.id, ())):
                self.rows.report(each.person_id, each.day)
        self.rows.end(attempt.id, attempt.person_id, attempt.day, outcome, self.now())
        self.tally.finished_at = self.now()
        if not self.soon:
            self.soon = True
            self.loop.create_task(self._tick_soon())

    async def _tick_soon(self) -> None:
        """The loop ticks as fast as the pace of the trunk: a line that was free too soon waits no longer than that."""
        pause = self.pace
        while pause <= TICK:
            await asyncio.sleep(pause)
            dialer, now, held = self.dialer, self.now(), len(self.under_way)
            if not any(free_lines(each, dialer.loads[each.name], 0, held) for each in dialer.trunks):
                break
            again = await tick(dialer) if dialer.queue.due(now) else None
            if again is None:
                break
            pause = max(self.pace, (again - now).total_seconds())
        self.soon = False

    def _due(self, attempt: calls.Attempt) -> tuple[float, float]:
        """From when on this call might have begun, as the calls before it went, and had none ever waited for a line.

        Seconds of this clock: from its window on, or after the wait that the settings want since the one before.
        """
        person = self.rows.people[attempt.person_id]
        key = (attempt.slot, person.hours, person.own_time)
        if key not in self.windows:
            self.windows[key] = slot_of(self.day, person, attempt.slot, self.config.calendar)
        window = self.windows[key]
        assert isinstance(window, Window)
        mine = self.rows.attempts[attempt.person_id, attempt.day]
        facts = self.rows.know_of(attempt.person_id, self.day)
        before = [judge(facts, each) for each in mine[:-1] if each.slot == attempt.slot]
        at = next_time(before, self.dialer.rules, window, person.numbers)
        assert at is not None
        due = (max(at, self.start_at) - self.begin).total_seconds()
        ended = self.ends.get((attempt.person_id, attempt.slot))
        if ended is None or before[-1].ended_at is None:
            return due, due
        return due, ended + (at - before[-1].ended_at).total_seconds()

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
        lines = sum(each.usable for each in self.dialer.trunks)
        decisions = self.decisions + self.dialer.decisions
        return result_of(self.tally, self.rows, self.day, self.begin, lines, decisions)
