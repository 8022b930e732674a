"""The demonstration: one slot of calls to twelve fictional people and three calls from them, watched live."""

import asyncio
import contextlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ivr.cli.day import STATUS_COLUMNS, status_row, summary_line
from ivr.errors import StorageError
from ivr.export import ReportRow
from ivr.messages import language_in_force, text
from ivr.storage.database import open_reader
from ivr.storage.outbox import backlog
from ivr.storage.reports import export_rows
from ivr.storage.status import DayState, PersonStatus, status_of_day
from ivr.sync.documents import Kind
from sandbox.centre import documents_in
from sandbox.centre_process import running_centre, sync_settings
from sandbox.install import install
from sandbox.network import Network, running_network
from sandbox.ports import reserved_base_port
from sandbox.script import Person, load_people
from sandbox.service import PRACTICE_DAY, Installation, command, running_service, write_files
from sandbox.settings import CENTRE_PORT, NetworkSettings

SCENARIO = Path(__file__).with_name("scenarios") / "demo.yaml"
#: The slowest person takes about five minutes; past this something is wrong.
LONGEST_SECONDS = 470.0
#: A slot in minutes instead of hours: what a morning brings, in the time that somebody watches.
SETTINGS = {
    "lines": {"total": 14, "reserved_for_inbound": 2, "calls_per_second": 1.0},
    "gate": {"times": 3},
    "dialling": {
        "attempts": 2,
        "rest_seconds": 0,
        "retry_seconds": {"busy": [20], "no_answer": [20], "no_key": [10], "cut_off": [60], "congestion": [10, 20]},
    },
}
#: From the last word of the last call until its report is at the centre, at the longest.
_SENT_SECONDS = 15.0
_SETTLED = (DayState.REPORTED, DayState.FOLLOW_UP)


@dataclass(frozen=True)
class Seen:
    """What the rows say at one moment."""

    people: Sequence[PersonStatus]
    reports: Sequence[ReportRow]


async def run_demo(*, once: bool, json_file: Path | None, folder: Path, base_port: int | None) -> int:
    """Run the demonstration. Exit code 0 if every person ended as expected, else 1; 2 if it could not start."""
    with contextlib.nullcontext(base_port) if base_port else reserved_base_port() as base:
        shutil.rmtree(folder, ignore_errors=True)
        return await _play(NetworkSettings(folder / "network", install(), base), folder, once, json_file)


async def _play(settings: NetworkSettings, folder: Path, once: bool, json_file: Path | None) -> int:
    people = load_people(SCENARIO)
    console = Console(markup=False, emoji=False)
    centre, port = await asyncio.to_thread(folder.resolve) / "centre", settings.base_port + CENTRE_PORT
    async with running_network(settings, people) as network, running_centre(centre, port):
        changes = SETTINGS | {"sync": sync_settings(centre, port)}
        service = write_files(network, people, folder / "service", changes)
        code, _, complaint = await command(service, "people", "import", str(service.folder / "people.csv"), "--yes")
        if code:
            console.print(complaint)
            return 2
        began = time.monotonic()
        async with running_service(service) as process:
            with Live(console=console, refresh_per_second=2) as live:
                finished = await _watch(network, service, process, lambda seen: live.update(_screen(network, seen)))
            await _all_sent(service)
            seen = _look(service)
            there = await asyncio.to_thread(arrived, centre)
            result = _result(service, network, seen, there, time.monotonic() - began)
            wrong = ([] if finished else [text("demo.not_finished", log=service.log)]) + surprises(network, seen)
            wrong += missing(seen, there)
            _tell(console, service, network, there, wrong)
            if json_file is not None:
                await asyncio.to_thread(json_file.write_text, json.dumps(result, indent=2) + "\n", "utf-8")
            if not once:
                console.print(text("demo.until_stopped"))
                await process.wait()
    return 1 if wrong else 0


async def _watch(
    network: Network, service: Installation, process: asyncio.subprocess.Process, show: Callable[[Seen], None]
) -> bool:
    """Follow the rows until everybody is settled and all calls in are over. False if that does not happen."""
    callers = network.carrier.callers()
    calling: set[asyncio.Task[object]] = set()
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline and process.returncode is None:
        seen = await asyncio.to_thread(_look, service)
        show(seen)
        for person in [each for each in callers if _may_call(each, seen)]:
            callers.remove(person)
            calling.add(asyncio.create_task(network.carrier.call_in_as(person)))
        settled = bool(seen.people) and all(each.state in _SETTLED for each in seen.people)
        if settled and not callers and all(each.done() for each in calling):
            return True
        await asyncio.sleep(0.5)
    return False


async def _all_sent(service: Installation) -> None:
    """Wait until nothing is on its way to the centre, but not for ever: what is missing there is told."""
    deadline = time.monotonic() + _SENT_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(StorageError), open_reader(service.database) as reader:
            if not reader.read(backlog).unsent:
                return
        await asyncio.sleep(0.2)


