"""The loop that sends the outbox to the centre. What anything means is decided in `delivery`; this only acts."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime

from ivr.storage import leaving, outbox
from ivr.storage import link as links
from ivr.storage.database import Database
from ivr.storage.outbox import Row
from ivr.sync.carriers import Carrier, carrier_of
from ivr.sync.delivery import PAUSE_SECONDS, ROUND_SECONDS, Judged, Link, State, is_over, next_link, round_size, settle
from ivr.sync.reconcile import Reconciler
from ivr.sync.settings import Sync

log = logging.getLogger(__name__)

#: Seconds between two looks at an outbox in which nothing is due.
POLL_SECONDS = 2.0
#: Between two looks at the age of what waits, seconds.
WATCH_SECONDS = 60.0
#: Reports of before there was an outbox: so many in one transaction.
_PORTION = 100


@dataclass
class Push:
    """Sends what waits."""

    database: Database
    carrier: Carrier
    settings: Sync
    now: Callable[[], datetime]
    chance: Callable[[], float]  #: 0 to 1
    sleep: Callable[[float], Awaitable[None]]
    watched_at: datetime | None = field(default=None, init=False)

    async def run(self) -> None:
        """Until cancelled, whatever goes wrong."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.carrier.close)
            begun = False
            while True:
                full = False
                try:
                    if not begun:
                        await self.begin()
                        begun = True
                    full = await self.turn()
                except Exception as error:
                    # A full disk, or a fault of ours: calls go on, and so does this. What was taken comes back when its
                    # lease is over.
                    log.exception("sending failed", extra={"action": "sync_failed"})
                    self.database.pending.note("sync_failed", error)
                await self.sleep(PAUSE_SECONDS if full else POLL_SECONDS)

    async def begin(self) -> None:
        """Nothing is in flight any more; and reports that no outbox has seen go into it."""
        await self.database.write(outbox.release, self.now(), every=True)
        while await self.database.write(leaving.queue_missing, _PORTION, self.now()):
            await self.sleep(0.0)

    async def turn(self) -> bool:
        """One look, and a round if something is due. Whether there is probably more."""
        now = self.now()
        await self._watch(now)
        wish, link, due = await self.database.read(links.look, now)
        if wish:
            await self.database.write(links.grant, now)
            _, link, due = await self.database.read(links.look, now)
        most = round_size(link, now, self.carrier.most)
        if most == 0 or not due:
            return False
        # Longer than a round and its slowest request: only a process that died, or could not write, lets it pass.
        lease = ROUND_SECONDS + 2 * self.settings.timeout_seconds + 60.0
        rows = await self.database.write(outbox.take, most, now, lease)
        judged = await self.carrier.send(rows, self.now)
        await self._write_down(rows, judged, link)
        return bool(judged) and len(rows) == most

    async def _write_down(self, rows: Sequence[Row], judged: dict[int, Judged], before: Link) -> None:
        now = self.now()
        after = next_link(before, tuple(judged.values()), now, self.chance())
        settlements = [
            settle(each.sent, judged[each.id], before, now, self.chance()) for each in rows if each.id in judged
        ]
        unsent = [each.id for each in rows if each.id not in judged]
        await self.database.write(links.close_round, settlements, unsent, after, now)
        for each in settlements:
            if each.state is State.PARKED:
                parked = {"action": "sync_parked", "reason": each.problem}
                log.warning("the centre refuses a document", extra=parked)
        if after.problem != before.problem:
            said = {"action": "sync_failing" if after.problem else "sync_works", "reason": after.problem or "-"}
            log.warning("the way to the centre has changed", extra=said)
        if after.problem:
            await self.carrier.close()

    async def _watch(self, now: datetime) -> None:
        if is_over(self.watched_at, WATCH_SECONDS, now):
            self.watched_at = now
            await self.database.write(links.watch, now, self.settings.alarm_hours)


async def serve(
    database: Database,
    settings: Sync,
    now: Callable[[], datetime],
    chance: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    """Send, and compare what arrived, until cancelled; without a centre only wait."""
    if settings.destination is None:
        await asyncio.Event().wait()
    async with asyncio.TaskGroup() as parts:
        parts.create_task(Push(database, carrier_of(settings, database), settings, now, chance, sleep).run())
        parts.create_task(Reconciler(database, settings, now, sleep).run())
