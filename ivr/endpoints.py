"""What every driver knows of Asterisk's channels: whose number calls, which telephone it is, what may be rung. Pure."""

import re
from collections.abc import Collection

from ivr.numbers import BadNumber, Numbering, dialable


def caller_number(said: str) -> str | None:
    """The caller's number as the network gave it; None if withheld, in whatever words, or no number at all."""
    number = said.strip()
    return number if re.fullmatch(r"\+?[0-9]{3,20}", number) else None


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
