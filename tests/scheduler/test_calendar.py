"""Which days the dialler has to look at."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.calendar import LONGEST_DOWN, days_to_settle

TOKYO = ZoneInfo("Asia/Tokyo")
NOON = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def day(number: int, month: int = 11) -> date:
    return date(2026, month, number)


@pytest.mark.parametrize(
    ("now", "settled", "wanted"),
    [
        pytest.param(NOON, None, [day(21), day(22)], id="not known: yesterday and today"),
        pytest.param(NOON, day(21), [day(22)], id="yesterday is settled"),
        pytest.param(NOON, day(20), [day(21), day(22)], id="yesterday is not"),
        pytest.param(NOON, day(18), [day(19), day(20), day(21), day(22)], id="down over the weekend"),
        pytest.param(NOON, day(22), [day(22)], id="the clock was put back a day"),
        pytest.param(NOON, day(30), [day(22)], id="the clock was put back a week"),
        pytest.param(NOON.replace(hour=14, minute=59), day(21), [day(22)], id="23:59 in Tokyo"),
        pytest.param(NOON.replace(hour=15), day(21), [day(22), day(23)], id="midnight in Tokyo"),
    ],
)
def test_each_rule(now: datetime, settled: date | None, wanted: list[date]) -> None:
    assert days_to_settle(now, TOKYO, settled) == tuple(wanted)


@given(st.dates(date(2000, 1, 1), date(2060, 1, 1)))
def test_the_days_are_unbroken_and_end_today(settled: date) -> None:
    days = days_to_settle(NOON, TOKYO, settled)
    assert days[-1] == day(22)
    assert list(days) == [days[0] + timedelta(days=each) for each in range(len(days))]
    assert len(days) <= LONGEST_DOWN.days
    if day(22) - LONGEST_DOWN <= settled < day(22):
        assert days[0] == settled + timedelta(days=1)
