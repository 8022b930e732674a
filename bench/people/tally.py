"""Counts what came of many days, with sampling errors; for models and for the mix. Pure."""

import math
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.people.day import Day

#: What is counted: name -> whether a day has it.
SHARES: Mapping[str, Callable[[Day], bool]] = {
    "once": lambda day: day.completed == 1,
    "thrice": lambda day: 1 <= day.completed <= 3,
    "gave_up": lambda day: bool(day.gave_up_at),
    "false_number": lambda day: day.false_number,
    "false_symptom": lambda day: day.false_symptom,
    "false_emergency": lambda day: day.false_emergency,
    "missed_red": lambda day: day.missed_red,
    "wished": lambda day: day.wished,
    "follow_up": lambda day: day.follow_up,
    "wrong_name": lambda day: day.wrong_name,
    "wrong_name_unchosen": lambda day: day.wrong_name and not day.by_key,
}


@dataclass
class Count:
    """Of one model."""

    days: int = 0
    found: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)  #: of completed first calls
    lost_at: Counter[str] = field(default_factory=Counter)

    def add(self, day: Day) -> None:
        """One more."""
        self.days += 1
        self.found.update(name for name, has in SHARES.items() if has(day))
        if day.completed == 1:
            self.seconds.append(day.seconds[0])
        if not day.completed and day.lost_at:
            self.lost_at[day.lost_at] += 1

    def join(self, other: "Count") -> None:
        """Those of another part."""
        self.days += other.days
        self.found.update(other.found)
        self.seconds += other.seconds
        self.lost_at.update(other.lost_at)


@dataclass(frozen=True)
class Share:
    """In percent, with its sampling error (one standard deviation)."""

    percent: float
    error: float

    def __str__(self) -> str:
        return f"{self.percent:.1f}"


def share_of(count: Count, name: str) -> Share:
    """Of one model."""
    part = count.found[name] / count.days
    return Share(100 * part, 100 * math.sqrt(part * (1 - part) / count.days))


def mix_of(counts: Mapping[str, Count], shares: Mapping[str, float], name: str) -> Share:
    """Of all, each model by its share."""
    total = sum(shares[each] for each in counts)
    parts = {each: share_of(count, name) for each, count in counts.items()}
    percent = sum(shares[each] / total * part.percent for each, part in parts.items())
    variance = sum((shares[each] / total * part.error) ** 2 for each, part in parts.items())
    return Share(percent, math.sqrt(variance))


def median_seconds(count: Count) -> float:
    """Of the calls that brought the whole report at once; 0 if none did."""
    return statistics.median(count.seconds) if count.seconds else 0.0


def worst_question(counts: Mapping[str, Count], shares: Mapping[str, float], order: Sequence[str]) -> str:
    """Where most are lost, by the shares of the models; empty if nobody is."""
    lost = {
        each: sum(shares[id] * count.lost_at[each] / count.days for id, count in counts.items())
        for each in ("gate", *order)
    }
    worst = max(lost, key=lambda each: lost[each])
    return worst if lost[worst] else ""
