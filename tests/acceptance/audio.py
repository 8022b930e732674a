"""Finds prompts in what somebody heard: normalised cross-correlation. Sounds are 8 kHz samples."""

import wave
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]
Spectrum = NDArray[np.complex128]

RATE = 8000
#: Above it a prompt was played: the same prompt through mu-law and the network scores over 0.99, any other one
#: below 0.5 (test_audio.py).
PLAYED = 0.9
#: Seconds that a prompt may stretch on a busy machine.
LATE = 0.4
#: So many of its seconds make a prompt heard; the rest may have a gap in the middle.
HEARD = 0.8
#: Mean magnitude of 16 bit samples from which 20 ms count as loud.
_LOUD = 192.0
_PIECE = RATE // 50


@dataclass(frozen=True)
class Found:
    """Where a prompt fits best into a recording."""

    at: float  #: seconds
    score: float  #: 1: the same; 0: nothing in common
    prompt: str = ""  #: its id, where several were looked for
    until: float = 0.0  #: where it would end


def read(path: Path) -> Sound:
    """The samples of a WAV file."""
    with wave.open(str(path), "rb") as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (RATE, 1, 2):
            raise ValueError(f"{path}: not what a call plays")
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64)


def write(path: Path, sound: Sound) -> None:
    """A WAV file that Asterisk plays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(sound.astype("<i2").tobytes())


def likeness(prompt: Sound, recording: Sound, spectrum: Spectrum | None = None) -> Sound:
    """For every place of the recording how well the prompt fits there, from -1 to 1; of places that hold it whole."""
    places = len(recording) - len(prompt) + 1
    if places < 1:
        return np.zeros(0)
    size = _size(recording)
    of_recording = np.fft.rfft(recording, size) if spectrum is None else spectrum
    product = np.fft.irfft(of_recording * np.conj(np.fft.rfft(prompt, size)), size)[:places]
    energy = np.concatenate(([0.0], np.cumsum(recording**2)))
    there = np.sqrt(np.maximum(energy[len(prompt) :] - energy[:places], 1.0))
    return np.asarray(product / (there * max(1.0, float(np.linalg.norm(prompt)))))


def _size(recording: Sound) -> int:
    # No place that holds the whole prompt reaches the end, so nothing that wraps around is looked at.
    return 1 << len(recording).bit_length()


def find(prompt: Sound, recording: Sound) -> Found:
    """The best place of a prompt."""
    fits = likeness(prompt, recording)
    if not len(fits):
        return Found(0.0, 0.0)
    at = int(np.argmax(fits))
    return Found(at / RATE, float(fits[at]))


def find_all(prompt: Sound, recording: Sound, spectrum: Spectrum | None = None) -> list[Found]:
    """Every place at which the whole prompt was played, in order.

    Judged second by second: a busy machine sends a moment late, and then the parts stand further apart.
    """
    seconds = [(at, prompt[at : at + RATE]) for at in range(0, max(1, len(prompt) - RATE // 2), RATE)]
    loud = [(at, each) for at, each in seconds if np.abs(each).mean() > _LOUD]
    if not loud:
        return []
    # One second tells where to look, the others are looked for there only.
    guide, sound = max(loud, key=lambda each: float(np.abs(each[1]).sum()))
    found = []
    for place, _ in _peaks(sound, recording, spectrum):
        parts = [_near(recording, place + at - guide, each) for at, each in loud]
        good = [(each, at) for each, (at, _) in zip(parts, loud, strict=True) if each.score > PLAYED]
        if len(good) >= HEARD * len(loud):
            begin = good[0][0].at - good[0][1] / RATE
            end = good[-1][0].at + (len(prompt) - good[-1][1]) / RATE
            found.append(Found(begin, sum(each.score for each in parts) / len(parts), until=end))
    return sorted(found, key=lambda each: each.at)


def _peaks(sound: Sound, recording: Sound, spectrum: Spectrum | None) -> list[tuple[int, float]]:
    fits = likeness(sound, recording, spectrum).copy()
    found = []
    while len(fits) and fits[at := int(np.argmax(fits))] > PLAYED:
        found.append((at, float(fits[at])))
        fits[max(0, at - RATE // 2) : at + RATE // 2] = 0.0
    return found


def _near(recording: Sound, place: int, sound: Sound) -> Found:
    first = max(0, place - int(LATE * RATE))
    best = find(sound, recording[first : place + len(sound) + int(LATE * RATE)])
    return replace(best, at=first / RATE + best.at)


@cache
def prompts_in(folder: Path, heard: Path, values: str = "", only: frozenset[str] | None = None) -> list[Found]:
    """The prompts of a folder that a recording holds, in order; of the read-back values those that match a pattern.

    `only`: those that the call can say. Others may sound the same, whole or in part, where the voice is synthetic.
    """
    paths = [
        *folder.glob("daily/*.wav"),
        *folder.glob("frame/*.wav"),
        *(folder.glob(f"value/{values}.wav") if values else ()),
    ]
    names = {str(each.relative_to(folder).with_suffix("")) for each in paths} - {"frame/quiet"}
    if only is not None:
        names = {each for each in names if each in only or each.startswith("value/")}
    recording = read(heard)
    spectrum = np.fft.rfft(recording, _size(recording))
    found = (
        replace(place, prompt=name)
        for name in names
        for place in find_all(read(folder / f"{name}.wav"), recording, spectrum)
    )
    return sorted(found, key=lambda each: each.at)


def longest_loud(recording: Sound, known: list[tuple[float, float]]) -> float:
    """Seconds of the longest stretch of sound outside the `known` parts (from, until, in seconds)."""
    rest = recording.copy()
    for begin, end in known:
        rest[max(0, int((begin - 0.02) * RATE)) : int((end + 0.02) * RATE)] = 0.0
    pieces = np.abs(rest[: len(rest) // _PIECE * _PIECE]).reshape(-1, _PIECE).mean(axis=1) > _LOUD
    longest = run = quiet = 0
    for loud in pieces:
        quiet = 0 if loud else quiet + 1
        run = run + 1 if loud else (0 if quiet > 10 else run)
        longest = max(longest, run)
    return longest * _PIECE / RATE


def longest_silence(recording: Sound) -> float:
    """Seconds of the longest stretch without a sound."""
    pieces = np.abs(recording[: len(recording) // _PIECE * _PIECE]).reshape(-1, _PIECE).mean(axis=1) > _LOUD
    places = np.flatnonzero(np.concatenate(([True], pieces, [True])))
    return float(np.diff(places).max() - 1) * _PIECE / RATE


def stopped_after(prompt: Sound, recording: Sound, at: float, moment: float) -> float:
    """Seconds after `moment` at which the prompt that began `at` was last heard; negative: it was over before.

    A pause of the prompt tells nothing: one that stopped in a pause counts from the sound before it.
    """
    begin = round(at * RATE)
    length = min(len(prompt), len(recording) - begin) // _PIECE * _PIECE
    wanted, heard = prompt[:length], recording[begin : begin + length]
    # Single pieces of two voices are alike by chance: the last three in a row that are, and what follows them.
    last = np.flatnonzero(_alike(wanted, heard, 3))
    if not len(last):
        return -moment
    single, end = _alike(wanted, heard, 1), int(last[-1]) + 3
    while end < len(single) and single[end]:
        end += 1
    return at + end * _PIECE / RATE - moment


def _alike(wanted: Sound, heard: Sound, pieces: int) -> NDArray[np.bool_]:
    """From which pieces on so many in a row are loud in the one and the same in the other."""
    length = _PIECE * pieces
    if len(wanted) < length:
        return np.zeros(0, dtype=np.bool_)
    one = np.lib.stride_tricks.sliding_window_view(wanted, length)[::_PIECE]
    other = np.lib.stride_tricks.sliding_window_view(heard, length)[::_PIECE]
    norms = np.linalg.norm(one, axis=1) * np.maximum(np.linalg.norm(other, axis=1), 1.0)
    same = (one * other).sum(axis=1) > PLAYED * np.maximum(norms, 1.0)
    return np.asarray(same & (np.abs(one).mean(axis=1) > _LOUD))


def loud_seconds(prompt: Sound, begin: float, end: float) -> float:
    """How much of this part of a prompt is sound and not a pause."""
    part = prompt[max(0, int(begin * RATE)) : max(0, int(end * RATE))]
    pieces = part[: len(part) // _PIECE * _PIECE].reshape(-1, _PIECE)
    return float((np.abs(pieces).mean(axis=1) > _LOUD).sum()) * _PIECE / RATE


def call(*parts: Sound) -> Sound:
    """Sounds one after another."""
    return np.concatenate(parts)


def clip(sound: Sound, seconds: float) -> Sound:
    """The first words of a prompt: from where it begins to speak, with a soft end."""
    loud = np.flatnonzero(np.abs(sound) > 500)
    begin = max(0, int(loud[0]) - RATE // 50) if len(loud) else 0
    piece = sound[begin : begin + int(seconds * RATE)].copy()
    fade = min(len(piece), RATE // 50)
    piece[len(piece) - fade :] *= np.linspace(1.0, 0.0, fade)
    return np.concatenate((piece, np.zeros(RATE // 10)))
