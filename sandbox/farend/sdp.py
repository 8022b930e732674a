"""Session descriptions: what a far end offers and answers, and what it reads of the other side's. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

#: Name -> RTP payload type and what a=rtpmap says (RFC 3551; from 96 on free to choose).
CODECS = {
    "PCMU": (0, "PCMU/8000"),
    "GSM": (3, "GSM/8000"),
    "PCMA": (8, "PCMA/8000"),
    "G722": (9, "G722/8000"),
    "G729": (18, "G729/8000"),
    "opus": (107, "opus/48000/2"),
}
EVENTS = 101


@dataclass(frozen=True)
class Media:
    """The sound of one side."""

    address: str
    port: int
    payloads: tuple[int, ...]
    events: int | None  #: the payload type of RFC 4733 events
    direction: str = "sendrecv"


def describe(
    address: str, port: int, codecs: Sequence[str], events: int | None = EVENTS, direction: str = "sendrecv"
) -> bytes:
    """An offer or an answer with these codecs, the preferred first; `events` None: no RFC 4733."""
    kinds = [CODECS[each] for each in codecs] + ([(events, "telephone-event/8000")] if events is not None else [])
    lines = ["v=0", f"o=- 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0"]
    lines.append(f"m=audio {port} RTP/AVP {' '.join(str(number) for number, _ in kinds)}")
    lines += [f"a=rtpmap:{number} {name}" for number, name in kinds]
    lines += [f"a=fmtp:{events} 0-15"] if events is not None else []
    lines += ["a=ptime:20", f"a={direction}"]
    return "".join(f"{line}\r\n" for line in lines).encode()


def read(body: bytes) -> Media | None:
    """What the other side described; None if there is no sound in it."""
    text = body.decode("utf-8", "replace")
    sound = re.search(r"^m=audio (\d+) \S+ ([\d ]+?)\s*$", text, re.MULTILINE)
    place = re.search(r"^c=IN IP4 (\S+)", text, re.MULTILINE)
    if not sound or not place:
        return None
    events = re.search(r"^a=rtpmap:(\d+) telephone-event/8000", text, re.MULTILINE)
    direction = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)", text, re.MULTILINE)
    return Media(
        place[1],
        int(sound[1]),
        tuple(int(each) for each in sound[2].split()),
        int(events[1]) if events else None,
        direction[1] if direction else "sendrecv",
    )
