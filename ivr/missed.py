"""Sees to it that no call to us ends without a trace: from the rows, and from Asterisk's call records.

Asterisk's clock is the real one; in practice ours is another.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta

from ivr.cdr import Arrived, Place, arrivals_of, not_ours_of, read_on
from ivr.endpoints import caller_number
from ivr.errors import StorageError
from ivr.inbound import known_form
from ivr.site import Site
from ivr.storage.alarms import raise_alarm
from ivr.storage.facts import get_fact
from ivr.storage.missed import READ_UNTIL, NotOurs, RecordedCall, account_for_calls, close_recorded, note_records

log = logging.getLogger(__name__)

#: The alarm for calls with sound that we cannot play.
NO_CODEC = "no_codec"
#: Between two looks.
LOOK_SECONDS = 20.0


async def look_for_missed(site: Site, real_now: Callable[[], datetime], live_ids: Collection[str] = ()) -> int:
    """Account for every call to us that is over, but for those in `live_ids`. How many led to a task for staff.

    Raises StorageError.
    """
    # Before the records are read: what they said at the last look has not been followed by the end of its call.
    left = await site.database.write(close_recorded, live_ids, site.now())
    if left:
        log.warning("%s calls ended, and nobody could write it", left, extra={"action": "calls_overdue"})
    await _read_records(site, real_now)
    return await account(site)


async def account(site: Site) -> int:
    """Decide what calls to us that are over lead to. How many led to a task for staff. Raises StorageError."""
    zone = site.config.centre.zone
    due_at = site.now() + timedelta(minutes=site.config.dialling.follow_up_minutes)
    return await site.database.write(
        account_for_calls, lambda moment: moment.astimezone(zone).date(), due_at, site.now()
    )


async def _read_records(site: Site, real_now: Callable[[], datetime]) -> None:
    file = site.config.pbx.cdr_file
    if file is None:
        return
    said = await site.database.read(get_fact, READ_UNTIL)
    place, first = Place.read(said), said is None
    while True:
        try:
            lines, after = await asyncio.to_thread(read_on, file, place)
        except OSError as error:
            log.warning("call records cannot be read: %s", error.strerror, extra={"action": "cdr_unreadable"})
            return
        if after == place and not first:
            return
        arrivals = arrivals_of(lines)
        found = _calls_of(site, arrivals, real_now())
        others = NotOurs(site.today(), not_ours_of(lines))
        await site.database.write(note_records, found, str(after), site.now(), others, first=first)
        if others.dialled:
            log.warning("calls to a number that is not ours", extra={"action": "not_ours"})
        await _tell_of_sound(site, sum(each.no_codec for each in arrivals))
        if after == place:
            return
        place = after


async def _tell_of_sound(site: Site, count: int) -> None:
    """An alarm, once a day, if calls came that offer no sound that we can play: the provider must change that."""
    if count and await site.database.write(raise_alarm, NO_CODEC, site.today().isoformat(), str(count), site.now()):
        log.error("alarm: %s", NO_CODEC, extra={"action": "alarm", "reason": NO_CODEC})


def _calls_of(site: Site, found: Sequence[Arrived], real_now: datetime) -> list[RecordedCall]:
    calls = []
    for each in found:
        shown = caller_number(each.caller)
        number = known_form(site, shown) or shown
        calls.append(RecordedCall(each.call_id, number, site.now() - (real_now - each.at), each.record))
    return calls


async def keep_looking(
    site: Callable[[], Site],
    real_now: Callable[[], datetime],
    sleep: Callable[[float], Awaitable[None]],
    live_ids: Callable[[], Collection[str]],
) -> None:
    """At once, and then again and again, until cancelled."""
    while True:
        try:
            count = await look_for_missed(site(), real_now, live_ids())
        except StorageError as error:
            log.error("%s", error.render("en"), extra={"action": "missed_not_written"})
            site().database.pending.note("missed_not_written", error)
        except Exception as error:  # a task border: the next look begins afresh, from the rows
            log.exception("a look at missed calls failed", extra={"action": "missed_not_written"})
            site().database.pending.note("missed_not_written", error)
        else:
            if count:
                log.warning("%s callers could not be taken", count, extra={"action": "calls_missed"})
        await sleep(LOOK_SECONDS)
