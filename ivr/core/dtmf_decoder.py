"""Decides which events of a telephone network are one press of a key: RFC 4733, SIP INFO and in-band alike. Pure.

One press may be told more than once: by two ways at a time, twice by one of them, or in two pieces. It is told when the
key is let go, and how long it was held; so the event's own times decide, never the moment at which it arrived here.
"""

from dataclasses import dataclass, replace

#: Seconds. An event may lie so long on its way to us; one that seems older was stamped by a clock that was set anew.
LATEST_SECONDS = 3.0
#: Seconds from one way's end of a press to the other way's beginning of the same press, as long as it is not known
#: whether keys come by two ways. Asterisk itself puts 45 ms between two keys (22.10.1, AST_MIN_DTMF_GAP) and plays the
#: second one to its full length: seen 126 to 273 ms from end to end.
TWIN_SECONDS = 0.3
#: ... and when it is known: SIP INFO is sent again when it is lost.
KNOWN_TWIN_SECONDS = 1.0
#: So many presses that came twice are remembered; each that came once weighs as much as one that came twice.
_MOST_TWINS = 6


@dataclass(frozen=True)
class KeyPress:
    """One press of one key. Seconds of one steady clock."""

    key: str
    down: float
    up: float


@dataclass(frozen=True)
class Decoder:
    """What came on one call so far."""

    #: Whether one press may come by two ways: where the PBX takes SIP INFO beside what was agreed.
    two_ways: bool = False
    #: Our clock less Asterisk's, of the event that came fastest; None: none had a time of its own.
    offset: float | None = None
    presses: tuple[KeyPress, ...] = ()  #: the last press of each key, whoever told it
    open: tuple[KeyPress, ...] = ()  #: presses that the other way has not told yet
    twins: int = 0  #: above 0: presses were told twice; below 0: once


def begin_decoding(*, two_ways: bool) -> Decoder:
    """Nothing came yet."""
    return Decoder(two_ways=two_ways)


def decode(
    decoder: Decoder, key: str, held: float, arrived: float, stamped: float | None = None
) -> tuple[Decoder, KeyPress | None]:
    """Take one event: a key that was held for so many seconds was let go. None: that press is known already.

    `arrived`: when the event came to us, on our clock. `stamped`: when Asterisk made it, on Asterisk's.
    """
    offset = _offset(decoder.offset, arrived, stamped)
    up = arrived if stamped is None or offset is None else min(arrived, stamped + offset)
    press = KeyPress(key, up - max(0.0, held), up)
    now = replace(decoder, offset=offset)
    known = next((each for each in now.presses if each.key == key), None)
    if known is not None and press.down < known.up:
        # A finger presses a key again only when it has let it go.
        return _remember(now, press), None
    if not now.two_ways:
        return _remember(now, press), press
    now = _forget_old(now, press.down)
    twin = next((each for each in now.open if each.key == key), None)
    if twin is not None and now.twins >= 0:
        left = tuple(each for each in now.open if each is not twin)
        return replace(_remember(now, press), twins=min(_MOST_TWINS, now.twins + 1), open=left), None
    return replace(_remember(now, press), open=(*now.open, press)), press


def _offset(before: float | None, arrived: float, stamped: float | None) -> float | None:
    """The least delay that was ever seen tells best how the two clocks stand."""
    if stamped is None:
        return before
    given = arrived - stamped
    if before is None or given < before or given - before > LATEST_SECONDS:
        return given
    return before


def _remember(decoder: Decoder, press: KeyPress) -> Decoder:
    """The press among the last ones; told in two pieces it is as long as both."""
    before = next((each for each in decoder.presses if each.key == press.key), None)
    if before is not None and press.down < before.up:
        press = KeyPress(press.key, min(before.down, press.down), max(before.up, press.up))
    others = tuple(each for each in decoder.presses if each.key != press.key)
    return replace(decoder, presses=(*others, press))


def _forget_old(decoder: Decoder, now: float) -> Decoder:
    """Presses whose twin can come no more: they came by one way alone."""
    longest = KNOWN_TWIN_SECONDS if decoder.twins > 0 else TWIN_SECONDS
    alone = [each for each in decoder.open if now - each.up >= longest]
    left = tuple(each for each in decoder.open if each not in alone)
    return replace(decoder, open=left, twins=max(-1, decoder.twins - len(alone)))