@dataclass(frozen=True)
class Arrived:
    """What the centre holds."""

    documents: int
    reports: Mapping[str, tuple[str | None, Mapping[str, str]]]  #: id -> person and answers of the latest revision


def arrived(centre: Path) -> Arrived:
    """Read from the centre's own database."""
    documents = [json.loads(body) for _, body in documents_in(centre)]
    reports = sorted((each for each in documents if each["kind"] == Kind.REPORT), key=lambda each: each["revision"])
    latest = {each["report_id"]: each for each in reports}
    return Arrived(len(documents), {id: (each["person_id"], _answers(each)) for id, each in latest.items()})


def _answers(report: Mapping[str, Any]) -> dict[str, str]:
    return {each["question"]: each["value"] for each in report["answers"]}


def missing(seen: Seen, there: Arrived) -> list[str]:
    """Reports that are here and not at the centre, or not as they are here, or the other way round."""
    if {each.report_id: (each.person_id, dict(each.answers)) for each in seen.reports} == there.reports:
        return []
    return [text("demo.not_there", here=len(seen.reports), there=len(there.reports))]


def _may_call(person: Person, seen: Seen) -> bool:
    """People call in after our first call to them is over."""
    return any(
        each.person_id == person.id and each.last_outcome is not None and each.state is not DayState.IN_CALL
        for each in seen.people
    )


def _look(service: Installation) -> Seen:
    try:
        with open_reader(service.database) as reader:
            return Seen(reader.read(status_of_day, PRACTICE_DAY), reader.read(export_rows, PRACTICE_DAY, PRACTICE_DAY))
    except StorageError:
        return Seen((), ())  # busy for a moment


def surprises(network: Network, seen: Seen) -> list[str]:
    """What is not as the scenario says; the carrier's own list of INVITEs is asked, not our log."""
    found = []
    states = {each.person_id: each for each in seen.people}
    answers = {each.person_id: dict(each.answers) for each in seen.reports if each.completeness == "complete"}
    for person in network.carrier.people:
        status = states.get(person.id)
        state = status.state.value if status else "-"
        if state != person.expect:
            found.append(text("demo.other_state", id=person.id, expected=person.expect, state=state))
        if answers.get(person.id, {}) != person.answers:
            found.append(text("demo.other_answers", id=person.id))
        invites = sum(each.called == person.number for each in network.carrier.invites())
        if status and invites != status.attempts:
            found.append(text("demo.other_invites", id=person.id, attempts=status.attempts, invites=invites))
    return found


def _screen(network: Network, seen: Seen) -> Group:
    notes = {each.id: each.note.split(" / ") for each in network.carrier.people}
    table = Table(title=text("demo.title"), title_justify="left")
    shown = [STATUS_COLUMNS.index(f"column.{each}") for each in ("state", "attempts", "outcome", "follow_up")]
    for column in ("demo.column.behaviour", *(STATUS_COLUMNS[each] for each in shown)):
        table.add_column(text(column))
    for person in sorted(seen.people, key=lambda each: each.person_id):
        note = notes.get(person.person_id, [""])[0 if language_in_force() == "ja" else -1]
        row = status_row(person)
        table.add_row(note, *(row[each] for each in shown))
    calls_in = [each for each in network.carrier.calls if each.inbound]
    lines = [text("demo.call_in", number=each.number, keys=each.pressed) for each in calls_in]
    return Group(table, Text(summary_line(tuple(seen.people))), *map(Text, lines))


def _tell(console: Console, service: Installation, network: Network, there: Arrived, wrong: Sequence[str]) -> None:
    console.print()
    console.print(text("demo.centre", documents=there.documents, reports=len(there.reports)), markup=False)
    for each in wrong:
        console.print(each, markup=False, style="red")
    console.print(text("demo.fine") if not wrong else text("demo.wrong", count=len(wrong)), markup=False)
    values = {"config": service.config, "recordings": network.carrier.recordings, "log": service.log}
    console.print(text("demo.further", None, **values), markup=False)


def _result(service: Installation, network: Network, seen: Seen, there: Arrived, seconds: float) -> dict[str, object]:
    return {
        "people": len(seen.people),
        "reported": sum(each.state is DayState.REPORTED for each in seen.people),
        "partial": sum(each.partial for each in seen.people),
        "follow_up": sum(each.state is DayState.FOLLOW_UP for each in seen.people),
        "attempts": sum(each.attempts for each in seen.people),
        "inbound_calls": sum(each.inbound for each in network.carrier.calls),
        "reports": len(seen.reports),
        "reports_at_centre": len(there.reports),
        "documents_at_centre": there.documents,
        "database": str(service.database.resolve()),
        "recordings": str(network.carrier.recordings.resolve()),
        "seconds": round(seconds, 1),
    }
