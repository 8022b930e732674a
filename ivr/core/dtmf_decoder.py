"""Decides which events of a telephone network are one press of a key: RFC 4733, SIP INFO and in-band alike. Pure.

One press may be told more than once: by two ways at a time, twice by Asterisk itself, or in two pieces. It is told when
the key is let go, with how long it was held; so the event's own times decide, never the moment at which it arrived.
"""

import math
from dataclasses import dataclass, field, replace

#: Seconds. An event may lie so long on its way to us; one that seems older was stamped by a clock that was set anew.
LATEST_SECONDS = 3.0

#: Seconds between two keys, and of the shortest key, that Asterisk lets through (22.10.1, AST_MIN_DTMF_GAP and
#: AST_MIN_DTMF_DURATION). What comes closer it tells at once, puts off, and tells again when its time has come.
_GAP, _SHORTEST = 0.045, 0.08
#: It looks at the end of a key that it plays when the next packet comes.
_FRAME = 0.02
#: Asterisk's own clocks: an event is made some milliseconds after the moment that decided.
_TOLERANCE = 0.006
#: So much later than it must a second telling comes, where it is not sure that there is one; and at all.
_LATE, _NEVER = 0.025, 2.0

#: A key that was held so long, and so much longer than the same key just before which lies within it, is that one: some
#: gateways tell the beginning of a held key, then nothing until its end, and Asterisk takes the pause for its end.
_HELD, _LONGER = 1.0, 0.5

#: Seconds from one way's end of a press to the other way's beginning of the same press, as long as it is not known
#: whether keys come by two ways; seen 126 to 273 ms from end to end. And when it is: SIP INFO is sent again when lost.
TWIN_SECONDS, KNOWN_TWIN_SECONDS = 0.3, 1.0
#: So many presses that came twice are remembered; each that came once weighs as much as one that came twice.
_MOST_TWINS = 6


@dataclass(frozen=True)
class KeyPress:
    """One press of one key. Seconds of one steady clock."""

    key: str
    down: float
    up: float


@dataclass(frozen=True)
class _Busy:
    """When Asterisk may be ready for the next key, on its clock; which of the two it is nobody tells."""

    earliest: float  #: from here on, if it heard the last key as it was pressed
    soon: float  #: ... to here
    latest: float  #: here, if it plays the last key to its full length


@dataclass(frozen=True)
class _PutOff:
    """A key that Asterisk told, and will tell again before anything else."""

    key: str
    held: float
    until: float  #: by then it was told again, or it was not put off
    busy: _Busy  #: if it was not


@dataclass(frozen=True)
class Decoder:
    """What came on one call so far."""

    #: Whether one press may come by two ways: where the PBX takes SIP INFO beside what was agreed.
    two_ways: bool = False
    #: Our clock less Asterisk's, of the event that came fastest; None: none had a time of its own.
    offset: float | None = None
    last: KeyPress | None = None
    busy: _Busy = field(default_factory=lambda: _Busy(-math.inf, -math.inf, -math.inf))
    put_off: _PutOff | None = None
    alone: tuple[KeyPress, ...] = ()  #: presses that the other way has not told yet
    twins: int = 0  #: above 0: presses were told by two ways; below 0: by one


def begin_decoding(*, two_ways: bool) -> Decoder:
    """Nothing came yet."""
    return Decoder(two_ways=two_ways)


def decode(
    decoder: Decoder, key: str, held: float, arrived: float, stamped: float | None = None
) -> tuple[Decoder, KeyPress | None]:
    """Take one event: a key that was held for so many seconds was let go. None: that press is known already.

    `arrived`: when the event came to us, on our clock. `stamped`: when Asterisk made it, on Asterisk's; None: nobody
    knows, and then it is not known either how long the key was held.
    """
    held = max(0.0, held)
    if stamped is None:
        now, press = _by_one_way(_forget_old(decoder, arrived), KeyPress(key, arrived - held, arrived))
        return now, press
    offset = _offset(decoder.offset, arrived, stamped)
    now, press = _decode(replace(decoder, offset=offset), KeyPress(key, stamped - held, stamped), held)
    if press is None:
        return now, None
    up = min(arrived, stamped + offset)
    return now, KeyPress(key, up - held, up)


