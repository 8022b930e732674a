"""One recording of what somebody says, as a step function over Asterisk's events. Pure."""

from dataclasses import dataclass, replace

from ivr.ari.events import Event, RecordingEnded
from ivr.core.dtmf_decoder import KeyPress
from ivr.questionnaire.model import RecordRules

#: A recording that is not over by then will never tell.
_WATCHDOG_SECONDS = 5.0


@dataclass(frozen=True)
class Taping:
    """A recording, from the request on. Times are those of the inbox."""

    name: str  #: Asterisk's; may have been used before
    began: float
    ended: bool = False

    def until(self, limits: RecordRules) -> float:
        """When it is over for certain."""
        return self.began + limits.max_seconds + _WATCHDOG_SECONDS


def order(taping: Taping, limits: RecordRules) -> dict[str, object]:
    """The body of the request.

    What 22.10.1 makes of it: silence counts from the beginning on; when it ends the recording, all but 0.2 s of it is
    cut off, so that of somebody who said nothing 0.2 s are left. `#` ends it and is an event all the same; other keys
    are events only. After a hang-up by either side it is finished and kept.
    """
    return {
        "name": taping.name,
        "format": "wav",
        "maxDurationSeconds": round(limits.max_seconds),
        "maxSilenceSeconds": round(limits.silence_seconds),
        "ifExists": "overwrite",
        # Its own beep is a file of its language packages, which we do not have.
        "beep": False,
        "terminateOn": "#",
    }


def listen(taping: Taping, event: Event | KeyPress) -> Taping:
    """The state after an event; the same state if the event is not about this recording."""
    match event:
        case RecordingEnded(recording) if recording.name == taping.name:
            return replace(taping, ended=True)
        case _:
            return taping
