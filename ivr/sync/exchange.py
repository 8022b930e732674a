"""What goes on with the centre while the service runs: reports leave, and what has changed there comes in."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from ivr.config import Config
from ivr.storage import pulled
from ivr.storage.database import Database
from ivr.sync import push
from ivr.sync.pull import Pull
from ivr.sync.source import Source


async def serve(
    config: Config,
    database: Database,
    now: Callable[[], datetime],
    chance: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    """Both directions, until cancelled; neither waits for the other."""
    if not config.sync.pulls:
        await database.pending.write(pulled.end_alarms, now())
    async with asyncio.TaskGroup() as parts:
        parts.create_task(push.serve(database, config.sync, now, chance, sleep))
        if config.sync.pulls:
            source, rules, zone = Source(config.sync, now), config.roster_rules, config.centre.zone
            parts.create_task(Pull(database, source, config.sync, rules, zone, now, chance, sleep).run())
