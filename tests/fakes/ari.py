"""A stand-in for Asterisk's ARI: a real HTTP and WebSocket server with side doors. And a clock that tests move by hand.

Everything it does by itself was first seen on Asterisk 22.10.1; what it should do otherwise, a test tells it.
"""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import WSMsgType, web

USER, SECRET = "kenko", "the secret"
_AUTH = f"Basic {base64.b64encode(f'{USER}:{SECRET}'.encode()).decode()}"


class Clock:
    """A steady clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = 1000.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.time + seconds, woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Let time pass; whoever sleeps wakes at its moment, in order."""
        until = self.time + seconds
        await idle()
        while due := [each for each in self._sleepers if each[0] <= until and not each[1].done()]:
            moment, woken = min(due, key=lambda each: each[0])
            self.time = max(self.time, moment)
            woken.set_result(None)
            await idle()
        self._sleepers = [each for each in self._sleepers if not each[1].done()]
        self.time = until

    def pending(self) -> list[float]:
        """How many seconds each sleeper still sleeps."""
        return sorted(moment - self.time for moment, woken in self._sleepers if not woken.done())


async def idle() -> None:
    """Let every task run that can run without the network."""
    for _ in range(30):
        await asyncio.sleep(0)


@dataclass(frozen=True)
class Seen:
    """One request that arrived."""

    method: str
    path: str
    params: Mapping[str, str]
    body: Any
    over: str  #: `http` or `websocket`


@dataclass(frozen=True)
class Reply:
    """What to answer."""

    status: int = 200
    body: object = None
    raw: bytes | None = None  #: instead of `body`, for what is no JSON


Answer = Reply | Callable[[Seen], "Reply | None"]


