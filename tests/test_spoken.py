"""Which sounds say a date, a time or a number, and how every one of them reads."""

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from ivr.spoken import DIGIT_PAUSE, speak_date, speak_digits, speak_time
from ivr.voice.review import read_script
from ivr.voice.script import SILENCES

READINGS = {line.prompt: line.reading for line in read_script(Path(__file__).parent.parent / "prompts", "ja").lines}
LEAP_YEAR = [date(2028, 1, 1) + timedelta(days=day) for day in range(366)]


def read(prompts: tuple[str, ...]) -> str:
    return "".join("…" if prompt in SILENCES else READINGS[prompt] for prompt in prompts)


@pytest.mark.parametrize(
    ("day", "reading"),
    [
        (date(2026, 11, 22), "ジューイチガツ、ニジューニニチデス。"),
        (date(2026, 1, 1), "イチガツ、ツイタチデス。"),
        (date(2026, 4, 14), "シガツ、ジューヨッカデス。"),
        (date(2026, 7, 20), "シチガツ、ハツカデス。"),
        (date(2026, 9, 24), "クガツ、ニジューヨッカデス。"),
        (date(2026, 12, 8), "ジューニガツ、ヨーカデス。"),
        (date(2028, 2, 29), "ニガツ、ニジュークニチデス。"),
        (date(2026, 6, 17), "ロクガツ、ジューシチニチデス。"),
    ],
)
def test_dates(day: date, reading: str) -> None:
    assert read(speak_date(day, end=True)) == reading


def test_every_day_of_a_leap_year_is_said_and_no_two_alike() -> None:
    for end in (False, True):
        said = [read(speak_date(day, end=end)) for day in LEAP_YEAR]
        assert len(set(said)) == 366
    days = [read(speak_date(day)).partition("、")[2].rstrip("、") for day in LEAP_YEAR[:31]]
    assert days == [
        "ツイタチ", "フツカ", "ミッカ", "ヨッカ", "イツカ", "ムイカ", "ナノカ", "ヨーカ", "ココノカ", "トーカ",
        "ジューイチニチ", "ジューニニチ", "ジューサンニチ", "ジューヨッカ", "ジューゴニチ", "ジューロクニチ",
        "ジューシチニチ", "ジューハチニチ", "ジュークニチ", "ハツカ", "ニジューイチニチ", "ニジューニニチ",
        "ニジューサンニチ", "ニジューヨッカ", "ニジューゴニチ", "ニジューロクニチ", "ニジューシチニチ",
        "ニジューハチニチ", "ニジュークニチ", "サンジューニチ", "サンジューイチニチ",
    ]  # fmt: skip
    months = [read(speak_date(date(2026, month, 1))).partition("、")[0] for month in range(1, 13)]
    assert months == [
        "イチガツ", "ニガツ", "サンガツ", "シガツ", "ゴガツ", "ロクガツ", "シチガツ", "ハチガツ", "クガツ",
        "ジューガツ", "ジューイチガツ", "ジューニガツ",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("moment", "reading"),
    [
        (time(9, 0), "ゴゼンクジデス。"),
        (time(0, 0), "ゴゼンレージデス。"),
        (time(12, 0), "ゴゴレージデス。"),
        (time(16, 30), "ゴゴヨジ、サンジュップンデス。"),
        (time(7, 10), "ゴゼンシチジ、ジュップンデス。"),
        (time(19, 5), "ゴゴシチジ、ゴフンデス。"),
        (time(8, 15), "ゴゼンハチジ、ジューゴフンデス。"),
        (time(13, 58), "ゴゴイチジ、ゴジューゴフンデス。"),  # rounded down: nobody waits for a call too long
    ],
)
def test_times(moment: time, reading: str) -> None:
    assert read(speak_time(moment, end=True)) == reading


def test_every_hour_and_every_five_minutes() -> None:
    hours = [read(speak_time(time(hour))).rstrip("、") for hour in range(24)]
    assert [each.removeprefix("ゴゼン") for each in hours[:12]] == [
        "レージ", "イチジ", "ニジ", "サンジ", "ヨジ", "ゴジ", "ロクジ", "シチジ", "ハチジ", "クジ", "ジュージ",
        "ジューイチジ",
    ]  # fmt: skip
    assert [each.replace("ゴゴ", "ゴゼン") for each in hours[12:]] == hours[:12]
    minutes = [
        read(speak_time(time(9, minute))).removeprefix("ゴゼンクジ、").rstrip("、") for minute in range(5, 60, 5)
    ]
    assert minutes == [
        "ゴフン", "ジュップン", "ジューゴフン", "ニジュップン", "ニジューゴフン", "サンジュップン", "サンジューゴフン",
        "ヨンジュップン", "ヨンジューゴフン", "ゴジュップン", "ゴジューゴフン",
    ]  # fmt: skip
    said = [read(speak_time(time(at // 60, at % 60))) for at in range(24 * 60)]
    assert len(set(said)) == 24 * 12


@pytest.mark.parametrize(
    ("number", "reading"),
    [
        ("7", "ナナデス。"),
        ("20455", "ニー、ゼロ、ヨン、ゴー、ゴーデス。"),
        ("13-689", "イチ、サン、…ロク、ハチ、キューデス。"),
    ],
)
def test_digits(number: str, reading: str) -> None:
    assert read(speak_digits(number)) == reading


def test_a_pause_at_each_hyphen() -> None:
    assert speak_digits("1-2") == ("digit/1", DIGIT_PAUSE, "digit/2_end")


@pytest.mark.parametrize("number", ["", "-", "1-", "-1", "1--2", "1 2", "１２", "0x1"])
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="digits"):
        speak_digits(number)
