"""What `scripts/bench sync` measured, as a record, as JSON, and in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import P99_MS, Latency, latency, rounded
from bench.trace import Kind, Mark, steps
from ivr.messages import text

#: The goal, seconds, for 50,000 reports and in proportion for more; fewer have the whole time.
_SECONDS, _REPORTS = 600.0, 50_000


@dataclass(frozen=True)
class Phase:
    """The calls of one part of the run."""

    keys: int
    key_to_prompt: Latency
    uncommitted: int  #: prompts that began before the turn was stored
    write: Latency  #: one transaction, waiting for its turn included


@dataclass(frozen=True)
class SyncFigures:
    """Everything."""

    reports: int
    seconds: float  #: until all of them had left; endless if the run gave up
    down: Phase  #: the centre is away, everything waits
    drain: Phase  #: all of it leaves
    idle: Phase  #: nothing waits
    calls: int
    failed: int
    missing: int  #: documents that are not at the centre as they were frozen
    conditions: dict[str, str]

    def ratio(self, name: str) -> float:
        """Key to prompt (`p50` or `p99`) while everything leaves, 1 being the mean of before and after."""
        before, during, after = (getattr(each.key_to_prompt, name) for each in (self.down, self.drain, self.idle))
        return float(2 * during / (before + after))


def phase(found: Sequence[Mark]) -> Phase:
    """Read from the marks of one part of the run. Raises ValueError if there was no call in it."""
    known = [each for each in steps(each for each in found if each.kind is not Kind.WRITE) if each is not None]
    return Phase(
        len(known),
        latency([each.total for each in known]),
        sum(not each.committed for each in known),
        latency([1000 * float(each.what) for each in found if each.kind is Kind.WRITE]),
    )


def wrong(figures: SyncFigures) -> list[str]:
    """Message ids of the goals that were missed."""
    phases = (figures.down, figures.drain, figures.idle)
    goals = {
        "bench.goal.drain": figures.seconds <= _SECONDS * max(1.0, figures.reports / _REPORTS),
        "bench.goal.missing": figures.missing == 0,
        "bench.goal.key_to_prompt": all(each.key_to_prompt.p99 <= P99_MS for each in phases),
        "bench.goal.committed": not any(each.uncommitted for each in phases),
        "bench.goal.failed": figures.failed == 0,
    }
    return [message for message, reached in goals.items() if not reached]


def as_json(figures: SyncFigures) -> dict[str, object]:
    """For other programs."""
    phases = {"down": figures.down, "drain": figures.drain, "idle": figures.idle}
    return {
        "reports": figures.reports,
        "drain_seconds": round(figures.seconds, 1),
        "missing": figures.missing,
        "calls": figures.calls,
        "failed": figures.failed,
        "key_to_prompt_ms": {name: rounded(each.key_to_prompt) for name, each in phases.items()},
        "key_to_prompt_ratio": {name: round(figures.ratio(name), 2) for name in ("p50", "p99")},
        "keys": {name: each.keys for name, each in phases.items()},
        "transaction_ms": {name: rounded(each.write) for name, each in phases.items()},
        "prompts_before_commit": sum(each.uncommitted for each in phases.values()),
        "goals_missed": [each.removeprefix("bench.goal.") for each in wrong(figures)],
        "conditions": figures.conditions,
    }


def in_words(figures: SyncFigures) -> str:
    """For people."""
    values: dict[str, object] = {
        "reports": figures.reports,
        "seconds": f"{figures.seconds:.0f}",
        "missing": figures.missing,
        "calls": figures.calls,
        "failed": figures.failed,
        "uncommitted": figures.down.uncommitted + figures.drain.uncommitted + figures.idle.uncommitted,
        "ratio50": f"{figures.ratio('p50'):.2f}",
        "ratio99": f"{figures.ratio('p99'):.2f}",
        "conditions": ", ".join(f"{name} {value}" for name, value in figures.conditions.items()),
    }
    for name, each in (("down", figures.down), ("drain", figures.drain), ("idle", figures.idle)):
        values |= {f"{name}50": f"{each.key_to_prompt.p50:.0f}", f"{name}99": f"{each.key_to_prompt.p99:.0f}"}
        values |= {f"{name}_write": f"{each.write.p99:.0f}"}
    missed = [text("bench.missed", goal=text(each)) for each in wrong(figures)]
    return "\n".join([text("bench.sync.result", None, **values), *(missed or [text("bench.all_reached")])])
