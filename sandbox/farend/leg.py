"""One call of a far end, in either direction: its dialog, its sound, and all that was said in it."""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Sequence
from typing import Protocol

from sandbox.farend import sdp
from sandbox.farend.message import Headers, Message, address, parameter
from sandbox.farend.sdp import EVENTS, Media
from sandbox.farend.stream import EventPacket, Stream
from sandbox.listening import Heard

#: RFC 3261: the first repetition of an answer, the longest pause, and when to give up.
T1, T2, GIVE_UP = 0.5, 4.0, 32.0
_SOUND = (("Content-Type", "application/sdp"),)


class Ended(Exception):
    """The call is over: the other side hung up, or gave up before we answered."""


class Wire(Protocol):
    """What a call needs of the far end that it belongs to."""

    address: str
    port: int

    def reply(self, request: Message, code: int, reason: str, headers: Headers, body: bytes, tag: str) -> None:
        """Send a response; it is sent again whenever the request comes again."""

    def tell(self, line: str, headers: Headers, body: bytes = b"") -> None:
        """Send a request to which nobody replies (ACK)."""

    async def ask(self, line: str, headers: Headers, body: bytes = b"") -> Message:
        """Send a request, again and again until something comes; its final response. Raises TimeoutError."""


class Leg:
    """A dialog. `theirs`: the INVITE that began it came to us."""

    def __init__(self, wire: Wire, invite: Message, stream: Stream, *, theirs: bool) -> None:
        self._wire = wire
        self._sequence = invite.sequence
        self._told = 0  #: answers to INVITE that are being repeated
        self.tag = secrets.token_hex(4)
        self.invite = invite
        self.stream = stream
        self.theirs = theirs
        self.final: Message | None = None  #: of a call of ours: the answer to our INVITE
        self.media: Media | None = sdp.read(invite.body) if theirs else None  #: the other side's sound
        self.messages: list[Message] = [invite] if theirs else []  #: all that came, in order
        self.acknowledged: list[Message] = []  #: the ACKs that came
        self._ended = asyncio.Event()
        self._acked = asyncio.Event()
        self.ended_by = ""  #: `us` or `them`
        self.description = b""  #: our latest offer or answer
        self.remote = invite if theirs else None  #: the message with the other side's tag and contact

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return self._ended.is_set()

    # Being called

    def respond(self, code: int, reason: str = "", headers: Headers = (), body: bytes = b"", tag: str = "") -> None:
        """Any response to the INVITE, once. `tag` other than our own: another branch of a fork answers."""
        own = (*headers, ("Contact", self._contact))
        self._wire.reply(self.invite, code, reason, own, body, tag or self.tag)

    async def refuse(self, code: int, reason: str = "", headers: Headers = (), *, ring: float | None = None) -> None:
        """Refuse with any code and headers; `ring`: seconds of ringing before. Raises Ended."""
        if ring is not None:
            self.respond(180, "Ringing")
            await self.pause(ring)
        self.respond(code, reason, headers)
        self.end("us")

    async def answer(
        self,
        codecs: Sequence[str] = ("PCMU",),
        *,
        described: bool = True,
        events: int | None = EVENTS,
        repeats: bool = True,
    ) -> None:
        """Answer with 200, and repeat it until the ACK comes. `described` False: without SDP. Raises Ended."""
        offered = self.media.events if self.media and self.media.events is not None else events
        if described:
            await self._describe(codecs, offered if events is not None else None)
        self.respond(200, "OK", _SOUND if described else (), self.description)
        pause, spent = T1, 0.0
        while repeats and not self._acked.is_set():
            if spent >= GIVE_UP:
                raise Ended("no ACK")
            with contextlib.suppress(TimeoutError):
                await self._unless_ended(self._acked.wait(), pause)
            if not self._acked.is_set():
                self.respond(200, "OK", _SOUND if described else (), self.description)
            spent, pause = spent + pause, min(2 * pause, T2)

    async def _describe(self, codecs: Sequence[str], events: int | None) -> None:
        await self._open()
        self.description = sdp.describe(self._wire.address, self.stream.port, codecs, events)
        self.stream.payload = sdp.CODECS[codecs[0]][0]
        self.stream.events = events if events is not None else EVENTS
        self._begin()

    async def _open(self) -> None:
        if not self.description:
            await self.stream.open()

    def _begin(self) -> None:
        if self.media is not None and self.media.port:
            self.stream.begin((self.media.address, self.media.port))

    # Talking

    async def press(
        self, keys: str, packets: Sequence[EventPacket] | None = None, *, voice: bool = False, pause: float = 0.1
    ) -> None:
        """Keys as RFC 4733 events, each with these packets (see `stream.key_packets`). Raises Ended."""
        for key in keys:
            await self._unless_ended(self.stream.press(key, packets, voice=voice, pause=pause))
        self.stream.listen_anew()

    async def press_by_info(self, keys: str, length: float = 0.12, pause: float = 0.1) -> list[int]:
        """Keys as SIP INFO (application/dtmf-relay); the codes with which they were answered."""
        codes = []
        for key in keys:
            body = f"Signal={key}\r\nDuration={int(length * 1000)}\r\n".encode()
            codes.append((await self.ask("INFO", (("Content-Type", "application/dtmf-relay"),), body)).code)
            await self.pause(pause)
        self.stream.listen_anew()
        return codes

    async def listen(self, seconds: float = 60.0) -> None:
        """Wait until something was said to its end. Raises Ended, or TimeoutError."""

        async def hear() -> None:
            while await self.stream.heard.get() is not Heard.ENDED:
                pass

        await self._unless_ended(hear(), seconds)

    async def walk(self, entries: Sequence[str], think: float = 0.3) -> None:
        """Press an entry each time something was said to its end ("" is nothing this time). Raises Ended."""
        for each in entries:
            await self.listen()
            await self.pause(think)
            if each:
                await self.press(each)

    async def pause(self, seconds: float) -> None:
        """Do nothing. Raises Ended."""
        await self._unless_ended(asyncio.sleep(seconds))

    async def until_over(self, seconds: float = 60.0) -> None:
        """Wait for the end. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            await self._ended.wait()

    async def bye(self, headers: Headers = ()) -> int:
        """Hang up; the code with which BYE was answered."""
        self.end("us")
        return (await self.ask("BYE", headers)).code

    async def hold(self, direction: str = "sendonly") -> int:
        """Put the other side on hold by re-INVITE; the code of the answer. Our voice stops."""
        self.stream.speaking = False
        return await self._reinvite(direction)

    async def resume(self) -> int:
        """Take the other side off hold; the code of the answer."""
        self.stream.speaking = True
        return await self._reinvite("sendrecv")

    async def _reinvite(self, direction: str) -> int:
        now = self.description.decode()
        for each in ("sendrecv", "sendonly", "recvonly", "inactive"):
            now = now.replace(f"a={each}\r\n", f"a={direction}\r\n")
        self.description = now.encode()
        answer = await self.ask("INVITE", (*_SOUND, ("Contact", self._contact)), self.description)
        self._wire.tell(*self._request("ACK", self._sequence))
        if answer.code == 200 and (media := sdp.read(answer.body)):
            self.media = media
            self._begin()
        return answer.code

    async def ask(self, method: str, headers: Headers = (), body: bytes = b"") -> Message:
        """Any request inside the dialog; its final response. Raises TimeoutError."""
        self._sequence += 1
        line, own = self._request(method, self._sequence)
        return await self._wire.ask(line, (*own, *headers), body)

    # Calling

    async def established(self, answer: Message) -> None:
        """Our INVITE has its final answer: acknowledge it, and begin to talk."""
        self.final = self.remote = answer
        self.messages.append(answer)
        if answer.code >= 300:
            self.end("them")
            return
        self.media = sdp.read(answer.body) or self.media
        if self.media and self.media.events is not None:
            self.stream.events = self.media.events
        if self.media and self.media.payloads[0] in (0, 8):
            self.stream.payload = self.media.payloads[0]
        self._wire.tell(*self._request("ACK", self.invite.sequence))
        self._begin()

    # What comes

    def take(self, request: Message) -> None:
        """A request inside this dialog."""
        self.messages.append(request)
        match request.method:
            case "ACK":
                self.acknowledged.append(request)
                self.media = sdp.read(request.body) or self.media
                self._begin()
                self._acked.set()
            case "CANCEL":
                self._wire.reply(request, 200, "OK", (), b"", self.tag)
                self.respond(487, "Request Terminated")
                self.end("them")
            case "BYE":
                self._wire.reply(request, 200, "OK", (), b"", self.tag)
                self.end("them")
            case "INVITE":
                self.media = sdp.read(request.body) or self.media
                self._begin()
                self._wire.reply(request, 200, "OK", (*_SOUND, ("Contact", self._contact)), self.description, self.tag)
            case _:
                self._wire.reply(request, 200, "OK", (), b"", self.tag)

    def end(self, by: str) -> None:
        """The call is over; the first who says so counts."""
        self.ended_by = self.ended_by or by
        self._ended.set()

    def count(self, method: str) -> int:
        """How many requests of this kind came in this call."""
        return sum(each.code == 0 and each.method == method for each in self.messages)

    @property
    def _contact(self) -> str:
        return f"<sip:far@{self._wire.address}:{self._wire.port}>"

    def _request(self, method: str, sequence: int) -> tuple[str, Headers]:
        assert self.remote is not None
        ours, theirs = (self.invite.get("To"), self.invite.get("From"))
        if not self.theirs:
            ours, theirs = self.invite.get("From"), self.remote.get("To")
        elif not parameter(ours, "tag"):
            ours = f"{ours};tag={self.tag}"
        headers = (
            ("From", ours),
            ("To", theirs),
            ("Call-ID", self.invite.call_id),
            ("CSeq", f"{sequence} {method}"),
        )
        target = address(self.remote.get("Contact")) or self.invite.uri
        return f"{method} {target} SIP/2.0", headers

    async def _unless_ended(self, doing: Awaitable[object], seconds: float | None = None) -> None:
        """Do this, but no longer than the call lasts. Raises Ended, or TimeoutError after so many seconds."""
        work, end = asyncio.ensure_future(doing), asyncio.ensure_future(self._ended.wait())
        try:
            done, _ = await asyncio.wait((work, end), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if end in done:
                raise Ended(self.ended_by)
            if not done:
                raise TimeoutError
            await work
        finally:
            work.cancel()
            end.cancel()
