"""Somebody under observation, as data, and what a date does to them: nothing, without a decision of staff. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, tzinfo
from enum import StrEnum

#: The slot of persons who are called at a time of their own; the settings cannot have one of this name.
OWN_TIME = "own"


class Risk(StrEnum):
    """Who is called first when lines or hours are short."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """2, 1 or 0: higher goes first."""
        return _RANKS[self]


_RANKS = {Risk.HIGH: 2, Risk.NORMAL: 1, Risk.LOW: 0}


@dataclass(frozen=True)
class Hours:
    """A part of a day, in the centre's wall time."""

    first: time
    until: time


@dataclass(frozen=True)
class Pause:
    """Staff decided that the person is not called for a while; the last pause there was, over or not."""

    since: datetime
    until: datetime  #: calling goes on from here by itself: a pause that nobody ends must not last for ever
    by: str
    reason: str


@dataclass(frozen=True)
class Closing:
    """Staff decided that the observation has ended."""

    at: datetime
    by: str
    reason: str


@dataclass(frozen=True)
class Person:
    """Somebody under observation."""

    id: str  #: 6 to 8 digits
    name: str
    kana: str
    numbers: tuple[str, ...]  #: national form, the first one to try first; a household shares them
    slots: tuple[str, ...]  #: names of slots of the settings, or OWN_TIME
    language: str = "ja"
    own_time: time | None = None  #: when the person wishes to be called; given if OWN_TIME is among the slots
    hours: Hours | None = None  #: the person is called inside these only, whatever the slot
    risk: Risk = Risk.NORMAL
    facts: Mapping[str, str] = field(default_factory=dict, hash=False)  #: such as oximeter -> yes
    begins: date | None = None  #: first day of the period; not called before
    ends: date | None = None  #: last day of the period; calling goes on after it until staff close
    pause: Pause | None = None
    closing: Closing | None = None
    birth_date: date | None = None  #: without it nobody who rings from elsewhere is taken for the person

    @property
    def closed_at(self) -> datetime | None:
        """When the observation ended; None while it goes on."""
        return self.closing.at if self.closing else None


@dataclass(frozen=True)
class Member:
    """Somebody under observation who shares a telephone."""

    place: int  #: from 1, as it stands on the card: the key that chooses them
    person: Person


#: A key for each place.
MOST_PLACES = 9


def is_paused(person: Person, at: datetime) -> bool:
    """Whether staff have paused the calls at this moment."""
    return person.pause is not None and person.pause.since <= at < person.pause.until


def is_excluded(person: Person, at: datetime) -> bool:
    """Whether a recorded decision of staff, and nothing else, keeps the person from being called at this moment."""
    return (person.closed_at is not None and person.closed_at <= at) or is_paused(person, at)


def begins_anew(person: Person, closing: Closing, zone: tzinfo) -> bool:
    """Whether a roster speaks of a new period of somebody whose observation staff have closed."""
    return person.begins is not None and person.begins > closing.at.astimezone(zone).date()


def is_period_over(person: Person, day: date) -> bool:
    """The last day of the period has passed and staff have not closed: a task for them, never an end of calling.

    In January 2021 a man died whose extension had not been typed in: his calls went unanswered, and the list of those
    not reached left him out because his period "had ended" (Kanagawa).
    """
    return person.closing is None and person.ends is not None and day > person.ends
