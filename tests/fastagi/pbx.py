"""Asterisk's side of a FastAGI connection: a header, and replies to commands, as 22.10.1 sends them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ivr.fastagi.server import AgiServer
from ivr.fastagi.settings import AgiSettings
from ivr.numbers import Numbering, Plan
from ivr.phone import Phone
from ivr.prompts import Sound

CALL = "1764072000.12"
APOLOGY = Sound("frame/apology", Path("/p/ja/frame/apology.wav"), 2.0)
HEADER = (
    "agi_network: yes\nagi_network_script: inbound\nagi_request: agi://127.0.0.1:4573/inbound\n"
    "agi_channel: PJSIP/trunk-00000001\nagi_uniqueid: {call}\nagi_callerid: {caller}\nagi_extension: 05000000100\n"
    "agi_arg_1: 05000000100\n\n"
)
ALIVE = "200 result=6"
DONE = "200 result=0"


@dataclass
class Wire:
    """One connection of Asterisk's."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    sent: list[str] = field(default_factory=list)  #: what we sent as commands

    async def command(self) -> str:
        """The next command; empty at the end."""
        async with asyncio.timeout(5):
            line = (await self.reader.readline()).decode().rstrip("\n")
        self.sent.append(line)
        return line

    def reply(self, *lines: str) -> None:
        """What Asterisk says."""
        self.writer.write("".join(f"{each}\n" for each in lines).encode())

    async def serve(self, *replies: str) -> list[str]:
        """One reply for each command; the commands."""
        before = len(self.sent)
        for each in replies:
            await self.command()
            self.reply(*each.split("\n"))
        return self.sent[before:]

    async def is_closed(self) -> bool:
        """Whether we let it go: waits for it."""
        try:
            async with asyncio.timeout(5):
                return await self.reader.read() == b""
        except ConnectionError:
            return True


@dataclass
class Desk:
    """Takes calls; what it does with one is the test's."""

    talk: Callable[[Phone], object]
    told: list[tuple[str, str | None, str]] = field(default_factory=list)

    async def arrived(self, phone: Phone, caller: str | None, dialled: str) -> None:
        self.told.append((phone.call_id, caller, dialled))
        await self.talk(phone)  # type: ignore[misc]


@dataclass
class Place:
    """Our side, listening."""

    server: AgiServer
    desk: Desk
    port: int
    clock: list[float]
    wires: list[Wire] = field(default_factory=list)

    async def connect(self) -> Wire:
        """A bare connection."""
        self.wires.append(Wire(*await asyncio.open_connection("127.0.0.1", self.port)))
        return self.wires[-1]

    async def call(self, call: str = CALL, caller: str = "09000000001") -> Wire:
        """A call that we have taken."""
        wire = await self.connect()
        wire.writer.write(HEADER.format(call=call, caller=caller).encode())
        async with asyncio.timeout(5):
            while call not in (each for each, _, _ in self.desk.told):  # noqa: ASYNC110 - it is told by nobody
                await asyncio.sleep(0.01)
        return wire


@asynccontextmanager
async def listening(talk: Callable[[Phone], object], folder: Path, port: int) -> AsyncIterator[tuple[Place, Desk]]:
    """Our server with a clock that stands still until a test moves it."""
    clock = [100.0]
    desk = Desk(talk)
    settings = AgiSettings(
        port,
        folder,
        trunks=("trunk", "trunk-2"),
        callers={"trunk": "05000000100", "trunk-2": "05000000200"},
        telephones=("desk",),
        numbering=Numbering(Plan.PRACTICE, frozenset({"05000000100"})),
    )

    async def soon(_: float) -> None:
        await asyncio.sleep(0.01)

    server = AgiServer(settings, desk, lambda: APOLOGY, now=lambda: clock[0], sleep=soon)
    running = asyncio.create_task(server.run())
    place = Place(server, desk, port, clock)
    try:
        async with asyncio.timeout(5):
            while True:
                try:
                    (await place.connect()).writer.close()
                    break
                except OSError:
                    await asyncio.sleep(0.01)
        yield place, desk
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        for each in place.wires:
            each.writer.close()
            with contextlib.suppress(ConnectionError):
                await each.writer.wait_closed()
