"""The one function between a telephone number in data and a dial string. Pure.

Numbering classes: the ministry's numbering plan (0A0 mobile and IP, 0ABC geographic, 0AB0 special, 1XX emergency).
"""

import re
import unicodedata
from enum import StrEnum


class Plan(StrEnum):
    """Which numbers exist for this installation."""

    JAPAN = "japan"
    #: The fictional numbers of the practice network: blocks that Japan does not assign (0A0-0, local exchanges that
    #: begin with 1). A practice installation can ring nothing else, and a real one can never ring these.
    PRACTICE = "practice"


class BadNumber(ValueError):
    """Not a number that may be rung. `message` is an id of the catalogue."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


_MOBILE_OR_IP = re.compile(r"0(?:[6789]0|50)[1-9][0-9]{7}")
_GEOGRAPHIC = re.compile(r"0[1-9][1-9][0-9]{7}")
#: 0AB0 services: toll-free, teleconference, mass calling, navi-dial (the caller pays), premium.
_SPECIAL = ("0120", "0170", "0180", "0190", "0570", "0800", "0910", "0990")
#: 0800 is toll-free; only 0800-000 of it is practice.
_PRACTICE = re.compile(r"0(?:[679]0|50)0[0-9]{7}|0800000[0-9]{4}|0310[0-9]{6}")

_SEPARATORS = str.maketrans("", "", " -‐‑‒–—―−ー()　")


def normalise(raw: str, plan: Plan) -> str:
    """The national form `0…` of a number that may be rung, ASCII digits only. Raises BadNumber for everything else.

    Emergency and service numbers, carrier selection, international, premium and toll-free numbers are refused here,
    in code, so that no setting can allow them. Prefix codes (184, 186, `*`, `#`) are bad data, not stripped.
    """
    number = unicodedata.normalize("NFKC", raw).strip().translate(_SEPARATORS)
    if number.startswith("+81"):
        number = "0" + number[3:].removeprefix("0")
    # fullmatch: `$` would let a trailing line break into the dial string.
    if not re.fullmatch(r"[0-9]+", number):
        raise BadNumber("number.not_digits")
    if number.startswith("1"):
        raise BadNumber("number.emergency")
    if number.startswith(("00", "010")):
        raise BadNumber("number.international")
    if plan is Plan.PRACTICE:
        if not _PRACTICE.fullmatch(number):
            raise BadNumber("number.not_practice")
        return number
    if _PRACTICE.fullmatch(number):
        raise BadNumber("number.practice")
    if number.startswith(_SPECIAL):
        raise BadNumber("number.special")
    if not (_MOBILE_OR_IP.fullmatch(number) or _GEOGRAPHIC.fullmatch(number)):
        raise BadNumber("number.unknown_class")
    return number


def mask(number: str | None) -> str:
    """A number for eyes that need not know it: the last three digits, or `-` where none was shown."""
    return f"…{number[-3:]}" if number else "-"
