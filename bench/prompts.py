"""`scripts/bench prompts`: is each voice understood through the telephone? A recogniser writes down what it hears.

It compares voices and wordings with each other; what people understand, people must tell (kenko-call prompts audition).
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.prompts_rebuild import show_rebuild
from bench.prompts_score import Errors, Understood, kana_errors, understood
from ivr.errors import KenkoError
from ivr.messages import text
from ivr.voice.build import Wanted, build, voice_of
from ivr.voice.engines import NITECH, load_engine
from ivr.voice.manifest import NARROW, sound_path
from ivr.voice.readings import with_kanji_numerals
from ivr.voice.review import Script, read_script

ROOT = Path(__file__).resolve().parent.parent
PROMPTS = ROOT / "prompts"
LANGUAGE = "ja"
CACHE = ROOT / ".cache"
#: Closed sets: prompt ids begin so; so many values must be taken for themselves.
SETS = {"value/temperature_": 80, "value/oxygen_": 31}
#: Parts of dates, times and numbers; too short for a recogniser of sentences, and no sentences.
_PARTS = ("date/", "time/", "digit/", "value/symptom_")


@dataclass(frozen=True)
class Voice:
    """What came of one voice."""

    voice: str
    prompts: Errors  #: whole sentences
    values: Mapping[str, Understood]  #: by the beginning of their prompt ids
    heard: Mapping[str, str]  #: prompt id -> what the recogniser wrote


def main(
    voices: Annotated[str, typer.Option("--voices", help=text("bench.prompts.voices"))] = "nitech,jf_alpha,jm_kumo",
    values_only: Annotated[bool, typer.Option("--values", help=text("bench.prompts.values_only"))] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help=text("bench.prompts.json"))] = None,
    threads: Annotated[int, typer.Option("--threads", help=text("bench.prompts.threads"))] = 2,
    rebuild: Annotated[bool, typer.Option("--rebuild", help=text("bench.prompts.rebuild"))] = False,
) -> None:
    """Exit code 0: the shipped voice reaches the goals; 1: it does not; 2: it could not be measured."""
    try:
        if rebuild:
            raise typer.Exit(0 if show_rebuild(PROMPTS, LANGUAGE) else 1)
        script = read_script(PROMPTS, LANGUAGE)
        shipped = voice_of(script.file, LANGUAGE)
        found = [
            measure_voice(each, script, shipped, tuple(SETS) if values_only else ("",), threads)
            for each in voices.split(",")
        ]
    except KenkoError as error:
        sys.stderr.write(error.render() + "\n")
        raise typer.Exit(2) from None
    show(found, shipped)
    if json_file:
        json_file.write_text(json.dumps(as_data(found), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    missed = [each for each in found if each.voice == shipped and not good(each)]
    raise typer.Exit(1 if missed else 0)


def measure_voice(voice: str, script: Script, shipped: str, begin: tuple[str, ...], threads: int) -> Voice:
    """Make its sounds (the shipped voice has them), let the recogniser hear them, and score.

    `begin`: only prompt ids that begin so.
    """
    readings = {
        line.prompt: line.reading
        for line in script.lines
        if line.prompt.startswith(begin) and not line.prompt.startswith(_PARTS)
    }
    folder = PROMPTS if voice == shipped else spoken_by(voice, readings)
    heard = recognise([sound_path(folder, f"{LANGUAGE}/{each}", NARROW) for each in readings], threads)
    written = {prompt: heard[sound_path(folder, f"{LANGUAGE}/{prompt}", NARROW)] for prompt in readings}
    in_kana = load_engine(NITECH, script.file.words).reading
    assert in_kana is not None
    return score(voice, readings, written, in_kana)


def score(voice: str, readings: Mapping[str, str], written: Mapping[str, str], in_kana: Callable[[str], str]) -> Voice:
    """Both as kana: the readings that were wanted, and what was written down."""
    heard = {prompt: in_kana(spelt(said)) for prompt, said in written.items()}
    sentences = {prompt: each for prompt, each in readings.items() if not prompt.startswith(tuple(SETS))}
    values = {
        each: understood({prompt: said for prompt, said in readings.items() if prompt.startswith(each)}, heard)
        for each in SETS
    }
    return Voice(voice, kana_errors(sentences, heard), values, written)


def spelt(said: str) -> str:
    """Numbers as the reading dictionary wants them: 36.5 -> 三十六点五."""
    return with_kanji_numerals(re.sub(r"(?<=\d)\.(?=\d)", "点", re.sub(r"\d{4,}", lambda it: " ".join(it[0]), said)))


def spoken_by(voice: str, ids: Collection[str]) -> Path:
    """These sounds in another voice, below `.cache/`; only what changed is made again."""
    folder = CACHE / "bench" / voice
    folder.mkdir(parents=True, exist_ok=True)
    source = (PROMPTS / f"{LANGUAGE}.yaml").read_text(encoding="utf-8")
    (folder / f"{LANGUAGE}.yaml").write_text(re.sub(r"(?m)^voice:.*", f"voice: {voice}", source), encoding="utf-8")
    today = datetime.now(UTC).date().isoformat()
    built = build(Wanted(folder, LANGUAGE, today, only=ids))
    # Another voice may pass a limit by a little, such as 20 s; what it did not make it is not understood in.
    for each in built.problems:
        sys.stderr.write(each.render() + "\n")
    return folder


def recognise(paths: list[Path], threads: int) -> dict[Path, str]:
    """What it heard in each file; nothing in those that are not there."""
    command = [
        str(CACHE / "recogniser/bin/python"), str(ROOT / "bench/prompts_recogniser.py"), LANGUAGE,
        str(CACHE / "whisper"), str(threads),
    ]  # fmt: skip
    there = "\n".join(str(each) for each in paths if each.is_file())
    ran = subprocess.run(command, input=there, text=True, stdout=subprocess.PIPE, check=True)
    rows = (json.loads(line) for line in ran.stdout.splitlines())
    return dict.fromkeys(paths, "") | {Path(row["path"]): row["heard"] for row in rows}


def good(found: Voice) -> bool:
    """Whether all values that must be understood were."""
    return all(found.values[each].nearest >= least for each, least in SETS.items())


def show(found: list[Voice], shipped: str) -> None:
    """A table, and the values that were taken for others."""
    table = Table(title=text("bench.prompts.title"), title_justify="left")
    for column in ("voice", "error_rate", "temperatures", "oxygen"):
        table.add_column(text(f"bench.prompts.{column}"))
    for each in found:
        name = each.voice + (" *" if each.voice == shipped else "")
        values = [f"{it.nearest}/{it.total} ({it.exact})" for it in each.values.values()]
        table.add_row(name, f"{100 * each.prompts.rate:.1f} %", *values)
    out = Console()
    out.print(table)
    out.print(text("bench.prompts.legend"))
    for each in found:
        for prompt in (missed for it in each.values.values() for missed in it.missed):
            out.print(f"{each.voice}: {prompt}: {each.heard[prompt]}", markup=False)


def as_data(found: list[Voice]) -> list[dict[str, object]]:
    """For other programs."""
    return [{**asdict(each), "kana_error_rate": round(each.prompts.rate, 4)} for each in found]


if __name__ == "__main__":
    typer.run(main)
