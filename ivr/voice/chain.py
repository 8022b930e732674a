"""The telephone chain: speech at any rate in, 8 kHz audio of one level and one band out."""

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soxr

from ivr.voice.lint import FRAME, LEVEL, PEAK, RATE, Samples, active_speech_level, decibel, pauses, speech_frames

LEAD = 0.05  #: seconds kept before the speech
TAIL = 0.12  #: and after it
COMMA_PAUSE = 0.35  #: inside a sentence
SENTENCE_PAUSE = 0.5  #: between sentences; old listeners need it, and 1.2 s would sound like the end
_BAND = (250.0, 3400.0)  #: Hz; below it is hum, above it is nothing on a telephone
_TAPS = 257
_FADE = 0.01
#: Under the promised peak, so that rounding to 16 bit cannot pass it.
_CEILING = PEAK - 0.1
_LOOK_AHEAD = 0.005


def telephone(sentences: Sequence[Samples], rate: int) -> Samples:
    """The sentences of one prompt as one finished sound at 8 kHz."""
    # Cut after the band-pass: the engine's noise above the telephone band would pass for speech.
    filtered = [trim(shorten_pauses(band_pass(resample(each, rate)), COMMA_PAUSE)) for each in sentences]
    # Every sentence at the same level first: the engine speaks short ones softer.
    levelled = [each * _gain(each) for each in filtered]
    pause = np.zeros(int(SENTENCE_PAUSE * RATE) - int((LEAD + TAIL) * RATE))
    joined: list[Samples] = []
    for each in levelled:
        joined += [pause, each] if joined else [each]
    # Once more over all: a soft last syllable of one sentence counts as silence beside a loud other one.
    return level(shorten_pauses(np.concatenate(joined), SENTENCE_PAUSE))


def shorten_pauses(samples: Samples, longest: float) -> Samples:
    """Cut pauses to so many seconds. Slow speech stretches them past what a listener waits for."""
    gaps = pauses(samples)
    half = int(longest * RATE / 2)
    pieces: list[Samples] = []
    begin = 0
    for start, stop in gaps:
        if stop - start > 2 * half:
            pieces.append(_faded(samples[begin : start + half]))
            begin = stop - half
    pieces.append(_faded(samples[begin:]))
    return np.concatenate(pieces)


def trim(samples: Samples) -> Samples:
    """Cut silence at the ends down to LEAD and TAIL, adding it where there is less."""
    frames = np.flatnonzero(speech_frames(samples))
    if frames.size == 0:
        raise ValueError("no speech")
    begin = int(frames[0]) * FRAME - int(LEAD * RATE)
    end = (int(frames[-1]) + 1) * FRAME + int(TAIL * RATE)
    before, after = max(0, -begin), max(0, end - samples.size)
    return _faded(np.pad(samples, (before, after))[begin + before : end + before])


def _faded(samples: Samples) -> Samples:
    ramp = np.linspace(0.0, 1.0, int(_FADE * RATE))
    faded = samples.copy()
    faded[: ramp.size] *= ramp
    faded[-ramp.size :] *= ramp[::-1]
    return faded


def resample(samples: Samples, rate: int) -> Samples:
    """To 8 kHz."""
    return np.asarray(soxr.resample(samples, rate, RATE, quality="VHQ"), dtype=np.float64)


def band_pass(samples: Samples) -> Samples:
    """Telephone band, by a linear-phase filter of a Kaiser window."""
    place = np.arange(_TAPS) - _TAPS // 2
    low, high = (2 * edge / RATE for edge in _BAND)
    response = (high * np.sinc(high * place) - low * np.sinc(low * place)) * np.kaiser(_TAPS, 6.0)
    return np.convolve(samples, response, "same")


def level(samples: Samples) -> Samples:
    """To LEVEL, peaks limited. Limiting lowers the level a little, so it takes a few rounds."""
    for _ in range(4):
        samples = limit(samples * _gain(samples))
    return samples


def _gain(samples: Samples) -> float:
    return float(10 ** ((LEVEL - active_speech_level(samples)) / 20))


def limit(samples: Samples) -> Samples:
    """Hold peaks below the ceiling, turning down a little before each of them."""
    ceiling = 10 ** (_CEILING / 20)
    wanted = np.minimum(1.0, ceiling / np.maximum(np.abs(samples), 1e-9))
    reach = int(_LOOK_AHEAD * RATE)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(wanted, 2 * reach, constant_values=1.0), 2 * reach + 1)
    smooth = np.convolve(windows.min(axis=1), np.ones(2 * reach + 1) / (2 * reach + 1), "valid")
    return np.asarray(samples * smooth)


def write_wav(path: Path, samples: Samples) -> None:
    """PCM, mono, 16 bit, 8 kHz: the only WAV that Asterisk plays."""
    if decibel(float(np.abs(samples).max(initial=0.0))) > 0:
        raise ValueError("clipped")
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
