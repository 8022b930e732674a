"""Between a telephone number in data and a dial string: `dialable`, and nothing else. Pure.

Numbering classes: the ministry's numbering plan (0A0 mobile and IP, 0ABC geographic, 0AB0 special, 1XX emergency).
"""

import re
import unicodedata
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Numbering:
    """What this installation may ring."""

    plan: Plan
    own: frozenset[str] = frozenset()  #: our own numbers as `spelt` gives them; ringing one would make a loop


_DIGITS = re.compile(r"[0-9]+")
_MOBILE_OR_IP = re.compile(r"0(?:[6789]0|50)[1-9][0-9]{7}")
_GEOGRAPHIC = re.compile(r"0[1-9][1-9][0-9]{7}")
#: 0AB0 services: toll-free, teleconference, mass calling, navi-dial (the caller pays), premium; and 020, 0600.
_SPECIAL = ("0120", "0170", "0180", "0190", "0570", "0800", "0910", "0990", "020", "0600")
#: 0800 is toll-free; only 0800-000 of it is practice.
_PRACTICE = re.compile(r"0(?:[679]0|50)0[0-9]{7}|0800000[0-9]{4}|0310[0-9]{6}")
_SEPARATORS = str.maketrans("", "", " -‐‑‒–—―−ー()　")


def spelt(raw: str) -> str:
    """What was meant to be written: ASCII for full width, without separators, `0…` for `+81…`. Allows nothing yet."""
    number = unicodedata.normalize("NFKC", raw).strip().translate(_SEPARATORS)
    return "0" + number[3:].removeprefix("0") if number.startswith("+81") else number


#: A number with its country, written without the sign +: 81, or what exchanges dial before it.
_WITH_COUNTRY = re.compile(r"(?:00|010)?81(?:0?)([1-9][0-9]{8,9})")
#: A national number without the 0 before it: nine digits of a landline, ten of all others.
_WITHOUT_ZERO = re.compile(r"[1-9][0-9]{8,9}")


def from_network(raw: str) -> str:
    """A number of Japan as the network says it, in its national form; anything else as `spelt`. Allows nothing yet.

    Networks, gateways and routers write one number as `090…`, `+8190…`, `8190…`, `008190…`, `0108190…` and `90…`, with
    separators or without. Not for what people write: there a missing 0 is a slip of theirs, and is told.
    """
    number = spelt(raw)
    if found := _WITH_COUNTRY.fullmatch(number):
        return "0" + found[1]
    return "0" + number if _WITHOUT_ZERO.fullmatch(number) else number


def forms_of(number: str) -> tuple[str, ...]:
    """Every form in which a network may send a national number, itself first; `from_network` is the way back."""
    national = number.removeprefix("0")
    return (
        number,
        f"+81{national}",
        f"81{national}",
        f"0081{national}",
        f"01081{national}",
        f"+810{national}",
        national,
    )


def normalise(raw: str, plan: Plan) -> str:
    """The national form `0…` of a number that may be rung, ASCII digits only. Raises BadNumber for everything else.

    Emergency and service numbers, carrier selection, international, premium and toll-free numbers are refused here,
    in code, so that no setting can allow them. Prefix codes (184, 186, `*`, `#`) are bad data, not stripped.
    """
    number = spelt(raw)
    wrong = _never_rung(number) or (_not_practice(number) if plan is Plan.PRACTICE else _not_in_japan(number))
    if wrong:
        raise BadNumber(wrong)
    return number


def _never_rung(number: str) -> str | None:
    """Why no installation may ring this, if so: an id of the catalogue."""
    # fullmatch: `$` would let a trailing line break into the dial string.
    if not _DIGITS.fullmatch(number):
        return "number.not_digits"
    if number.startswith("1"):
        return "number.emergency"
    if not number.startswith("0"):
        return "number.no_zero"
    return "number.international" if number.startswith(("00", "010")) else None


def _not_practice(number: str) -> str | None:
    return None if _PRACTICE.fullmatch(number) else "number.not_practice"


def _not_in_japan(number: str) -> str | None:
    if _PRACTICE.fullmatch(number):
        return "number.practice"
    if number.startswith(_SPECIAL):
        return "number.special"
    if not (_MOBILE_OR_IP.fullmatch(number) or _GEOGRAPHIC.fullmatch(number)):
        return "number.unknown_class"
    return None if _is_given_out(number) else "number.unassigned"


def _is_given_out(number: str) -> bool:
    """Whether Google's library finds it in a range that the ministry has given out to telephones."""
    # Only now: it costs each command 20 ms, and most ask for no real number.
    from phonenumbers import PhoneNumber, PhoneNumberType, number_type

    # Built from the digits, not parsed from the text: the library's parser also takes letters and extensions.
    return number_type(PhoneNumber(country_code=81, national_number=int(number[1:]))) in (
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
    )


#: Mobile telephones: each of them sends tones.
_MOBILE = re.compile(r"0[6789]0[0-9]{8}")


def sends_tones(number: str) -> bool:
    """Whether a telephone of this national number sends keys as tones for certain: a mobile one does."""
    return _MOBILE.fullmatch(number) is not None


def dialable(raw: str, numbering: Numbering) -> str:
    """The one function between data and a dial string: `normalise`, and never our own numbers. Raises BadNumber."""
    number = normalise(raw, numbering.plan)
    if number in numbering.own:
        raise BadNumber("number.own")
    return number


def mask(number: str | None) -> str:
    """A number for eyes that need not know it: the last three digits, or `-` where none was shown."""
    return f"…{number[-3:]}" if number else "-"
