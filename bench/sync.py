"""`python -m bench.sync`, as `scripts/bench sync` calls it: what an outage left behind leaves, while calls go on.

One service in one run: calls while the centre is away, then while tens of thousands of reports leave for it, then while
nothing waits. What the machine does beside it meets all three.
"""

import asyncio
import hashlib
import os
import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from datetime import time as time_of_day
from itertools import islice
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from bench import backlog, service
from bench.calls import Caller, all_over, callers, place
from bench.ending import finish, tell
from bench.network import Bench, running_bench
from bench.process import machine
from bench.run import QUESTIONNAIRE, Tell
from bench.service import CannotMeasure
from bench.sync_figures import Phase, SyncFigures, as_json, in_words, phase, wrong
from bench.trace import Mark, read_marks
from ivr.errors import problem
from ivr.loading import load_questionnaire
from ivr.messages import text
from ivr.questionnaire.model import Questionnaire
from ivr.storage import outbox
from ivr.storage.database import open_database, open_reader
from ivr.sync.delivery import State
from sandbox.centre import documents_in
from sandbox.centre_process import running_centre, sync_settings
from sandbox.install import install
from sandbox.service import PRACTICE_DAY, Installation, command
from sandbox.settings import CENTRE_PORT, NetworkSettings

_WARM = 20
#: The goal, seconds; the run ends there.
LONGEST_DRAIN = 600.0
#: Between two looks at what still waits, seconds.
_LOOK_SECONDS = 1.0
#: Before that nothing of the seven days is left.
_BEGAN = datetime.combine(PRACTICE_DAY, time_of_day(), ZoneInfo("Asia/Tokyo"))


@dataclass(frozen=True)
class Plan:
    """What to run."""

    reports: int
    calls: int  #: before and after, each
    rate: float  #: calls a second, all the time


@dataclass
class _Run:
    bench: Bench
    plan: Plan
    folder: Path
    installation: Installation
    people: list[Caller]
    tell: Tell
    placed: list[Caller] = field(default_factory=list)

    async def call(self, count: int) -> None:
        """Place so many calls of people who have not called yet."""
        people = list(islice(self.people, len(self.placed), len(self.placed) + count))
        self.placed += people
        await place(self.bench.carrier, self.bench.kenko.endpoint, people, self.plan.rate)

    async def quiet(self) -> None:
        """Wait for the end of all calls."""
        if not await all_over(self.bench.carrier):
            raise CannotMeasure(problem("bench.not_over", folder=self.folder))

    async def drain(self) -> float:
        """Calls until nothing of before today waits; seconds that it took."""
        began = time.monotonic()
        ended = asyncio.Event()
        calling = asyncio.create_task(self._call_on(ended))
        try:
            while time.monotonic() - began < LONGEST_DRAIN:
                if not await asyncio.to_thread(_waits, self.installation):
                    return time.monotonic() - began
                await asyncio.sleep(_LOOK_SECONDS)
            return float("inf")
        finally:
            ended.set()
            await calling

    async def _call_on(self, ended: asyncio.Event) -> None:
        # To the end of a group: whoever was taken for it has called, and counts.
        a_second = max(1, round(self.plan.rate))
        while not ended.is_set():
            await self.call(a_second)
            # `place` comes back with the last call of a group: the next group begins when that one's time is over.
            await asyncio.sleep(1 / self.plan.rate)


def _waits(installation: Installation) -> bool:
    with open_reader(installation.database) as reader:
        oldest = reader.read(outbox.oldest_unsent)
    return oldest is not None and oldest < _BEGAN


async def measure(plan: Plan, folder: Path, base_port: int, tell: Tell) -> SyncFigures:
    """Run everything in an absolute `folder`, which is emptied first. Raises KenkoError if it cannot."""
    shutil.rmtree(folder, ignore_errors=True)
    questionnaire, _ = load_questionnaire(QUESTIONNAIRE)
    port = base_port + CENTRE_PORT
    people = list(callers(0, _WARM + 2 * plan.calls + round(1.2 * LONGEST_DRAIN * plan.rate)))
    tell(_progress("start"))
    before = machine()
    async with running_bench(NetworkSettings(folder, install(), base_port, channels=140), questionnaire) as bench:
        sync = sync_settings(folder / "centre", port)
        made = await service.set_up(bench, QUESTIONNAIRE, people, folder / "service", sync=sync)
        await _fill(made, plan.reports, tell)
        run = _Run(bench, plan, folder, made, people, tell)
        marks = folder / "marks.jsonl"
        phases = await _phases(run, folder / "centre", port, marks)
        busy, stolen = machine().since(before)
    found = read_marks(await asyncio.to_thread(marks.read_text, "utf-8"))
    try:
        return await asyncio.to_thread(
            _figures, run, phases, found, folder / "centre", questionnaire, f"{busy:.0f}%", f"{stolen:.0f}%"
        )
    except ValueError:
        raise CannotMeasure(problem("bench.sync.too_short")) from None


