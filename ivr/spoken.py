"""Dates, times and numbers as prompts: which sounds, one after another, say a value in Japanese. Pure.

Parts meet only at pauses: a recogniser understood 11 of 15 numbers joined inside a phrase, and 15 of 15 said whole.
The parts are made from the section `counted` of prompts/ja.yaml. Forms with `_end` close the sentence (…です。).
"""

import re
from datetime import date, time

#: Silence between groups of digits.
DIGIT_PAUSE = "digit/pause"


def speak_date(day: date, *, end: bool = False) -> tuple[str, ...]:
    """Month and day: 11月、22日、 — with `end` …22日です。 The year is never said."""
    return f"date/month_{day.month}", f"date/day_{day.day}" + ("_end" if end else "")


def speak_time(moment: time, *, end: bool = False) -> tuple[str, ...]:
    """Hour and minutes in steps of five, rounded down: 午前9時、 or 午前9時、30分、 — with `end` …30分です。"""
    form = "_end" if end else ""
    minute = moment.minute - moment.minute % 5
    if minute == 0:
        return (f"time/hour_{moment.hour}{form}",)
    return f"time/hour_{moment.hour}", f"time/minute_{minute}{form}"


def speak_digits(number: str) -> tuple[str, ...]:
    """An ID or a telephone number digit by digit, a pause at each hyphen, the last digit in its final form (…です。).

    Raises ValueError for anything but digits with single hyphens between them.
    """
    if not re.fullmatch(r"[0-9]+(-[0-9]+)*", number):
        raise ValueError("digits, with single hyphens between them")
    parts = [DIGIT_PAUSE if sign == "-" else f"digit/{sign}" for sign in number]
    return (*parts[:-1], f"{parts[-1]}_end")
