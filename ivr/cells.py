"""The cells of a roster: text that people and spreadsheets write to values, and back. Pure.

Each `read_…` raises WrongCell with an id of the catalogue. The messages repeat no name, id or number.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import date, time, timedelta

from ivr.files.dates import read_day, read_time
from ivr.files.given_text import WrongCell, check_text
from ivr.identity import has_check_digit
from ivr.person import OWN_TIME, Hours, Risk
from ivr.spreadsheet import is_formula
from ivr.window import EARLIEST, LATEST

#: Nobody who was born before is alive: such a year is a slip of the keyboard.
EARLIEST_BIRTH = 1900
#: Days within which a period begins, and within which it ends: another year is a slip, and nobody would be rung.
LATEST_BEGIN, LATEST_END = timedelta(days=366), timedelta(days=3 * 366)
MOST_FACTS = 50
_BETWEEN = re.compile(r"[\s;,、；，]+")
_ID = re.compile(r"[0-9]{6,8}")
_FACT = re.compile(r"([a-z][a-z0-9_]{0,31})=(.{1,100})")
#: What is seen instead of digits alone, and the sentence that says so; the first one that fits.
_NO_DIGITS = (
    (re.compile(r"[0-9]+\.0+"), "roster.decimal"),
    (re.compile(r"[0-9]+(\.[0-9]+)?e\+?[0-9]+"), "roster.scientific"),
    (re.compile(r"[〃々\"]|(〃|々|仝|同上|同じ|上に同じ)+"), "roster.ditto"),
    (re.compile(r"#(n/a|ref!|value!|name\?|null!|div/0!|num!)"), "roster.error_value"),
    (re.compile(r"\D*([0-9][0-9() -]{8,}[0-9])\D+([0-9][0-9() -]{8,}[0-9])\D*"), "roster.two_numbers"),
    (re.compile(r".*[0-9].*[^0-9()+\s-].*|.*[^0-9()+\s-].*[0-9].*"), "roster.note"),
)

_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−ー", "-"))


def _plain(cell: str) -> str:
    """Digits as ASCII, without the apostrophe that keeps a spreadsheet from changing them."""
    return unicodedata.normalize("NFKC", cell).translate(_DASHES).strip().removeprefix("'")


def why_no_digits(cell: str) -> str | None:
    """What stands there instead of the digits of an ID or a number: an id of the catalogue; None: hard to say."""
    seen = _plain(cell).casefold()
    return next((message for form, message in _NO_DIGITS if form.fullmatch(seen)), None)


def read_id(cell: str, check_digit: bool = False) -> str:
    """6 to 8 digits, ASCII; with `check_digit` the last one must fit the others."""
    found = _plain(cell)
    if not _ID.fullmatch(found):
        raise WrongCell(why_no_digits(cell) or "roster.bad_id")
    if check_digit and not has_check_digit(found):
        raise WrongCell("roster.check_digit")
    return found


def read_text(cell: str) -> str:
    """A name as it is written: not empty, not too long, nothing that a spreadsheet would run, no control characters."""
    if not cell:
        raise WrongCell("roster.no_text")
    if is_formula(cell):
        raise WrongCell("roster.formula")
    if cell in _ERRORS:
        raise WrongCell("roster.error_value")
    return check_text(cell)


#: What a spreadsheet shows where a formula came to nothing.
_ERRORS = frozenset(("#N/A", "#REF!", "#VALUE!", "#NAME?", "#NULL!", "#DIV/0!", "#NUM!"))


def read_slots(cell: str, allowed: Collection[str]) -> tuple[str, ...]:
    """Names of slots with spaces, commas or semicolons between them; none twice."""
    found = tuple(each for each in _BETWEEN.split(cell) if each)
    for each in found:
        if each not in allowed:
            raise WrongCell("roster.not_allowed", given=_shown(each), allowed=", ".join(allowed))
    if len(set(found)) < len(found):
        raise WrongCell("roster.slot_twice")
    return found


def read_choice(cell: str, allowed: Collection[str]) -> str:
    """One of the allowed words."""
    if cell not in allowed:
        raise WrongCell("roster.not_allowed", given=_shown(cell), allowed=", ".join(allowed))
    return cell


def read_risk(cell: str) -> Risk:
    """`high`, `normal` or `low`; normal if empty."""
    return Risk(read_choice(cell, tuple(Risk))) if cell else Risk.NORMAL


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


def _shown(cell: str) -> str:
    return cell if len(cell) <= 40 else cell[:40] + "…"


def read_birth_date(cell: str, today: date | None = None) -> date | None:
    """As `read_day`; from 1900 on, and not after `today` (None: not known)."""
    born = read_day(cell)
    if born is not None and born.year < EARLIEST_BIRTH:
        raise WrongCell("roster.birth_date", earliest=EARLIEST_BIRTH)
    if born is not None and today is not None and born > today:
        raise WrongCell("roster.birth_to_come")
    return born


def read_begin(cell: str, today: date | None = None) -> date | None:
    """As `read_day`; not so late that nobody would be rung for a year."""
    return _until(read_day(cell), today, LATEST_BEGIN)


def read_end(cell: str, today: date | None = None) -> date | None:
    """As `read_day`; not years away."""
    return _until(read_day(cell), today, LATEST_END)


def _until(day: date | None, today: date | None, most: timedelta) -> date | None:
    if day is not None and today is not None and day > today + most:
        raise WrongCell("roster.too_far", days=most.days)
    return day


def read_facts(cell: str) -> dict[str, str]:
    """`oximeter=yes;thermometer=no`: keys of small letters, values without `;`."""
    facts: dict[str, str] = {}
    if not cell:
        return facts
    for part in filter(None, (each.strip() for each in cell.split(";"))):
        found = _FACT.fullmatch(part)
        if not found or found[1] in facts:
            raise WrongCell("roster.facts")
        if len(facts) == MOST_FACTS:
            raise WrongCell("roster.too_many_facts", most=MOST_FACTS)
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
