"""Dates and times as prompts: which sounds, one after another, say a value in Japanese. Pure.

Parts meet only at pauses: a recogniser understood 11 of 15 numbers joined inside a phrase, and 15 of 15 said whole.
"""

from datetime import date, time


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
