"""Deletes rows that serve nothing any more, and packs those that are read seldom."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from ivr.errors import StorageError
from ivr.site import Site
from ivr.storage.callers import forget_tries
from ivr.storage.packed import pack_acknowledged

log = logging.getLogger(__name__)

#: How long tries of unknown callers stay that count for nothing: so long staff may look into what happened.
KEPT = timedelta(days=90)
#: How long documents stay as they were sent: so long the centre may ask for one again, at no cost.
UNPACKED = timedelta(days=7)
PAUSE_SECONDS = 0.5
#: Between two looks.
EVERY_SECONDS = 24 * 3600.0


async def _pack(site: Callable[[], Site], sleep: Callable[[float], Awaitable[None]]) -> None:
    """Pack what was acknowledged, a few documents at once, with time for answers between."""
    try:
        while await site().database.write(pack_acknowledged, site().now() - UNPACKED):
            await sleep(PAUSE_SECONDS)
    except StorageError as error:
        log.error("%s", error.render("en"), extra={"action": "not_tidied"})


async def keep_tidy(site: Callable[[], Site], sleep: Callable[[float], Awaitable[None]]) -> None:
    """At once, and then every day, until cancelled."""
    while True:
        try:
            count = await site().database.write(forget_tries, site().now() - KEPT)
        except StorageError as error:
            log.error("%s", error.render("en"), extra={"action": "not_tidied"})
            site().database.pending.note("not_tidied", error)
        else:
            if count:
                log.info("%s old tries of unknown callers were deleted", count, extra={"action": "tidied"})
            await _pack(site, sleep)
        await sleep(EVERY_SECONDS)
