"""The sound of somebody who only presses keys, as a pcap file that SIPp plays: silence, and RFC 4733 events in it.

Not SIPp's own: `play_dtmf` (3.6.1) and the files that come with it give every key the same timestamp, and of such keys
Asterisk drops some (22.10.1).
"""

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

#: The payload type of the events.
EVENTS = 101
_STEP = 160  #: samples, and 20 ms
_SECONDS = 0.02
#: Packets of one key; the last is sent three times.
_PACKETS = 8
_KEYS = "0123456789*#"


def write(path: Path, keys: Iterable[tuple[float, str]]) -> None:
    """Each key after so many seconds of silence."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))  # microseconds, Ethernet
        for sequence, (count, kind, stamp, payload) in enumerate(_packets(keys), 1):
            rtp = struct.pack("!BBHII", 0x80, kind, sequence, _STEP * stamp, 0x4B43) + payload
            udp = struct.pack("!HHHH", 4000, 4000, 8 + len(rtp), 0) + rtp
            # SIPp puts in its own addresses and ports.
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, *2 * (bytes((127, 0, 0, 1)),))
            frame = bytes(12) + b"\x08\x00" + ip + udp
            seconds, part = divmod(count * 20_000, 1_000_000)
            file.write(struct.pack("<IIII", seconds, part, len(frame), len(frame)) + frame)


def _packets(keys: Iterable[tuple[float, str]]) -> Iterator[tuple[int, int, int, bytes]]:
    """When, in steps; payload type with marker; timestamp, in steps; payload."""
    now = 0
    for pause, key in keys:
        for _ in range(round(pause / _SECONDS)):
            yield now, 0, now, b"\xff" * _STEP
            now += 1
        begin = now
        for count in range(_PACKETS + 2):
            length = min(count + 1, _PACKETS)
            end = 0x80 if count >= _PACKETS - 1 else 0
            marker = 0x80 if count == 0 else 0
            yield now, EVENTS | marker, begin, struct.pack("!BBH", _KEYS.index(key), end | 10, _STEP * length)
            now += 1
    yield now, 0, now, b"\xff" * _STEP
