"""Makes every sound file that is missing or out of date: `python -m ivr.voice.build`. See prompts/README.md."""

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from ivr.document import read_document, validate
from ivr.errors import BadInput, KenkoError, Problem, problem
from ivr.messages import text
from ivr.voice.chain import telephone, write_wav
from ivr.voice.lint import RATE, Samples, faults, measure
from ivr.voice.script import QUIET, QUIET_SECONDS, Line, ScriptFile, lines, morae, sound_key
from ivr.voice.speech import DEBIAN_VOICE, Engine, load_engine

LANGUAGE = "ja"
RECORDING = "recording"  #: the `voice` of what a person has spoken


@dataclass(frozen=True)
class Made:
    """One entry of the manifest."""

    key: str
    seconds: float
    voice: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, or 2 when a file, a reading or a sound is wrong."""
    options = _options(arguments)
    try:
        _build(options.prompts, load_engine(options.voice), options.recordings, options.all)
    except KenkoError as error:
        sys.stderr.write(error.render() + "\n")
        return 2
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ivr.voice.build", description=text("voice.about"))
    parser.add_argument("--prompts", type=Path, default=Path("prompts"), help=text("voice.option_prompts"))
    parser.add_argument("--voice", type=Path, default=DEBIAN_VOICE, help=text("voice.option_voice"))
    parser.add_argument("--recordings", type=Path, help=text("voice.option_recordings"))
    parser.add_argument("--all", action="store_true", help=text("voice.option_all"))
    return parser.parse_args(arguments)


def _build(folder: Path, engine: Engine, recordings: Path | None, everything: bool) -> None:
    document = read_document(folder / f"{LANGUAGE}.yaml")
    script = lines(validate(document, ScriptFile))
    # First of all: a package or dictionary that reads one word otherwise must not change a medical prompt unseen.
    misread = [
        document.problem("voice.misread", ("prompts", line.prompt), prompt=line.prompt, heard=heard, given=line.reading)
        for line in script
        if (heard := engine.reading(line.spoken)) != line.reading
    ]
    if misread:
        raise BadInput(*misread)
    manifest = folder / "manifest.json"
    before = {} if everything else _read_manifest(manifest)
    after: dict[str, Made] = {QUIET: _make_quiet(folder)}
    problems: list[Problem] = []
    for line in script:
        path = _path(folder, line.prompt)
        known = before.get(line.prompt)
        own = recordings / f"{line.prompt}.wav" if recordings else None
        if own and own.is_file():
            made = _make(path, line, _recorded(own), RECORDING, problems)
        elif known and path.is_file() and known.key == sound_key(line, known.voice):
            made = known
        else:
            made = _make(path, line, telephone(engine.say(line.spoken), engine.rate), engine.voice, problems)
        after[line.prompt] = made
    if problems:
        raise BadInput(*problems)
    _remove_stray(folder, after.keys())
    _write_manifest(manifest, after)
    seconds = sum(each.seconds for each in after.values())
    sys.stdout.write(text("voice.built", files=len(after), minutes=f"{seconds / 60:.1f}") + "\n")


def _path(folder: Path, prompt: str) -> Path:
    return folder / LANGUAGE / f"{prompt}.wav"


def _make(path: Path, line: Line, samples: Samples, voice: str, problems: list[Problem]) -> Made:
    """Write the sound, and note what a caller would suffer from."""
    problems += [
        problem("voice.bad_sound", str(path), reason=each) for each in faults(measure(samples), morae(line.reading))
    ]
    write_wav(path, samples)
    return Made(sound_key(line, voice), round(samples.size / RATE, 3), voice)


def _recorded(path: Path) -> Samples:
    """A person's recording, of any rate and format, through the same telephone chain."""
    try:
        samples, rate = soundfile.read(path, dtype="float64", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise BadInput(problem("voice.bad_recording", str(path), reason=str(error))) from None
    return telephone([samples.mean(axis=1)], int(rate))


def _make_quiet(folder: Path) -> Made:
    line = Line(QUIET, "", "", "")
    write_wav(_path(folder, QUIET), np.zeros(int(QUIET_SECONDS * RATE)))
    return Made(sound_key(line, ""), QUIET_SECONDS, "")


def _remove_stray(folder: Path, prompts: Iterable[str]) -> None:
    """Files of ids that are no longer in the script."""
    wanted = {_path(folder, each) for each in prompts}
    for path in (folder / LANGUAGE).rglob("*.wav"):
        if path not in wanted:
            path.unlink()


def _read_manifest(path: Path) -> Mapping[str, Made]:
    if not path.is_file():
        return {}
    return {prompt: Made(**each) for prompt, each in json.loads(path.read_text(encoding="utf-8")).items()}


def _write_manifest(path: Path, made: Mapping[str, Made]) -> None:
    """One line for each sound, so that a diff shows which ones were made again."""
    rows = (f"{json.dumps(prompt)}: {json.dumps(vars(each))}" for prompt, each in sorted(made.items()))
    path.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
