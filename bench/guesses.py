"""How long a guess takes for an ID that nobody has, for a wrong birth date, and behind a lock: nobody must hear which.

Ten thousand tries through the service's own database. Everything else of a call is the same for all of them.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bench.trace import percentile
from ivr.identity import LIMITS, Verdict
from ivr.messages import text
from ivr.person import Person
from ivr.storage.callers import Try, try_caller
from ivr.storage.database import open_database
from ivr.storage.people import upsert_people

TRIES = 10_000
#: The issue's: between an unknown ID and a wrong date, in milliseconds.
MOST_DIFFERENCE = 20.0
UNKNOWN, WRONG, LOCKED = "unknown", "wrong", "locked"
_BORN = date(1935, 4, 5)
_BEGIN = datetime(2026, 11, 4, tzinfo=UTC)
#: Looked at on one day: fewer than lock everybody out. As many more come when the day is full.
_A_DAY = LIMITS.per_day


@dataclass(frozen=True)
class Taken:
    """Milliseconds of the tries of one kind."""

    kind: str
    median: float
    p99: float


def guesses(count: int) -> Iterator[tuple[str, Try]]:
    """Kind and try: on each day fifty that are looked at, unknown and wrong in turn, and ten that are not."""
    of_day = _A_DAY + 10
    for index in range(count):
        day, place = divmod(index, of_day)
        at = _BEGIN + timedelta(days=day, seconds=place)
        # An ID is guessed at once in so many days that it is never locked by itself.
        number = (day * of_day + place) // 2 % (count // (2 * (LIMITS.per_id - 1)) + of_day)
        kind = LOCKED if place >= _A_DAY else (UNKNOWN, WRONG)[place % 2]
        id = f"{(8 if kind == UNKNOWN else 7) * 10**7 + number}"
        yield kind, Try(id, _BORN + timedelta(days=1), f"0310{index:06d}", at.date(), at)


async def measure(file: Path, count: int) -> Mapping[str, Sequence[float]]:
    """Kind -> milliseconds of each try, in a database of this name. Raises AssertionError if one ended otherwise."""
    tries = list(guesses(count))
    ids = sorted({given.claimed_id for kind, given in tries if kind != UNKNOWN})
    roster = [Person(each, "見本", "ミホン", ("0310000001",), ("morning",), birth_date=_BORN) for each in ids]
    found: dict[str, list[float]] = {UNKNOWN: [], WRONG: [], LOCKED: []}
    async with await open_database(file) as database:
        await database.write(upsert_people, roster, _BEGIN)
        for kind, given in tries:
            began = time.perf_counter()
            judged = await database.write(try_caller, given, "the key of the numbers")
            found[kind].append(1000 * (time.perf_counter() - began))
            assert judged.verdict is (Verdict.BLOCKED if kind == LOCKED else Verdict.FAILED)
    return found


def taken(found: Mapping[str, Sequence[float]]) -> list[Taken]:
    """The figures of each kind."""
    return [Taken(kind, statistics.median(each), percentile(each, 99)) for kind, each in found.items()]


def apart(figures: Sequence[Taken]) -> float:
    """The largest difference between two kinds, of medians or of 99th percentiles, in milliseconds."""
    medians, nines = [each.median for each in figures], [each.p99 for each in figures]
    return max(max(medians) - min(medians), max(nines) - min(nines))


def main(count: int) -> int:
    """`scripts/bench guesses`. 0; 1 if one could tell them apart."""
    with tempfile.TemporaryDirectory() as folder:
        figures = taken(asyncio.run(measure(Path(folder) / "kenko-call.db", count)))
    for each in figures:
        kind, median, p99 = text(f"bench.guess.{each.kind}"), f"{each.median:.2f}", f"{each.p99:.2f}"
        said = text("bench.guess", kind=kind, median=median, p99=p99)
        print(said)  # noqa: T201
    difference = apart(figures)
    print(text("bench.guesses_apart", count=count, most=f"{difference:.2f}", goal=f"{MOST_DIFFERENCE:.0f}"))  # noqa: T201
    return int(difference >= MOST_DIFFERENCE)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else TRIES))
