"""What every driver knows of Asterisk's channels: whose number calls, which telephone it is, what may be rung. Pure."""

import re
from collections.abc import Collection

from ivr.numbers import BadNumber, Numbering, dialable

#: What networks and Asterisk say instead of a number that is withheld; in Japan also one letter, the reason: the
#: caller's wish, out of reach, a coin telephone, another service.
_WITHHELD = frozenset(
    ("", "anonymous", "restricted", "private", "withheld", "unavailable", "unknown", "<unknown>", "p", "o", "c", "s")
)
#: A longer "number" is none; staff see its beginning.
_MOST_SHOWN = 40


def caller_number(said: str, presentation: int = 0) -> str | None:
    """The caller's number as the network gave it; None if withheld, in whatever words.

    What is no number of a telephone is kept: staff see it. `presentation`: Asterisk's (0 to 3: may be shown; 32 to 35:
    the caller forbids it; 67: not available).
    """
    shown = "".join(each for each in said.partition(";")[0] if each.isprintable()).strip()[:_MOST_SHOWN]
    return None if presentation & 0x60 or shown.casefold() in _WITHHELD else shown


def endpoint_of(name: str) -> str:
    """The PJSIP endpoint of a channel: `desk-1` of `PJSIP/desk-1-0000000a`; empty for other channels."""
    found = re.fullmatch(r"PJSIP/(.+)-[0-9a-f]+", name)
    return found[1] if found else ""


def check_endpoint(endpoint: str, telephones: Collection[str], trunks: Collection[str], numbering: Numbering) -> None:
    """Raises ValueError unless this is a telephone of our staff, or a number that may be rung on a trunk of ours.

    Asterisk takes any text as endpoint: this is the last door, whatever was checked before.
    """
    number, at, trunk = endpoint.partition("@")
    if not at:
        if endpoint in telephones and re.fullmatch(r"[A-Za-z0-9_-]+", endpoint):
            return
        raise ValueError("not a telephone of the settings")
    try:
        allowed = dialable(number, numbering)
    except BadNumber:
        allowed = None
    if allowed != number or trunk not in trunks:
        raise ValueError("not a number that may be dialled")
