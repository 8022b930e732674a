"""Dates and times as prompts."""

from datetime import date, time

import pytest

from ivr.spoken import speak_date, speak_time


def test_a_date() -> None:
    assert speak_date(date(2026, 11, 22)) == ("date/month_11", "date/day_22")
    assert speak_date(date(2026, 1, 2), end=True) == ("date/month_1", "date/day_2_end")


@pytest.mark.parametrize(
    ("moment", "end", "expected"),
    [
        (time(9), False, "time/hour_9"),
        (time(9), True, "time/hour_9_end"),
        (time(0, 4), True, "time/hour_0_end"),
        (time(23, 59), True, "time/hour_23 time/minute_55_end"),
        (time(14, 30), False, "time/hour_14 time/minute_30"),
    ],
)
def test_a_time_in_steps_of_five_minutes(moment: time, end: bool, expected: str) -> None:
    assert " ".join(speak_time(moment, end=end)) == expected