def _decode(now: Decoder, press: KeyPress, held: float) -> tuple[Decoder, KeyPress | None]:
    """The same, all on Asterisk's clock."""
    again, now = _told_again(now, press, held)
    if again:
        return now, None
    now = _forget_old(now, press.down)
    before, now = now.last, replace(_put_off(now, press, held), last=press)
    if before is not None and _is_one_piece(before, press):
        return now, None
    return _by_one_way(now, press)


def _offset(before: float | None, arrived: float, stamped: float) -> float:
    """The least delay that was ever seen tells best how the two clocks stand."""
    given = arrived - stamped
    if before is None or given < before or given - before > LATEST_SECONDS:
        return given
    return before


def _told_again(now: Decoder, press: KeyPress, held: float) -> tuple[bool, Decoder]:
    """Whether this is the second telling of a key that was put off: it comes when Asterisk is ready for it."""
    before, now = now.put_off, replace(now, put_off=None)
    if before is None:
        return False, now
    busy = now.busy
    ready = busy.earliest - _TOLERANCE <= press.up <= busy.soon + _LATE
    ready = ready or busy.latest - _FRAME - _TOLERANCE <= press.up <= before.until
    if ready and (before.key, before.held) == (press.key, held):
        free_at = press.up + max(held, _SHORTEST) + _GAP
        return True, replace(now, busy=_Busy(free_at, free_at + _FRAME, free_at + _FRAME))
    # Something else came: so it was not put off.
    return False, replace(now, busy=before.busy)


def _put_off(now: Decoder, press: KeyPress, held: float) -> Decoder:
    """What Asterisk does with a new key: lets it through, or puts it off until it is ready."""
    busy = _Busy(
        # Its beginning and its end came as they were pressed, or nearer to each other, or both at once;
        press.up + max(0.0, _SHORTEST - held) + _GAP,
        press.up + _SHORTEST + _GAP + _FRAME,
        # or its beginning came too soon, or never (SIP INFO has none).
        press.up + max(held, _SHORTEST) + _GAP + _FRAME,
    )
    if press.up >= now.busy.latest + _TOLERANCE:
        return replace(now, busy=busy)
    late = _NEVER if press.up < now.busy.earliest - _TOLERANCE else _LATE
    return replace(now, put_off=_PutOff(press.key, held, now.busy.latest + late, busy))


def _is_one_piece(before: KeyPress, press: KeyPress) -> bool:
    held, told_before = press.up - press.down, before.up - before.down
    same = before.key == press.key and press.down <= before.down
    return same and press.up - before.up > _SHORTEST + _GAP and held >= max(_HELD, told_before + _LONGER)


def _by_one_way(now: Decoder, press: KeyPress) -> tuple[Decoder, KeyPress | None]:
    """The press; None if the other way told it."""
    if not now.two_ways:
        return now, press
    twin = next((each for each in now.alone if each.key == press.key), None)
    if twin is not None and now.twins >= 0:
        left = tuple(each for each in now.alone if each is not twin)
        return replace(now, twins=min(_MOST_TWINS, now.twins + 1), alone=left), None
    return replace(now, alone=(*now.alone, press)), press


def _forget_old(now: Decoder, moment: float) -> Decoder:
    """Presses whose twin can come no more: they came by one way. A twin may have waited until Asterisk was ready."""
    ready = now.busy.latest if now.twins > 0 else -math.inf
    longest = KNOWN_TWIN_SECONDS if now.twins > 0 else TWIN_SECONDS
    over = [each for each in now.alone if moment - max(each.up, ready) >= longest]
    left = tuple(each for each in now.alone if each not in over)
    return replace(now, alone=left, twins=max(-1, now.twins - len(over)))
