"""Makes one finished sound, from an engine or from a recording. Everything that needs audio libraries is here."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from ivr.errors import BadInput, Problem, problem
from ivr.voice.chain import recorded, telephone, write_wav
from ivr.voice.engines import Engine, load_engine
from ivr.voice.limits import Measures, recording_faults
from ivr.voice.lint import Samples, measure
from ivr.voice.manifest import Format, digest
from ivr.voice.review import fault_problem, measured, sound_problems
from ivr.voice.script import SILENCES, Line, Word

#: Not to be opened by mistake: a film, or a whole day of a meeting.
_LONGEST_RECORDING = 300.0
_LOWEST_RATE = 8000


@dataclass(frozen=True)
class Order:
    """One sound to be made."""

    line: Line
    path: Path  #: of the finished file
    kind: Format
    recording: Path | None  #: None: an engine speaks


@dataclass(frozen=True)
class Outcome:
    """What became of an order."""

    order: Order
    sha256: str
    measures: Measures | None
    problems: tuple[Problem, ...]  #: if there are any, the file is as it was before


def maker(voice: str, words: Mapping[str, Word]) -> Callable[[Order], Outcome]:
    """Makes sounds with this voice, which is loaded for the first order that needs it."""
    loaded: list[Engine] = []

    def make(order: Order) -> Outcome:
        if order.recording is None and order.line.prompt not in SILENCES and not loaded:
            loaded.append(load_engine(voice, words))
        return _make(order, loaded[0] if loaded else None)

    return make


def _make(order: Order, engine: Engine | None) -> Outcome:
    try:
        samples = _samples(order, engine)
    except BadInput as bad:
        return Outcome(order, "", None, tuple(bad.problems))
    unfinished = order.path.with_name(order.path.name + ".new")
    write_wav(unfinished, samples, order.kind.rate)
    # What is measured is the file, rounded to 16 bit, as Asterisk will play it.
    found = None if order.line.prompt in SILENCES else measured(unfinished, order.kind)
    if found and (wrong := tuple(sound_problems(order.recording or order.path, found, order.line))):
        unfinished.unlink()
        return Outcome(order, "", found, wrong)
    sha256 = digest(unfinished)
    os.replace(unfinished, order.path)
    return Outcome(order, sha256, found, ())


def _samples(order: Order, engine: Engine | None) -> Samples:
    if order.line.prompt in SILENCES:
        return np.zeros(int(SILENCES[order.line.prompt] * order.kind.rate))
    if order.recording:
        return recorded(*read_recording(order.recording), order.kind.rate)
    assert engine is not None
    try:
        return telephone(engine.say(order.line.spoken), engine.rate, order.kind.rate)
    except ValueError:
        raise BadInput(problem("sound.silence", str(order.path))) from None


def read_recording(path: Path) -> tuple[Samples, int]:
    """Samples, mixed to one channel, and their rate. Raises BadInput for a file that nothing can be made of, with
    every fault of it.
    """
    try:
        with soundfile.SoundFile(path) as sound:
            rate, seconds = int(sound.samplerate), sound.frames / sound.samplerate
            if rate < _LOWEST_RATE:
                raise BadInput(problem("sound.low_rate", str(path), figure=f"{rate} Hz"))
            if seconds > _LONGEST_RECORDING:
                raise BadInput(problem("sound.too_long", str(path), figure=f"{seconds:.0f} s"))
            samples = np.asarray(sound.read(dtype="float64", always_2d=True).mean(axis=1))
    except (soundfile.LibsndfileError, OSError) as error:
        raise BadInput(problem("voice.bad_recording", str(path), reason=str(error))) from None
    # A rate that does not divide into frames of 10 ms would shift them a little; no figure minds.
    wrong = recording_faults(measure(samples, rate))
    if wrong:
        raise BadInput(*(fault_problem(path, each) for each in wrong))
    return samples, rate


def keep_recording(path: Path, samples: Samples, rate: int) -> None:
    """Write a recording as it came, in one channel: a WAV of 16 bit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".new")
    soundfile.write(unfinished, samples, rate, format="WAV", subtype="PCM_16")
    os.replace(unfinished, path)
