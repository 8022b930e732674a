"""A far end that speaks SIP itself: it is called, calls, registers, and is a registrar; it keeps all that it saw."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import cast

from sandbox.farend import sdp
from sandbox.farend.leg import GIVE_UP, T1, T2, Ended, Leg
from sandbox.farend.message import (
    Headers,
    Message,
    address,
    authorized_user,
    challenge_response,
    is_authorized,
    parse,
    render,
)
from sandbox.farend.sdp import EVENTS
from sandbox.farend.stream import Stream

#: What somebody does who is called.
Script = Callable[[Leg], Awaitable[None]]
REALM = "practice"
#: RFC 3261, 8.1.1.7.
_BRANCH = "z9hG4bK"
ALLOWED = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"


class FarEnd(asyncio.DatagramProtocol):
    """One UDP socket, as a provider or as any telephone."""

    def __init__(self, address: str, port: int, pbx: tuple[str, int]) -> None:
        self.address = address
        self.port = port
        self.pbx = pbx  #: our PBX, whom it calls
        self.seen: list[Message] = []  #: every message that came
        self.legs: list[Leg] = []  #: every call, in the order in which they began
        self.silent_to: set[str] = set()  #: methods to which nothing is answered, e.g. OPTIONS
        self.users: dict[str, str] = {}  #: who may register, with passwords; nobody: every REGISTER is welcome
        self.asks_callers = False  #: whether a call to us must prove its password too (407)
        self.registered: dict[str, str] = {}  #: user -> the Contact under which they registered
        self.failures: list[BaseException] = []  #: of scripts
        self._scripts: dict[str, Script] = {}
        self._otherwise: Script = refuses(404, "Not Found")
        self._transport: asyncio.DatagramTransport | None = None
        self._replies: dict[tuple[str, str], bytes] = {}
        self._asked: dict[str, asyncio.Queue[Message]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    # What is asked of it

    def on_call(self, script: Script, number: str | None = None) -> None:
        """From now on who is called under this number does this; None: everybody who has no script of their own."""
        if number is None:
            self._otherwise = script
        else:
            self._scripts[number] = script

    def invites(self, number: str | None = None) -> list[Message]:
        """The INVITEs that began a call to us, each once, in order; of one number or of all."""
        return [each.invite for each in self.legs if each.theirs and (number is None or each.invite.user == number)]

    def requests(self, method: str) -> list[Message]:
        """Every request of this kind that came, repeated ones too."""
        return [each for each in self.seen if each.code == 0 and each.method == method]

    async def call(
        self,
        number: str,
        caller: str = "",
        headers: Headers = (),
        codecs: Sequence[str] = ("PCMU",),
        *,
        uri: str = "",
        events: int | None = EVENTS,
        described: bool = True,
        password: tuple[str, str] | None = None,
    ) -> Leg:
        """Call our PBX, and come back with the final answer (`leg.final.code`); if it is 200, the call is up.

        `caller` is a number, or a whole From (`"見本" <sip:…@…>`); `uri` a whole request URI. Raises TimeoutError.
        """
        leg = await self.start_call(number, caller, headers, codecs, uri=uri, events=events, described=described)
        await leg.established(await self._answer_of(leg, password))
        return leg

    async def start_call(
        self,
        number: str,
        caller: str = "",
        headers: Headers = (),
        codecs: Sequence[str] = ("PCMU",),
        *,
        uri: str = "",
        events: int | None = EVENTS,
        described: bool = True,
    ) -> Leg:
        """The same without waiting: nothing has been sent until `finish_call` or `cancel` is awaited."""
        target = uri or f"sip:{number}@{self.pbx[0]}:{self.pbx[1]}"
        stream = Stream(self.address)
        await stream.open()
        body = sdp.describe(self.address, stream.port, codecs, events) if described else b""
        head = (
            ("From", f"{_from(caller, self.address)};tag={secrets.token_hex(4)}"),
            ("To", f"<{target}>"),
            ("Call-ID", secrets.token_hex(8)),
            ("CSeq", "1 INVITE"),
            ("Contact", f"<sip:far@{self.address}:{self.port}>"),
            *((("Content-Type", "application/sdp"),) if body else ()),
            *headers,
        )
        leg = Leg(self, Message(f"INVITE {target} SIP/2.0", head, body), stream, theirs=False)
        leg.description = body or sdp.describe(self.address, stream.port, codecs, events)
        stream.payload = sdp.CODECS[codecs[0]][0]
        self.legs.append(leg)
        return leg

    async def cancelled_call(self, number: str, caller: str = "", after: float = 0.0) -> int:
        """Call, and give up `after` seconds (RFC 3261: not before something came); the final code."""
        leg = await self.start_call(number, caller)
        branch = _BRANCH + secrets.token_hex(8)
        asking = asyncio.create_task(self.ask(leg.invite.first, leg.invite.headers, leg.invite.body, branch))
        await asyncio.sleep(after)
        kept = [each for each in leg.invite.headers if each[0] in ("From", "To", "Call-ID")]
        line = leg.invite.first.replace("INVITE", "CANCEL", 1)
        await self.ask(line, (*kept, ("CSeq", "1 CANCEL")), b"", branch)
        leg.final = await asking
        leg.end("us")
        return leg.final.code

    async def register(self, user: str, password: str, expires: int = 60) -> int:
        """Register with our PBX (as a telephone in the house does); the final code."""
        target = f"sip:{self.pbx[0]}:{self.pbx[1]}"
        me = f"<sip:{user}@{self.pbx[0]}>"
        head = (
            ("From", f"{me};tag={secrets.token_hex(4)}"),
            ("To", me),
            ("Call-ID", secrets.token_hex(8)),
            ("Contact", f"<sip:{user}@{self.address}:{self.port}>"),
            ("Expires", str(expires)),
        )
        line = f"REGISTER {target} SIP/2.0"
        first = await self.ask(line, (*head, ("CSeq", "1 REGISTER")))
        if first.code != 401:
            return first.code
        proof = challenge_response(first.get("WWW-Authenticate"), "REGISTER", target, user, password)
        return (await self.ask(line, (*head, ("CSeq", "2 REGISTER"), ("Authorization", proof)))).code

    async def _answer_of(self, leg: Leg, password: tuple[str, str] | None) -> Message:
        answer = await self.ask(leg.invite.first, leg.invite.headers, leg.invite.body)
        if answer.code not in (401, 407) or password is None:
            return answer
        asked, proves = ("WWW", "") if answer.code == 401 else ("Proxy", "Proxy-")
        proof = challenge_response(answer.get(f"{asked}-Authenticate"), "INVITE", leg.invite.uri, *password)
        kept = tuple(each for each in leg.invite.headers if each[0] != "CSeq")
        again = (*kept, ("CSeq", "2 INVITE"), (f"{proves}Authorization", proof))
        leg.invite = Message(leg.invite.first, again, leg.invite.body)
        return await self.ask(leg.invite.first, again, leg.invite.body)

    # What calls need of it

    def reply(self, request: Message, code: int, reason: str, headers: Headers, body: bytes, tag: str) -> None:
        """Send a response; it is sent again whenever the request comes again."""
        to = request.get("To")
        own = (
            *(("Via", each) for each in request.all("Via")),
            *(("Record-Route", each) for each in request.all("Record-Route")),
            ("From", request.get("From")),
            ("To", to if ";tag=" in to or code == 100 else f"{to};tag={tag}"),
            ("Call-ID", request.call_id),
            ("CSeq", request.get("CSeq")),
            ("Allow", ALLOWED),
        )
        datagram = render(f"SIP/2.0 {code} {reason or 'Practice'}", (*own, *headers), body)
        self._replies[request.branch, request.method] = datagram
        self._out(datagram, request.source)

    def tell(self, line: str, headers: Headers, body: bytes = b"") -> None:
        """Send a request to which nobody replies (ACK)."""
        self._out(self._with_via(line, headers, body, _BRANCH + secrets.token_hex(8)), self.pbx)

    async def ask(self, line: str, headers: Headers, body: bytes = b"", branch: str = "") -> Message:
        """Send a request, again and again until something comes; its final response. Raises TimeoutError."""
        branch = branch or _BRANCH + secrets.token_hex(8)
        datagram = self._with_via(line, headers, body, branch)
        method = line.split()[0]
        inbox = self._asked.setdefault(branch + method, asyncio.Queue())
        try:
            answer = await self._first_response(datagram, inbox)
            async with asyncio.timeout(GIVE_UP * 4):
                while answer.code < 200:
                    answer = await inbox.get()
        finally:
            del self._asked[branch + method]
        if method == "INVITE" and answer.code >= 300:
            kept = [each for each in headers if each[0] in ("From", "Call-ID")]
            sequence = next(value for name, value in headers if name == "CSeq").split()[0]
            head = (*kept, ("To", answer.get("To")), ("CSeq", f"{sequence} ACK"))
            self._out(self._with_via(line.replace("INVITE", "ACK", 1), head, b"", branch), self.pbx)
        return answer

    async def _first_response(self, datagram: bytes, inbox: asyncio.Queue[Message]) -> Message:
        pause, spent = T1, 0.0
        while spent < GIVE_UP:
            self._out(datagram, self.pbx)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    return await inbox.get()
            spent, pause = spent + pause, min(2 * pause, T2)
        raise TimeoutError(datagram.split(b"\r\n", 1)[0].decode())

    def _with_via(self, line: str, headers: Headers, body: bytes, branch: str) -> bytes:
        via = ("Via", f"SIP/2.0/UDP {self.address}:{self.port};branch={branch};rport")
        return render(line, (via, ("Max-Forwards", "70"), *headers), body)

    def _out(self, datagram: bytes, target: tuple[str, int]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(datagram, target)

    # What comes

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """One message; what is no SIP (keep-alives) is passed over."""
        try:
            message = parse(data, addr, time.monotonic())
        except ValueError:
            return
        self.seen.append(message)
        if message.code:
            if inbox := self._asked.get(message.branch + message.method):
                inbox.put_nowait(message)
        elif message.method not in self.silent_to:
            self._take(message)

    def _take(self, request: Message) -> None:
        if known := self._replies.get((request.branch, request.method)):
            self._out(known, request.source)
            return
        leg = next((each for each in self.legs if each.invite.call_id == request.call_id), None)
        if request.method == "INVITE" and (leg is None or ";tag=" not in request.get("To")):
            self._called(request, known=leg)
        elif leg is not None:
            leg.take(request)
        elif request.method == "REGISTER":
            self._register(request)
        elif request.method != "ACK":
            code = 200 if request.method == "OPTIONS" else 481
            self.reply(request, code, "", (), b"", secrets.token_hex(4))

    def _called(self, invite: Message, known: Leg | None) -> None:
        if self.asks_callers and not self._proved(invite, "Proxy-Authorization"):
            challenge = ("Proxy-Authenticate", f'Digest realm="{REALM}", nonce="{secrets.token_hex(8)}"')
            self.reply(invite, 407, "Proxy Authentication Required", (challenge,), b"", secrets.token_hex(4))
            return
        if known is not None and known.invite.sequence == invite.sequence:
            return  # repeated, and nothing was answered yet
        leg = Leg(self, invite, Stream(self.address), theirs=True)
        self.legs.append(leg)
        task = asyncio.create_task(self._play(leg, self._scripts.get(invite.user, self._otherwise)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _play(self, leg: Leg, script: Script) -> None:
        try:
            await script(leg)
        except Ended:
            pass
        except Exception as error:
            self.failures.append(error)

    def _register(self, request: Message) -> None:
        if self.users and not self._proved(request, "Authorization"):
            challenge = ("WWW-Authenticate", f'Digest realm="{REALM}", nonce="{secrets.token_hex(8)}"')
            self.reply(request, 401, "Unauthorized", (challenge,), b"", secrets.token_hex(4))
            return
        contact = request.get("Contact")
        self.registered[address(request.get("To")).removeprefix("sip:").split("@")[0]] = contact
        expires = ("Expires", request.get("Expires") or "60")
        self.reply(request, 200, "OK", (("Contact", contact), expires), b"", secrets.token_hex(4))

    def _proved(self, request: Message, header: str) -> bool:
        given = request.get(header)
        password = self.users.get(authorized_user(given))
        return password is not None and is_authorized(given, request.method, password)

    async def close(self) -> None:
        """End what goes on; nobody is told."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for each in self.legs:
            each.end("us")
            each.stream.close()
        if self._transport is not None:
            self._transport.close()