@dataclass(frozen=True)
class _Phases:
    """Where the phases begin and end, seconds of the machine's clock; and how long the drain took."""

    down: tuple[float, float]
    drain: tuple[float, float]
    idle: tuple[float, float]
    seconds: float


async def _phases(run: _Run, centre: Path, port: int, marks: Path) -> _Phases:
    plan = run.plan
    async with service.running_traced(run.installation, marks):
        await run.call(_WARM)
        await run.quiet()
        run.tell(_progress("sync.down", calls=plan.calls))
        began = time.time()
        await run.call(plan.calls)
        await run.quiet()
        async with running_centre(centre, port):
            run.tell(_progress("sync.drain", reports=plan.reports))
            back = time.time()
            await command(run.installation, "sync", "now")
            seconds = await run.drain()
            drained = time.time()
            await run.quiet()
            run.tell(_progress("sync.idle", calls=plan.calls))
            quiet = time.time()
            await run.call(plan.calls)
            await run.quiet()
            return _Phases((began, back), (back, drained), (quiet, time.time()), seconds)


async def _fill(installation: Installation, reports: int, tell: Tell) -> None:
    tell(_progress("sync.fill", reports=reports))
    async with await open_database(installation.database) as database:
        await backlog.fill(database, reports, _BEGAN.astimezone(UTC), lambda _: None)


def _figures(
    run: _Run, phases: _Phases, found: list[Mark], centre: Path, questionnaire: Questionnaire, busy: str, stolen: str
) -> SyncFigures:
    def between(limits: tuple[float, float]) -> Phase:
        return phase([each for each in found if limits[0] <= each.at < limits[1]])

    arrived = {key: hashlib.sha256(body).hexdigest() for key, body in documents_in(centre)}
    owed = _owed(run.installation)
    reported = service.reported(run.installation, questionnaire)
    rate = f"{run.plan.rate:g}/s"
    conditions = {"cores": str(os.cpu_count()), "rate": rate, "cores_busy": busy, "cores_stolen": stolen}
    return SyncFigures(
        reports=run.plan.reports,
        seconds=phases.seconds,
        down=between(phases.down),
        drain=between(phases.drain),
        idle=between(phases.idle),
        calls=len(run.placed),
        failed=sum(reported.get(each.id) != each.keys for each in run.placed),
        missing=sum(arrived.get(key) != sha256 for key, sha256 in owed.items()),
        conditions=conditions,
    )


def _owed(installation: Installation) -> dict[str, str]:
    """Key -> hash of what must be there: everything of before today, and what counts as delivered."""
    found: dict[str, str] = {}
    after = 0
    with open_reader(installation.database) as reader:
        while rows := reader.read(outbox.all_rows, 1000, after):
            after = rows[-1].id
            found |= {
                each.key: each.sha256 for each in rows if each.queued_at < _BEGAN or each.state is State.ACKNOWLEDGED
            }
    return found


def _progress(step: str, **values: object) -> str:
    return text("bench.progress", step=text(f"bench.step.{step}", None, **values))


def run(
    reports: Annotated[int, typer.Option(min=100, max=200_000, help=text("bench.sync.help_reports"))] = 50_000,
    calls: Annotated[int, typer.Option(min=4, max=2000, help=text("bench.help_calls"))] = 200,
    rate: Annotated[float, typer.Option(min=0.5, max=20, help=text("bench.help_rate"))] = 10,
    json_file: Annotated[Path | None, typer.Option("--json", help=text("bench.help_json"))] = None,
    base_port: Annotated[int, typer.Option(min=1024, max=63000, help=text("bench.help_base_port"))] = 40000,
    folder: Annotated[Path, typer.Option(help=text("bench.help_folder"))] = Path("var/bench-sync"),
) -> None:
    """Exit code 0; 1 if a goal was missed; 2 if it could not be measured."""
    plan = Plan(reports, calls, rate)
    finish(measure(plan, folder.resolve(), base_port, tell), in_words, as_json, wrong, json_file)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False)
    app.command(help=text("bench.sync.help"))(run)
    app()
