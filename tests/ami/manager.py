"""A stand-in for Asterisk's manager: takes a login, answers three lists as 22.10.1 does, tells events, goes silent."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ivr.ami.link import AmiSettings

SECRET = "s" * 32
Block = dict[str, str]

COMPLETE = {
    "PJSIPShowRegistrationsOutbound": "OutboundRegistrationDetailComplete",
    "DeviceStateList": "DeviceStateListComplete",
    "CoreShowChannels": "CoreShowChannelsComplete",
}


@dataclass
class FakeManager:
    """What it answers may be changed while it runs."""

    lists: dict[str, list[Block] | None] = field(default_factory=dict)  #: action -> events; None: permission denied
    silent: bool = False  #: takes questions and answers none
    asked: list[Block] = field(default_factory=list)
    port: int = 0
    logins: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator["FakeManager"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await self.drop()
            await server.wait_closed()

    @property
    def settings(self) -> AmiSettings:
        return AmiSettings("127.0.0.1", self.port, "watch", SECRET)

    def tell(self, name: str) -> None:
        """An event to everybody."""
        for each in self._writers:
            each.write(block({"Event": name, "Privilege": "system,all"}))

    async def drop(self) -> None:
        """End every connection."""
        for each in self._writers:
            each.close()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        self._writers.append(writer)
        try:
            while text := (await reader.readuntil(b"\r\n\r\n")).decode():
                action = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
                self.asked.append(action)
                if not self.silent:
                    writer.write(b"".join(map(block, self._answer(action))))
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, action: Block) -> Iterable[Block]:
        same = {"ActionID": action["ActionID"]}
        if action["Action"] == "Login":
            well = action["Secret"] == SECRET
            self.logins += well
            words = ("Success", "Authentication accepted") if well else ("Error", "Authentication failed")
            yield {"Response": words[0], "Message": words[1]} | same
            return
        events = self.lists.get(action["Action"], [])
        if events is None:
            yield {"Response": "Error", "Message": "Permission denied"} | same
            return
        yield {"Response": "Success", "EventList": "start", "Message": "Following are Events for each"} | same
        for each in events:
            yield each | same
        yield {"Event": COMPLETE[action["Action"]], "EventList": "Complete", "ListItems": str(len(events))} | same


def block(fields: Block) -> bytes:
    return ("".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n").encode()
