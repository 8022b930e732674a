"""Our service on a practice network, set up and started as a site would: its files, its roster, its process."""

import asyncio
import contextlib
import csv
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from sandbox.network import Network
from sandbox.script import Person
from sandbox.settings import PROMPTS

ROOT = Path(__file__).resolve().parent.parent
QUESTIONNAIRE = ROOT / "questionnaires" / "daily.yaml"
#: An ordinary Wednesday, so that no test depends on the day or the hour at which it runs.
PRACTICE_DAY = date(2026, 11, 4)
PRACTICE_CLOCK = f"{PRACTICE_DAY} 09:00"
#: Of everybody on a practice roster; keyed as Showa 10, 5 April.
BIRTH_DATE = "1935-04-05"
BIRTH_DATE_KEYS = "3100405#"
#: Seconds that a stopping service may take; it lets calls end for 20.
_STOP_SECONDS = 30.0


@dataclass(frozen=True)
class Installation:
    """The files of one service."""

    folder: Path

    @property
    def config(self) -> Path:
        """Its config.yaml."""
        return self.folder / "config.yaml"

    @property
    def database(self) -> Path:
        """Its database."""
        return self.folder / "kenko-call.db"

    @property
    def log(self) -> Path:
        """What it wrote to stderr."""
        return self.folder / "service.log"


def write_files(network: Network, people: Iterable[Person], folder: Path, changes: Mapping[str, Any]) -> Installation:
    """config.yaml, the secret and the roster. `changes` go over the settings, part by part; None takes one out."""
    folder = folder.resolve()  # paths in config.yaml would count from there
    folder.mkdir(parents=True, exist_ok=True)
    made = Installation(folder)
    secret = folder / "ari.secret"
    secret.touch(mode=0o600)
    secret.write_text(network.pbx.secret + "\n", encoding="utf-8")
    settings: dict[str, Any] = {
        "centre": {"name": "さくら保健所"},
        "ids": {"check_digit": False},
        "numbers": "practice",
        "practice_clock": PRACTICE_CLOCK,
        "database": str(made.database),
        "questionnaire": str(QUESTIONNAIRE),
        "prompts": str(PROMPTS),
        "pbx": {
            "url": network.pbx.ari_url.removesuffix("/ari"),
            "user": network.pbx.user,
            "secret_file": str(secret),
            "trunk": network.pbx.trunk,
            "inbound_numbers": [network.pbx.inbound_number],
            "cdr_file": str(network.pbx.cdr),
            "value_links": str(folder / "sounds"),
        },
        "fastagi": {
            "port": network.pbx.site.agi_port,
            "only": network.pbx.site.agi_only,
            "recordings": str(network.pbx.site.state / "recording"),
        },
        "slots": {"morning": {"from": "9:00", "until": "11:30"}},
    }
    for part, values in changes.items():
        settings[part] = settings.get(part, {}) | values if isinstance(values, Mapping) else values
    settings = {part: values for part, values in settings.items() if values is not None}
    made.config.write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), encoding="utf-8")
    with (folder / "people.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("id", "name", "kana", "number1", "slot", "birth_date"))
        rows.writerows((each.id, each.name or "見本", "ミホン", each.number, "morning", BIRTH_DATE) for each in people)
    return made


def set_clock(installation: Installation, time_of_day: str) -> None:
    """From its next start on, its practice begins at this time."""
    settings = yaml.safe_load(installation.config.read_text(encoding="utf-8"))
    settings["practice_clock"] = f"{PRACTICE_DAY} {time_of_day}"
    installation.config.write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), encoding="utf-8")


async def command(installation: Installation, *arguments: str) -> tuple[int, str, str]:
    """Run `kenko-call ARGUMENTS --config …` to its end: exit code, stdout, stderr."""
    process = await asyncio.create_subprocess_exec(
        *_program(),
        *arguments,
        "--config",
        str(installation.config),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate()
    return process.returncode or 0, said.decode(), complained.decode()


@contextlib.asynccontextmanager
async def running_service(installation: Installation) -> AsyncIterator[asyncio.subprocess.Process]:
    """`kenko-call run`, until the end of the block."""
    with installation.log.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *_program(), "run", "--config", str(installation.config), stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        await stop(process)


async def stop(process: asyncio.subprocess.Process) -> None:
    """SIGTERM, and SIGKILL to one that does not listen."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _program() -> tuple[str, ...]:
    """The command beside this Python, as the scripts install it."""
    beside = Path(sys.executable).with_name("kenko-call")
    return (str(beside),) if os.access(beside, os.X_OK) else (sys.executable, "-m", "ivr.cli")
