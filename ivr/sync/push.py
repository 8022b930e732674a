"""The loop that sends the outbox to the centre. What anything means is decided in `delivery`; this only acts."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import aiohttp

from ivr.storage import leaving, outbox
from ivr.storage import link as links
from ivr.storage.database import Database
from ivr.storage.outbox import Row
from ivr.sync import http
from ivr.sync.delivery import (
    Fault,
    Judged,
    Link,
    Reply,
    State,
    ends_round,
    judge,
    next_link,
    round_size,
    settle,
)
from ivr.sync.settings import Sync

log = logging.getLogger(__name__)

#: Seconds between two looks at an outbox in which nothing is due.
POLL_SECONDS = 2.0
#: A round takes no new document after so many seconds: an alert that comes meanwhile waits for its end.
ROUND_SECONDS = 5.0
#: Between two looks at the age of what waits, seconds.
WATCH_SECONDS = 60.0
#: Reports of before there was an outbox: so many in one transaction.
_PORTION = 100


class Carrier(Protocol):
    """The way to the centre."""

    async def carry(self, row: Row, now: datetime) -> Reply:
        """Send one document, once. Every outcome is a Reply."""

    async def refuses_us(self) -> bool:
        """Whether what looks like a cut connection is a centre that does not know us."""

    async def close(self) -> None:
        """Let go of connections and certificates; the next document opens them anew."""


class HttpCarrier:
    """Over HTTPS; see ivr.sync.http."""

    def __init__(self, settings: Sync) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def carry(self, row: Row, now: datetime) -> Reply:
        """See Carrier. A certificate of ours that cannot be read is a fault like one that the centre refuses."""
        if self._session is None:
            try:
                self._session = http.open_session(self._settings)
            except OSError:
                return Reply(fault=Fault.TLS)
        return await http.post(self._session, self._settings, row.key, row.payload, now)

    async def refuses_us(self) -> bool:
        """See Carrier."""
        return await http.refuses_us(self._settings)

    async def close(self) -> None:
        """See Carrier: whoever renews a certificate need not restart us."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


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
                except Exception:
                    # A full disk, or a fault of ours: calls go on, and so does this.
                    log.exception("sending failed", extra={"action": "sync_failed"})
                await self.sleep(0.0 if full else POLL_SECONDS)

    async def begin(self) -> None:
        """Nothing is in flight any more; and reports that no outbox has seen go into it."""
        await self.database.write(outbox.release, self.now(), every=True)
        while await self.database.write(leaving.queue_missing, _PORTION, self.now()):
            await self.sleep(0.0)

    async def turn(self) -> bool:
        """One look, and a round if something is due. Whether there is probably more."""
        now = self.now()
        await self._watch(now)
        if await self.database.read(links.wished):
            await self.database.write(links.grant, now)
        link = await self.database.read(links.get_link)
        most = round_size(link, now)
        if most == 0 or not await self.database.read(outbox.is_due, now):
            return False
        # Longer than a round and its slowest request: only a process that died, or could not write, lets it pass.
        lease = ROUND_SECONDS + 2 * self.settings.timeout_seconds + 60.0
        rows = await self.database.write(outbox.take, most, now, lease)
        judged = await self._send(rows)
        await self._write_down(rows, judged, link)
        return bool(judged) and len(rows) == most

    async def _send(self, rows: Sequence[Row]) -> dict[int, Judged]:
        """Row -> what came of it, for as many of them as there was time and reason for."""
        waiting, judged = deque(rows), dict[int, Judged]()
        loop = asyncio.get_running_loop()
        end = loop.time() + ROUND_SECONDS

        async def work() -> None:
            while waiting and loop.time() < end and not any(map(ends_round, judged.values())):
                row = waiting.popleft()
                reply = await self.carrier.carry(row, self.now())
                judged[row.id] = judge(reply, row.key, row.sha256)

        async with asyncio.TaskGroup() as workers:
            for _ in range(min(self.settings.connections, len(rows))):
                workers.create_task(work())
        cuts = judged and all(each.reason == Fault.CUT for each in judged.values())
        if cuts and await self.carrier.refuses_us():
            refused = judge(Reply(fault=Fault.TLS), "", "")
            return dict.fromkeys(judged, refused)
        return judged

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
        if self.watched_at is None or not timedelta() <= now - self.watched_at < timedelta(seconds=WATCH_SECONDS):
            self.watched_at = now
            await self.database.write(links.watch, now, self.settings.alarm_hours)


async def serve(
    database: Database,
    settings: Sync,
    now: Callable[[], datetime],
    chance: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    """Send until cancelled; without a centre only wait."""
    if settings.centre_url is None:
        await asyncio.Event().wait()
    await Push(database, HttpCarrier(settings), settings, now, chance, sleep).run()
