"""The loop that acts on the policy: takes who is due, decides, writes the attempt down, and has it rung.

The rows say what is due, and memory follows them: a missed wake-up, a restart, a write or a task that failed loses
nobody (docs/dialler.md, "Who owns a person"). Knows no channel.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from ivr.call import Outcome
from ivr.config import Config
from ivr.errors import StorageError
from ivr.handover import HandOver, Settled
from ivr.person import MOST_PLACES
from ivr.storage import calls
from ivr.storage.agenda import Facts, Row, TooManyTries
from scheduler.calendar import days_to_settle
from scheduler.clock import ClockGuard
from scheduler.dayplan import Excluded, case_of, in_order, rows_for, rules_of
from scheduler.gates import Gates
from scheduler.health import PROBE_AFTER, Health
from scheduler.pacing import Load, Room, Trunk, learn, released, room, started
from scheduler.policy import Case, Dial, Done, HandToStaff, Rules, Wait, decide
from scheduler.queue import NEAR_END, Queue, Step
from scheduler.rows import SETTLED, Rows
from scheduler.standing import Standing, begin, end, look_after, next_probe, not_to_probe, passable, take_over

log = logging.getLogger(__name__)

#: No call takes so long: Asterisk ends each after half an hour (dialplan/, TIMEOUT).
LONGEST_CALL = timedelta(hours=1)
#: Nothing alive, no task and no channel, is known of a call whose row says that it lives: after so long it is ended.
ORPHANED = timedelta(seconds=25)
#: How often a person is looked at who waits for something that nobody tells us: a call of theirs to come to its end.
POLL = timedelta(seconds=30)
#: People planned in one transaction.
AT_ONCE = 1000


@dataclass
class Over:
    """A call that is over, until all that follows from it is done."""

    steps: Sequence[Step]  #: of everybody whom it was for
    trunk: Trunk
    attempt: calls.Attempt
    learnt: bool = False  #: what it says about the trunk is known


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
    #: Ids of calls that live or whose end is still being seen to, whoever dialled; None: nobody can say.
    alive: Callable[[], frozenset[str] | None] = lambda: None
    under_way: set[asyncio.Task[None]] = field(default_factory=set)
    ringing: set[str] = field(default_factory=set)  #: attempts whose task runs
    over: list[Over] = field(default_factory=list)  #: oldest first
    orphans: dict[str, datetime] = field(default_factory=dict)  #: attempt or call that nobody holds -> seen since
    queue: Queue = field(default_factory=Queue)
    planned: set[date] = field(default_factory=set)  #: days for which everybody has rows
    loaded: bool = False  #: the queue has held all that the rows hold
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
    await sweep(dialer)
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


async def sweep(dialer: Dialer) -> None:
    """Compare the rows with memory: nobody may be due in neither, and no call may live in the rows alone."""
    if not _may_decide(dialer):
        return
    await _find_the_forgotten(dialer)
    await _end_orphans(dialer)


async def _find_the_forgotten(dialer: Dialer) -> None:
    """Who is due by the rows and not soon looked at goes into the queue."""
    now = dialer.now()
    late = [key for key in await dialer.rows.due(now) if _is_forgotten(dialer, key, now)]
    if not late:
        return
    for row in await dialer.rows.rows_of(late):
        _queue(dialer, row)
    if dialer.loaded:
        log.error("%s people were due and forgotten", len(late), extra={"action": "people_forgotten"})
        dialer.rows.note("people_forgotten", RuntimeError(f"{len(late)}"))


def _is_forgotten(dialer: Dialer, key: tuple[str, str, str], now: datetime) -> bool:
    at = dialer.queue.due_at(key)
    return at is None or at > now + POLL


async def _end_orphans(dialer: Dialer) -> None:
    """End calls and attempts that live in the rows alone: whoever had to end them is gone, or could not begin them."""
    now, alive = dialer.now(), dialer.alive()
    if alive is None:
        return
    held = alive | dialer.ringing
    found = {each.id: each for each in await dialer.rows.open_attempts() if not held & {each.id, each.call_id}}
    dialer.orphans = {each: dialer.orphans.get(each, now) for each in found}
    for each, since in dialer.orphans.items():
        if now - since >= ORPHANED:
            log.warning("a call belonged to nobody", extra={"action": "call_orphaned"})
            await dialer.rows.end_lost(found[each], Outcome.UNKNOWN, now)


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
        for each in tuple(dialer.over):
            await _see_to(dialer, each)
        while step := dialer.queue.take_over(now):
            await _look_at(dialer, step, None)
        if not _may_dial(dialer):
            return None
        await take_over(dialer.standing, dialer.rows, now)
        await look_after(dialer.standing, dialer.rows, now)
        while True:
            now = dialer.now()
            usable = passable(dialer.standing, dialer.trunks, now)
            lines = room(usable, dialer.loads, dialer.inbound_now(), now, dialer.inherited_now())
            if not lines.free:
                return _ask_again(dialer, lines, now)
            probed = not_to_probe(dialer.standing, lines.free)
            taken = dialer.queue.take(now, lines.waiting, probed)
            if taken is None:
                return _ask_again(dialer, lines, now)  # whoever is due waits for a trunk that they know
            await _look_at(dialer, taken, lines)


def _ask_again(dialer: Dialer, lines: Room, now: datetime) -> datetime | None:
    """When the next look could find more, if nobody can be rung now."""
    if not dialer.queue.due(now):
        return dialer.queue.next_at()
    return min((each for each in (lines.again, next_probe(dialer.standing)) if each is not None), default=None)


def _may_decide(dialer: Dialer) -> bool:
    return dialer.clock.is_trusted() or dialer.clock.has_given_up()


def _may_dial(dialer: Dialer) -> bool:
    return dialer.is_open() and dialer.clock.is_trusted()


async def _look_at(dialer: Dialer, step: Step, lines: Room | None) -> None:
    """Consider somebody who was taken. Whatever fails, they are due again soon: the queue only lent them."""
    try:
        await _consider(dialer, step, lines)
    except StorageError:
        raise  # the next person would meet the same
    except Exception as error:  # a task border: what is wrong with one person must not keep the others waiting
        log.exception("a person could not be looked at", extra={"action": "person_failed"})
        dialer.rows.note("person_failed", error)


async def _consider(dialer: Dialer, step: Step, lines: Room | None) -> None:
    """Decide with fresh facts and act; without a line whoever is to be rung goes back into the queue.

    The rows first, then the queue: it is never the only one that knows what comes next.
    """
    now, day = dialer.now(), date.fromisoformat(step.day)
    facts = await dialer.rows.facts_of(step.person_id, day)
    if facts.person is None:
        dialer.queue.drop(step.key)  # staff had them erased, and the step with them
        return
    case = case_of(dialer.config, facts, facts.person, step.slot, day, now)
    if isinstance(case, Excluded):
        if case.until is not None:
            await _wait(dialer, step, facts, now, case.until)
        else:
            await _settle(dialer, step, Settled.EXCLUDED)
        return
    step = _after(step, facts, case, now)
    decision = decide(case, dialer.rules, now)
    dialer.decisions += 1
    match decision:
        case Dial(number, then):
            if lines is None or step.trunk in lines.waiting:
                dialer.queue.put(step, now)
            else:
                known = [each for each in lines.free if each.name == step.trunk]
                await _dial(dialer, step, (known or lines.free)[0], number, then)
        case Wait(until, tell):
            if tell is not None:
                await _tell(dialer, step, tell)
            await _wait(dialer, step, facts, now, until)
        case HandToStaff(reason):
            await _hand_over(dialer, step, reason)
        case Done():
            await _settle(dialer, step, Settled.REPORTED if facts.reported else Settled.HANDED_OVER)


async def _settle(dialer: Dialer, step: Step, how: Settled) -> None:
    await dialer.rows.settle(step.person_id, date.fromisoformat(step.day), step.slot, how)
    dialer.queue.drop(step.key)


async def _wait(dialer: Dialer, step: Step, facts: Facts, now: datetime, until: datetime | None) -> None:
    at = now + POLL if until is None else until
    assert facts.person is not None
    busy = [number for number in facts.person.numbers if number in facts.uses and facts.uses[number].in_use]
    await dialer.rows.set_next(step.person_id, date.fromisoformat(step.day), step.slot, at)
    dialer.queue.put(step, at, busy[0] if until is None and busy else None)


def _after(step: Step, facts: Facts, case: Case, now: datetime) -> Step:
    """The step as the facts make it: somebody may have been called, the window may be another.

    A person is rung by the trunk whose number they know; when little time is left, by any.
    """
    assert facts.person is not None
    until = step.until if case.window is None else case.window.until
    trunk = facts.trunk if until - now > NEAR_END else ""
    fresh = Step(*step.key, facts.person.risk.rank, until, bool(case.attempts), trunk)
    return step if fresh == step else fresh


async def _hand_over(dialer: Dialer, step: Step, reason: HandOver) -> None:
    now = dialer.now()
    due_at = now + timedelta(minutes=dialer.config.dialling.follow_up_minutes)
    row = (step.person_id, date.fromisoformat(step.day), step.slot)
    await dialer.rows.hand_over(row, reason, due_at, now)
    dialer.queue.drop(step.key)
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
                found[row.person_id] = _Joining(_after(own, facts, case, attempt.planned_at), with_it, then)
    return list(found.values())


async def _tell(dialer: Dialer, step: Step, reason: HandOver) -> None:
    """Staff have a task, and calling goes on."""
    now = dialer.now()
    due_at = now + timedelta(minutes=dialer.config.dialling.follow_up_minutes)
    await dialer.rows.tell_staff((step.person_id, date.fromisoformat(step.day), step.slot), reason, due_at, now)


async def _dial(dialer: Dialer, step: Step, trunk: Trunk, number: str, then: datetime) -> None:
    now = dialer.now()
    day = date.fromisoformat(step.day)
    attempt = calls.Attempt(dialer.new_id(), step.person_id, number, day, step.slot, now, trunk=trunk.name)
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
        dialer.queue.drop(step.key)  # settled meanwhile
        return
    # Should nobody ever say how it ended, the person is looked at all the same.
    dialer.queue.put(step, then)
    joined = [each for each in joining if each.attempt in begun]
    for each in joined:
        dialer.queue.put(each.step, each.then)
    dialer.last_start = now
    dialer.loads[trunk.name] = started(dialer.loads[trunk.name], now)
    begin(dialer.standing, trunk.name, attempt)
    dialer.ringing.add(attempt.id)
    steps = [step, *(each.step for each in joined)]
    task = asyncio.create_task(_ring(dialer, steps, trunk, attempt), name=f"attempt {attempt.id}")
    dialer.under_way.add(task)
    task.add_done_callback(dialer.under_way.discard)


async def _ring(dialer: Dialer, steps: Sequence[Step], trunk: Trunk, attempt: calls.Attempt) -> None:
    try:
        await dialer.ring(attempt, trunk.name)
    except Exception as error:  # a task border: one bad call must not hurt another
        log.exception("an attempt failed", extra={"action": "attempt_failed", "attempt": attempt.id})
        dialer.rows.note("attempt_failed", error)
        await dialer.rows.end_lost(attempt, Outcome.FAILED, dialer.now())
    finally:
        dialer.loads[trunk.name] = released(dialer.loads[trunk.name])
        dialer.ringing.discard(attempt.id)
        dialer.over.append(Over(steps, trunk, attempt))
    try:
        await tick(dialer)
    except Exception as error:  # a task border: the next tick does all of it
        log.exception("tick failed", extra={"action": "dialer_failed"})
        dialer.rows.note("dialer_failed", error)


async def _see_to(dialer: Dialer, over: Over) -> None:
    """See to a call that is over, and to its person. Raises StorageError: then again at the next tick."""
    try:
        await _after_call(dialer, over)
    except StorageError:
        raise
    except LookupError:
        dialer.over.remove(over)  # staff had the person erased, and the attempt with them
    except Exception as error:  # a task border: one call must not hold up all others; its person is due again soon
        log.exception("a call's end could not be seen to", extra={"action": "call_end_failed"})
        dialer.rows.note("call_end_failed", error)
        dialer.over.remove(over)
        for step in over.steps:
            dialer.queue.put(step, dialer.now() + POLL)


async def _after_call(dialer: Dialer, over: Over) -> None:
    """What the call came to: the trunk may need a rest, its persons have a next step, the telephone is free.

    Not yet while nobody could write down how the call ended. Raises StorageError, LookupError if the attempt is gone.
    """
    now, attempt, trunk = dialer.now(), over.attempt, over.trunk
    if not over.learnt:
        ended = await dialer.rows.end_of(attempt)
        if ended.outcome is None:
            return
        over.learnt = True  # before anything that can fail: what is learnt twice would count double
        if not ended.is_refusal:  # else it is not full
            load = dialer.loads[trunk.name]
            began, who = attempt.planned_at, attempt.person_id
            dialer.loads[trunk.name] = learn(trunk, load, ended.outcome, began, now, who)
        await end(dialer.standing, dialer.rows, trunk.name, attempt, ended, now)
    for step in over.steps:
        await _look_at(dialer, step, None)
    dialer.queue.free(attempt.number, now)
    dialer.over.remove(over)
