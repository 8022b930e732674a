"""Which days the dialler has to look at. Pure."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

#: A service that was down for longer looks no further back.
LONGEST_DOWN = timedelta(days=31)


def days_to_settle(now: datetime, zone: ZoneInfo, settled: date | None) -> tuple[date, ...]:
    """Every day after `settled`, up to today: a service that was down still hands over who was not reached meanwhile.

    `settled`: the last day on which nobody is left; None: not known, then yesterday and today.
    """
    today = now.astimezone(zone).date()
    last = today - timedelta(days=2) if settled is None else max(settled, today - LONGEST_DOWN)
    # Today in any case, should the clock have been put back.
    first = min(last + timedelta(days=1), today)
    return tuple(first + timedelta(days=each) for each in range((today - first).days + 1))
