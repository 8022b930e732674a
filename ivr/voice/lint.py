"""Measures audio: finished sounds, and recordings before the telephone chain. ivr.voice.limits judges the figures."""

import math
import wave
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ivr.voice.limits import Measures
from ivr.voice.loudness import active_speech_level, decibel, loudness

Samples: TypeAlias = NDArray[np.float64]  #: full scale is 1.0

RATE = 8000

#: A frame of 10 ms is speech when its peak is less than this below the loudest one, in dB.
_SPEECH = 40.0
#: Shorter gaps are the closures of consonants (ッ, パ), not pauses.
_MIN_PAUSE = 0.12
#: So many samples side by side at the very same peak are a cut-off wave, not a round one.
_FLAT = 4


def read_wav(path: Path, rate: int = RATE) -> Samples:
    """The samples. Raises ValueError if it is not 16 bit, mono PCM of this rate."""
    with wave.open(str(path), "rb") as sound:
        shape = (sound.getframerate(), sound.getnchannels(), sound.getsampwidth() * 8)
        if shape != (rate, 1, 16):
            raise ValueError("{} Hz, {} ch, {} bit".format(*shape))
        data = sound.readframes(sound.getnframes())
    return np.frombuffer(data, dtype="<i2").astype(np.float64) / 32768


def measure(samples: Samples, rate: int = RATE) -> Measures:
    """All figures of one sound, rounded as they are kept and shown."""
    seconds = round(samples.size / rate, 3)
    marks = np.flatnonzero(speech_frames(samples, rate))
    if marks.size == 0:
        return Measures(seconds, *(-math.inf,) * 3, 0, 0.0, -math.inf, seconds, 0.0, 0.0, 0.0)
    frame = rate // 100
    gaps = [(stop - start) / rate for start, stop in pauses(samples, rate)]
    level = active_speech_level(samples, rate)
    return Measures(
        seconds=seconds,
        level=round(level, 2),
        loudness=round(loudness(samples, rate), 2),
        peak=round(decibel(float(np.abs(samples).max())), 2),
        flat=_flat_tops(samples),
        swing=round(_swing(samples, rate), 1),
        end=round(_power(samples[-2 * frame :]) - level, 1),
        lead=round(float(marks[0]) * frame / rate, 2),
        tail=round(float(max(0, samples.size - (marks[-1] + 1) * frame)) / rate, 2),
        longest_pause=round(max(gaps, default=0.0), 2),
        pauses=round(sum(gaps), 2),
    )


def speech_frames(samples: Samples, rate: int = RATE) -> NDArray[np.bool_]:
    """One truth value for every 10 ms: whether there is speech in it."""
    frame = rate // 100
    padded = np.pad(np.abs(samples), (0, -samples.size % frame))
    peaks = padded.reshape(-1, frame).max(axis=1)
    loudest = float(peaks.max(initial=0.0))
    # -72 dBFS: what lies below is the last bits of silence, whatever else there is.
    return np.asarray(peaks > max(loudest * 10 ** (-_SPEECH / 20), 2.5e-4))


def pauses(samples: Samples, rate: int = RATE) -> list[tuple[int, int]]:
    """Begin and end, in samples, of every silence between two stretches of speech."""
    frame = rate // 100
    marks = np.flatnonzero(speech_frames(samples, rate))
    spans = zip((marks[:-1] + 1) * frame, marks[1:] * frame, strict=True)
    return [(int(start), int(stop)) for start, stop in spans if stop - start >= _MIN_PAUSE * rate]


def _flat_tops(samples: Samples) -> int:
    rectified = np.abs(samples)
    # Within one step of 16 bit: a copy in another format may have shaken the tops by that much.
    at_top = np.concatenate([[0], (rectified >= float(rectified.max()) - 2**-15).astype(int), [0]])
    edges = np.diff(at_top)
    return int(np.count_nonzero(np.flatnonzero(edges < 0) - np.flatnonzero(edges > 0) >= _FLAT))


def _swing(samples: Samples, rate: int) -> float:
    """Between the 90th and the 25th percentile of the power of 20 ms, silences left out."""
    size = rate // 50
    whole = samples[: samples.size - samples.size % size].reshape(-1, size)
    power = np.array([_power(each) for each in whole if each.any()])
    if power.size < 3:
        return 0.0
    heard = power[power > power.max() - _SPEECH]
    return float(np.percentile(heard, 90) - np.percentile(heard, 25))


def _power(samples: Samples) -> float:
    """Mean power in dB of full scale."""
    return decibel(math.sqrt(float(np.square(samples).mean()))) if samples.size else -math.inf
