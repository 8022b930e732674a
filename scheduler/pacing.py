"""How many calls may start now. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Pace:
    """What the trunk carries."""

    lines: int  #: lines of the trunk
    reserved: int  #: lines that outbound calls leave free for callers
    per_second: float  #: new calls a second


def is_resting(last_rung: datetime | None, now: datetime, rest_seconds: float) -> bool:
    """Whether a telephone rang in vain so lately that it is left alone, for everybody who shares it."""
    return last_rung is not None and now < last_rung + timedelta(seconds=rest_seconds)


def may_start(pace: Pace, outbound: int, inbound: int, last_start: datetime | None, now: datetime) -> int:
    """How many outbound calls may start at this moment: 0 or 1 by the rate, none without a free line.

    Inbound calls use the reserve first; past it they take lines from us.
    """
    free = pace.lines - outbound - max(pace.reserved, inbound)
    if free <= 0:
        return 0
    if last_start is not None and now < last_start + timedelta(seconds=1 / pace.per_second):
        return 0
    return 1
