"""The loop that acts on the policy: reads the rows, decides, writes the attempt down, and has it rung.

The rows say what is due; a missed wake-up or a restart loses nothing. Knows no channel.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from ivr.config import Config
from ivr.person import is_excluded
from ivr.storage import calls, facts
from ivr.storage.database import Database
from ivr.storage.duty import Duty, open_duties
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.window import LATEST, PATIENTS, NoWindow, Window, slots_of
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
    duties = await dialer.database.read(open_duties, day, datetime.combine(day, LATEST, PATIENTS))
    # First calls first: on a day with more people than lines the last of the list must not wait for every retry.
    for duty in sorted(duties, key=lambda each: len(each.attempts)):
        for slot in slots_of(day, duty.person, config.calendar):
            if not _is_called(duty, slot, dialer.now()):
                continue
            decision = decide(_case(duty, slot), rules, dialer.now())
            settled = settled and isinstance(decision, HandToStaff)
            await _act(dialer, duty, day, slot.slot, decision)
            if not isinstance(decision, HandToStaff):
                break
    return settled


def _is_called(duty: Duty, slot: Window | NoWindow, now: datetime) -> bool:
    """Not on days off, not before the person was entered, and not against a decision of staff."""
    if isinstance(slot, NoWindow):
        return slot.why.needs_staff and not is_excluded(duty.person, now)
    return duty.since < slot.until and not is_excluded(duty.person, min(now, slot.until))


async def _act(dialer: Dialer, duty: Duty, day: date, slot: str, decision: Decision) -> None:
    match decision:
        case Dial(number):
            await _dial(dialer, duty, day, slot, number)
        case HandToStaff(reason):
            follow_up = NewFollowUp(day, reason, duty.person.id)
            await dialer.database.write(open_follow_up, follow_up, dialer.now())
            log.info("handed to staff", extra={"action": "handed_over", "reason": reason})


def _case(duty: Duty, slot: Window | NoWindow) -> Case:
    window = slot if isinstance(slot, Window) else None
    attempts = [Attempt(each.number, each.outcome, each.ended_at) for each in duty.attempts if each.slot == slot.slot]
    # Who has reported or was handed over is no open duty.
    return Case(window, duty.person.numbers, attempts, reported=False, handed_over=False, talking=duty.talking)


async def _dial(dialer: Dialer, duty: Duty, day: date, slot: str, number: str) -> None:
    pace = Pace(
        dialer.config.lines.total, dialer.config.lines.reserved_for_inbound, dialer.config.lines.calls_per_second
    )
    now = dialer.now()
    if not dialer.is_open() or not may_start(pace, len(dialer.under_way), dialer.inbound_now(), dialer.last_start, now):
        return
    if is_resting(await dialer.database.read(calls.last_rung, number, day), now, dialer.config.dialling.rest_seconds):
        return  # it has just rung for another person of the household
    attempt = calls.Attempt(dialer.new_id(), duty.person.id, number, day, slot, now)
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
