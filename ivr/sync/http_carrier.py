"""The way out that is HTTPS: several documents at once, each in one request. It decides nothing about answers."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

import aiohttp

from ivr.storage.outbox import Row
from ivr.sync import http
from ivr.sync.delivery import ROUND, ROUND_SECONDS, Fault, Judged, Reply, ends_round, judge
from ivr.sync.settings import Sync


class HttpCarrier:
    """Over HTTPS; see ivr.sync.http."""

    most = ROUND

    def __init__(self, settings: Sync) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def send(self, rows: Sequence[Row], now: Callable[[], datetime]) -> dict[int, Judged]:
        """See ivr.sync.carriers.Carrier: several at once, and none more once the way itself has failed."""
        waiting, judged = deque(rows), dict[int, Judged]()
        loop = asyncio.get_running_loop()
        end = loop.time() + ROUND_SECONDS

        async def work() -> None:
            while waiting and loop.time() < end and not any(map(ends_round, judged.values())):
                row = waiting.popleft()
                reply = await self.carry(row, now())
                judged[row.id] = judge(reply, row.key, row.sha256)

        async with asyncio.TaskGroup() as workers:
            for _ in range(min(self._settings.connections, len(rows))):
                workers.create_task(work())
        cuts = judged and all(each.reason == Fault.CUT for each in judged.values())
        if cuts and await http.refuses_us(self._settings):
            return dict.fromkeys(judged, judge(Reply(fault=Fault.TLS), "", ""))
        return judged

    async def carry(self, row: Row, now: datetime) -> Reply:
        """Send one document, once. Every outcome is a Reply."""
        return await self.post(row.key, row.payload, now)

    async def post(
        self, key: str, body: bytes, now: datetime, path: str = http.PATH, content_type: str = "application/json"
    ) -> Reply:
        """One request. A certificate of ours that cannot be read is a fault like one that the centre refuses."""
        if self._session is None:
            try:
                self._session = http.open_session(self._settings)
            except OSError:
                return Reply(fault=Fault.TLS)
        return await http.post(self._session, self._settings, key, body, now, path, content_type)

    async def close(self) -> None:
        """See ivr.sync.carriers.Carrier: whoever renews a certificate need not restart us."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
