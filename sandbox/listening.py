"""When speech begins and ends, from loud and quiet pieces of 20 ms: a step function. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Heard(StrEnum):
    """What somebody notices on the telephone."""

    BEGAN = "began"
    ENDED = "ended"


#: Less than this, once, is a click and not speech.
SPEECH_SECONDS = 0.06
#: Loud pieces further apart than this do not belong to one beginning.
APART_SECONDS = 0.1


@dataclass(frozen=True)
class Ear:
    """Somebody listening."""

    #: So much quiet is the end of what is being said. Pauses inside a prompt reach 0.8 s, between two they are 1.2 s.
    quiet_seconds: float = 1.0
    deaf_until: float = 0.0  #: one's own key tone, or a notice that plays first
    loud_since: float | None = None  #: a beginning, or, while speaking, when it began
    last_loud: float = 0.0
    speaking: bool = False


def hear(ear: Ear, loud: bool, now: float) -> tuple[Ear, Heard | None]:
    """A piece of sound arrived `now`."""
    if not loud or now < ear.deaf_until:
        return ear, None
    if ear.speaking:
        return replace(ear, last_loud=now), None
    if ear.loud_since is None or now - ear.last_loud > APART_SECONDS:
        return replace(ear, loud_since=now, last_loud=now), None
    if now - ear.loud_since < SPEECH_SECONDS:
        return replace(ear, last_loud=now), None
    return replace(ear, last_loud=now, speaking=True), Heard.BEGAN


def wait(ear: Ear, now: float) -> tuple[Ear, Heard | None]:
    """Time passed, with or without sound: a PBX that has nothing to say sends nothing at all."""
    if ear.speaking and now - ear.last_loud >= ear.quiet_seconds:
        return replace(ear, speaking=False, loud_since=None), Heard.ENDED
    return ear, None


def listen_anew(ear: Ear, deaf_until: float) -> Ear:
    """After own keys: what is said from now on is something new, however short the gap before it."""
    return Ear(ear.quiet_seconds, deaf_until)
