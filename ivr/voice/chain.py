"""The telephone chain: speech at any rate in, audio of one level and one band out, at 8 kHz or (wideband) 16 kHz."""

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soxr

from ivr.voice.limits import PEAK, TARGET
from ivr.voice.lint import RATE, Samples, pauses, speech_frames
from ivr.voice.loudness import active_speech_level, decibel, loudness

WIDE = 16000  #: Hz, for trunks that carry G.722

LEAD = 0.05  #: seconds kept before the speech
TAIL = 0.12  #: and after it
COMMA_PAUSE = 0.35  #: inside a sentence
SENTENCE_PAUSE = 0.5  #: between sentences; old listeners need it, and 1.2 s would sound like the end
#: Hz; below it is hum, above it is nothing on such a telephone.
_BANDS = {RATE: (250.0, 3400.0), WIDE: (100.0, 7000.0)}
_TAPS = 257  # at 8 kHz
_FADE = 0.01
#: Under the promised peak, so that rounding to 16 bit cannot pass it.
_CEILING = PEAK - 0.1
_LOOK_AHEAD = 0.005
_MOST_APART = 0.8
#: What a room does in the pauses of a recording is turned down by so much.
_GATE = 10 ** (-24 / 20)


def telephone(sentences: Sequence[Samples], rate: int, out: int = RATE) -> Samples:
    """The sentences of one prompt, spoken by an engine, as one finished sound. Raises ValueError if one is silent."""
    # Cut after the band-pass: the engine's noise above the telephone band would pass for speech.
    filtered = [trim(shorten_pauses(band_pass(resample(each, rate, out), out), COMMA_PAUSE, out), out)
                for each in sentences]  # fmt: skip
    # Every sentence at the same level first: the engine speaks short ones softer.
    levelled = [each * _gain(each, out) for each in filtered]
    pause = np.zeros(int(SENTENCE_PAUSE * out) - int((LEAD + TAIL) * out))
    joined: list[Samples] = []
    for each in levelled:
        joined += [pause, each] if joined else [each]
    # Once more over all: a soft last syllable of one sentence counts as silence beside a loud other one.
    return level(shorten_pauses(np.concatenate(joined), SENTENCE_PAUSE, out), out)


def recorded(samples: Samples, rate: int, out: int = RATE) -> Samples:
    """A person's recording as one finished sound: the same band, level and edges. Raises ValueError for silence."""
    heard = quieten(band_pass(resample(samples, rate, out), out), out)
    return level(trim(shorten_pauses(trim(heard, out), SENTENCE_PAUSE, out), out), out)


def shorten_pauses(samples: Samples, longest: float, rate: int = RATE) -> Samples:
    """Cut pauses to so many seconds. Slow speech stretches them past what a listener waits for."""
    half = int(longest * rate / 2)
    pieces: list[Samples] = []
    begin = 0
    for start, stop in pauses(samples, rate):
        if stop - start > 2 * half:
            pieces.append(_faded(samples[begin : start + half], rate))
            begin = stop - half
    pieces.append(_faded(samples[begin:], rate))
    return np.concatenate(pieces)


def trim(samples: Samples, rate: int = RATE) -> Samples:
    """Cut silence at the ends down to LEAD and TAIL, adding it where there is less."""
    frame = rate // 100
    frames = np.flatnonzero(speech_frames(samples, rate))
    if frames.size == 0:
        raise ValueError("no speech")
    begin = int(frames[0]) * frame - int(LEAD * rate)
    end = (int(frames[-1]) + 1) * frame + int(TAIL * rate)
    before, after = max(0, -begin), max(0, end - samples.size)
    return _faded(np.pad(samples, (before, after))[begin + before : end + before], rate)


def quieten(samples: Samples, rate: int = RATE) -> Samples:
    """Turn down the room between the words, so that it is not taken for speech. Speech keeps 60 ms around it."""
    frame = rate // 100
    padded = np.pad(samples, (0, -samples.size % frame))
    peaks = np.abs(padded).reshape(-1, frame).max(axis=1)
    # The quietest tenth is the room; twice as loud may still be the room.
    room = min(2 * float(np.percentile(peaks, 10)), float(peaks.max()) / 4)
    loud = np.convolve(peaks > max(room, float(peaks.max()) / 100), np.ones(13), "same") > 0
    gain = np.where(loud, 1.0, _GATE)
    smooth = np.interp(np.arange(padded.size), (np.arange(gain.size) + 0.5) * frame, gain)
    return np.asarray((padded * smooth)[: samples.size])


def _faded(samples: Samples, rate: int) -> Samples:
    ramp = np.linspace(0.0, 1.0, int(_FADE * rate))
    faded = samples.copy()
    faded[: ramp.size] *= ramp
    faded[-ramp.size :] *= ramp[::-1]
    return faded


def resample(samples: Samples, rate: int, out: int = RATE) -> Samples:
    """To another rate."""
    return np.asarray(soxr.resample(samples, rate, out, quality="VHQ"), dtype=np.float64)


def band_pass(samples: Samples, rate: int = RATE) -> Samples:
    """Telephone band, by a linear-phase filter of a Kaiser window."""
    taps = _TAPS * rate // RATE | 1
    place = np.arange(taps) - taps // 2
    low, high = (2 * edge / rate for edge in _BANDS[rate])
    response = (high * np.sinc(high * place) - low * np.sinc(low * place)) * np.kaiser(taps, 6.0)
    # Padded, so that a sound shorter than the filter keeps its length.
    return np.convolve(samples, response)[taps // 2 :][: samples.size]


def level(samples: Samples, rate: int = RATE) -> Samples:
    """To TARGET, peaks limited. Limiting lowers the level a little, so it takes a few rounds."""
    for _ in range(4):
        samples = limit(samples * _gain(samples, rate), rate)
    return samples


def _gain(samples: Samples, rate: int) -> float:
    heard = loudness(samples, rate)
    # Midway between the measure of broadcasting and that of telephony, but never far from the first: on whole sentences
    # they differ by up to 1.1 dB, on single words by twice as much.
    apart = min(max((active_speech_level(samples, rate) - heard) / 2, -_MOST_APART), _MOST_APART)
    return float(10 ** ((TARGET - heard - apart) / 20))


def limit(samples: Samples, rate: int = RATE) -> Samples:
    """Hold peaks below the ceiling, turning down a little before each of them."""
    ceiling = 10 ** (_CEILING / 20)
    wanted = np.minimum(1.0, ceiling / np.maximum(np.abs(samples), 1e-9))
    reach = int(_LOOK_AHEAD * rate)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(wanted, 2 * reach, constant_values=1.0), 2 * reach + 1)
    smooth = np.convolve(windows.min(axis=1), np.ones(2 * reach + 1) / (2 * reach + 1), "valid")
    return np.asarray(samples * smooth)


def write_wav(path: Path, samples: Samples, rate: int = RATE) -> None:
    """PCM, mono, 16 bit: the only WAV that Asterisk plays. At 16 kHz it wants the name `.wav16`."""
    if decibel(float(np.abs(samples).max(initial=0.0))) > 0:
        raise ValueError("clipped")
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
