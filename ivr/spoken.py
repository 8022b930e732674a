"""Dates, times and numbers as prompts: which sounds, one after another, say a value in Japanese. Pure.

Parts meet only at pauses: a recogniser understood 11 of 15 numbers joined inside a phrase, and 15 of 15 said whole.
The parts are made from the section `counted` of prompts/ja.yaml. Forms with `_end` close the sentence (…です。).
"""

import re
from datetime import date, time

#: Silence between groups of digits.
DIGIT_PAUSE = "digit/pause"

_DATE = re.compile(r"date/(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])(_end)?")
_TIME = re.compile(r"time/([01][0-9]|2[0-3])([0-5][0-9])(_end)?")


def speak_date(day: date, *, end: bool = False) -> tuple[str, ...]:
    """Month and day: 11月、22日、 — with `end` …22日です。 The year is never said."""
    return parts_of(f"date/{day:%m%d}" + ("_end" if end else ""))


def speak_time(moment: time, *, end: bool = False) -> tuple[str, ...]:
    """Hour and minutes in steps of five, rounded down: 午前9時、 or 午前9時、30分、 — with `end` …30分です。"""
    return parts_of(f"time/{moment:%H%M}" + ("_end" if end else ""))


def speak_digits(number: str) -> tuple[str, ...]:
    """An ID or a telephone number digit by digit, a pause at each hyphen, the last digit in its final form (…です。).

    Raises ValueError for anything but digits with single hyphens between them.
    """
    if not re.fullmatch(r"[0-9]+(-[0-9]+)*", number):
        raise ValueError("digits, with single hyphens between them")
    parts = [DIGIT_PAUSE if sign == "-" else f"digit/{sign}" for sign in number]
    return (*parts[:-1], f"{parts[-1]}_end")


def parts_of(prompt: str) -> tuple[str, ...]:
    """The sounds that say a prompt which has none of its own: `date/MMDD` and `time/HHMM`, each also with `_end`.

    Any other prompt is its own only part.
    """
    if day := _DATE.fullmatch(prompt):
        return f"date/month_{int(day[1])}", f"date/day_{int(day[2])}{day[3] or ''}"
    if moment := _TIME.fullmatch(prompt):
        hour, minute, end = int(moment[1]), int(moment[2]) // 5 * 5, moment[3] or ""
        return (f"time/hour_{hour}", f"time/minute_{minute}{end}") if minute else (f"time/hour_{hour}{end}",)
    return (prompt,)
