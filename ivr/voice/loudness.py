"""How loud speech is: ITU-T P.56 active level and ITU-R BS.1770 loudness, in numpy."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def active_speech_level(samples: NDArray[np.float64], rate: int) -> float:
    """Active speech level in dBov by ITU-T P.56, method B: pauses do not count, so files of any length agree."""
    envelope = _envelope(np.abs(samples), rate)
    energy = float(np.square(samples).sum())
    if energy == 0:
        return -math.inf
    hangover = int(0.2 * rate)
    margin = 15.9
    above: tuple[float, float] | None = None
    for step in range(1, 17):  # thresholds from just below full scale downwards
        threshold = 2.0**-step
        active = _active_samples(envelope, threshold, hangover)
        if active == 0:
            continue
        level = 10 * math.log10(energy / active)
        distance = level - decibel(threshold) - margin
        if distance >= 0:
            if above is None:
                return level
            share = -above[1] / (distance - above[1])
            return above[0] + share * (level - above[0])
        above = (level, distance)
    return above[0] if above else -math.inf


def loudness(samples: NDArray[np.float64], rate: int) -> float:
    """Integrated loudness in LUFS by ITU-R BS.1770-5, one channel: blocks of 400 ms, gates at -70 and -10 LU.

    A sound shorter than a block counts as one block of its own length, as no gate can be laid over it.
    """
    weighted = _k_weighted(samples, rate)
    block, step = int(0.4 * rate), int(0.1 * rate)
    starts = range(0, max(1, weighted.size - block + 1), step)
    power = np.array([float(np.square(weighted[start : start + block]).mean()) for start in starts])
    for relative in (False, True):
        gate = 10 ** ((-70 + 0.691) / 10)
        if relative:
            gate = float(power.mean()) / 10 if power.size else gate
        power = power[power > gate]
    return -0.691 + 10 * math.log10(float(power.mean())) if power.size else -math.inf


def decibel(amplitude: float) -> float:
    """Of full scale."""
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def _active_samples(envelope: NDArray[np.float64], threshold: float, hangover: int) -> int:
    """Samples at or above the threshold, or no more than the hangover after such a one."""
    place = np.arange(envelope.size)
    last = np.maximum.accumulate(np.where(envelope >= threshold, place, -hangover - 1))
    return int(np.count_nonzero(place - last <= hangover))


def _envelope(rectified: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Two exponential averages of 30 ms after each other, as one convolution."""
    keep = math.exp(-1 / (0.03 * rate))
    taps = int(0.6 * rate)  # what is left out is below -140 dB
    place = np.arange(taps)
    response = (1 - keep) ** 2 * (place + 1) * keep**place
    size = 1 << (rectified.size + taps).bit_length()
    product = np.fft.irfft(np.fft.rfft(rectified, size) * np.fft.rfft(response, size), size)
    return np.asarray(product[: rectified.size])


def _k_weighted(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Through both filters of BS.1770 at any rate: a shelf of +4 dB above 1.7 kHz, and a high-pass at 38 Hz."""
    size = 1 << (samples.size + rate).bit_length()
    return np.asarray(np.fft.irfft(np.fft.rfft(samples, size) * _k_response(size, rate), size)[: samples.size])


@lru_cache(maxsize=8)  # of some MB each; sounds of all lengths share a few sizes
def _k_response(size: int, rate: int) -> NDArray[np.complex128]:
    turn = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    return _shelf(turn, rate) * _high_pass(turn, rate)


def _shelf(turn: NDArray[np.complex128], rate: int) -> NDArray[np.complex128]:
    # The analogue prototype behind the 48 kHz coefficients of BS.1770, table 1.
    gain, quality, centre = 3.999843853973347, 0.7071752369554196, 1681.974450955533
    tangent = math.tan(math.pi * centre / rate)
    high = 10 ** (gain / 20)
    middle = high**0.4996667741545416
    below = 1 + tangent / quality + tangent**2
    top = (high + middle * tangent / quality + tangent**2, 2 * (tangent**2 - high),
           high - middle * tangent / quality + tangent**2)  # fmt: skip
    return _biquad(turn, top, (below, 2 * (tangent**2 - 1), 1 - tangent / quality + tangent**2))


def _high_pass(turn: NDArray[np.complex128], rate: int) -> NDArray[np.complex128]:
    # Table 2.
    quality, centre = 0.5003270373238773, 38.13547087602444
    tangent = math.tan(math.pi * centre / rate)
    below = 1 + tangent / quality + tangent**2
    top = (below, -2 * below, below)  # the numerator of table 2 is 1, -2, 1 as it stands
    return _biquad(turn, top, (below, 2 * (tangent**2 - 1), 1 - tangent / quality + tangent**2))


def _biquad(
    turn: NDArray[np.complex128], above: tuple[float, float, float], below: tuple[float, float, float]
) -> NDArray[np.complex128]:
    top = above[0] + above[1] * turn + above[2] * turn**2
    return np.asarray(top / (below[0] + below[1] * turn + below[2] * turn**2))
