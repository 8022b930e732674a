"""Our service on the benchmark's network: its files, its roster, its process, and what its database holds after."""

import asyncio
import contextlib
import csv
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.calls import Caller
from bench.network import Bench
from ivr.errors import KenkoError, problem
from ivr.questionnaire.model import Questionnaire
from ivr.storage.database import open_reader
from ivr.storage.reports import export_rows
from ivr.storage.words import Completeness
from sandbox.script import Person
from sandbox.service import PRACTICE_DAY, Installation, command, running_service, stop, write_files

#: Before the slot begins, so that the service rings nobody itself.
_CLOCK = "06:00"
_READY_SECONDS = 15.0
#: More than the silent calls and the highest rate bring at once.
_LINES = 500


class CannotMeasure(KenkoError):
    """The service did not come up."""


async def set_up(
    bench: Bench, questionnaire: Path, people: Sequence[Caller], folder: Path, **more: Mapping[str, Any]
) -> Installation:
    """Write the files, make the database, import the roster. `more`: parts of the settings."""
    roster = [Person(each.id, "", each.number, ()) for each in people]
    clock = f"{PRACTICE_DAY} {_CLOCK}"
    changes: dict[str, Any] = {
        "questionnaire": str(questionnaire),
        "prompts": str(bench.prompts),
        "practice_clock": clock,
        "lines": {"total": _LINES},  # whoever comes on top of them is turned away
        **more,
    }
    made = write_files(bench.kenko.network, roster, folder, changes)
    code, _, complaint = await command(made, "people", "import", str(folder / "people.csv"), "--yes")
    if code:
        raise CannotMeasure(problem("bench.no_service", log=complaint))
    return made


@contextlib.asynccontextmanager
async def running(installation: Installation) -> AsyncIterator[int]:
    """The service as it is, connected; its process id."""
    async with running_service(installation) as process:
        await _connected(installation, process)
        yield process.pid


@contextlib.asynccontextmanager
async def running_traced(installation: Installation, marks: Path) -> AsyncIterator[int]:
    """The service with a trace, connected; the trace stands in `marks` afterwards."""
    words = ("run", "--config", str(installation.config))
    with installation.log.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.traced", str(marks), *words, stdout=log, stderr=log
        )
    try:
        await _connected(installation, process)
        yield process.pid
    finally:
        await stop(process)


async def _connected(installation: Installation, process: asyncio.subprocess.Process) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while "action=pbx_ready" not in installation.log.read_text(encoding="utf-8"):
        if process.returncode is not None or time.monotonic() > deadline:
            raise CannotMeasure(problem("bench.no_service", log=installation.log))
        await asyncio.sleep(0.1)


def reported(installation: Installation, questionnaire: Questionnaire) -> dict[str, str]:
    """Person id -> the keys of the four stored answers, of everybody whose report is complete."""
    with open_reader(installation.database) as reader:
        rows = reader.read(export_rows, PRACTICE_DAY, PRACTICE_DAY)
    return {
        each.person_id: _keys(each.answers, questionnaire)
        for each in rows
        if each.person_id and each.completeness == Completeness.COMPLETE
    }


def _keys(answers: Mapping[str, str], questionnaire: Questionnaire) -> str:
    key_of = [{value: key for key, value in each.options.items()} for each in questionnaire.questions]
    return "".join(
        keys.get(answers.get(each.id, ""), "?") for each, keys in zip(questionnaire.questions, key_of, strict=True)
    )


def heard(call_records: Path) -> dict[str, str]:
    """Caller's number -> the keys with which the pure dialplan's calls came to their end, from the PBX's CDR."""
    with call_records.open(encoding="utf-8", newline="") as file:
        return {row[3]: row[4] for row in csv.reader(file) if row[2] == "bench-heard"}
