"""Prompt id and language to sound files: names and lengths. Pure; ivr.sounds reads the disk."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ivr.spoken import parts_of


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

    def resolve(self, prompt_ids: Iterable[str], language: str) -> tuple[Sound, ...]:
        """The sounds to play, in order; dates and times by their parts (see ivr.spoken) unless they have sounds of
        their own. Raises KeyError for an id that `missing` would have named.
        """
        return tuple(self.sounds[language, part] for each in prompt_ids for part in self._parts(each, language))

    def missing(self, prompt_ids: Iterable[str], language: str) -> list[str]:
        """Ids that have no sound in `language`; of a date or time, the parts that have none."""
        wanted = {part for each in prompt_ids for part in self._parts(each, language)}
        return sorted(each for each in wanted if (language, each) not in self.sounds)

    def _parts(self, prompt: str, language: str) -> tuple[str, ...]:
        return (prompt,) if (language, prompt) in self.sounds else parts_of(prompt)
