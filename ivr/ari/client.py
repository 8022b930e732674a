"""Our thin client of Asterisk: requests over HTTP or the WebSocket, and each channel's events in order.

It knows neither calls nor phones, and it does not decide when to reconnect: that is `ivr.ari.app`.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import aiohttp

from ivr.ari.events import Channel, ChannelUserevent, Event, Gap, StasisStart, Vanished, channel_of
from ivr.ari.inbox import Inbox
from ivr.ari.link import Link, open_link
from ivr.ari.rest import Params, fetch_http, open_session, send_http, unreachable
from ivr.ari.settings import PbxSettings, Transport, rest_over_websocket

log = logging.getLogger(__name__)

#: Asterisk answers these requests only when the channel's own thread comes to them, after whatever plays or is recorded
#: there (22.10.1: `answer` and `variable` were seen to wait; a bridge's requests do by the source, control.c). Over the
#: WebSocket, which takes one request at a time, one such channel would hold up every other call. All others only queue
#: something, or look something up.
BLOCKING = re.compile(r"/channels/[^/]+/(answer|variable)|/bridges/[^/]+/(addChannel|removeChannel)")


class AriClient:
    """Owns the HTTP session, the WebSocket while there is one, and one inbox for each channel of ours.

    Use with `async with`. `now` is any steady clock in seconds, `sleep` waits on that clock.
    """

    def __init__(
        self, settings: PbxSettings, now: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self.settings = settings
        self.now = now
        self.sleep = sleep
        self.arrivals: asyncio.Queue[StasisStart] = asyncio.Queue()  #: channels that nobody was waiting for
        self.echoes = Inbox(now, sleep)  #: the events that `Pbx` asks for to see that it is not deaf
        self._inboxes: dict[str, Inbox] = {}
        self._session: aiohttp.ClientSession | None = None
        self._link: Link | None = None
        self._over_websocket = False

    async def __aenter__(self) -> Self:
        self._session = open_session(self.settings)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for channel_id, inbox in self._inboxes.items():
            inbox.put(Vanished(channel_id))  # Nobody will bring further events: whoever waits must not wait for ever.
        if self._link is not None:
            await self._link.close()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def connect(self) -> Link:
        """Open the WebSocket for both applications. Raises PbxUnreachable, or BadInput for a wrong secret."""
        assert self._session is not None, "use with `async with`"
        if self._link is not None:
            await self._link.close()
        self._link = await open_link(self._session, self.settings, self._route, self.now, self.sleep)
        self._over_websocket = False
        return self._link

    def pong_age(self) -> float | None:
        """Seconds since Asterisk last answered a ping; None: there is no connection."""
        return self.now() - self._link.pong_at if self._link is not None and self._link.is_open else None

    def choose_transport(self, version: str) -> Transport:
        """Decide how requests go from now on, by the settings and what this version offers; says what it chose."""
        wanted = self.settings.transport
        self._over_websocket = wanted is not Transport.HTTP and rest_over_websocket(version)
        if wanted is Transport.WEBSOCKET and not self._over_websocket:
            log.warning("Asterisk takes no requests over the WebSocket: HTTP", extra={"action": "pbx_transport"})
        return Transport.WEBSOCKET if self._over_websocket else Transport.HTTP

    async def request(
        self, method: str, path: str, *, params: Params | None = None, body: object = None, deadline: float = 5.0
    ) -> Any:
        """Send one request, at most once, and return the decoded reply (None if it is empty).

        `path` begins with `/`, below `/ari`. `deadline` in seconds. Raises PbxUnreachable (not carried out), PbxSilent
        (may have been carried out), PbxRefused (Asterisk's status and words).
        """
        blocks = BLOCKING.fullmatch(path) is not None
        if self._over_websocket and self._link is not None and self._link.is_open and not blocks:
            return await self._link.request(method, path, params, body, deadline)
        if self._session is None:
            raise unreachable(self.settings)
        return await send_http(self._session, self.settings, (method, path), params, body, deadline)

    async def fetch(self, path: str, deadline: float) -> bytes:
        """The bytes of a file. Raises as `request` does."""
        if self._session is None:
            raise unreachable(self.settings)
        return await fetch_http(self._session, self.settings, path, deadline)

    def watch(self, channel_id: str) -> Inbox:
        """The inbox of a channel, from before the channel exists: own ids, subscribe, then send."""
        return self._inboxes.setdefault(channel_id, Inbox(self.now, self.sleep))

    def share(self, channel_id: str, inbox: Inbox) -> None:
        """What comes of this channel goes into the inbox of another one: whoever owns that one waits for both."""
        self._inboxes[channel_id] = inbox

    def forget(self, channel_id: str) -> None:
        """The call is over or nobody wants to know: what still comes is thrown away."""
        self._inboxes.pop(channel_id, None)

    def watched(self) -> frozenset[str]:
        """Channels that somebody owns."""
        return frozenset(self._inboxes)

    def reconcile(self, living: dict[str, Channel]) -> None:
        """After a gap in the events: tell owners of channels that went, of those answered meanwhile, and of the gap."""
        for channel_id, inbox in self._inboxes.items():
            channel = living.get(channel_id)
            if channel is None:
                inbox.put(Vanished(channel_id))
            elif channel.app_name == "Stasis":
                inbox.put(StasisStart(channel))
                inbox.put(Gap(channel_id))

    def _route(self, event: Event) -> None:
        """Called for every event, in order; must not wait."""
        inbox = self._inboxes.get(channel_of(event))
        if inbox is not None:
            inbox.put(event)
        elif isinstance(event, StasisStart):
            # At once, not when somebody takes the arrival: the next event of this channel may be right behind.
            self.watch(event.channel.id)
            self.arrivals.put_nowait(event)
        elif isinstance(event, ChannelUserevent):
            self.echoes.put(event)
