"""Makes every sound that is missing or out of date, and nothing else: what to make, then making it on all cores."""

import multiprocessing
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from ivr.document import did_you_mean
from ivr.errors import BadInput, Problem, problem
from ivr.voice.engines import DEFAULT_VOICES, load_engine
from ivr.voice.make import Order, Outcome, keep_recording, maker, read_recording
from ivr.voice.manifest import (
    NARROW,
    RECORDING,
    WIDE,
    Format,
    Made,
    digest,
    formats_in,
    read_manifest,
    sound_path,
    write_manifest,
)
from ivr.voice.recordings import (
    FOLDER,
    Recording,
    read_recordings,
    recording_path,
    removed_recordings,
    write_recordings,
)
from ivr.voice.review import Script, expected_key, read_script, recording_key
from ivr.voice.script import SILENCES, Line, ScriptFile

#: Fewer voices than this are made here: two more processes take longer to load the voice than to speak.
_WORTH_MORE_PROCESSES = 12

#: Told the number of sounds to make, then called once for each that is done.
Progress = Callable[[int], Callable[[], None]]


@dataclass
class Built:
    """What a build did."""

    made: list[str] = field(default_factory=list)  #: `<language>/<prompt id>`
    kept: int = 0
    removed: list[str] = field(default_factory=list)  #: of prompts that are no longer in the script
    problems: list[Problem] = field(default_factory=list)  #: sounds that could not be made; they are as before
    outdated: list[str] = field(default_factory=list)  #: recordings of other words: to be spoken again
    seconds: float = 0.0  #: of all sounds of the language together


@dataclass(frozen=True)
class Wanted:
    """What is to be built."""

    folder: Path  #: prompts/
    language: str
    day: str  #: today, ISO 8601
    everything: bool = False  #: what is up to date too
    wide: bool = False  #: 16 kHz as well, now and from now on
    only: Collection[str] | None = None  #: these prompt ids


def build(wanted: Wanted, progress: Progress = lambda _: lambda: None) -> Built:
    """Bring the sounds of one language up to date.

    Raises BadInput before anything is made: a script that is wrong, a voice that is not there, or a text that the
    engine would not read as its `reading` says: a new dictionary must not change a medical prompt unseen.
    """
    script = read_script(wanted.folder, wanted.language)
    names = {f"{wanted.language}/{line.prompt}": line for line in (*script.lines, *_silences())}
    texts = {name: line.text for name, line in names.items()}
    removed = removed_recordings(wanted.folder, texts)
    recordings = read_recordings(wanted.folder, texts, wanted.day)
    built = Built(outdated=[name for name, each in recordings.items() if each.text != texts[name]])
    usable = {name: each for name, each in recordings.items() if name not in built.outdated}
    kinds = (NARROW, WIDE) if wanted.wide else formats_in(wanted.folder)
    manifests = {kind: read_manifest(wanted.folder, kind) for kind in kinds}
    voice = voice_of(script.file, wanted.language)
    orders = [
        Order(line, sound_path(wanted.folder, name, kind), kind, _source(wanted.folder, name, usable))
        for kind, manifest in manifests.items()
        for name, line in names.items()
        if wanted.only is None or line.prompt in wanted.only
        if wanted.everything
        or name in removed
        or not _up_to_date(wanted.folder, name, line, kind, manifest.get(name), voice, script.file, usable)
    ]
    _require_readings(script, voice, orders)
    for outcome in _made(orders, voice, script.file, progress(len(orders))):
        _note(built, outcome, manifests, voice, usable, wanted, script.file)
    built.kept = len(names) - len({each.line.prompt for each in orders})
    for kind, manifest in manifests.items():
        built.removed += _remove_stray(wanted, kind, manifest, names)
        write_manifest(wanted.folder, kind, manifest)
    write_recordings(wanted.folder, recordings)
    built.seconds = sum(
        each.measures.seconds for name, each in manifests[NARROW].items() if name in names and each.measures
    )
    return built


def import_recording(wanted: Wanted, prompt: str, file: Path) -> Built:
    """Take a recording of any format and rate for a prompt, in place of what speaks now.

    Raises BadInput, and changes nothing, if there is no such prompt or the recording is not fit for a call.
    """
    script = read_script(wanted.folder, wanted.language)
    line = next((each for each in script.lines if each.prompt == prompt), None)
    if line is None:
        nearest = did_you_mean(prompt, [each.prompt for each in script.lines])
        raise BadInput(problem("voice.no_prompt", prompt=prompt, nearest=nearest))
    samples, rate = read_recording(file)
    name = f"{wanted.language}/{prompt}"
    trial = wanted.folder / FOLDER / ".trial.wav"
    outcome = maker("", {})(Order(line, trial, NARROW, file))
    trial.unlink(missing_ok=True)
    if outcome.problems:
        raise BadInput(*outcome.problems)
    keep_recording(recording_path(wanted.folder, name), samples, rate)
    # The same file again means: it is right for the present words too.
    write_recordings(
        wanted.folder, {name: Recording(digest(recording_path(wanted.folder, name)), line.text, wanted.day)}
    )
    return build(Wanted(wanted.folder, wanted.language, wanted.day, only={prompt}))


