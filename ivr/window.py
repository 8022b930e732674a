"""When calls may be placed: one rule, asked by the policy and again by the last step before dialling. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from ivr.person import OWN_TIME, Hours, Person

#: Hours in which nobody is rung, whatever the settings say (Japanese custom is 9:00 to 21:00; see docs/people.md).
EARLIEST, LATEST = time(8), time(21)
#: Where whoever is rung is, whatever the zone of the centre or the server: only Japanese numbers can be (ivr.numbers).
PATIENTS = ZoneInfo("Asia/Tokyo")


class DayKind(StrEnum):
    """Days for which a slot may have other hours; a holiday is one, whatever its weekday."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"
    HOLIDAY = "holiday"


_WEEKDAYS = tuple(DayKind)[:7]


@dataclass(frozen=True)
class Window:
    """From `first` on, and so that ringing has stopped by `until`. Aware datetimes.

    One that leaves 8:00 to 21:00 of a day in Japan cannot be made: ValueError.
    """

    first: datetime
    until: datetime
    slot: str = ""  #: which slot of the person it belongs to

    def __post_init__(self) -> None:
        if self.first.tzinfo is None or self.until.tzinfo is None:
            raise ValueError("a window needs its time zone")
        first, until = self.first.astimezone(PATIENTS), self.until.astimezone(PATIENTS)
        if first.date() != until.date() or not EARLIEST <= first.time() < until.time() <= LATEST:
            raise ValueError("a window must lie between 8:00 and 21:00 in Japan")

    def allows(self, now: datetime, ring_seconds: float) -> bool:
        """Whether a call placed `now` begins and stops ringing inside."""
        # A difference, not a sum: on a clock of another zone a sum would be an hour off when summer time begins.
        return self.first <= now and self.until - now >= timedelta(seconds=ring_seconds)


class Off(StrEnum):
    """Why somebody has no window in a slot of a day."""

    DAY_OFF = "day_off"  #: the settings have no hours for this weekday or holiday
    BLOCKED = "blocked"  #: a date that the settings block
    NOT_BEGUN = "not_begun"  #: the person's period begins later
    NO_SLOT = "no_slot"  #: the person has no slot, or one that the settings lack
    NO_HOURS = "no_hours"  #: nothing is left of the slot inside the person's own hours

    @property
    def needs_staff(self) -> bool:
        """Not what anybody decided: nobody would ever ring this person."""
        return self in (Off.NO_SLOT, Off.NO_HOURS)


@dataclass(frozen=True)
class NoWindow:
    """A slot of a person in which there is no call on a day."""

    slot: str
    why: Off


@dataclass(frozen=True)
class Dates:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True)
class Slot:
    """A named time of day at which persons are called."""

    hours: Hours
    days: Mapping[DayKind, Hours | None]  #: days with other hours; None: no calls

    def hours_of(self, day: date, is_holiday: Callable[[date], bool]) -> Hours | None:
        """When this slot is on that day, if at all."""
        if DayKind.HOLIDAY in self.days and is_holiday(day):
            return self.days[DayKind.HOLIDAY]
        return self.days.get(_WEEKDAYS[day.weekday()], self.hours)


@dataclass(frozen=True)
class Calendar:
    """What the settings say about days and hours."""

    zone: ZoneInfo  #: of the centre; in it hours are meant
    slots: Mapping[str, Slot]
    is_holiday: Callable[[date], bool]
    blocked: tuple[Dates, ...] = ()
    own_time_minutes: float = 150.0  #: how long the window of a person's own time is


def windows_of(day: date, person: Person, calendar: Calendar) -> tuple[Window, ...]:
    """When this person may be rung on that day, slot by slot, in UTC; see `slots_of` for why there may be none.

    Pauses and closings are not asked here: they are decisions about moments (ivr.person.is_excluded).
    """
    return tuple(each for each in slots_of(day, person, calendar) if isinstance(each, Window))


def slots_of(day: date, person: Person, calendar: Calendar) -> tuple[Window | NoWindow, ...]:
    """Each slot of the person on that day: the window in UTC, or why there is none."""
    if not person.slots:
        return (NoWindow("", Off.NO_SLOT),)
    return tuple(slot_of(day, person, each, calendar) for each in person.slots)


def slot_of(day: date, person: Person, slot: str, calendar: Calendar) -> Window | NoWindow:
    """One slot of the person on that day; it need not be among theirs any more."""
    if person.begins is not None and day < person.begins:
        return NoWindow(slot, Off.NOT_BEGUN)
    hours = _hours(day, person, slot, calendar)
    if isinstance(hours, Off):
        return NoWindow(slot, hours)
    if any(day in each for each in calendar.blocked):
        return NoWindow(slot, Off.BLOCKED)
    if person.hours is not None:
        hours = Hours(max(hours.first, person.hours.first), min(hours.until, person.hours.until))
    # In UTC before anything is compared: with equal zones Python compares clock faces, and one of them may be shown
    # twice in the night that summer time ends.
    first, until = (datetime.combine(day, each, calendar.zone).astimezone(UTC) for each in (hours.first, hours.until))
    for earliest, latest in _hard_limits(first, until):
        if max(first, earliest) < min(until, latest):
            return Window(max(first, earliest), min(until, latest), slot)
    return NoWindow(slot, Off.NO_HOURS)


def _hours(day: date, person: Person, slot: str, calendar: Calendar) -> Hours | Off:
    if slot == OWN_TIME and person.own_time is not None:
        first = datetime.combine(day, person.own_time)
        until = first + timedelta(minutes=calendar.own_time_minutes)
        return Hours(first.time(), until.time() if until.date() == day else time.max)
    found = calendar.slots.get(slot)
    if found is None:
        return Off.NO_SLOT
    return found.hours_of(day, calendar.is_holiday) or Off.DAY_OFF


def _hard_limits(first: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """8:00 to 21:00 of each day in Japan that the two moments touch; in UTC."""
    day = first.astimezone(PATIENTS).date()
    while day <= until.astimezone(PATIENTS).date():
        yield _limits_of(day)
        day += timedelta(days=1)


@lru_cache(maxsize=16)  # every decision about anybody asks for the same day
def _limits_of(day: date) -> tuple[datetime, datetime]:
    first, until = (datetime.combine(day, each, PATIENTS).astimezone(UTC) for each in (EARLIEST, LATEST))
    return first, until
