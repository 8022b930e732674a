"""Mu-law (G.711) by tables, how loud a piece is, and something that sounds like speech. Pure."""

import math
from functools import cache

SILENCE = b"\xff"


def _linear(code: int) -> int:
    """16 bit PCM of one mu-law byte (ITU-T G.711)."""
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return -magnitude if code & 0x80 else magnitude


_LINEAR = [_linear(code) for code in range(256)]
_LOW = bytes(value & 0xFF for value in _LINEAR)
_HIGH = bytes(value >> 8 & 0xFF for value in _LINEAR)
#: Magnitude in steps of 16, so that a sum of bytes tells loudness without decoding.
_LEVEL = bytes(min(255, abs(value) // 16) for value in _LINEAR)
#: Mean magnitude 192 of 32767, -45 dB: below any speech, above the noise of a finished prompt's pauses.
_LOUD = 12


def _from_a_law(code: int) -> int:
    """16 bit PCM of one A-law byte (ITU-T G.711)."""
    code ^= 0x55
    exponent, magnitude = (code & 0x70) >> 4, ((code & 0x0F) << 4) + 8
    magnitude = magnitude + 0x100 << exponent - 1 if exponent else magnitude
    return magnitude if code & 0x80 else -magnitude


def is_loud(piece: bytes) -> bool:
    """Whether somebody speaks in this piece."""
    return sum(piece.translate(_LEVEL)) > _LOUD * len(piece)


def to_linear(heard: bytes) -> bytes:
    """16 bit little-endian PCM of mu-law."""
    linear = bytearray(2 * len(heard))
    linear[0::2] = heard.translate(_LOW)
    linear[1::2] = heard.translate(_HIGH)
    return bytes(linear)


def to_mu_law(value: int) -> int:
    """The mu-law byte of one 16 bit sample."""
    sign = 0x80 if value < 0 else 0
    value = min(abs(value), 32635) + 0x84
    exponent = value.bit_length() - 8
    return ~(sign | exponent << 4 | value >> exponent + 3 & 0x0F) & 0xFF


#: Byte of A-law -> byte of mu-law, for `bytes.translate`.
A_TO_MU = bytes(to_mu_law(_from_a_law(code)) for code in range(256))


@cache
def mu_to_a() -> bytes:
    """Byte of mu-law -> the nearest byte of A-law, for `bytes.translate`."""
    return bytes(min(range(256), key=lambda code: abs(_from_a_law(code) - value)) for value in _LINEAR)


def murmur(seconds: float) -> bytes:
    """Something with the rhythm of a voice, in mu-law, for machines that speak to us; a beep at its end."""
    whole = int(seconds * 50) * 160
    second, beep = _murmured_second(), _beep()
    return ((second * (whole // len(second) + 1))[: max(0, whole - len(beep))] + beep)[:whole]


@cache
def _murmured_second() -> bytes:
    pitches = (130, 520, 1170, 2300)

    def sample(at: int) -> int:
        now = at / 8000
        syllable = max(0.0, math.sin(2 * math.pi * 4 * now)) if now < 0.8 else 0.0
        voice = sum(math.sin(2 * math.pi * pitch * now) / order for order, pitch in enumerate(pitches, 1))
        return int(5000 * syllable * voice)

    return bytes(to_mu_law(sample(at)) for at in range(8000))


@cache
def _beep() -> bytes:
    return bytes(to_mu_law(int(9000 * math.sin(2 * math.pi * 1000 * at / 8000))) for at in range(3200))
