"""What the benchmark of guesses makes: every kind, and each ends as its name says."""

from collections import Counter
from pathlib import Path

import pytest

from bench.guesses import LOCKED, UNKNOWN, WRONG, Taken, apart, guesses, main, measure, taken
from ivr.identity import LIMITS


def test_no_limit_but_that_of_a_day_is_reached() -> None:
    tries = list(guesses(10_000))
    kinds = Counter(kind for kind, _ in tries)
    assert kinds[UNKNOWN] == kinds[WRONG]
    assert kinds[UNKNOWN] > 4000
    assert kinds[LOCKED] > 1000
    seen = [given for kind, given in tries if kind != LOCKED]
    assert max(Counter(each.claimed_id for each in seen).values()) < LIMITS.per_id
    assert max(Counter(each.day for each in seen).values()) == LIMITS.per_day


async def test_each_ends_as_its_kind_says(tmp_path: Path) -> None:
    found = await measure(tmp_path / "kenko-call.db", 120)
    assert [(kind, len(each)) for kind, each in found.items()] == [(UNKNOWN, 50), (WRONG, 50), (LOCKED, 20)]
    assert all(each.median > 0 for each in taken(found))


def test_how_far_they_are_apart() -> None:
    figures = [Taken(UNKNOWN, 2.0, 9.0), Taken(WRONG, 2.5, 8.0), Taken(LOCKED, 1.0, 9.5)]
    assert apart(figures) == 1.5


def test_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    main(120)
    said = capsys.readouterr().out
    assert said.count("ms") == 8
    assert "120" in said