@dataclass
class FakeAsterisk:
    """One Asterisk. Side doors: `answers`, `send`, `requests`, `drop`, `channels`, `version`, `startup_time`."""

    version: str = "22.10.1+dfsg"
    startup_time: str = "2026-01-01T00:00:00.000+0000"
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[Seen] = field(default_factory=list)
    #: (method, pattern of the path) -> what to answer; a list is used up one by one.
    answers: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)
    filters: dict[str, list[str]] = field(default_factory=dict)  #: application -> allowed kinds
    subscriptions: dict[str, list[str]] = field(default_factory=dict)
    handshakes: list[int] = field(default_factory=list)  #: statuses to refuse the next WebSockets with
    stands_still: asyncio.Event | None = None  #: the next WebSockets are answered when it is set, in their order
    answers_pings: bool = True
    deaf: set[str] = field(default_factory=set)  #: applications that a late end of an old connection deactivated
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    url: str = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Self]:
        app = web.Application()
        app.router.add_get("/ari/events", self._websocket)
        app.router.add_route("*", "/ari/{path:.*}", self._http)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        try:
            yield self
        finally:
            await self.drop()
            await runner.cleanup()

    def answer(self, method: str, pattern: str, *answers: Answer) -> None:
        """Answer the next requests of this kind so, then as usual again."""
        self.answers.setdefault((method, pattern), []).extend(answers)

    async def send(self, kind: str, channel: str | None = None, app: str = "kenko", **fields: Any) -> None:
        """Send an event, unless the application is filtered otherwise: 22.10.1 filters every kind, replies too."""
        message: dict[str, Any] = {"type": kind, "application": app, "asterisk_id": "00:00", **fields}
        if channel is not None:
            message["channel"] = self.channel(channel)
        await self._send(message)

    async def send_raw(self, text: str) -> None:
        for each in self.sockets[-1:]:
            await each.send_str(text)

    async def play_event(self, kind: str, playback: str, media: str, next_media: str = "", state: str = "") -> None:
        """An event of the playback `<channel>.<n>`."""
        target = f"channel:{playback.rpartition('.')[0]}"
        body = {"id": playback, "media_uri": media, "target_uri": target, "state": state}
        await self.send(kind, playback=body | ({"next_media_uri": next_media} if next_media else {}))

    def channel(self, channel_id: str, **fields: Any) -> dict[str, Any]:
        """A channel as Asterisk describes it; of one that does not live, a plain one."""
        return self.channels.get(channel_id) or make_channel(channel_id, **fields)

    async def answered(self, channel_id: str) -> None:
        """An outbound call is answered."""
        self.channels[channel_id] = make_channel(channel_id, state="Up", app_name="Stasis", app_data="kenko,outbound")
        await self.send("StasisStart", channel_id, args=["outbound"])

    async def dialled(self, channel_id: str, status: str) -> None:
        """How a call gets on that nobody has answered yet."""
        peer = self.channel(channel_id)
        await self._send({"type": "Dial", "application": "kenko-trunk", "peer": peer, "dialstatus": status})

    async def destroyed(self, channel_id: str, cause: int = 16, tech_cause: int | None = None) -> None:
        """A channel is over. The event comes by the application with the subscription to the trunk."""
        extra = {} if tech_cause is None else {"tech_cause": tech_cause}
        gone = self.channel(channel_id)
        self.channels.pop(channel_id, None)
        await self._send(
            {"type": "ChannelDestroyed", "application": "kenko-trunk", "cause": cause, "channel": gone, **extra}
        )

    async def drop(self) -> None:
        """Close every WebSocket, cleanly."""
        sockets, self.sockets = self.sockets, []
        for each in sockets:
            await each.close()

    def seen(self, method: str, pattern: str) -> list[Seen]:
        """Requests of this kind so far."""
        return [each for each in self.requests if each.method == method and re.fullmatch(pattern, each.path)]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is so; the test's own time-out is the only limit."""
        while not condition():  # noqa: ASYNC110 - what it looks at is the program's own state, which tells nobody
            await asyncio.sleep(0.001)

    async def until_seen(self, method: str, pattern: str, times: int = 1) -> Seen:
        """Wait for a request; the last of those asked for."""
        await self.until(lambda: len(self.seen(method, pattern)) >= times)
        return self.seen(method, pattern)[times - 1]

    async def _send(self, message: dict[str, Any]) -> None:
        allowed = self.filters.get(message["application"])
        if message["application"] in self.deaf:
            return
        if self.sockets and (not allowed or message["type"] in allowed):
            await self.sockets[-1].send_str(json.dumps(message))

    async def _http(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != _AUTH:
            return web.json_response({"message": "Authentication required"}, status=401)
        text = await request.text()
        path = "/" + request.match_info["path"]
        seen = Seen(request.method, path, dict(request.query), json.loads(text) if text else None, "http")
        reply = await self._reply(seen)
        if reply.raw is not None:
            return web.Response(status=reply.status, body=reply.raw, content_type="text/html")
        if reply.status == 204:
            return web.Response(status=204)
        return web.json_response(reply.body, status=reply.status)

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != _AUTH:
            return web.json_response({"message": "Authentication required"}, status=401)
        if self.stands_still is not None:
            await self.stands_still.wait()
        if self.handshakes:
            return web.json_response({}, status=self.handshakes.pop(0))
        assert request.query["app"] == "kenko,kenko-trunk"
        self.deaf.clear()
        socket = web.WebSocketResponse(autoping=False, timeout=0.1)
        await socket.prepare(request)
        for each in [each for each in self.sockets if not each.closed]:
            # The newer one wins; the older stays open and hears nothing more.
            if "ApplicationReplaced" in self.filters.get("kenko", ["ApplicationReplaced"]):
                await each.send_json({"type": "ApplicationReplaced", "application": "kenko"})
        self.sockets.append(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._rest(socket, json.loads(message.data))
            elif message.type is WSMsgType.PING and self.answers_pings:
                await socket.pong(message.data)
        if socket in self.sockets:
            self.sockets.remove(socket)
        return socket

    async def _rest(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        assert message["type"] == "RESTRequest"
        params = {each["name"]: each["value"] for each in message.get("query_strings", [])}
        text = message.get("message_body")
        path = "/" + message["uri"]
        seen = Seen(message["method"], path, params, json.loads(text) if text else None, "websocket")
        reply = Reply(405) if message["uri"].startswith("/") else await self._reply(seen)
        body = "" if reply.status == 204 else json.dumps(reply.body)
        if reply.raw is not None:
            body = reply.raw.decode()
        back = {"type": "RESTResponse", "request_id": message["request_id"], "status_code": reply.status}
        allowed = self.filters.get("kenko")
        if not allowed or "RESTResponse" in allowed:
            await socket.send_json({**back, "reason_phrase": "", "message_body": body, "application": "kenko"})

    async def _reply(self, seen: Seen) -> Reply:
        self.requests.append(seen)
        for (method, pattern), answers in self.answers.items():
            if answers and method == seen.method and re.fullmatch(pattern, seen.path):
                answer = answers.pop(0)
                said = answer if isinstance(answer, Reply) else answer(seen)
                if said is None:
                    await asyncio.Event().wait()  # silence
                else:
                    return said
        return await self._usual(seen)

    async def _usual(self, seen: Seen) -> Reply:
        """What the real one does."""
        match seen.method, *seen.path.strip("/").split("/"):
            case "GET", "asterisk", "info":
                return Reply(body={"system": {"version": self.version}, "status": {"startup_time": self.startup_time}})
            case "POST", "events", "user", name:
                await self.send("ChannelUserevent", app=seen.params["application"], eventname=name)
                return Reply(204)
            case method, "applications", app, *rest:
                return self._application(method, app, rest, seen)
            case "GET", "channels":
                return Reply(body=list(self.channels.values()))
            case method, "channels", channel_id, *rest:
                return await self._channel(method, channel_id, rest, seen)
            case "DELETE", "playbacks", playback:
                if playback.rpartition(".")[0] not in self.channels:
                    return Reply(404, {"message": "Playback not found"})
                await self.play_event("PlaybackFinished", playback, "", state="done")
                return Reply(204)
        return Reply(404, {"message": "Resource not found"})

    def _application(self, method: str, app: str, rest: list[str], seen: Seen) -> Reply:
        endpoints = self.subscriptions.setdefault(app, [])
        source = seen.params.get("eventSource", "").removeprefix("endpoint:")
        match method, *rest:
            case "PUT", "eventFilter":
                self.filters[app] = [each["type"] for each in seen.body["allowed"]]
            case "POST", "subscription":
                endpoints.append(source)
            case "DELETE", "subscription":
                endpoints.remove(source)
        return Reply(body={"name": app, "endpoint_ids": list(endpoints), "events_allowed": []})

    async def _channel(self, method: str, channel_id: str, rest: list[str], seen: Seen) -> Reply:
        lives = channel_id in self.channels
        if method == "POST" and not rest:
            if lives:
                return Reply(409, {"message": "Channel with given unique ID already exists"})
            self.channels[channel_id] = make_channel(channel_id)
            return Reply(body=self.channels[channel_id])
        if not lives:
            return Reply(404, {"message": "Channel not found"})
        match method, *rest:
            case "GET", *_:
                return Reply(body=self.channels[channel_id])
            case "DELETE", *_:
                await self.send("StasisEnd", channel_id)
                await self.destroyed(channel_id)
            case "POST", "play", playback:
                media = [*seen.body["media"], ""]
                # The event is there before the reply.
                await self.play_event("PlaybackStarted", playback, media[0], media[1], "playing")
                return Reply(201, {"id": playback, "state": "queued"})
        return Reply(204)


def make_channel(channel_id: str, **fields: Any) -> dict[str, Any]:
    """A channel as `GET /channels` and the events show it."""
    app_name, app_data = fields.get("app_name", "AppDial2"), fields.get("app_data", "(Outgoing Line)")
    return {
        "id": channel_id,
        "name": fields.get("name", "PJSIP/trunk-00000001"),
        "state": fields.get("state", "Down"),
        "caller": {"name": "", "number": fields.get("caller", "")},
        "dialplan": {
            "context": "kenko-outbound",
            "exten": fields.get("exten", "s"),
            "priority": 1,
            "app_name": app_name,
            "app_data": app_data,
        },
    }
