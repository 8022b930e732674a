"""What is agreed with the dialplan that hands calls over, and what a call may do. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ivr.numbers import Numbering, Plan

#: Loopback only: whoever can connect can say that any number calls.
ADDRESS = "127.0.0.1"
#: `AGI(agi://127.0.0.1:<port>/inbound,<dialled number>)`
SCRIPT = "inbound"


@dataclass(frozen=True)
class AgiSettings:
    """Where we listen, and the last doors of a call."""

    port: int
    recordings: Path  #: a folder in which Asterisk may write, and we read and delete
    longest_call: float = 1800  #: seconds, then the dialplan ends it
    trunks: tuple[str, ...] = ("trunk",)  #: PJSIP endpoints of the provider
    callers: Mapping[str, str] = field(default_factory=dict)  #: trunk -> the number that called people see
    places: Mapping[str, str] = field(default_factory=dict)  #: trunk -> where calls are addressed, if we know it
    telephones: tuple[str, ...] = ()  #: endpoints of our own staff's telephones, to which callers may be put through
    #: Whether Asterisk takes keys as SIP INFO beside what a trunk agreed on: one press may then come twice.
    two_ways: bool = False
    numbering: Numbering = field(default_factory=lambda: Numbering(Plan.JAPAN))
