"""The carrier's own access to its Asterisk: requests and events, and no reconnecting.

On purpose not ivr.ari: the far end must not share the mistakes of what it is there to try.
"""

import contextlib
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from ivr.pbx import PbxSite

Event = dict[str, Any]


class Refused(Exception):
    """Asterisk said no; usually the channel is gone already."""


class Ari:
    """One connection to one Asterisk as one application."""

    def __init__(self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse, base: str) -> None:
        self._session = session
        self._socket = socket
        self._base = base

    async def request(self, method: str, path: str, **values: str | int) -> Any:
        """One request below `/ari`; its reply, if it has one. Raises Refused."""
        variables = values.pop("variables", None)
        body = {"variables": variables} if variables else None
        async with self._session.request(method, f"{self._base}{path}", params=values, json=body) as reply:
            if reply.status >= 400:
                raise Refused(f"{method} {path}: {reply.status} {await reply.text()}")
            return await reply.json() if reply.status != 204 else None

    async def attempt(self, method: str, path: str, **values: str | int) -> None:
        """A request about something that may have ended by itself meanwhile."""
        with contextlib.suppress(Refused):
            await self.request(method, path, **values)

    async def events(self) -> AsyncIterator[Event]:
        """What happens, until the connection ends."""
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                yield message.json()


def authorization(site: PbxSite) -> dict[str, str]:
    """The header that lets a request in."""
    return {"Authorization": "Basic " + b64encode(f"{site.ari_user}:{site.ari_secret}".encode()).decode()}


@contextlib.asynccontextmanager
async def connected(site: PbxSite) -> AsyncIterator[Ari]:
    """Be the application `site.application` of this Asterisk."""
    base = f"http://{site.ari_address}:{site.ari_port}/ari"
    # A kept connection must die here before it dies there (session_keep_alive, 15 s).
    timeout = aiohttp.ClientTimeout(total=10)
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=5)
    async with (
        aiohttp.ClientSession(headers=authorization(site), connector=connector, timeout=timeout) as session,
        # No heartbeat: aiohttp 3.14 takes a loop that was busy for half its interval for a peer that is gone; a test
        # that listens to a recording is busy for longer. On loopback the end of Asterisk ends the socket.
        session.ws_connect(f"{base}/events", params={"app": site.application}) as socket,
    ):
        yield Ari(session, socket, base)
