"""Days and times as people and spreadsheets write them. What could mean two days is refused, saying why. Pure."""

import re
import unicodedata
from datetime import date, time
from functools import lru_cache

from ivr.files.given_text import WrongCell
from ivr.identity import ERAS

_WEEKDAYS = "月火水木金土日"
_ERA_DIGITS = dict(
    zip(
        ("明治", "大正", "昭和", "平成", "令和", "明", "大", "昭", "平", "令", "m", "t", "s", "h", "r"),
        "12345" * 3,
        strict=True,
    )
)
_DIGITS = {each: at for at, each in enumerate("〇一二三四五六七八九")}
_WEEKDAY = re.compile(rf"\s*(?:\(([{_WEEKDAYS}])\)|([{_WEEKDAYS}])曜日?)$")
_MIDNIGHT = re.compile(r"[\st]+00?:00(?::00(?:\.0+)?)?$")
_ANY_TIME = re.compile(r"[\st]+\d{1,2}[:時]")
_WESTERN = re.compile(r"(?:西暦)?(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})日?")
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
_NUMERAL = r"(元|\d{1,2}|[〇一二三四五六七八九十]{1,3})"
_IN_ERA = re.compile(rf"({'|'.join(_ERA_DIGITS)})\s*{_NUMERAL}\s*[-/.年]\s*{_NUMERAL}\s*[-/.月]\s*{_NUMERAL}日?")
#: What is seen, and the sentence that says so.
_REFUSED = (
    (re.compile(r"\d{5}(?:\.\d+)?"), "roster.day_serial"),
    (re.compile(r"\d{1,2}年.*"), "roster.day_era"),
    (
        re.compile(r"\d{1,2}[-/. ]\d{1,2}[-/. ]\d{1,4}|\d{1,2}[-/. ]?[a-z]{3,9}[-/. ,]*\d{2,4}|\d{6,7}"),
        "roster.day_order",
    ),
    (re.compile(r"\d{1,2}[-/.月]\d{1,2}日?"), "roster.day_no_year"),
)


@lru_cache(4096)  # a roster has few different days, and many rows
def read_day(cell: str) -> date | None:
    """`2026-11-05`, `2026/11/5 0:00`, `20261105`, `令和8年11月5日`, `R8.11.5`; None if empty. Raises WrongCell."""
    if not cell:
        return None
    given = unicodedata.normalize("NFKC", cell).casefold().strip()
    weekday = _WEEKDAY.search(given)
    if weekday:
        given = given[: weekday.start()]
    found = _day(_MIDNIGHT.sub("", given))
    if weekday and _WEEKDAYS.index(weekday[1] or weekday[2]) != found.weekday():
        raise WrongCell("roster.day_weekday")
    return found


def _day(given: str) -> date:
    if _ANY_TIME.search(given):
        raise WrongCell("roster.day_time")
    western = _WESTERN.fullmatch(given) or _COMPACT.fullmatch(given)
    try:
        if western:
            return date(*map(int, western.groups()))
        if era := _IN_ERA.fullmatch(given):
            return _in_era(_ERA_DIGITS[era[1]], *map(_number, era.groups()[1:]))
    except ValueError as error:
        if isinstance(error, WrongCell):
            raise
        raise WrongCell("roster.not_day") from None
    for form, message in _REFUSED:
        if form.fullmatch(given):
            raise WrongCell(message)
    raise WrongCell("roster.not_day")


def _in_era(digit: str, year: int, month: int, day: int) -> date:
    first, before = ERAS[digit]
    after = ERAS[str(int(digit) + 1)][0] if str(int(digit) + 1) in ERAS else date.max
    found = date(before + year, month, day)
    if year < 1 or not first <= found < after:
        raise WrongCell("roster.day_not_in_era")
    return found


def _number(written: str) -> int:
    """Of digits, or of kanji up to 99. Raises ValueError."""
    if written.isascii():
        return int(written)
    if written == "元":
        return 1
    tens, ten, ones = written.rpartition("十")
    if not ten:
        return int("".join(str(_DIGITS[each]) for each in written))
    if len(tens) > 1 or len(ones) > 1 or "十" in tens:
        raise ValueError
    return 10 * (_DIGITS[tens] if tens else 1) + (_DIGITS[ones] if ones else 0)


_CLOCK = re.compile(r"(午前|午後|am|pm)?(\d{1,2})(?::(\d{2})(?::00)?|時(?:(\d{1,2})分?|(半))?)(am|pm)?")


@lru_cache(4096)
def read_time(cell: str) -> time | None:
    """`9:00`, `09:00:00`, `10時15分`, `午後3時半`, `3:00 PM`; None if empty. Raises WrongCell."""
    if not cell:
        return None
    given = "".join(unicodedata.normalize("NFKC", cell).casefold().split())
    found = _CLOCK.fullmatch(given)
    if not found or (found[1] and found[6]):
        raise WrongCell("roster.not_time")
    half = found[1] or found[6]
    hour = int(found[2])
    if half:
        # Noon is 12 p.m. in English; in Japanese both 午前12時 and 午後0時 are said, and 午後12時 by some for midnight.
        if hour > 12 or (hour == 12 and half in ("午前", "午後")):
            raise WrongCell("roster.not_time")
        hour = hour % 12 + (12 if half in ("午後", "pm") else 0)
    minute = 30 if found[5] else int(found[3] or found[4] or 0)
    if hour > 23 or minute > 59:
        raise WrongCell("roster.not_time")
    return time(hour, minute)
