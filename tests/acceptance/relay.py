"""Stands between the service and Asterisk's ARI: lets everything through, nothing that is asked, or cuts it all."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

_TEXT = 0x1  #: opcode of a WebSocket frame that carries a request; pings and closes are others


class Relay:
    """`silent`: what the service asks is swallowed; events and pongs still come. `open`: whether it may connect."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.port = 0
        self.silent = False
        self.open = asyncio.Event()
        self.open.set()
        self._writers: set[asyncio.StreamWriter] = set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Relay"]:
        """Listen on a port of the system's choice."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()

    def cut(self) -> None:
        """Every connection ends now."""
        for each in list(self._writers):
            each.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self.open.wait()
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
            self._writers.add(back)
            await asyncio.gather(self._pump(reader, back, asked=True), self._pump(there, writer, asked=False))
        except OSError:
            pass
        finally:
            writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asked: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                is_request = data[:1].isalpha() or data[0] & 0x0F == _TEXT
                if not (asked and self.silent and is_request):
                    writer.write(data)
                    await writer.drain()
        writer.close()
