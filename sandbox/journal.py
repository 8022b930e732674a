"""What happened on the practice network: the carrier's journal, and its Asterisk's own list of INVITEs."""

import csv
from dataclasses import dataclass
from pathlib import Path

#: Begins the channel ids of calls that people make to us.
CALLING = "calling-"


@dataclass(frozen=True)
class KeyPress:
    """One key. Moments are time.monotonic(); offsets are seconds into the call's recording."""

    key: str
    began: float
    ended: float
    offset_began: float
    offset_ended: float


@dataclass(frozen=True)
class Speech:
    """Something that was said; offsets are seconds into the recording. `ended` is None if it was cut off."""

    began: float
    ended: float | None = None


@dataclass(frozen=True)
class CallRecord:
    """One call as the carrier saw it."""

    call_id: str  #: the carrier's own
    number: str  #: the patient's; for a withheld call in: `withheld`
    count: int  #: which call of this number and direction, from 1
    inbound: bool  #: inbound to our service: the patient dialled
    behaviour: str
    caller: str  #: as presented to the called side
    began: float  #: time.time()
    answered: float | None = None  #: time.time()
    ended: float | None = None
    ended_by: str = ""  #: `patient` or `pbx`
    prompts_heard: int = 0  #: beginnings of speech
    speeches: tuple[Speech, ...] = ()
    keys: tuple[KeyPress, ...] = ()
    recording: Path | None = None  #: what the patient heard, from the answer on

    @property
    def pressed(self) -> str:
        """All keys."""
        return "".join(each.key for each in self.keys)


@dataclass(frozen=True)
class Invite:
    """One call that reached the carrier, written down by its Asterisk."""

    at: float  #: seconds since 1970
    called: str
    caller: str  #: as presented to the carrier


def read_invites(path: Path) -> list[Invite]:
    """The list written by cel_custom (see carrier_config/), oldest first; empty before the first call."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if len(row) == 7 and not row[6].startswith(CALLING)]
    return [
        Invite(float(at), called, caller)
        for at, context, called, caller, _, channel, _ in rows
        if context == "from-pbx" and channel.startswith("PJSIP/pbx-")
    ]
