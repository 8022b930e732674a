"""Looks after the loop from beside it: what the watchdog finds becomes rows of alarms and log lines, and ends there."""

import logging
from datetime import UTC, date, datetime, timedelta

from ivr.handover import NOT_OURS
from ivr.identity import GUESSING
from ivr.person import Person
from ivr.window import Window, slot_of
from scheduler.clock import JUMP
from scheduler.dialer import Dialer
from scheduler.rows import LAST_LOOK
from scheduler.standing import take_over
from scheduler.watchdog import REFUSALS, SILENT, Finding, Slot, View, findings

log = logging.getLogger(__name__)

#: Alarms that the watchdog raises, and ends when it does not find them any more.
WATCHED = ("behind", "nobody_due", "gate_closed", "trunk_full", "lines_idle", "clock", *REFUSALS, SILENT)


async def watch(dialer: Dialer) -> None:
    """Compare what should be with what is."""
    await _check_last_look(dialer)
    await take_over(dialer.standing, dialer.rows, dialer.now())
    found = await _clock(dialer)
    if not found:  # with a wrong clock everything else looks wrong too
        found = findings(await _view(dialer))
    now = dialer.now()
    for each in found:
        if await dialer.rows.raise_alarm(each.kind, each.subject, each.details, now):
            log.error("alarm: %s", each.kind, extra={"action": "alarm", "reason": each.kind})
    still = {(each.kind, each.subject) for each in found}
    today = now.astimezone(dialer.config.centre.zone).date().isoformat()
    for kind, subject in await dialer.rows.standing_alarms():
        yesterdays = kind in (GUESSING, NOT_OURS) and subject != today
        if yesterdays or (kind in WATCHED and (kind, subject) not in still):
            await dialer.rows.end_alarm(kind, subject, now)
            log.warning("alarm over: %s", kind, extra={"action": "alarm_over", "reason": kind})
    if dialer.clock.is_trusted():
        await dialer.rows.set_fact(LAST_LOOK, now.astimezone(UTC).isoformat())


async def _check_last_look(dialer: Dialer) -> None:
    """A clock that stands before the moment at which we last looked was put back while we were down, or is wrong."""
    if dialer.watched:
        return
    last = await dialer.rows.get_fact(LAST_LOOK)
    dialer.watched = True  # only now: a read that failed is made again by the next look
    if last is not None and datetime.fromisoformat(last) - dialer.now() > JUMP:
        log.error("the clock stands before the last look: nobody is rung", extra={"action": "clock_jumped"})
        dialer.clock.doubt()


async def _clock(dialer: Dialer) -> list[Finding]:
    dialer.clock.look()
    since = dialer.clock.suspect_since
    if since is None:
        return []
    if await dialer.rows.alarm_acknowledged("clock", since):
        dialer.clock.confirmed = True
        dialer.clock.look()
    return [Finding("clock", "", since.astimezone(dialer.config.centre.zone).strftime("%H:%M:%S"))]


async def _view(dialer: Dialer) -> View:
    now = dialer.now()
    today = now.astimezone(dialer.config.centre.zone).date()
    due = dialer.queue.due(now)
    _remember_since(dialer, now, due)
    counts = await dialer.rows.counts(today)
    spread = timedelta(minutes=dialer.config.dialling.spread_minutes)
    windows = windows_of_slots(dialer, today)
    slots = [
        Slot(each.slot, window.first, window.until, spread, each.people, each.people - each.untouched, each.open)
        for each in counts
        if (window := windows.get(each.slot))
    ]
    waiting = dialer.waiting_since or now
    return View(
        now=now,
        slots=slots or [Slot(name, w.first, w.until, spread, 0, 0, 0) for name, w in windows.items()],
        observed=await dialer.rows.observed(),
        planned=sum(each.people for each in counts),
        due=due,
        trunks=dialer.trunks,
        loads=dialer.loads,
        inbound=dialer.inbound_now() + dialer.inherited_now(),
        idle_since=waiting if dialer.last_start is None else max(dialer.last_start, waiting),
        closed_since=dialer.closed_since,
        healths=dialer.standing.healths,
        shut=frozenset(each.name for each in dialer.trunks if not dialer.gates.is_open(each.name)),
    )


def windows_of_slots(dialer: Dialer, day: date) -> dict[str, Window]:
    """When the slots of the settings are, in UTC."""
    calendar = dialer.config.calendar
    found = (slot_of(day, Person("", "", "", (), (name,)), name, calendar) for name in calendar.slots)
    return {each.slot: each for each in found if isinstance(each, Window)}


def _remember_since(dialer: Dialer, now: datetime, due: int) -> None:
    if dialer.is_open():
        dialer.closed_since = None
    elif dialer.closed_since is None:
        dialer.closed_since = now
    if not due:
        dialer.waiting_since = None
    elif dialer.waiting_since is None:
        dialer.waiting_since = now
