"""Asks the centre what has changed, one page at a time. It decides nothing about answers."""

from collections.abc import Callable
from datetime import datetime

import aiohttp

from ivr.sync import http
from ivr.sync.delivery import Fault, Reply
from ivr.sync.settings import Sync

PATH = "/v1/changes"
#: Changes that are asked for at once.
PAGE = 200
#: No honest page is longer, in bytes.
LONGEST_PAGE = 1024 * 1024


class Source:
    """The centre, as it is asked."""

    def __init__(self, settings: Sync, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._session: aiohttp.ClientSession | None = None

    @property
    def address(self) -> str:
        """What is asked."""
        return http.address_of(self._settings, PATH)

    async def fetch(self, since: str) -> Reply:
        """The page after a cursor; empty: the first one. Every outcome is a Reply."""
        if self._session is None:
            try:
                self._session = http.open_session(self._settings)
            except OSError:
                return Reply(fault=Fault.TLS)
        query = {"limit": str(PAGE), **({"since": since} if since else {})}
        reply = await http.get(self._session, self._settings, PATH, query, LONGEST_PAGE, self._now())
        if reply.fault is Fault.CUT and await http.refuses_us(self._settings):
            return Reply(fault=Fault.TLS)
        return reply

    async def close(self) -> None:
        """Let go of the connection and the certificates; the next page opens them anew."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
