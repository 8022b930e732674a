"""When calls may be placed: one rule, asked by the policy and again by the last step before dialling. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Window:
    """From `first` on, and so that ringing has stopped by `until`. Aware datetimes."""

    first: datetime
    until: datetime

    def allows(self, now: datetime, ring_seconds: float) -> bool:
        """Whether a call placed `now` begins and stops ringing inside."""
        return self.first <= now and now + timedelta(seconds=ring_seconds) <= self.until


def window_of(day: date, first: time, until: time, zone: ZoneInfo) -> Window:
    """The window of a slot on a day of the centre's calendar."""
    return Window(datetime.combine(day, first, zone), datetime.combine(day, until, zone))
