"""What was measured, as a record, as JSON, and in words."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from bench.trace import percentile
from ivr.messages import text


@dataclass(frozen=True)
class Side:
    """The calls of one side of the comparison."""

    calls: int
    failed: int  #: not come to their end, or with other keys than were pressed
    asterisk_cpu_ms: float  #: of the PBX, a call
    generator_cpu_ms: float  #: of the carrier's Asterisk, a call: nobody's cost, but it shares the machine


@dataclass(frozen=True)
class Latency:
    """Milliseconds."""

    p50: float
    p99: float


@dataclass(frozen=True)
class Figures:
    """Everything."""

    plain: Side
    kenko: Side
    app_cpu_ms: float  #: of the service, a call
    app_idle_cpu_ms: float  #: of the service, a second without calls
    traced_calls: int
    traced_failed: int
    key_to_prompt: Latency
    uncommitted: int  #: prompts that began before the turn was stored
    write: Latency  #: one transaction, waiting for its turn included
    idle_rss_mb: float
    idle_pss_mb: float
    held_calls: int
    rss_kb_per_call: float
    conditions: dict[str, str]

    @property
    def asterisk_ratio(self) -> float:
        """Asterisk's CPU a call through our service, 1 being the pure dialplan."""
        return self.kenko.asterisk_cpu_ms / self.plain.asterisk_cpu_ms

    @property
    def calls(self) -> int:
        """Calls through our service."""
        return self.kenko.calls + self.traced_calls

    @property
    def failed(self) -> int:
        """Of those."""
        return self.kenko.failed + self.traced_failed


#: The goals, as limits that are still good: see README.md.
_APP_CPU_MS = 8.0
_RATIO = 1.15
P99_MS = 50.0
_IDLE_MB = 100.0
_KB_PER_CALL = 512.0


def wrong(figures: Figures) -> list[str]:
    """Message ids of the goals that were missed."""
    goals = {
        "bench.goal.app_cpu": figures.app_cpu_ms <= _APP_CPU_MS,
        "bench.goal.ratio": figures.asterisk_ratio <= _RATIO,
        "bench.goal.key_to_prompt": figures.key_to_prompt.p99 <= P99_MS,
        "bench.goal.committed": figures.uncommitted == 0,
        "bench.goal.failed": figures.failed == 0 and figures.plain.failed == 0,
        "bench.goal.idle": figures.idle_rss_mb < _IDLE_MB,
        "bench.goal.per_call": figures.rss_kb_per_call < _KB_PER_CALL,
    }
    return [message for message, reached in goals.items() if not reached]


def as_json(figures: Figures) -> dict[str, object]:
    """For other programs."""
    return {
        "app_cpu_ms_per_call": round(figures.app_cpu_ms, 2),
        "app_idle_cpu_ms_per_second": round(figures.app_idle_cpu_ms, 2),
        "asterisk_cpu_ratio": round(figures.asterisk_ratio, 3),
        "asterisk_cpu_ms_per_call": round(figures.kenko.asterisk_cpu_ms, 2),
        "plain_asterisk_cpu_ms_per_call": round(figures.plain.asterisk_cpu_ms, 2),
        "generator_cpu_ms_per_call": {
            "kenko": round(figures.kenko.generator_cpu_ms, 2),
            "plain": round(figures.plain.generator_cpu_ms, 2),
        },
        "key_to_prompt_ms": rounded(figures.key_to_prompt),
        "prompts_before_commit": figures.uncommitted,
        "transaction_ms": rounded(figures.write),
        "calls": figures.calls,
        "failed": figures.failed,
        "plain_calls": figures.plain.calls,
        "plain_failed": figures.plain.failed,
        "idle_rss_mb": round(figures.idle_rss_mb, 1),
        "idle_pss_mb": round(figures.idle_pss_mb, 1),
        "held_calls": figures.held_calls,
        "rss_kb_per_call": round(figures.rss_kb_per_call, 1),
        "goals_missed": [each.removeprefix("bench.goal.") for each in wrong(figures)],
        "conditions": figures.conditions,
    }


def latency(values: Sequence[float]) -> Latency:
    """Of these. Raises ValueError if there are none."""
    return Latency(percentile(values, 50), percentile(values, 99))


def rounded(latency: Latency) -> dict[str, float]:
    """For JSON."""
    return {name: round(value, 2) for name, value in asdict(latency).items()}


def in_words(figures: Figures) -> str:
    """For people."""
    values = {
        "app": f"{figures.app_cpu_ms:.1f}",
        "app_idle": f"{figures.app_idle_cpu_ms:.1f}",
        "ratio": f"{figures.asterisk_ratio:.2f}",
        "kenko": f"{figures.kenko.asterisk_cpu_ms:.1f}",
        "plain": f"{figures.plain.asterisk_cpu_ms:.1f}",
        "generator": f"{figures.kenko.generator_cpu_ms:.1f}",
        "p50": f"{figures.key_to_prompt.p50:.0f}",
        "p99": f"{figures.key_to_prompt.p99:.0f}",
        "write50": f"{figures.write.p50:.1f}",
        "write99": f"{figures.write.p99:.1f}",
        "uncommitted": figures.uncommitted,
        "calls": figures.calls,
        "failed": figures.failed,
        "plain_calls": figures.plain.calls,
        "plain_failed": figures.plain.failed,
        "rss": f"{figures.idle_rss_mb:.0f}",
        "pss": f"{figures.idle_pss_mb:.0f}",
        "held": figures.held_calls,
        "per_call": f"{figures.rss_kb_per_call:.0f}",
        "conditions": ", ".join(f"{name} {value}" for name, value in figures.conditions.items()),
    }
    missed = [text("bench.missed", goal=text(each)) for each in wrong(figures)]
    return "\n".join([text("bench.result", None, **values), *(missed or [text("bench.all_reached")])])
