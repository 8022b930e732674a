"""The loop that acts on the policy: reads the rows, decides, writes the attempt down, and has it rung.

The rows say what is due; a missed wake-up or a restart loses nothing. Knows no channel.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from ivr.config import Config
from ivr.storage import calls, facts
from ivr.storage.database import Database
from ivr.storage.duty import Duty, open_duties
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.window import window_of
from scheduler.calendar import days_to_settle
from scheduler.pacing import Pace, is_resting, may_start
from scheduler.policy import Attempt, Case, Decision, Dial, HandToStaff, Rules, decide

log = logging.getLogger(__name__)

#: Seconds between two looks at the rows, at most.
TICK = 1.0

#: No call takes so long: Asterisk ends each after half an hour (dialplan/, TIMEOUT).
LONGEST_CALL = timedelta(hours=1)

#: The fact under which the last day is remembered on which everybody was reached or handed over.
SETTLED = "dialer.settled"


@dataclass
class Dialer:
    """What the loop needs, and the calls it has under way."""

    config: Config
    database: Database
    ring: Callable[[calls.Attempt], Awaitable[None]]  #: places one attempt, returns when it is over
    is_open: Callable[[], bool]  #: the gate: closed while the PBX is not ready
    inbound_now: Callable[[], int]  #: inbound calls in progress
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    under_way: set[asyncio.Task[None]] = field(default_factory=set)
    last_start: datetime | None = None


async def run_dialer(dialer: Dialer, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Look, decide, act, until cancelled; calls under way then go on without it."""
    # A look begins one call, or few: the pace of the settings is kept by looking as often.
    pause = min(TICK, 1 / dialer.config.lines.calls_per_second)
    while True:
        try:
            await look(dialer)
        except Exception:  # a task border: one bad look must not end the calling, and the rows are still there
            log.exception("the dialler could not look", extra={"action": "dialer_failed"})
        await sleep(pause)


async def look(dialer: Dialer) -> None:
    """One look at everybody: dial, hand over, or leave alone."""
    overdue = await dialer.database.write(calls.close_overdue, dialer.now() - LONGEST_CALL, dialer.now())
    if overdue:
        log.warning("%s calls never came to an end", overdue, extra={"action": "calls_overdue"})
    settled = await dialer.database.read(facts.get_fact, SETTLED)
    days = days_to_settle(dialer.now(), dialer.config.centre.zone, date.fromisoformat(settled) if settled else None)
    nobody_left = True
    for day in days:
        nobody_left = await _look_at(dialer, day) and nobody_left
        if nobody_left and day != days[-1]:
            await dialer.database.write(facts.set_fact, SETTLED, day.isoformat())


async def _look_at(dialer: Dialer, day: date) -> bool:
    """Everybody whose day is open; whether it is settled for all of them now."""
    config = dialer.config
    rules = Rules(config.dialling.attempts, config.dialling.retry_table(), config.dialling.ring_seconds)
    settled = True
    duties = await dialer.database.read(open_duties, day, _end_of(config, day))
    # First calls first: on a day with more people than lines the last of the list must not wait for every retry.
    for duty in sorted(duties, key=lambda each: len(each.attempts)):
        case = _case(config, duty, day)
        if case.window is not None and duty.since >= case.window.until:
            continue  # entered after the slot was over: the next day's
        decision = decide(case, rules, dialer.now())
        settled = settled and isinstance(decision, HandToStaff)
        await _act(dialer, duty, day, decision)
    return settled


async def _act(dialer: Dialer, duty: Duty, day: date, decision: Decision) -> None:
    match decision:
        case Dial(number):
            await _dial(dialer, duty, day, number)
        case HandToStaff(reason):
            follow_up = NewFollowUp(day, reason, duty.person.id)
            await dialer.database.write(open_follow_up, follow_up, dialer.now())
            log.info("handed to staff", extra={"action": "handed_over", "reason": reason})


def _case(config: Config, duty: Duty, day: date) -> Case:
    slot = config.slots.get(duty.person.slot)
    window = window_of(day, slot.first, slot.until, config.centre.zone) if slot else None
    attempts = [Attempt(each.number, each.outcome, each.ended_at) for each in duty.attempts]
    # Who has reported or was handed over is no open duty.
    return Case(window, duty.person.numbers, attempts, reported=False, handed_over=False, talking=duty.talking)


def _end_of(config: Config, day: date) -> datetime:
    """When the last slot of the day is over: who is entered later begins on the next day."""
    last = max(slot.until for slot in config.slots.values())
    return datetime.combine(day, last, config.centre.zone)


async def _dial(dialer: Dialer, duty: Duty, day: date, number: str) -> None:
    pace = Pace(
        dialer.config.lines.total, dialer.config.lines.reserved_for_inbound, dialer.config.lines.calls_per_second
    )
    now = dialer.now()
    if not dialer.is_open() or not may_start(pace, len(dialer.under_way), dialer.inbound_now(), dialer.last_start, now):
        return
    if is_resting(await dialer.database.read(calls.last_rung, number, day), now, dialer.config.dialling.rest_seconds):
        return  # it has just rung for another person of the household
    attempt = calls.Attempt(dialer.new_id(), duty.person.id, number, day, duty.person.slot, now)
    try:
        await dialer.database.write(calls.plan_attempt, attempt)
    except calls.AlreadyCalling:
        return  # the household's telephone is in use: the next look tries again
    dialer.last_start = now
    task = asyncio.create_task(_ring(dialer, attempt), name=f"attempt {attempt.id}")
    dialer.under_way.add(task)
    task.add_done_callback(dialer.under_way.discard)


async def _ring(dialer: Dialer, attempt: calls.Attempt) -> None:
    try:
        await dialer.ring(attempt)
    except Exception:  # a task border: one bad call must not hurt another
        log.exception("an attempt failed", extra={"action": "attempt_failed", "attempt": attempt.id})
