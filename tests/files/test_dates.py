"""Days and times as offices write them."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.files.dates import read_day, read_time
from ivr.files.given_text import WrongCell
from ivr.identity import ERAS


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("2026-11-05", date(2026, 11, 5)),
        ("2026/11/1 0:00", date(2026, 11, 1)),
        ("2026/11/1 00:00:00", date(2026, 11, 1)),
        ("2026-11-01T00:00:00", date(2026, 11, 1)),
        ("2026.11.1", date(2026, 11, 1)),
        ("２０２６年１１月１日", date(2026, 11, 1)),
        ("2026年11月1日（日）", date(2026, 11, 1)),
        ("2026/11/1 日曜日", date(2026, 11, 1)),
        ("19350405", date(1935, 4, 5)),
        ("昭和10年4月5日", date(1935, 4, 5)),
        ("昭和１０年４月５日", date(1935, 4, 5)),
        ("昭和十年四月五日", date(1935, 4, 5)),
        ("㍼10年4月5日", date(1935, 4, 5)),
        ("昭10.4.5", date(1935, 4, 5)),
        ("S10.4.5", date(1935, 4, 5)),
        ("s10/4/5", date(1935, 4, 5)),
        ("S10-04-05", date(1935, 4, 5)),
        ("大正15年12月24日", date(1926, 12, 24)),
        ("昭和元年12月25日", date(1926, 12, 25)),
        ("昭和64年1月7日", date(1989, 1, 7)),
        ("平成元年1月8日", date(1989, 1, 8)),
        ("平成三十一年四月三十日", date(2019, 4, 30)),
        ("令和元年5月1日", date(2019, 5, 1)),
        ("R8.11.5", date(2026, 11, 5)),
        ("明治45年7月29日", date(1912, 7, 29)),
        ("", None),
    ],
)
def test_days_that_can_mean_only_one(cell: str, wanted: date | None) -> None:
    assert read_day(cell) == wanted


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("2026-02-30", "roster.not_day"),
        ("昭和10年2月30日", "roster.not_day"),
        ("10/4/5", "roster.day_order"),
        ("4/5/1935", "roster.day_order"),
        ("05-11-2026", "roster.day_order"),
        ("5 Nov 2026", "roster.day_order"),
        ("3100405", "roster.day_order"),
        ("350405", "roster.day_order"),
        ("46331", "roster.day_serial"),
        ("46331.0", "roster.day_serial"),
        ("10年4月5日", "roster.day_era"),
        ("11/5", "roster.day_no_year"),
        ("11月5日", "roster.day_no_year"),
        ("2026/11/1 9:30", "roster.day_time"),
        ("2026-11-01T09:30:00", "roster.day_time"),
        ("2026年11月1日（月）", "roster.day_weekday"),
        ("昭和64年1月8日", "roster.day_not_in_era"),
        ("平成31年5月1日", "roster.day_not_in_era"),
        ("昭和0年4月5日", "roster.day_not_in_era"),
        ("99999999", "roster.not_day"),
        ("tomorrow", "roster.not_day"),
    ],
)
def test_other_days_are_refused_with_what_was_seen(cell: str, wanted: str) -> None:
    with pytest.raises(WrongCell) as wrong:
        read_day(cell)
    assert wrong.value.message == wanted


_NAMES = {"1": ("明治", "M"), "2": ("大正", "T"), "3": ("昭和", "S"), "4": ("平成", "H"), "5": ("令和", "R")}


@given(st.dates(date(1900, 1, 1), date(2090, 12, 31)))
def test_every_day_in_every_form(day: date) -> None:
    digit = max(each for each, (first, _) in ERAS.items() if first <= day)
    year = day.year - ERAS[digit][1]
    word, letter = _NAMES[digit]
    forms = [
        *(f"{day:%Y-%m-%d}", f"{day:%Y%m%d}", f"{day.year}/{day.month}/{day.day} 0:00"),
        *(f"{word}{'元' if year == 1 else year}年{day.month}月{day.day}日", f"{letter}{year}.{day.month}.{day.day}"),
    ]
    assert {read_day(each) for each in forms} == {day}


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("9:00", time(9)),
        ("09:00:00", time(9)),
        ("10時15分", time(10, 15)),
        ("１０時", time(10)),
        ("10時半", time(10, 30)),
        ("午前10時15分", time(10, 15)),
        ("午後3時", time(15)),
        ("午後 3:05", time(15, 5)),
        ("午後0時30分", time(12, 30)),
        ("3:00 PM", time(15)),
        ("12:30 AM", time(0, 30)),
        ("12:30 PM", time(12, 30)),
        ("", None),
    ],
)
def test_times(cell: str, wanted: time | None) -> None:
    assert read_time(cell) == wanted


@pytest.mark.parametrize(
    "cell", ["9", "1015", "0.375", "24:00", "10:60", "午後12時", "午後13時", "午前9時PM", "10:00:30", "noon"]
)
def test_other_times_are_refused(cell: str) -> None:
    with pytest.raises(WrongCell) as wrong:
        read_time(cell)
    assert wrong.value.message == "roster.not_time"
