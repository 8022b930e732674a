"""One telephone at the carrier's end: hears what the PBX sends, records it, and speaks if it is told to.

Sound comes as RTP from the carrier's Asterisk (external media), not from its TALK_DETECT: that hears nothing at all
while the PBX is silent, because a PBX with nothing to say sends nothing (22.10.1), and so never notices the end.
"""

import asyncio
import contextlib
import struct
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

from sandbox import listening, sound
from sandbox.listening import Ear, Heard
from sandbox.recording import Recording

#: Samples in one packet, and their length.
PIECE = 160
PIECE_SECONDS = 0.02
_PCMU = 0
#: Who sends, in RTP; one stream a socket, so any will do.
_SOURCE = 1


class Handset(asyncio.DatagramProtocol):
    """The ear and mouth of one call."""

    def __init__(self, notice: Callable[[Heard, float], None]) -> None:
        self._notice = notice
        self._ear = Ear()
        self._transport: asyncio.DatagramTransport | None = None
        self._target: tuple[str, int] | None = None
        self._sent = 0
        self._says = b""
        self._began: float | None = None
        self._recording = Recording()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        # No isinstance: asyncio's own datagram transport does not derive from DatagramTransport (3.11).
        self._transport = cast(asyncio.DatagramTransport, transport)

    @property
    def port(self) -> int:
        """Where this telephone listens."""
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    def begin(self, target: tuple[str, int], ear: Ear, says: bytes = b"") -> None:
        """The call is answered now; the recording begins. `says` (mu-law) is spoken first."""
        self._target, self._ear, self._says = target, ear, says
        self._began = time.monotonic()

    def say(self, says: bytes) -> None:
        """Speak (mu-law), after what is being said already."""
        self._says += says

    def offset(self, moment: float) -> float:
        """Seconds into the recording."""
        return moment - self._began if self._began is not None else 0.0

    def listen_anew(self, deaf_until: float) -> None:
        """Whatever is heard from then on is something new."""
        self._ear = listening.listen_anew(self._ear, deaf_until)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """20 ms of sound."""
        if self._began is None or len(data) <= 12 or data[1] & 0x7F != _PCMU:
            return
        now = time.monotonic()
        payload = data[12 + 4 * (data[0] & 0x0F) :]
        self._recording.add(payload, int.from_bytes(data[4:8], "big"), now - self._began)
        self._ear, heard = listening.hear(self._ear, sound.is_loud(payload), now)
        if heard:
            self._notice(heard, now)

    def tick(self, now: float) -> None:
        """Called every 20 ms: send what we say, or silence, as every telephone does; notice that speech ended."""
        if self._began is None or self._transport is None or self._target is None:
            return
        # As many as are due: a busy machine wakes us late.
        while self._sent * PIECE_SECONDS <= now - self._began:
            piece, self._says = self._says[:PIECE], self._says[PIECE:]
            stamp = self._sent * PIECE & 0xFFFFFFFF
            header = struct.pack("!BBHII", 0x80, _PCMU, self._sent & 0xFFFF, stamp, _SOURCE)
            self._transport.sendto(header + piece.ljust(PIECE, sound.SILENCE), self._target)
            self._sent += 1
        self._ear, heard = listening.wait(self._ear, now)
        if heard:
            self._notice(heard, now)

    def close(self, recording: Path) -> None:
        """Hang up; write what was heard, from the answer to now."""
        if self._transport is not None:
            self._transport.close()
        if self._began is None:
            return
        self._recording.write(recording, time.monotonic() - self._began)
        self._began = None


class Clock:
    """Wakes all telephones every 20 ms."""

    def __init__(self) -> None:
        self._handsets: set[Handset] = set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            for each in tuple(self._handsets):
                each.tick(time.monotonic())
            await asyncio.sleep(PIECE_SECONDS)

    @contextlib.asynccontextmanager
    async def handset(self, notice: Callable[[Heard, float], None], recording: Path) -> AsyncIterator[Handset]:
        """A telephone for one call. What it heard is in `recording` afterwards, if the call was answered."""
        loop = asyncio.get_running_loop()
        _, handset = await loop.create_datagram_endpoint(lambda: Handset(notice), local_addr=("127.0.0.1", 0))
        self._handsets.add(handset)
        try:
            yield handset
        finally:
            self._handsets.discard(handset)
            handset.close(recording)
