"""Measures finished telephone audio and says what is wrong with it. numpy and the standard library only."""

import math
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float64]  #: full scale is 1.0

RATE = 8000
LEVEL = -20.0  #: dBov, active speech level of ITU-T P.56; the level of Asterisk's own sounds
LEVEL_TOLERANCE = 1.0
PEAK = -3.0  #: dBFS; leaves room for the telephone network's own gain
MAX_EDGE = 0.2  #: seconds of silence at either end
MAX_PAUSE = 0.7  #: seconds of silence inside; after 1.2 s a listener takes the prompt for finished
RATE_RANGE = (3.5, 7.0)  #: morae per second of speech without pauses

FRAME = RATE // 100  #: samples of 10 ms
#: A frame is speech when its peak is less than this below the loudest one, in dB.
_SPEECH = 40.0
#: Shorter gaps are the closures of consonants (ッ, パ), not pauses.
_MIN_PAUSE = 0.12


@dataclass(frozen=True)
class Measures:
    """Figures of one sound."""

    seconds: float
    level: float  #: dBov, active speech level
    peak: float  #: dBFS
    lead: float  #: seconds of silence before the speech
    tail: float  #: and after it
    longest_pause: float  #: seconds
    pauses: float  #: seconds, all pauses inside together

    @property
    def speaking(self) -> float:
        """Seconds of speech without pauses and edges."""
        return self.seconds - self.lead - self.tail - self.pauses


def read_wav(path: Path) -> Samples:
    """The samples. Raises ValueError if it is not 8 kHz, 16 bit, mono PCM."""
    with wave.open(str(path), "rb") as sound:
        shape = (sound.getframerate(), sound.getsampwidth() * 8, sound.getnchannels())
        if shape != (RATE, 16, 1):
            raise ValueError("{} Hz, {} bit, {} ch".format(*shape))
        data = sound.readframes(sound.getnframes())
    return np.frombuffer(data, dtype="<i2").astype(np.float64) / 32768


def measure(samples: Samples) -> Measures:
    """All figures of one sound that has speech in it."""
    marks = np.flatnonzero(speech_frames(samples))
    if marks.size == 0:
        raise ValueError("no speech")
    gaps = [(stop - start) / RATE for start, stop in pauses(samples)]
    return Measures(
        seconds=samples.size / RATE,
        level=active_speech_level(samples),
        peak=decibel(float(np.abs(samples).max())),
        lead=float(marks[0]) * FRAME / RATE,
        tail=float(max(0, samples.size - (marks[-1] + 1) * FRAME)) / RATE,
        longest_pause=max(gaps, default=0.0),
        pauses=sum(gaps),
    )


def faults(found: Measures, morae: int) -> list[str]:
    """What is wrong, one `name: figure` each; empty when the sound is fit for a call."""
    speed = morae / found.speaking
    checks = {
        f"level: {found.level:.1f} dBov": abs(found.level - LEVEL) <= LEVEL_TOLERANCE,
        f"peak: {found.peak:.1f} dBFS": found.peak <= PEAK,
        f"lead: {found.lead:.2f} s": found.lead <= MAX_EDGE,
        f"tail: {found.tail:.2f} s": found.tail <= MAX_EDGE,
        f"pause: {found.longest_pause:.2f} s": found.longest_pause <= MAX_PAUSE,
        f"rate: {speed:.1f} morae/s": RATE_RANGE[0] <= speed <= RATE_RANGE[1],
    }
    return [name for name, good in checks.items() if not good]


def speech_frames(samples: Samples) -> NDArray[np.bool_]:
    """One truth value for every 10 ms: whether there is speech in it."""
    padded = np.pad(np.abs(samples), (0, -samples.size % FRAME))
    peaks = padded.reshape(-1, FRAME).max(axis=1)
    loudest = float(peaks.max(initial=0.0))
    return np.asarray(peaks > max(loudest * 10 ** (-_SPEECH / 20), 1e-6))


def pauses(samples: Samples) -> list[tuple[int, int]]:
    """Begin and end, in samples, of every silence between two stretches of speech."""
    marks = np.flatnonzero(speech_frames(samples))
    spans = zip((marks[:-1] + 1) * FRAME, marks[1:] * FRAME, strict=True)
    return [(int(start), int(stop)) for start, stop in spans if stop - start >= _MIN_PAUSE * RATE]


def active_speech_level(samples: Samples) -> float:
    """Active speech level in dBov by ITU-T P.56, method B: pauses do not count, so files of any length agree."""
    envelope = _envelope(np.abs(samples))
    energy = float(np.square(samples).sum())
    if energy == 0:
        return -math.inf
    hangover = int(0.2 * RATE)
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


def _active_samples(envelope: Samples, threshold: float, hangover: int) -> int:
    """Samples at or above the threshold, or no more than the hangover after such a one."""
    place = np.arange(envelope.size)
    last = np.maximum.accumulate(np.where(envelope >= threshold, place, -hangover - 1))
    return int(np.count_nonzero(place - last <= hangover))


def _envelope(rectified: Samples) -> Samples:
    """Two exponential averages of 30 ms after each other, as one convolution."""
    keep = math.exp(-1 / (0.03 * RATE))
    taps = int(0.6 * RATE)  # what is left out is below -140 dB
    place = np.arange(taps)
    response = (1 - keep) ** 2 * (place + 1) * keep**place
    size = 1 << (rectified.size + taps).bit_length()
    product = np.fft.irfft(np.fft.rfft(rectified, size) * np.fft.rfft(response, size), size)
    return np.asarray(product[: rectified.size])


def decibel(amplitude: float) -> float:
    """Of full scale."""
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf
