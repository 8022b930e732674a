"""Some of any days that may come; ten thousand of them in the night (`scripts/test --long`)."""

import logging
import multiprocessing
import os
import time

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.night import for_the_night
from tests.scheduler.days import Days

SHARDS = 40  #: each from a seed of its own; small ones, as Hypothesis grows slower with every run it remembers
RUNS = 250  #: of each shard
CORES = int(os.environ.get("KENKO_LONG_PROCESSES", os.cpu_count() or 1))


def runs(of_seed: int, count: int) -> int:
    """So many worlds; how many came to their end. Raises what Hypothesis found, with the steps to it."""
    before = Days.finished
    limits = settings(
        max_examples=count,
        stateful_step_count=25,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # shrinking would take minutes; the steps that are printed suffice
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(seed(of_seed)(Days), settings=limits)
    return Days.finished - before


def shard(number: int) -> tuple[int, int]:
    """One shard in a process of its own: its number, and how many worlds came to their end."""
    logging.disable(logging.CRITICAL)  # millions of lines help nobody
    return number, runs(number, RUNS)


@pytest.mark.timeout(120)
def test_any_days() -> None:
    assert runs(0, 20) >= 20


@for_the_night
@pytest.mark.timeout(0)
def test_ten_thousand_days(capsys: pytest.CaptureFixture[str]) -> None:
    began, finished = time.monotonic(), 0
    with multiprocessing.get_context("spawn").Pool(CORES) as pool:
        for number, count in pool.imap_unordered(shard, range(1, SHARDS + 1)):
            finished += count
            with capsys.disabled():
                print(f"{finished} worlds in {time.monotonic() - began:.0f} s (seed {number})", flush=True)  # noqa: T201
    assert finished >= 10_000
