"""`scripts/bench prompts --rebuild`: all prompts from nothing on all cores, against the engine alone on one."""

import json
import os
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from ivr.errors import BadInput
from ivr.messages import text
from ivr.voice.build import Wanted, build, voice_of
from ivr.voice.engines import Engine, load_engine
from ivr.voice.review import Script, read_script

#: What the chain costs on top of the engine, on one core: 0.012 to 0.030 seconds a second of speech, both measured on
#: one machine with Debian 12 and Open JTalk.
CHAIN_TO_ENGINE = 0.012 / 0.030


@dataclass(frozen=True)
class Rebuild:
    """Seconds by the clock, in one run."""

    engine: float  #: the engine alone, on one core, saying every prompt
    spoken: float  #: of speech that the engine made, its silences among it
    build: float  #: everything from nothing: readings, engine, chain, checks, files
    finished: float  #: of finished prompts
    cores: int

    @property
    def ratio(self) -> float:
        """The build against the engine alone."""
        return self.build / self.engine

    @property
    def goal(self) -> float:
        """Engine and chain, spread over all cores."""
        return (1 + CHAIN_TO_ENGINE) / self.cores


def show_rebuild(prompts: Path, language: str) -> bool:
    """Measure, print, and say whether the goal is reached. Raises BadInput if the engine or the script is amiss."""
    script = read_script(prompts, language)
    engine = load_engine(voice_of(script.file, language), script.file.words)
    # The engine before and after: a machine that grows slower half-way favours nobody.
    first, spoken = say_all(script, engine)
    build_seconds, finished = build_all(prompts, language)
    second, _ = say_all(script, engine)
    found = Rebuild((first + second) / 2, spoken, build_seconds, finished, os.cpu_count() or 1)
    shown = {each: round(value, 1) for each, value in asdict(found).items()}
    out = Console()
    out.print(text("bench.prompts.rebuilt", ratio=f"{found.ratio:.2f}", goal=f"{found.goal:.2f}"))
    out.print(json.dumps(shown), markup=False)
    return found.ratio <= found.goal


def say_all(script: Script, engine: Engine) -> tuple[float, float]:
    """Let the engine say everything: seconds it took, and of speech."""
    began, samples = time.perf_counter(), 0
    for line in script.lines:
        samples += sum(each.size for each in engine.say(line.spoken))
    return time.perf_counter() - began, samples / engine.rate


def build_all(prompts: Path, language: str) -> tuple[float, float]:
    """Build a copy of the script from nothing: seconds it took, and of finished sound. Raises BadInput if one fails."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copy(prompts / f"{language}.yaml", folder)
        began = time.perf_counter()
        built = build(Wanted(folder, language, datetime.now(UTC).date().isoformat(), everything=True))
        seconds = time.perf_counter() - began
    if built.problems:
        raise BadInput(*built.problems)
    return seconds, built.seconds
