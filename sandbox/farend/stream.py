"""The sound of one call, as RTP: sends voice and keys with any timing, listens, and records."""

import asyncio
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sandbox import listening, sound
from sandbox.farend.sdp import CODECS, EVENTS
from sandbox.listening import Ear, Heard
from sandbox.recording import Recording

_PIECE = 160  #: samples, and 20 ms
_SECONDS = 0.02
_RATE = 8000
_KEYS = "0123456789*#ABCD"
_PCMU, _PCMA = CODECS["PCMU"][0], CODECS["PCMA"][0]


@dataclass(frozen=True)
class EventPacket:
    """One RFC 4733 packet of a key."""

    at: float  #: seconds after the key went down
    length: float  #: seconds that the key has lasted, as the packet says
    end: bool = False
    marker: bool = False


def key_packets(length: float = 0.12, every: float = 0.02, ends: int = 3) -> tuple[EventPacket, ...]:
    """The packets of an ordinary key: one as it goes down and one each `every` seconds, then the ends, all at once."""
    count = max(1, round(length / every))
    steps = (EventPacket(at * every, (at + 1) * every, marker=at == 0) for at in range(count))
    return (*steps, *(EventPacket(count * every, length, end=True),) * ends)


class Stream(asyncio.DatagramProtocol):
    """One call's ear and mouth. All of it may be changed while the call goes on."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._sockets: list[asyncio.DatagramTransport] = []
        self._task: asyncio.Task[None] | None = None
        self._target: tuple[str, int] | None = None
        self._began = 0.0
        self._next = 0  #: sequence number
        self._says = b""
        self._ear = Ear()
        self._held_back: list[bytes] | None = None
        self._recording = Recording()
        self.payload = _PCMU  #: what we send: 0 or 8
        self.events: int = EVENTS  #: payload type of our keys
        self.speaking = True  #: False: no voice is sent, not even silence
        self.copies = 1  #: of every packet
        self.loses: Callable[[int], bool] = lambda _: False  #: whether the packet with this sequence number is lost
        self.heard: asyncio.Queue[Heard] = asyncio.Queue()
        self.received: list[tuple[float, int]] = []  #: when each packet came (time.monotonic()), and its payload type

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A socket is open; from now on we send from it. The earlier ones are still heard."""
        self._sockets.append(cast(asyncio.DatagramTransport, transport))

    @property
    def port(self) -> int:
        """From which we send now."""
        return int(self._sockets[-1].get_extra_info("sockname")[1])

    @property
    def seconds(self) -> float:
        """Since the sound began."""
        return time.monotonic() - self._began if self._began else 0.0

    async def open(self) -> None:
        """A socket on a free port; opened again, the sound comes from a new one (as after a NAT forgot us)."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=(self._address, 0))

    def begin(self, target: tuple[str, int]) -> None:
        """The call is up: voice, which is silence, goes there. Called again, it goes to the new place."""
        self._target = target
        if self._task is None:
            self._began = time.monotonic()
            self._task = asyncio.create_task(self._run())

    def say(self, seconds: float) -> None:
        """Murmur, after what is being said already."""
        self._says += sound.murmur(seconds)

    def hold_back(self) -> None:
        """Keep every packet from now on, each with the time at which it was to go."""
        self._held_back = self._held_back or []

    def release(self) -> None:
        """Send all that was held back, in one burst."""
        kept, self._held_back = self._held_back or [], None
        for each in kept:
            self._out(each)

    async def press(
        self, key: str, packets: Sequence[EventPacket] | None = None, *, voice: bool = False, pause: float = 0.1
    ) -> None:
        """One key as RFC 4733 events. `voice`: the voice goes on beside them, as some gateways do; then a pause."""
        was, self.speaking = self.speaking, self.speaking and voice
        began = time.monotonic()
        stamp = int(self.seconds * 50) * _PIECE
        for each in packets if packets is not None else key_packets():
            await asyncio.sleep(max(0.0, began + each.at - time.monotonic()))
            flags = (0x80 if each.end else 0) | 10
            kind = self.events | (0x80 if each.marker else 0)
            self.send(kind, stamp, struct.pack("!BBH", _KEYS.index(key), flags, int(each.length * _RATE)))
        self.speaking = was
        await asyncio.sleep(pause)

    def send(self, kind: int, stamp: int, payload: bytes) -> None:
        """One packet with this payload type (the marker is its highest bit) and RTP time."""
        sequence, self._next = self._next, self._next + 1
        packet = struct.pack("!BBHII", 0x80, kind, sequence & 0xFFFF, stamp & 0xFFFFFFFF, id(self) & 0xFFFFFFFF)
        if self.loses(sequence):
            return
        for _ in range(self.copies):
            if self._held_back is not None:
                self._held_back.append(packet + payload)
            else:
                self._out(packet + payload)

    def listen_anew(self) -> None:
        """What is heard from then on is something new: after own keys."""
        self._ear = listening.listen_anew(self._ear, time.monotonic() + 0.3)
        while not self.heard.empty():
            self.heard.get_nowait()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """20 ms of sound."""
        if len(data) <= 12:
            return
        now, kind = time.monotonic(), data[1] & 0x7F
        self.received.append((now, kind))
        if not self._began or kind not in (_PCMU, _PCMA):
            return
        payload = data[12 + 4 * (data[0] & 0x0F) :]
        payload = payload.translate(sound.A_TO_MU) if kind == _PCMA else payload
        self._recording.add(payload, int.from_bytes(data[4:8], "big"), now - self._began)
        self._ear, heard = listening.hear(self._ear, sound.is_loud(payload), now)
        if heard:
            self.heard.put_nowait(heard)

    def write(self, path: Path) -> None:
        """What was heard until now, as WAV (16 bit, 8 kHz), from the answer on."""
        self._recording.write(path, self.seconds)

    def close(self) -> None:
        """No more sound."""
        if self._task is not None:
            self._task.cancel()
        for each in self._sockets:
            each.close()

    async def _run(self) -> None:
        sent = 0
        while True:
            # As many as are due: a busy machine wakes us late.
            while sent * _SECONDS <= self.seconds:
                piece, self._says = self._says[:_PIECE], self._says[_PIECE:]
                if self.speaking:
                    payload = piece.ljust(_PIECE, sound.SILENCE)
                    payload = payload.translate(sound.mu_to_a()) if self.payload == _PCMA else payload
                    self.send(self.payload, sent * _PIECE, payload)
                sent += 1
            self._ear, heard = listening.wait(self._ear, time.monotonic())
            if heard:
                self.heard.put_nowait(heard)
            await asyncio.sleep(_SECONDS)

    def _out(self, packet: bytes) -> None:
        if self._target is not None and not self._sockets[-1].is_closing():
            self._sockets[-1].sendto(packet, self._target)
