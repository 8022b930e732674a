"""The loop that acts on the policy: takes who is due, decides, writes the attempt down, and has it rung.

The rows say what is due; a missed wake-up or a restart loses nothing. Knows no channel.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from ivr.call import Outcome
from ivr.config import Config
from ivr.handover import HandOver, Settled
from ivr.person import MOST_PLACES
from ivr.storage import calls
from ivr.storage.agenda import Facts, Row, TooManyTries
from scheduler.calendar import days_to_settle
from scheduler.clock import ClockGuard
from scheduler.dayplan import Excluded, case_of, in_order, rows_for, rules_of
from scheduler.gates import Gates
from scheduler.health import PROBE_AFTER, Health
from scheduler.pacing import Load, Trunk, choose_trunk, learn, released, started
from scheduler.policy import Case, Dial, Done, HandToStaff, Rules, Wait, decide
from scheduler.queue import Queue, Step
from scheduler.rows import SETTLED, Rows
from scheduler.standing import Standing, begin, end, look_after, passable, take_over

log = logging.getLogger(__name__)

#: No call takes so long: Asterisk ends each after half an hour (dialplan/, TIMEOUT).
LONGEST_CALL = timedelta(hours=1)
#: How often a person is looked at who waits for something that nobody tells us: a call of theirs to come to its end.
POLL = timedelta(seconds=30)
#: People planned in one transaction.
AT_ONCE = 1000


@dataclass
class Dialer:
    """What the loop needs, and what it remembers between two looks."""

    config: Config
    rows: Rows
    ring: Callable[[calls.Attempt, str], Awaitable[None]]  #: places one attempt on a trunk, returns when it is over
    is_open: Callable[[], bool]  #: the gate: closed while the PBX is not ready
    inbound_now: Callable[[], int]  #: calls in progress that people made to us
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    clock: ClockGuard
    inherited_now: Callable[[], int] = lambda: 0  #: calls in progress that a process before us began
    gates: Gates = field(default_factory=Gates)  #: of each trunk; whoever watches them closes and opens
    under_way: set[asyncio.Task[None]] = field(default_factory=set)
    queue: Queue = field(default_factory=Queue)
    planned: set[date] = field(default_factory=set)  #: days for which everybody has rows
    loaded: bool = False  #: the queue holds all that the rows hold
    last_start: datetime | None = None
    closed_since: datetime | None = None  #: the gate, as of the last look
    decisions: int = 0  #: how many were made
    watched: bool = False  #: the watchdog has compared the clock with its last look before the start
    waiting_since: datetime | None = None  #: since when people wait for a line, as of the last look

    def __post_init__(self) -> None:
        self.rules: Rules = rules_of(self.config)
        back_off = self.rules.retry_seconds.get(Outcome.CONGESTION, ())
        self.trunks: tuple[Trunk, ...] = tuple(
            Trunk(each.name, each.total, each.reserved_for_inbound, each.calls_per_second, back_off)
            for each in self.config.all_trunks()
        )
        self.loads: dict[str, Load] = {each.name: Load() for each in self.trunks}
        healths = {each.name: Health() for each in self.trunks}
        self.standing = Standing(self.gates, healths, back_off or PROBE_AFTER)
        self.lock = asyncio.Lock()


async def look(dialer: Dialer) -> None:
    """Everything once: plan, end what never ended, hand over, dial. For starts; the jobs do each at its own pace."""
    await reap(dialer)
    await plan_days(dialer)
    await tick(dialer)
    await settle_days(dialer)


async def reap(dialer: Dialer) -> None:
    """End what is not final and never came to its end; its person could neither be rung nor handed over."""
    if not _may_decide(dialer):
        return
    overdue = await dialer.rows.close_overdue(dialer.now() - LONGEST_CALL, dialer.now())
    if overdue:
        log.warning("%s calls never came to an end", overdue, extra={"action": "calls_overdue"})


async def plan_days(dialer: Dialer) -> None:
    """Rows for today and for every day that the service missed; the queue from the rows; then only what changed."""
    if not _may_decide(dialer):
        return
    days = await _days(dialer)
    await _plan_changed(dialer, days)
    new = [day for day in days if day not in dialer.planned]
    if not new:
        return
    everybody = in_order(await dialer.rows.to_plan(changed=False))
    for day in new:
        for start in range(0, len(everybody), AT_ONCE):
            # In parts: calls go on meanwhile, and their answers wait for neither the loop nor the writer.
            async with dialer.lock:
                part = rows_for(dialer.config, everybody[start : start + AT_ONCE], day, start, len(everybody))
                for row in await dialer.rows.plan_all(day, part):
                    _queue(dialer, row)
    await dialer.rows.open_periods_over(days[-1], dialer.now())
    async with dialer.lock:
        for row in await dialer.rows.open_rows(days[-1]) if not dialer.loaded else ():
            _queue(dialer, row)
        dialer.loaded = True
    dialer.planned = set(days)


async def _plan_changed(dialer: Dialer, days: Sequence[date]) -> None:
    """Whose entry changed is looked at as soon as a line is free."""
    today, zone = days[-1], dialer.config.centre.zone
    while changed := await dialer.rows.to_plan(changed=True):
        async with dialer.lock:
            for day in days[:-1]:
                # Entered on a day on which nobody looked any more: a machine may have slept over midnight.
                late = [each for each in changed if days[0] <= each[1].astimezone(zone).date() <= day]
                for row in await dialer.rows.plan_all(day, rows_for(dialer.config, late, day)):
                    _queue(dialer, row)
            rows = rows_for(dialer.config, in_order(changed), today)
            for row in await dialer.rows.plan_changed(rows, [person.id for person, _ in changed]):
                _queue(dialer, row)
        await dialer.rows.open_periods_over(today, dialer.now())


async def _days(dialer: Dialer) -> tuple[date, ...]:
    settled = await dialer.rows.get_fact(SETTLED)
    return days_to_settle(dialer.now(), dialer.config.centre.zone, date.fromisoformat(settled) if settled else None)


async def settle_days(dialer: Dialer) -> None:
    """Remember the last day on which everybody was reached or handed over."""
    past = (await _days(dialer))[:-1]
    if not past or not dialer.loaded or not _may_decide(dialer):
        return
    open_days = {row.day for row in await dialer.rows.open_rows(past[-1])}
    if await dialer.rows.to_plan(changed=True):
        return  # they may have been entered on one of these days
    for day in past:
        if day in open_days:
            return
        await dialer.rows.set_fact(SETTLED, day.isoformat())


def _queue(dialer: Dialer, row: Row) -> None:
    assert row.next_at is not None
    step = Step(row.person_id, row.day.isoformat(), row.slot, row.risk, row.until, row.tries > 0)
    dialer.queue.put(step, row.next_at)


async def tick(dialer: Dialer) -> datetime | None:
    """Hand over whose window is over; begin calls while lines and pace allow. When the next look could find more."""
    if not _may_decide(dialer):
        return None
    async with dialer.lock:
        now = dialer.now()
        while step := dialer.queue.take_over(now):
            await _consider(dialer, step, None)
        if not _may_dial(dialer):
            return None
        await take_over(dialer.standing, dialer.rows, now)
        await look_after(dialer.standing, dialer.rows, now)
        while True:
            now = dialer.now()
            usable = passable(dialer.standing, dialer.trunks, now)
            trunk, again = choose_trunk(usable, dialer.loads, dialer.inbound_now(), now, dialer.inherited_now())
            if trunk is None:
                return again if dialer.queue.due(now) else dialer.queue.next_at()
            taken = dialer.queue.take(now)
            if taken is None:
                return dialer.queue.next_at()
            await _consider(dialer, taken, trunk)


def _may_decide(dialer: Dialer) -> bool:
    return dialer.clock.is_trusted() or dialer.clock.has_given_up()


def _may_dial(dialer: Dialer) -> bool:
    return dialer.is_open() and dialer.clock.is_trusted()


async def _consider(dialer: Dialer, step: Step, trunk: Trunk | None) -> None:
    """Decide with fresh facts and act; without a trunk whoever is to be rung goes back into the queue."""
    now, day = dialer.now(), date.fromisoformat(step.day)
    facts = await dialer.rows.facts_of(step.person_id, day)
    if facts.person is None:
        return  # staff had them erased, and the step with them
    case = case_of(dialer.config, facts, facts.person, step.slot, day, now)
    if isinstance(case, Excluded):
        if case.until is not None:
            await _wait(dialer, step, facts, now, case.until)
        else:
            await dialer.rows.settle(step.person_id, day, step.slot, Settled.EXCLUDED)
        return
    step = _after(step, facts, case)
    decision = decide(case, dialer.rules, now)
    dialer.decisions += 1
    match decision:
        case Dial(number, then):
            if trunk is None:
                dialer.queue.put(step, now)
            else:
                await _dial(dialer, step, trunk, number, then)
        case Wait(until):
            await _wait(dialer, step, facts, now, until)
        case HandToStaff(reason):
            await _hand_over(dialer, step, reason)
        case Done():
            how = Settled.REPORTED if facts.reported else Settled.HANDED_OVER
            await dialer.rows.settle(step.person_id, day, step.slot, how)


async def _wait(dialer: Dialer, step: Step, facts: Facts, now: datetime, until: datetime | None) -> None:
    at = now + POLL if until is None else until
    assert facts.person is not None
    busy = [number for number in facts.person.numbers if number in facts.uses and facts.uses[number].in_use]
    dialer.queue.put(step, at, busy[0] if until is None and busy else None)
    await dialer.rows.set_next(step.person_id, date.fromisoformat(step.day), step.slot, at)


def _after(step: Step, facts: Facts, case: Case) -> Step:
    """The step as the facts make it: somebody may have been called, the window may be another."""
    assert facts.person is not None
    until = step.until if case.window is None else case.window.until
    now = Step(*step.key, facts.person.risk.rank, until, bool(case.attempts))
    return step if now == step else now


async def _hand_over(dialer: Dialer, step: Step, reason: HandOver) -> None:
    now = dialer.now()
    due_at = now + timedelta(minutes=dialer.config.dialling.follow_up_minutes)
    row = (step.person_id, date.fromisoformat(step.day), step.slot)
    await dialer.rows.hand_over(row, reason, due_at, now)
    log.info("handed to staff", extra={"action": "handed_over", "reason": reason})


@dataclass(frozen=True)
class _Joining:
    """Somebody who is due on the same telephone, and shares the call."""

    step: Step
    attempt: calls.Attempt
    then: datetime


async def _joining(dialer: Dialer, step: Step, attempt: calls.Attempt) -> list[_Joining]:
    """Who else of the household would be rung on this telephone now; one call serves them all."""
    found: dict[str, _Joining] = {}
    for row in await dialer.rows.open_rows_sharing(attempt.number, attempt.day):
        if row.person_id in (step.person_id, *found) or len(found) >= MOST_PLACES - 1:
            continue
        facts = await dialer.rows.facts_of(row.person_id, attempt.day)
        if facts.person is None:
            continue
        case = case_of(dialer.config, facts, facts.person, row.slot, attempt.day, attempt.planned_at)
        if isinstance(case, Excluded):
            continue
        match decide(case, dialer.rules, attempt.planned_at):
            case Dial(attempt.number, then):
                own = Step(row.person_id, step.day, row.slot, row.risk, row.until)
                with_it = replace(
                    attempt, id=dialer.new_id(), person_id=row.person_id, slot=row.slot, together_with=attempt.id
                )
                found[row.person_id] = _Joining(_after(own, facts, case), with_it, then)
    return list(found.values())


async def _dial(dialer: Dialer, step: Step, trunk: Trunk, number: str, then: datetime) -> None:
    now = dialer.now()
    attempt = calls.Attempt(dialer.new_id(), step.person_id, number, date.fromisoformat(step.day), step.slot, now)
    joining = await _joining(dialer, step, attempt)
    try:
        begun = await dialer.rows.begin(attempt, then, [(each.attempt, each.then) for each in joining])
    except calls.AlreadyCalling:
        dialer.queue.put(step, now + POLL, number)  # somebody else's call to this telephone or person
        return
    except TooManyTries:
        log.error("the hard limit of attempts was reached", extra={"action": "too_many_tries"})
        await _hand_over(dialer, step, HandOver.LIMIT)
        return
    except LookupError:
        return  # settled meanwhile
    # Should nobody ever say how it ended, the person is looked at all the same.
    dialer.queue.put(step, then)
    joined = [each for each in joining if each.attempt in begun]
    for each in joined:
        dialer.queue.put(each.step, each.then)
    dialer.last_start = now
    dialer.loads[trunk.name] = started(dialer.loads[trunk.name], now)
    begin(dialer.standing, trunk.name, attempt)
    steps = [step, *(each.step for each in joined)]
    task = asyncio.create_task(_ring(dialer, steps, trunk, attempt), name=f"attempt {attempt.id}")
    dialer.under_way.add(task)
    task.add_done_callback(dialer.under_way.discard)


async def _ring(dialer: Dialer, steps: Sequence[Step], trunk: Trunk, attempt: calls.Attempt) -> None:
    try:
        await dialer.ring(attempt, trunk.name)
    except Exception:  # a task border: one bad call must not hurt another
        log.exception("an attempt failed", extra={"action": "attempt_failed", "attempt": attempt.id})
    finally:
        dialer.loads[trunk.name] = released(dialer.loads[trunk.name])
    await _after_call(dialer, steps, trunk, attempt)
    await tick(dialer)


async def _after_call(dialer: Dialer, steps: Sequence[Step], trunk: Trunk, attempt: calls.Attempt) -> None:
    """What the call came to: the trunk may need a rest, its persons have a next step, the telephone is free."""
    now = dialer.now()
    async with dialer.lock:
        ended = await dialer.rows.end_of(attempt)
        await end(dialer.standing, dialer.rows, trunk.name, attempt, ended, now)
        if not ended.is_refusal:  # else it is not full, and its gate is closed
            load = dialer.loads[trunk.name]
            dialer.loads[trunk.name] = learn(trunk, load, ended.outcome, attempt.planned_at, now)
        for step in steps:
            dialer.queue.drop(step.key)
            await _consider(dialer, step, None)
        dialer.queue.free(attempt.number, now)
