"""The cells of a roster: text that people and spreadsheets write to values, and back. Pure.

Each `read_…` raises WrongCell with an id of the catalogue. The messages repeat no name, id or number.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import date, time
from functools import lru_cache

from ivr.identity import has_check_digit
from ivr.person import OWN_TIME, Hours, Risk
from ivr.spreadsheet import is_formula
from ivr.window import EARLIEST, LATEST


class WrongCell(ValueError):
    """What stands there cannot be used. `message` is an id of the catalogue, `values` fill its blanks."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message = message
        self.values = values


#: Whoever was born before is not alive: such a year is a slip of the keyboard.
EARLIEST_BIRTH = 1900
_UNUSABLE = ("Cc", "Cs", "Co", "Cn")
_BETWEEN = re.compile(r"[\s;,、；，]+")
_ID = re.compile(r"[0-9]{6,8}")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::00)?")
_DAY = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})")
_FACT = re.compile(r"([a-z][a-z0-9_]{0,31})=(.{1,100})")


def read_id(cell: str, check_digit: bool = False) -> str:
    """6 to 8 digits, ASCII; with `check_digit` the last one must fit the others."""
    found = unicodedata.normalize("NFKC", cell)
    if not _ID.fullmatch(found):
        raise WrongCell("roster.bad_id")
    if check_digit and not has_check_digit(found):
        raise WrongCell("roster.check_digit")
    return found


def read_text(cell: str) -> str:
    """A name as it is written: not empty, nothing that a spreadsheet would run, no control characters."""
    if not cell:
        raise WrongCell("roster.no_text")
    if is_formula(cell):
        raise WrongCell("roster.formula")
    if not cell.isprintable() and any(unicodedata.category(each) in _UNUSABLE for each in cell):
        raise WrongCell("roster.control")
    return cell


def read_slots(cell: str, allowed: Collection[str]) -> tuple[str, ...]:
    """Names of slots with spaces, commas or semicolons between them; none twice."""
    found = tuple(each for each in _BETWEEN.split(cell) if each)
    for each in found:
        if each not in allowed:
            raise WrongCell("roster.not_allowed", given=each, allowed=", ".join(allowed))
    if len(set(found)) < len(found):
        raise WrongCell("roster.slot_twice")
    return found


def read_choice(cell: str, allowed: Collection[str]) -> str:
    """One of the allowed words."""
    if cell not in allowed:
        raise WrongCell("roster.not_allowed", given=cell, allowed=", ".join(allowed))
    return cell


def read_risk(cell: str) -> Risk:
    """`high`, `normal` or `low`; normal if empty."""
    return Risk(read_choice(cell, tuple(Risk))) if cell else Risk.NORMAL


@lru_cache(4096)
def read_time(cell: str) -> time | None:
    """`9:00` or `09:00` (spreadsheets add `:00`); None if empty."""
    if not cell:
        return None
    found = _TIME.fullmatch(unicodedata.normalize("NFKC", cell))
    if not found:
        raise WrongCell("roster.not_time")
    return time(int(found[1]), int(found[2]))


def read_own_time(cell: str) -> time | None:
    """When a person wishes to be called: inside the hours in which anybody may be."""
    found = read_time(cell)
    if found is not None and not EARLIEST <= found < LATEST:
        raise WrongCell("roster.own_time")
    return found


def read_hours(first: str, until: str) -> Hours | None:
    """Both or neither; in order; some of it between 8:00 and 21:00."""
    begin = read_time(first)
    try:
        end = read_time(until)
    except WrongCell as wrong:
        raise WrongCell(wrong.message, column="hours_until") from None
    if begin is None and end is None:
        return None
    if begin is None or end is None or not begin < end or end <= EARLIEST or begin >= LATEST:
        raise WrongCell("roster.hours")
    return Hours(begin, end)


@lru_cache(4096)  # a roster has few different days, and many rows
def read_day(cell: str) -> date | None:
    """`2026-11-05`, or `2026/11/5` as Japanese spreadsheets write it back; None if empty."""
    if not cell:
        return None
    found = _DAY.fullmatch(unicodedata.normalize("NFKC", cell))
    try:
        if found:
            return date(*map(int, found.groups()))
    except ValueError:
        pass
    raise WrongCell("roster.not_day")


def read_birth_date(cell: str) -> date | None:
    """As `read_day`; a western year from 1900 on."""
    born = read_day(cell)
    if born is not None and born.year < EARLIEST_BIRTH:
        raise WrongCell("roster.birth_date", earliest=EARLIEST_BIRTH)
    return born


def read_facts(cell: str) -> dict[str, str]:
    """`oximeter=yes;thermometer=no`: keys of small letters, values without `;`."""
    facts: dict[str, str] = {}
    if not cell:
        return facts
    for part in filter(None, (each.strip() for each in cell.split(";"))):
        found = _FACT.fullmatch(part)
        if not found or found[1] in facts:
            raise WrongCell("roster.facts")
        facts[found[1]] = read_text(found[2].strip())
    return facts


def write_slots(slots: tuple[str, ...]) -> str:
    """What `read_slots` reads; the own time has a column of its own."""
    return ";".join(each for each in slots if each != OWN_TIME)


def write_facts(facts: Mapping[str, str]) -> str:
    """What `read_facts` reads."""
    return ";".join(f"{key}={value}" for key, value in sorted(facts.items()))


def write_time(moment: time | None) -> str:
    """`09:00`, or nothing."""
    return moment.isoformat("minutes") if moment else ""
