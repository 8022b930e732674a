"""One run: both sides, the same callers, in an order that hides neither a slower nor a faster machine half-way."""

import asyncio
import os
import platform
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import service
from bench.calls import Caller, all_over, callers, place
from bench.figures import Figures, Side, latency
from bench.network import Bench, Target, running_bench
from bench.process import cpu_seconds, machine, memory
from bench.service import CannotMeasure
from bench.trace import Kind, read_marks, steps
from ivr.errors import problem
from ivr.loading import load_questionnaire
from ivr.messages import text
from ivr.questionnaire.model import Questionnaire
from ivr.storage.sqlite import in_force
from sandbox.install import install
from sandbox.settings import NetworkSettings

QUESTIONNAIRE = Path(__file__).with_name("four_keys.yaml")
_WARM = 20
_ROUNDS = 4
_IDLE_SECONDS = 5.0
#: After the last held call began, until memory is read.
_HOLD_SETTLE_SECONDS = 4.0

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to run."""

    calls: int  #: on each side, four or more
    rate: float
    held: int = 50


@dataclass(frozen=True)
class _Batch:
    """CPU milliseconds that a call of a batch took."""

    pbx: float
    carrier: float
    app: float


@dataclass(frozen=True)
class _Run:
    bench: Bench
    questionnaire: Questionnaire
    plan: Plan
    folder: Path
    tell: Tell

    async def batch(self, target: Target, people: tuple[Caller, ...], app: int | None = None) -> _Batch:
        """Place the calls, wait for their end, and say what they took."""
        pids = (target.pid, self.bench.carrier_pid, *([app] if app else []))
        before = [cpu_seconds(each) for each in pids]
        await place(self.bench.carrier, target.endpoint, people, self.plan.rate)
        if not await all_over(self.bench.carrier):
            raise CannotMeasure(problem("bench.not_over", folder=self.folder))
        took = [1000 * (cpu_seconds(each) - start) / len(people) for each, start in zip(pids, before, strict=True)]
        return _Batch(took[0], took[1], took[2] if app else 0.0)

    def say(self, step: str, **values: object) -> None:
        """Tell how far we are."""
        self.tell(text("bench.progress", step=text(f"bench.step.{step}", None, **values)))


async def measure(plan: Plan, folder: Path, base_port: int, tell: Tell) -> Figures:
    """Run everything in an absolute `folder`, which is emptied first. Raises KenkoError if it cannot."""
    shutil.rmtree(folder, ignore_errors=True)
    questionnaire, _ = load_questionnaire(QUESTIONNAIRE)
    asterisk = install()
    settings = NetworkSettings(folder, asterisk, base_port, channels=140)
    tell(text("bench.progress", step=text("bench.step.start")))
    before = machine()
    async with running_bench(settings, questionnaire) as bench:
        run = _Run(bench, questionnaire, plan, folder, tell)
        compared = await _compare(run)
        traced = await _trace(run)
    sqlite, journal = in_force()
    busy, stolen = machine().since(before)
    conditions = {
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "sqlite": sqlite,
        "journal": journal,
        "asterisk": ".".join(map(str, asterisk.version)),
        "rate": f"{plan.rate:g}/s",
        "roster": str(_WARM + plan.held + plan.calls),
        "cores_busy": f"{busy:.0f}%",
        "cores_stolen": f"{stolen:.0f}%",
    }
    return Figures(**compared, **traced, conditions=conditions)  # type: ignore[arg-type]


async def _compare(run: _Run) -> Mapping[str, object]:
    """The service as it is: memory at rest and with calls, then CPU, dialplan and service in turn."""
    plan = run.plan
    warm, held, counted = callers(0, _WARM), callers(_WARM, plan.held), callers(_WARM + plan.held, plan.calls)
    installation = await service.set_up(run.bench, QUESTIONNAIRE, (*warm, *held, *counted), run.folder / "service")
    async with service.running(installation) as app:
        idle_cpu = -cpu_seconds(app)
        await asyncio.sleep(_IDLE_SECONDS)
        idle_cpu += cpu_seconds(app)
        idle = memory(app)
        run.say("warm")
        await run.batch(run.bench.plain, warm)
        await run.batch(run.bench.kenko, warm)
        run.say("hold", calls=plan.held)
        per_call = await _hold(run, app, held)
        took: dict[str, list[_Batch]] = {"plain": [], "kenko": []}
        for number in range(_ROUNDS):
            people = counted[number::_ROUNDS]
            run.say("round", number=number + 1, of=_ROUNDS, calls=len(people))
            # Turn about who is first: a machine that grows slower half-way favours nobody.
            for side in ("plain", "kenko") if number % 2 == 0 else ("kenko", "plain"):
                target = run.bench.kenko if side == "kenko" else run.bench.plain
                took[side].append(await run.batch(target, people, app if side == "kenko" else None))
    reported = service.reported(installation, run.questionnaire)
    heard = service.heard(run.bench.plain.network.pbx.cdr)
    return {
        "plain": _side(took["plain"], counted, {each.id: heard.get(each.number, "") for each in counted}),
        "kenko": _side(took["kenko"], counted, reported),
        "app_cpu_ms": median(each.app for each in took["kenko"]),
        "app_idle_cpu_ms": 1000 * idle_cpu / _IDLE_SECONDS,
        "idle_rss_mb": idle.rss,
        "idle_pss_mb": idle.pss,
        "held_calls": len(held),
        "rss_kb_per_call": per_call,
    }


async def _hold(run: _Run, app: int, people: tuple[Caller, ...]) -> float:
    """KB of memory that each of so many silent calls adds."""
    before = memory(app)
    await place(run.bench.carrier, run.bench.kenko.endpoint, people, run.plan.rate, "hold")
    await asyncio.sleep(_HOLD_SETTLE_SECONDS)
    during = memory(app)
    if not await all_over(run.bench.carrier):
        raise CannotMeasure(problem("bench.not_over", folder=run.folder))
    return 1024 * (during.rss - before.rss) / len(people)


async def _trace(run: _Run) -> Mapping[str, object]:
    """A second service, with a trace: its CPU is not counted."""
    warm, counted = callers(0, _WARM), callers(_WARM, run.plan.calls)
    folder = run.folder / "traced"
    installation = await service.set_up(run.bench, QUESTIONNAIRE, (*warm, *counted), folder)
    file = folder / "marks.jsonl"
    async with service.running_traced(installation, file):
        await run.batch(run.bench.kenko, warm)
        run.say("traced", calls=len(counted))
        began = time.time()
        await run.batch(run.bench.kenko, counted)
    found = [each for each in read_marks(await asyncio.to_thread(file.read_text, "utf-8")) if each.at >= began]
    taken = steps(each for each in found if each.kind is not Kind.WRITE)
    reported = service.reported(installation, run.questionnaire)
    known = [each for each in taken if each is not None]
    return {
        "traced_calls": len(counted),
        "traced_failed": sum(reported.get(each.id) != each.keys for each in counted),
        "key_to_prompt": latency([each.total for each in known]),
        "uncommitted": sum(not each.committed for each in known),
        "write": latency([1000 * float(each.what) for each in found if each.kind is Kind.WRITE]),
    }


def _side(took: list[_Batch], people: tuple[Caller, ...], keys: Mapping[str, str]) -> Side:
    """Medians of the rounds: what a burst of other programs did to one of them does not count."""
    return Side(
        calls=len(people),
        failed=sum(keys.get(each.id) != each.keys for each in people),
        asterisk_cpu_ms=median(each.pbx for each in took),
        generator_cpu_ms=median(each.carrier for each in took),
    )
