"""Who an unknown caller may be taken for: ID with check digit, birth date by keys, and the limits on guessing. Pure.

Figures: people aged 65 to 100 have about 12,784 birth dates; with ten failures for an ID, ever, guessing succeeds with
10/12,784 = 0.08 %.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

#: M. Damm, Total anti-symmetrische Quasigruppen (2004), page 111: the table of order 10. It catches every single wrong
#: digit and every transposition of neighbours.
_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)

#: Digits of any ID.
ID_LENGTHS = range(6, 9)
#: Digits of an ID that we make, the check digit among them: nobody can walk through ten million.
NEW_ID_LENGTH = 8

#: Era digit as on Japanese official forms: first day, and year before its year 1.
ERAS = {
    "1": (date(1868, 10, 23), 1867),  # Meiji
    "2": (date(1912, 7, 30), 1911),  # Taisho
    "3": (date(1926, 12, 25), 1925),  # Showa
    "4": (date(1989, 1, 8), 1988),  # Heisei
    "5": (date(2019, 5, 1), 2018),  # Reiwa
}
#: Nobody older is alive: the longest life that is known was 122 years.
OLDEST_YEARS = 125

#: Alarm, about a day: so many wrong tries that nobody is let in by ID any more on it.
GUESSING = "guessing"

#: Western date YYYYMMDD; era date EYYMMDD.
WESTERN_LENGTH, ERA_LENGTH = 8, 7


def check_digit(digits: str) -> str:
    """The digit to put behind `digits` (ASCII digits, any number of them)."""
    state = 0
    for each in digits:
        state = _DAMM[state][int(each)]
    return str(state)


def has_check_digit(id: str) -> bool:
    """Whether the last digit is the check digit of those before it."""
    return check_digit(id) == "0"


def padded_ids(id: str) -> tuple[str, ...]:
    """Every other ID that is this one but for zeros in front: what a spreadsheet makes of one of them."""
    digits = id.lstrip("0")
    return tuple(each for length in ID_LENGTHS if (each := digits.zfill(length)) != id and len(each) == length)


def new_id(below: Callable[[int], int], taken: Callable[[str], bool]) -> str:
    """A random ID of eight digits that is not taken; `below(n)` gives a number from 0 to n - 1, by true chance.

    It never begins with 0: spreadsheets drop that, and the check digit does not notice.
    """
    least = 10 ** (NEW_ID_LENGTH - 2)
    while True:
        body = str(least + below(9 * least))
        found = body + check_digit(body)
        if not taken(found):
            return found


def read_birth_date(keys: str, today: date) -> date | None:
    """A birth date as keyed: `19350405`, or `3100405` for Showa 10, 5 April. None: nobody alive was born then.

    A date before the first or after the last day of its era is a mistake too.
    """
    if not keys.isascii() or not keys.isdigit():
        return None
    if len(keys) == WESTERN_LENGTH:
        born = _day(int(keys[:4]), keys[4:])
    elif len(keys) == ERA_LENGTH and keys[0] in ERAS:
        born = _in_era(keys)
    else:
        return None
    return born if born is not None and today.year - OLDEST_YEARS <= born.year and born <= today else None


def _in_era(keys: str) -> date | None:
    first, before = ERAS[keys[0]]
    if keys[1:3] == "00":
        return None
    born = _day(before + int(keys[1:3]), keys[3:])
    next_first = ERAS[str(int(keys[0]) + 1)][0] if keys[0] != "5" else date.max
    return born if born is not None and first <= born < next_first else None


def _day(year: int, month_day: str) -> date | None:
    try:
        return date(year, int(month_day[:2]), int(month_day[2:]))
    except ValueError:
        return None


@dataclass(frozen=True)
class Limits:
    """How many wrong tries there may be; the ten of an ID are over all time, until staff open it again."""

    per_call: int = 3
    per_id_and_day: int = 5
    per_id: int = 10
    per_number_and_hour: int = 6
    withheld_per_hour: int = 10  #: all withheld numbers together
    per_day: int = 50  #: all together; then nobody is let in by ID on that day


LIMITS = Limits()


@dataclass(frozen=True)
class Failures:
    """Wrong tries before this one."""

    of_id_today: int
    of_id: int  #: since staff last opened it
    of_number: int  #: of the last hour; all withheld numbers are one
    today: int


class Lock(StrEnum):
    """What keeps a try from being looked at."""

    ID = "id"  #: until staff open it
    ID_TODAY = "id_today"
    NUMBER = "number"
    ALL = "all"


class Verdict(StrEnum):
    """What became of a try."""

    PASSED = "passed"
    FAILED = "failed"
    BLOCKED = "blocked"  #: not looked at; it counts nowhere, because it told nothing


def locks_of(failures: Failures, withheld: bool, limits: Limits = LIMITS) -> frozenset[Lock]:
    """The locks that stand after these failures."""
    of_number = limits.withheld_per_hour if withheld else limits.per_number_and_hour
    standing = {
        Lock.ID: failures.of_id >= limits.per_id,
        Lock.ALL: failures.today >= limits.per_day,
        Lock.ID_TODAY: failures.of_id_today >= limits.per_id_and_day,
        Lock.NUMBER: failures.of_number >= of_number,
    }
    return frozenset(lock for lock, stands in standing.items() if stands)


def judge_try(matches: bool, locks: frozenset[Lock]) -> Verdict:
    """What becomes of a try whose ID and date fit together, or not."""
    if locks:
        return Verdict.BLOCKED
    return Verdict.PASSED if matches else Verdict.FAILED


def after(failures: Failures) -> Failures:
    """The counts with one more."""
    return Failures(
        failures.of_id_today + 1,
        failures.of_id + 1,
        failures.of_number + 1,
        failures.today + 1,
    )
