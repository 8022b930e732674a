"""Lines, reserve and rate."""

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.pacing import Pace, is_resting, may_start

NOW = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
PACE = Pace(lines=4, reserved=1, per_second=2)


@pytest.mark.parametrize(
    ("outbound", "inbound", "since_last", "wanted"),
    [
        pytest.param(0, 0, None, 1, id="the first call"),
        pytest.param(2, 0, 10, 1, id="a line is free"),
        pytest.param(3, 0, 10, 0, id="the reserve stays free"),
        pytest.param(2, 1, 10, 1, id="a caller uses the reserve"),
        pytest.param(2, 2, 10, 0, id="callers past the reserve take our lines"),
        pytest.param(0, 9, 10, 0, id="more callers than lines"),
        pytest.param(0, 0, 0.4, 0, id="too soon"),
        pytest.param(0, 0, 0.5, 1, id="soon enough"),
    ],
)
def test_may_start(outbound: int, inbound: int, since_last: float | None, wanted: int) -> None:
    last = None if since_last is None else NOW - timedelta(seconds=since_last)
    assert may_start(PACE, outbound, inbound, last, NOW) == wanted


def test_a_telephone_that_rang_in_vain_rests_for_three_minutes() -> None:
    assert not is_resting(None, NOW, 180)
    assert is_resting(NOW, NOW, 180)
    assert is_resting(NOW - timedelta(seconds=179.9), NOW, 180)
    assert not is_resting(NOW - timedelta(seconds=180), NOW, 180)
