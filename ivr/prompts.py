"""Prompt id and language to sound files: names and lengths. Pure; ivr.sounds reads the disk."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

#: Silence before a prompt, as often as it takes, and its seconds.
PAUSE, PAUSE_SECONDS = "frame/pause", 0.5


@dataclass(frozen=True)
class Sound:
    """One finished sound file."""

    prompt: str  #: prompt id, such as `daily/temperature`
    path: Path  #: absolute, with `.wav`; 8 kHz, 16 bit, mono PCM, the only WAV that Asterisk plays
    seconds: float


@dataclass(frozen=True)
class Prompts:
    """All sounds of all languages that were found on disk."""

    folder: Path
    sounds: Mapping[tuple[str, str], Sound]  #: (language, prompt id) -> sound
    beep: Sound | None = None  #: after which people speak to be recorded; None on a telephone that only prints

    def resolve(self, prompt_ids: Iterable[str], language: str) -> tuple[Sound, ...]:
        """The sounds to play, in order. Raises KeyError for an id that `missing` would have named."""
        return tuple(self.sounds[spoken_as(each, language)] for each in prompt_ids)

    def missing(self, prompt_ids: Iterable[str], language: str) -> list[str]:
        """Ids that have no sound in `language`, or in the language that they name themselves."""
        return sorted({each for each in prompt_ids if spoken_as(each, language) not in self.sounds})


def spoken_as(prompt_id: str, language: str) -> tuple[str, str]:
    """(language, prompt id) of the sound: `en:frame/ready` is English, whatever language the call is in."""
    own, _, prompt = prompt_id.rpartition(":")
    return own or language, prompt
