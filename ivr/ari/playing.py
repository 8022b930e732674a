"""One list of sounds being played, as a step function over Asterisk's events. Pure.

Every list ends with a dead-man's tail: silence as long as we may have to wait, then an apology. If our process dies
while it waits for a key, Asterisk itself goes on to the apology instead of leaving somebody in silence.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ivr.ari.events import Event, PlaybackContinuing, PlaybackFinished, PlaybackStarted
from ivr.core.dtmf_decoder import KeyPress
from ivr.digits import KeyRules
from ivr.prompts import Sound

#: How much longer than the wait the silence lasts: the apology must not speak over a caller whom we still hear.
MARGIN_SECONDS = 5.0
#: A list that is not over by then will never tell (a bad scheme sends no event at all, 22.10.1).
WATCHDOG_SECONDS = 3.0
#: A stop that met the natural end of the list before may stop this one instead: it is then over at once.
STOPPED_BY_MISTAKE_SECONDS = 0.3

#: What a caller hears while another telephone rings, until it is stopped.
RINGING = "tone:ring;tonezone=jp"


@dataclass(frozen=True)
class Tail:
    """What Asterisk plays by itself when we are gone."""

    silence: Sound  #: `frame/silence`, 5 s
    apology: Sound  #: `frame/apology`


@dataclass(frozen=True)
class Playing:
    """A list of sounds, from the request on. Times are those of the inbox."""

    id: str
    sounds: tuple[Sound, ...]  #: without the tail
    wait: float  #: seconds of silence to bridge after the sounds
    silence: str  #: media URI of the silence
    asked_at: float
    began: float | None = None
    ended: bool = False  #: the sounds are over; the tail may still play
    finished: bool = False  #: nothing of it plays any more
    failed: bool = False
    again: bool = False  #: this is the second try

    @property
    def watchdog(self) -> float:
        """When the sounds are over for certain."""
        return self.asked_at + sum(each.seconds for each in self.sounds) + WATCHDOG_SECONDS

    def stopped_by_mistake(self, now: float) -> bool:
        """Whether the list, over `now`, should be played once more."""
        return (
            self.finished
            and not self.failed
            and not self.again
            and self.began is not None
            and now - self.began < STOPPED_BY_MISTAKE_SECONDS
        )


def media_uri(sound: Sound) -> str:
    """How Asterisk names a sound file: absolute, without `.wav`."""
    return f"sound:{sound.path.with_suffix('')}"


def media(sounds: Sequence[Sound], tail: Tail, wait: float) -> list[str]:
    """The list to play, with a tail that bridges a wait of so many seconds."""
    silences = math.ceil((wait + MARGIN_SECONDS) / tail.silence.seconds)
    return [media_uri(each) for each in (*sounds, *(tail.silence,) * silences, tail.apology)]


def hear(playing: Playing, event: Event | KeyPress, at: float) -> Playing:
    """The state after an event; the same state if the event is not about this list."""
    match event:
        case PlaybackStarted(playback) if playback.id == playing.id:
            started = replace(playing, began=at if playing.began is None else playing.began)
            # Comes for every file: the one for the silence tells the end, should PlaybackContinuing be missing.
            return replace(started, ended=playing.ended or playback.media == playing.silence)
        case PlaybackContinuing(playback) if playback.id == playing.id:
            return replace(playing, ended=playing.ended or playback.next_media == playing.silence)
        case PlaybackFinished(playback) if playback.id == playing.id:
            return replace(playing, ended=True, finished=True, failed=playback.state == "failed")
        case _:
            return playing


def longest_wait(rules: KeyRules) -> float:
    """Seconds from the first key of an entry of several keys until it must be complete."""
    return min(rules.total, rules.inter_key * max(1, rules.length - 1))
