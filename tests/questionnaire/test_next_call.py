"""How the next call is said."""

from datetime import UTC, date, datetime, timedelta

import pytest

from ivr.questionnaire.model import NextCall
from ivr.questionnaire.next_call import every_next_call, next_call_of, say_next_call, spoken_for

TODAY = date(2026, 12, 31)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 12, 31, 14, 0, tzinfo=UTC), NextCall("today", "1400")),
        (datetime(2027, 1, 1, 9, 0, tzinfo=UTC), NextCall("tomorrow", "0900")),
        (datetime(2027, 1, 2, 9, 30, tzinfo=UTC), NextCall("0102", "0930")),
        (datetime(2028, 2, 29, 0, 0, tzinfo=UTC), NextCall("0229", "0000")),
    ],
)
def test_of_a_moment(at: datetime, expected: NextCall) -> None:
    assert next_call_of(at, TODAY) == expected


@pytest.mark.parametrize(
    ("prompts", "call", "expected"),
    [
        (["n", "{next_day}", "{next_time}"], NextCall("today", "1400"), "n date/today time/hour_14_end"),
        (["{next_time}", "{next_day}"], NextCall("tomorrow", "0900"), "time/hour_9 date/tomorrow_end"),
        (["{next_day}", "n"], NextCall("1122", "0935"), "date/month_11 date/day_22 n"),
        (["{next_time}", "n"], NextCall("1122", "0935"), "time/hour_9 time/minute_35 n"),
        (["{next_day}"], NextCall("0229", "0000"), "date/month_2 date/day_29_end"),
        (["n"], NextCall("0229", "0000"), "n"),
    ],
)
def test_what_stands_last_closes_the_sentence(prompts: list[str], call: NextCall, expected: str) -> None:
    assert " ".join(say_next_call(prompts, call)) == expected


@pytest.mark.parametrize("end", [False, True])
def test_every_day_of_a_year_is_covered(end: bool) -> None:
    listed = {each for call in every_next_call(["0900"]) for each in spoken_for("{next_day}", call, end=end)}
    for day in range(366):
        call = next_call_of(datetime(2028, 1, 1, tzinfo=UTC) + timedelta(days=day), date(2028, 1, 1))
        assert set(spoken_for("{next_day}", call, end=end)) <= listed


def test_without_times_nothing_is_known() -> None:
    assert every_next_call([]) == []
