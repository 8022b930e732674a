"""How the time of the next call is said. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta

from ivr.questionnaire.model import NextCall
from ivr.spoken import speak_date, speak_time

#: What stands in `next_call` for one or more prompts.
DAY = "{next_day}"
TIME = "{next_time}"

TODAY = "today"
TOMORROW = "tomorrow"

#: A leap year, for every month and day there is.
_YEAR = 2024


def next_call_of(at: datetime, today: date) -> NextCall:
    """The next call as it is said on `today`; both in the time zone of the person."""
    day = {today: TODAY, today + timedelta(days=1): TOMORROW}.get(at.date(), f"{at:%m%d}")
    return NextCall(day, f"{at:%H%M}")


def say_next_call(prompts: Sequence[str], call: NextCall) -> tuple[str, ...]:
    """The prompts with day and time in them. What stands last closes the sentence (…9時です。)."""
    last = len(prompts) - 1
    return tuple(each for at, prompt in enumerate(prompts) for each in spoken_for(prompt, call, end=at == last))


def spoken_for(prompt: str, call: NextCall, *, end: bool) -> tuple[str, ...]:
    """The prompt itself, or what DAY or TIME stands for; `end`: it closes the sentence."""
    if prompt == DAY:
        return _day(call.day, end)
    if prompt == TIME:
        return speak_time(time(int(call.time[:2]), int(call.time[2:])), end=end)
    return (prompt,)


def every_next_call(times: Iterable[str]) -> list[NextCall]:
    """Calls enough to say every month, every day of a month, and all of these times of day (`0900`)."""
    every_day = [f"01{day:02}" for day in range(1, 32)] + [f"{month:02}01" for month in range(2, 13)]
    days = [TODAY, TOMORROW, *every_day]
    return [NextCall(day, time) for time in times for day in days]


def _day(day: str, end: bool) -> tuple[str, ...]:
    if day in (TODAY, TOMORROW):
        return (f"date/{day}" + ("_end" if end else ""),)
    return speak_date(date(_YEAR, int(day[:2]), int(day[2:])), end=end)