@contextlib.asynccontextmanager
async def running_far_end(address: str, port: int, pbx: tuple[str, int]) -> AsyncIterator[FarEnd]:
    """A far end on this address and port. At the end raises what went wrong in a script."""
    loop = asyncio.get_running_loop()
    _, far = await loop.create_datagram_endpoint(lambda: FarEnd(address, port, pbx), local_addr=(address, port))
    try:
        yield far
    finally:
        await far.close()
    if far.failures:
        raise ExceptionGroup("scripts of the far end", [each for each in far.failures if isinstance(each, Exception)])


def refuses(code: int, reason: str = "", headers: Headers = (), *, ring: float | None = None) -> Script:
    """Somebody who refuses with this code and these headers; `ring`: after so many seconds of ringing."""

    async def script(leg: Leg) -> None:
        await leg.refuse(code, reason, headers, ring=ring)

    return script


def rings() -> Script:
    """Somebody who never picks up."""

    async def script(leg: Leg) -> None:
        leg.respond(180, "Ringing")

    return script


def silent() -> Script:
    """Nobody: the INVITE is never answered."""

    async def script(leg: Leg) -> None:
        pass

    return script


def walks(entries: Sequence[str], codecs: Sequence[str] = ("PCMU",)) -> Script:
    """Somebody who answers, listens, presses an entry after each prompt, and stays until we hang up."""

    async def script(leg: Leg) -> None:
        await leg.answer(codecs)
        await leg.walk(entries)
        await leg.until_over()

    return script


def _from(caller: str, host: str) -> str:
    return caller if "<" in caller else f"<sip:{caller or 'anonymous'}@{host}>"
