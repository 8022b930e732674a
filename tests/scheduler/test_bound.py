"""No order of the calls ends earlier than the bound; on one line the best order ends exactly there."""

from collections.abc import Sequence
from itertools import combinations_with_replacement, permutations, product

import pytest

from scheduler.bound import lower_bound


@pytest.mark.parametrize(
    ("releases", "seconds", "lines", "bound"),
    [
        pytest.param([], [], 3, 0, id="no calls"),
        pytest.param([0, 0, 0, 0], [60, 60, 60, 60], 2, 120, id="all work on all lines"),
        pytest.param([0, 0, 0], [10, 10, 600], 3, 600, id="one call longer than its share"),
        pytest.param([0, 900], [60, 60], 5, 960, id="a call that may begin late"),
        pytest.param([0, 900, 900, 900], [60, 60, 60, 60], 2, 990, id="several that may begin late"),
        pytest.param([100, 100], [60, 60], 1, 220, id="nothing may begin before"),
        pytest.param([0, 0, 30], [100, 100, 10], 1, 210, id="early work lasts longer"),
    ],
)
def test_the_bound(releases: Sequence[float], seconds: Sequence[float], lines: int, bound: float) -> None:
    assert lower_bound(releases, seconds, lines) == bound
    assert lower_bound(releases[::-1], seconds[::-1], lines) == bound


def test_a_call_without_a_length_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        lower_bound([0.0, 1.0], [1.0], 1)


def best_end(calls: Sequence[tuple[int, int]], lines: int) -> int:
    """The earliest end there is: every order is tried, each call on the line that is free first."""

    def end_of(order: Sequence[tuple[int, int]]) -> int:
        free = [0] * lines
        for release, length in order:
            line = free.index(min(free))
            free[line] = max(free[line], release) + length
        return max(free)

    return min(map(end_of, permutations(calls)))


@pytest.mark.parametrize("lines", [1, 2, 3])
def test_no_order_is_better_than_the_bound(lines: int) -> None:
    kinds = list(product((0, 1, 4), (1, 2, 5)))  # release and length
    exact = tried = 0
    for count in (1, 2, 3, 4):
        for calls in combinations_with_replacement(kinds, count):
            bound = lower_bound([each[0] for each in calls], [each[1] for each in calls], lines)
            best = best_end(calls, lines)
            assert bound <= best < 2 * bound, calls
            exact += bound == best
            tried += 1
    assert exact == tried if lines == 1 else exact > tried / 2
