"""Finds out who rang while nothing of ours could take the call, from Asterisk's call records, for staff to ring them.

Asterisk's clock is the real one; in practice ours is another.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from ivr.cdr import Missed, Place, missed_of, not_ours_of, read_on
from ivr.endpoints import caller_number
from ivr.errors import StorageError
from ivr.inbound import known_form
from ivr.site import Site
from ivr.storage.facts import get_fact
from ivr.storage.missed import READ_UNTIL, MissedCall, NotOurs, note_missed

log = logging.getLogger(__name__)

#: Between two looks.
LOOK_SECONDS = 20.0


async def look_for_missed(site: Site, real_now: Callable[[], datetime]) -> int:
    """Read on in the call records, and write down whom they name. How many were new. Raises StorageError."""
    file = site.config.pbx.cdr_file
    if file is None:
        return 0
    count = 0
    place = Place.read(await site.database.read(get_fact, READ_UNTIL))
    while True:
        try:
            lines, after = await asyncio.to_thread(read_on, file, place)
        except OSError as error:
            log.warning("call records cannot be read: %s", error.strerror, extra={"action": "cdr_unreadable"})
            return count
        if after == place:
            return count
        found = _calls_of(site, missed_of(lines), real_now())
        others = NotOurs(site.today(), not_ours_of(lines))
        due_at = site.now() + timedelta(minutes=site.config.dialling.follow_up_minutes)
        count += await site.database.write(note_missed, found, str(after), due_at, site.now(), others)
        if others.dialled:
            log.warning(
                "calls to a number that is not ours", extra={"action": "not_ours", "count": len(others.dialled)}
            )
        place = after


def _calls_of(site: Site, found: Sequence[Missed], real_now: datetime) -> list[MissedCall]:
    calls = []
    for each in found:
        at = site.now() - (real_now - each.at)
        day = at.astimezone(site.config.centre.zone).date()
        shown = caller_number(each.caller)
        calls.append(MissedCall(each.call_id, known_form(site, shown) or shown, at, day))
    return calls


async def keep_looking(
    site: Callable[[], Site], real_now: Callable[[], datetime], sleep: Callable[[float], Awaitable[None]]
) -> None:
    """At once, and then again and again, until cancelled."""
    while True:
        try:
            count = await look_for_missed(site(), real_now)
        except StorageError as error:
            log.error("%s", error.render("en"), extra={"action": "missed_not_written"})
            site().database.pending.note("missed_not_written", error)
        else:
            if count:
                log.warning("%s callers heard only the apology", count, extra={"action": "calls_missed"})
        await sleep(LOOK_SECONDS)
