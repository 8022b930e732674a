"""One WebSocket to Asterisk, from its opening to its end: events in, requests out, pings. It never reconnects."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from ivr.ari.events import ApplicationReplaced, Event, RestResponse, parse
from ivr.ari.rest import LONGEST_REPLY, Params, understand, unreachable, wrong_secret
from ivr.ari.settings import PbxSettings
from ivr.errors import PbxSilent, PbxUnreachable, problem

log = logging.getLogger(__name__)

#: Asterisk never pings and waits for ever on a dead socket (22.10.1, session_read): we do it, and give up on silence.
PING_SECONDS = 5.0
_CONNECT_SECONDS = 5.0
_CLOSE_SECONDS = 1.0


class HandshakeAbandoned(PbxUnreachable):
    """We gave up waiting for a WebSocket. Asterisk may still open it, when it goes on, in place of a later one."""


Deliver = Callable[[Event], None]
Sleep = Callable[[float], Awaitable[None]]


async def open_link(
    session: aiohttp.ClientSession, settings: PbxSettings, deliver: Deliver, now: Callable[[], float], sleep: Sleep
) -> "Link":
    """Connect. Raises PbxUnreachable, HandshakeAbandoned among them, or BadInput for a wrong user or secret."""
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            socket = await session.ws_connect(
                "ari/events",
                params={"app": f"{settings.app},{settings.trunk_app}"},
                autoping=False,
                max_msg_size=LONGEST_REPLY,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECONDS),
            )
    except aiohttp.WSServerHandshakeError as error:
        # 404 and 503 while Asterisk boots; 401 for a wrong secret.
        raise (wrong_secret(settings) if error.status == 401 else unreachable(settings)) from error
    except TimeoutError as error:
        raise HandshakeAbandoned(*unreachable(settings).problems) from error
    except (aiohttp.ClientError, ConnectionError) as error:
        raise unreachable(settings) from error
    return Link(socket, settings, deliver, now, sleep)


class Link:
    """An open WebSocket. Its reader only hands on: Asterisk closes a socket whose write takes long."""

    def __init__(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        settings: PbxSettings,
        deliver: Deliver,
        now: Callable[[], float],
        sleep: Sleep,
    ) -> None:
        self._socket = socket
        self._settings = settings
        self._deliver = deliver
        self._now = now
        self._sleep = sleep
        self._replies: dict[str, asyncio.Future[RestResponse]] = {}
        self._sent = 0
        self._pong = True
        self.pong_at = now()  #: when Asterisk last answered a ping, or let us in
        self.replaced = False  #: another connection took our applications over
        self._reader = asyncio.create_task(self._read())
        self._pinger = asyncio.create_task(self._ping())

    @property
    def is_open(self) -> bool:
        """Whether requests can go out and events come in."""
        return not self._reader.done()

    async def ended(self) -> None:
        """Wait for the end of the connection, however it comes."""
        await asyncio.wait({self._reader})

    def stop(self) -> None:
        """Make it end."""
        self._reader.cancel()

    async def close(self) -> None:
        """Close, and wait until nothing of it is left."""
        self._pinger.cancel()
        await self._socket.close()
        self._reader.cancel()
        await asyncio.wait({self._reader, self._pinger})

    async def request(self, method: str, path: str, params: Params | None, body: object, deadline: float) -> Any:
        """As `AriClient.request`. Asterisk handles the requests of one socket one at a time, in order."""
        if not self.is_open:
            raise unreachable(self._settings)
        self._sent += 1
        request_id = str(self._sent)
        said = f"{method} {path}"
        message: dict[str, object] = {
            "type": "RESTRequest",
            "transaction_id": request_id,
            "request_id": request_id,
            "method": method,
            "uri": path.removeprefix("/"),  # with a leading slash: 405 (22.10.1)
        }
        if params:
            message["query_strings"] = [{"name": name, "value": value} for name, value in params.items()]
        if body is not None:
            message |= {"content_type": "application/json", "message_body": json.dumps(body)}
        reply = self._replies[request_id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(deadline):
                await self._socket.send_str(json.dumps(message))
                got = await reply
        except (TimeoutError, PbxSilent, aiohttp.ClientError, ConnectionError) as error:
            raise PbxSilent(problem("pbx.silent", request=said)) from error
        finally:
            self._replies.pop(request_id, None)
        return understand(self._settings, said, got.status, got.reason, got.body.encode())

    async def _read(self) -> None:
        """Until the socket ends: a clean end is an end like any other."""
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(parse(message.data))
                elif message.type is aiohttp.WSMsgType.PONG:
                    self._pong = True
                    self.pong_at = self._now()
                elif message.type is aiohttp.WSMsgType.PING:
                    await self._socket.pong(message.data)
        except (aiohttp.ClientError, ConnectionError) as error:
            log.warning("the connection to Asterisk broke: %s", error, extra={"action": "pbx_link_broken"})
        finally:
            for reply in self._replies.values():
                if not reply.done():
                    reply.set_exception(PbxSilent(problem("pbx.closed")))

    def _take(self, event: Event) -> None:
        match event:
            case RestResponse():
                reply = self._replies.get(event.request_id)
                if reply is not None and not reply.done():
                    reply.set_result(event)
            case ApplicationReplaced():
                self.replaced = True
                self._reader.cancel()
            case _:
                self._deliver(event)

    async def _ping(self) -> None:
        """A ping every PING_SECONDS; one that is not answered by the next ends the connection."""
        while True:
            self._pong = False
            with contextlib.suppress(aiohttp.ClientError, ConnectionError):
                await self._socket.ping()
            await self._sleep(PING_SECONDS)
            if not self._pong:
                log.warning("Asterisk does not answer pings", extra={"action": "pbx_no_pong"})
                self._reader.cancel()
                return
