"""Where Asterisk connects for each call: a guarded accept, and a task of its own for every call.

panoramisk's own accept waits for ever for the end of a header, and spins when the other side is gone. So the header is
read here, with a deadline and a limit, and only then its Request has the connection.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from panoramisk.fast_agi import Request

from ivr.fastagi.header import END, MOST_BYTES, Arrival, read_arrival, read_fields
from ivr.fastagi.phone import AgiPhone
from ivr.fastagi.settings import ADDRESS, AgiSettings
from ivr.phone import HungUp, Phone
from ivr.prompts import Sound

log = logging.getLogger(__name__)

#: Asterisk sends its header in one piece, as soon as it is connected.
HEADER_SECONDS = 2.0
#: Connections without a header yet; Asterisk's are there for a millisecond.
MOST_STRANGERS = 100
#: Between two tries to listen, when the port is taken.
_AGAIN_SECONDS = 5.0


class Calls(Protocol):
    """What becomes of the calls."""

    async def arrived(self, phone: Phone, caller: str | None, dialled: str) -> None:
        """Somebody rings us; `caller` is None if withheld. The call ends when this returns."""


class AgiServer:
    """Owns the port and the tasks of its calls. `run` it in a task."""

    def __init__(
        self,
        settings: AgiSettings,
        calls: Calls,
        apology: Callable[[], Sound],
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._calls = calls
        self._apology = apology
        self._now = now
        self._sleep = sleep
        self._live: set[str] = set()
        self._strangers = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def live_ids(self) -> frozenset[str]:
        """The calls that are under way here."""
        return frozenset(self._live)

    async def run(self) -> None:
        """Listen until cancelled. A port that somebody else has is asked for again and again: calls go on without."""
        try:
            while True:
                try:
                    server = await asyncio.start_server(self._connected, ADDRESS, self._settings.port, limit=MOST_BYTES)
                except OSError as error:
                    log.error("FastAGI cannot listen: %s", error.strerror, extra={"action": "agi_not_listening"})
                    await self._sleep(_AGAIN_SECONDS)
                    continue
                log.info("FastAGI listens", extra={"action": "agi_listening"})
                try:
                    await asyncio.Event().wait()
                finally:
                    server.close()
        finally:
            for each in self._tasks:
                each.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Somebody connects."""
        task = asyncio.create_task(self._one_connection(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _one_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            fields = await self._read_header(reader)
            arrival = read_arrival(fields)
            if arrival is not None and arrival.call_id not in self._live:
                await self._one_call(arrival, Request(None, fields, reader, writer))
            elif fields:
                log.warning("a connection to FastAGI was no call", extra={"action": "agi_refused"})
        finally:
            # Without a hang-up the dialplan goes on: to the apology.
            writer.transport.abort() if reader.at_eof() else writer.close()

    async def _read_header(self, reader: asyncio.StreamReader) -> dict[str, str]:
        """What Asterisk says; nothing if it is late, too long or half."""
        if self._strangers >= MOST_STRANGERS:
            log.warning("too many connections to FastAGI", extra={"action": "agi_refused"})
            return {}
        self._strangers += 1
        try:
            async with asyncio.timeout(HEADER_SECONDS):
                return read_fields(await reader.readuntil(END))
        except asyncio.IncompleteReadError as half:
            # Nothing at all: somebody who looks whether we listen.
            if half.partial:
                log.warning("a connection to FastAGI ended in its header", extra={"action": "agi_refused"})
        except (TimeoutError, asyncio.LimitOverrunError, OSError):
            log.warning("a connection to FastAGI sent no header", extra={"action": "agi_refused"})
        finally:
            self._strangers -= 1
        return {}

    async def _one_call(self, arrival: Arrival, request: Request) -> None:
        """The task border: whatever goes wrong in one call ends here, with an apology, and hurts no other."""
        phone = AgiPhone(request, arrival.call_id, self._settings, self._now, self._sleep)
        self._live.add(arrival.call_id)
        try:
            await self._calls.arrived(phone, arrival.caller, arrival.dialled)
        except HungUp:
            pass
        except Exception:
            log.exception("a call failed", extra={"action": "call_failed", "call": arrival.call_id})
            with contextlib.suppress(HungUp):
                await phone.answer()
                await phone.say([self._apology()])
        finally:
            self._live.discard(arrival.call_id)
        await phone.hang_up()
