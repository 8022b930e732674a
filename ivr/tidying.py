"""Deletes rows that serve nothing any more."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from ivr.errors import StorageError
from ivr.site import Site
from ivr.storage.callers import forget_tries

log = logging.getLogger(__name__)

#: How long tries of unknown callers stay that count for nothing: so long staff may look into what happened.
KEPT = timedelta(days=90)
#: Between two looks.
EVERY_SECONDS = 24 * 3600.0


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
        await sleep(EVERY_SECONDS)
