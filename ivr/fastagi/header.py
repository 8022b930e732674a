"""What Asterisk says about a call when it connects: the header of FastAGI, lines of `name: value`. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ivr.endpoints import caller_number
from ivr.fastagi.settings import SCRIPT

#: More than Asterisk ever sends: about 30 lines.
MOST_BYTES = 16 * 1024
#: What ends it.
END = b"\n\n"
_CALL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True)
class Arrival:
    """A call that was handed over to us."""

    call_id: str  #: Asterisk's uniqueid: the channel's id, also in its own call records
    caller: str | None  #: None: withheld
    dialled: str


def read_fields(header: bytes) -> dict[str, str]:
    """The lines by name; what is no such line is left out."""
    lines = (line.partition(": ") for line in header.decode("utf-8", "replace").split("\n"))
    return {name: value.strip() for name, colon, value in lines if colon and name.startswith("agi_")}


def read_arrival(fields: Mapping[str, str]) -> Arrival | None:
    """None if this is no call of our dialplan."""
    call_id = fields.get("agi_uniqueid", "")
    if fields.get("agi_network_script") != SCRIPT or not _CALL_ID.fullmatch(call_id):
        return None
    # `unknown` if there is none (22.10.1), which is no number either.
    dialled = fields.get("agi_arg_1") or fields.get("agi_extension", "")
    presentation = fields.get("agi_callingpres", "")
    shown = caller_number(fields.get("agi_callerid", ""), int(presentation) if presentation.isdecimal() else 0)
    return Arrival(call_id, shown, dialled)
