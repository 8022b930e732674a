"""The state of every prompt of a language: made from which words, by whom, and fit for a call or not.

What the manifest vouches for is not measured again, so that this takes milliseconds and loads no numpy.
"""

import wave
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ivr.document import Document, read_document, validate
from ivr.errors import BadInput, Problem, problem
from ivr.messages import text
from ivr.voice.limits import Fault, Measures, faults
from ivr.voice.manifest import (
    NARROW,
    RECORDING,
    Format,
    Made,
    digest,
    formats_in,
    read_manifest,
    sound_path,
)
from ivr.voice.readings import morae
from ivr.voice.recordings import Recording, read_recordings
from ivr.voice.script import SILENCES, Line, ScriptFile, lines, sound_key


@dataclass(frozen=True)
class Reviewed:
    """One prompt."""

    line: Line
    made: Made | None  #: None: the manifest does not know it
    #: A recording of other words than the present ones: not used, and waiting to be spoken again.
    outdated: Recording | None
    problems: tuple[Problem, ...]

    @property
    def seconds(self) -> float | None:
        """Its length, if it is known."""
        if self.made is None:
            return None
        return self.made.measures.seconds if self.made.measures else SILENCES[self.line.prompt]


@dataclass(frozen=True)
class Script:
    """One language's script as it was read."""

    document: Document
    file: ScriptFile
    lines: tuple[Line, ...]


def read_script(folder: Path, language: str) -> Script:
    """`<folder>/<language>.yaml`. Raises BadInput with every problem of it."""
    document = read_document(folder / f"{language}.yaml")
    file = validate(document, ScriptFile)
    found = lines(file)
    twice = [each.prompt for each in found]
    doubled = sorted({each for each in twice if twice.count(each) > 1}) if len(set(twice)) < len(twice) else []
    if doubled:
        raise BadInput(*(document.problem("voice.twice", ("prompts", each), prompt=each) for each in doubled))
    return Script(document, file, found)


def check_prompts(folder: Path, language: str, ids: Collection[str] | None = None) -> list[Problem]:
    """Everything that is wrong with the sounds of a language: missing, stale, or not what a call needs.

    Only those prompts that `ids` names, if it is given (those a questionnaire says). Raises BadInput if the script or
    the manifest cannot be read.
    """
    return [each for prompt in review(folder, language, ids) for each in prompt.problems]


def review(folder: Path, language: str, ids: Collection[str] | None = None) -> list[Reviewed]:
    """Each prompt of the script, in its order; of those in `ids` only, if it is given."""
    script = read_script(folder, language)
    wanted = [*script.lines, *(Line(each, "", "", "") for each in SILENCES)]
    if ids is not None:
        wanted = [each for each in wanted if each.prompt in ids]
    texts = {f"{language}/{each.prompt}": each.text for each in wanted}
    recordings = read_recordings(folder, texts, "")
    manifests = {kind: read_manifest(folder, kind) for kind in formats_in(folder)}
    return [_reviewed(folder, language, script, line, manifests, recordings) for line in wanted]


def _reviewed(
    folder: Path,
    language: str,
    script: Script,
    line: Line,
    manifests: Mapping[Format, Mapping[str, Made]],
    recordings: Mapping[str, Recording],
) -> Reviewed:
    name = f"{language}/{line.prompt}"
    made = manifests[NARROW].get(name)
    recording = recordings.get(name)
    problems: list[Problem] = []
    for kind, manifest in manifests.items():
        problems += _problems(sound_path(folder, name, kind), script, line, manifest.get(name), kind)
    outdated = recording if recording and recording.text != line.text else None
    if outdated:
        problems.append(
            script.document.problem("voice.outdated", ("prompts", line.prompt), prompt=name, text=outdated.text)
        )
    elif recording and (made is None or made.voice != RECORDING or made.key != recording_key(line, recording)):
        problems.append(script.document.problem("voice.not_built", ("prompts", line.prompt), prompt=name))
    return Reviewed(line, made, outdated, tuple(problems))


def _problems(path: Path, script: Script, line: Line, made: Made | None, kind: Format) -> Iterator[Problem]:
    place = ("prompts", line.prompt)
    if not path.is_file():
        yield script.document.problem("voice.missing", place, prompt=line.prompt, sound=path)
        return
    try:
        _require_format(path, kind)
    except (ValueError, wave.Error, EOFError, OSError) as error:
        yield problem("voice.bad_format", str(path), rate=kind.rate, reason=str(error))
        return
    if made is None or made.sha256 != digest(path):
        yield problem("voice.foreign", str(path), prompt=line.prompt)
        yield from sound_problems(path, measured(path, kind), line)
        return
    if made.text != line.text or (made.voice != RECORDING and made.key != expected_key(script.file, line, made.voice)):
        yield script.document.problem("voice.stale", place, prompt=line.prompt, text=made.text)
    if made.measures is not None:
        yield from sound_problems(path, made.measures, line)


def expected_key(file: ScriptFile, line: Line, voice: str) -> str:
    """The manifest's key of a synthetic sound that is up to date."""
    return sound_key(line, voice, file.words)


def recording_key(line: Line, recording: Recording) -> str:
    """The manifest's key of a sound made from a recording: another recording or another pipeline makes it again."""
    return sound_key(line, recording.sha256, {})


def sound_problems(path: Path, found: Measures, line: Line) -> Iterator[Problem]:
    """What a caller would suffer from, each as a problem of the file."""
    if line.prompt not in SILENCES:
        yield from (fault_problem(path, each) for each in faults(found, morae(line.reading)))


def fault_problem(path: Path, fault: Fault) -> Problem:
    """A fault as a sentence about a file."""
    return problem(f"sound.{fault.name}", str(path), figure=fault.figure)


def measured(path: Path, kind: Format) -> Measures:
    """Figures of a sound that nobody vouches for. It takes numpy, which is loaded only now."""
    from ivr.voice.lint import measure, read_wav

    return measure(read_wav(path, kind.rate), kind.rate)


def _require_format(path: Path, kind: Format) -> None:
    with wave.open(str(path), "rb") as sound:
        shape = (sound.getframerate(), sound.getnchannels(), sound.getsampwidth() * 8)
        if shape != (kind.rate, 1, 16):
            raise ValueError("{} Hz, {} ch, {} bit".format(*shape))
        if sound.getnframes() == 0:
            raise ValueError("0 s")


def voice_in_words(made: Made | None) -> str:
    """For tables: the voice, a person's as the catalogue says it."""
    if made is None:
        return "–"
    return text("voice.a_person") if made.voice == RECORDING else made.voice or "–"