def voice_of(file: ScriptFile, language: str) -> str:
    """The voice the script asks for. Raises BadInput if it asks for none and the language has no usual one."""
    voice = file.voice or DEFAULT_VOICES.get(language)
    if voice is None:
        raise BadInput(problem("voice.none_for_language", language=language))
    return voice


def _silences() -> list[Line]:
    return [Line(each, "", "", "") for each in SILENCES]


def _source(folder: Path, name: str, usable: Mapping[str, Recording]) -> Path | None:
    return recording_path(folder, name) if name in usable else None


def _up_to_date(
    folder: Path,
    name: str,
    line: Line,
    kind: Format,
    made: Made | None,
    voice: str,
    file: ScriptFile,
    usable: Mapping[str, Recording],
) -> bool:
    path = sound_path(folder, name, kind)
    if made is None or not path.is_file() or digest(path) != made.sha256:
        return False
    if name in usable:
        return made.key == recording_key(line, usable[name])
    if made.voice == RECORDING:
        return made.text == line.text  # its recording is not kept here
    return made.key == expected_key(file, line, "" if line.prompt in SILENCES else voice)


def _require_readings(script: Script, voice: str, orders: Sequence[Order]) -> None:
    spoken = {each.line for each in orders if each.recording is None and each.line.prompt not in SILENCES}
    if not spoken:
        return
    engine = load_engine(voice, script.file.words)
    if engine.reading is None:
        return
    misread = [
        script.document.problem(
            "voice.misread", ("prompts", each.prompt), prompt=each.prompt, heard=heard, given=each.reading
        )
        for each in script.lines
        if each in spoken and (heard := engine.reading(each.spoken)) != each.reading
    ]
    if misread:
        raise BadInput(*misread)


def _made(orders: Sequence[Order], voice: str, file: ScriptFile, done: Callable[[], None]) -> Iterator[Outcome]:
    if sum(each.line.prompt not in SILENCES for each in orders) < _WORTH_MORE_PROCESSES:
        make = maker(voice, file.words)
        for order in orders:
            yield make(order)
            done()
        return
    # The longest first: at the end no core waits long for the other.
    longest_first = sorted(range(len(orders)), key=lambda at: -len(orders[at].line.spoken))
    outcomes: dict[int, Outcome] = {}
    # Started afresh, not forked: the engines hold threads.
    with ProcessPoolExecutor(
        os.cpu_count(), multiprocessing.get_context("spawn"), _start_worker, (voice, file)
    ) as workers:
        for at, outcome in zip(
            longest_first, workers.map(_work, [orders[at] for at in longest_first], chunksize=2), strict=True
        ):
            outcomes[at] = outcome
            done()
    yield from (outcomes[at] for at in range(len(orders)))


_worker: list[Callable[[Order], Outcome]] = []


def _start_worker(voice: str, file: ScriptFile) -> None:
    _worker[:] = [maker(voice, file.words)]


def _work(order: Order) -> Outcome:
    return _worker[0](order)


def _note(
    built: Built,
    outcome: Outcome,
    manifests: Mapping[Format, dict[str, Made]],
    voice: str,
    usable: Mapping[str, Recording],
    wanted: Wanted,
    file: ScriptFile,
) -> None:
    order = outcome.order
    name = f"{wanted.language}/{order.line.prompt}"
    if outcome.problems:
        built.problems += outcome.problems
        return
    if order.recording:
        made = Made(recording_key(order.line, usable[name]), RECORDING, order.line.text, usable[name].day,
                    outcome.sha256, outcome.measures)  # fmt: skip
    else:
        speaker = "" if order.line.prompt in SILENCES else voice
        key = expected_key(file, order.line, speaker)
        before = manifests[order.kind].get(name)
        # The same sound again is as old as it was.
        day = before.day if before and before.sha256 == outcome.sha256 else wanted.day
        made = Made(key, speaker, order.line.text, day, outcome.sha256, outcome.measures)
    manifests[order.kind][name] = made
    if order.kind == NARROW:
        built.made.append(name)


def _remove_stray(wanted: Wanted, kind: Format, manifest: dict[str, Made], names: Mapping[str, Line]) -> list[str]:
    """Files and entries of ids that are no longer in the script."""
    for name in [each for each in manifest if each.startswith(f"{wanted.language}/") and each not in names]:
        del manifest[name]
    keep = {sound_path(wanted.folder, name, kind) for name in names}
    stray = sorted({*(wanted.folder / wanted.language).rglob(f"*{kind.suffix}")} - keep)
    for each in stray:
        each.unlink()
    return [str(each.relative_to(wanted.folder)) for each in stray]
