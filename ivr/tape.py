"""Records a call that nobody makes: prompts as they would be played, silence, and the tones of the keys, as one WAV."""

import math
import sys
import wave
from array import array
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ivr.errors import BadInput, problem
from ivr.pressing import Pressing
from ivr.prompts import PAUSE, Sound

RATE = 8000
TONE_SECONDS = 0.1

#: Hz of the rows and columns of the keypad (ITU-T Q.23).
ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477)
KEYPAD = ("123", "456", "789", "*0#")

#: Peak of each of the two frequencies, of 32767: together about -26 dB, below the prompts' -20.
_AMPLITUDE = 1600
_RAMP = RATE // 200


class Tape:
    """One recording, from its beginning."""

    def __init__(self) -> None:
        self._samples = array("h")
        self._unrecorded: dict[str, None] = {}

    @property
    def unrecorded(self) -> tuple[str, ...]:
        """Ids of prompts without a recording; they are silence on the tape."""
        return tuple(self._unrecorded)

    @property
    def seconds(self) -> float:
        """How long it is so far."""
        return len(self._samples) / RATE

    def play(self, sounds: Sequence[Sound]) -> None:
        """Prompts to their end."""
        for sound in sounds:
            if not is_recorded(sound) and sound.prompt != PAUSE:
                self._unrecorded[sound.prompt] = None
            self._samples.extend(_read(sound))

    def play_and_press(self, sounds: Sequence[Sound], pressing: Pressing) -> None:
        """Prompts up to their end or to the key that stops them; then the rest of the time, with the tones in it."""
        begin = len(self._samples)
        self.play(sounds)
        if pressing.stopped is not None:
            del self._samples[begin + round(pressing.stopped * RATE) :]
        tones = [(begin + round(at * RATE), _tone(key)) for key, at in pressing.keys]
        # The entry is known at the end of the tone.
        end = max([begin + round(pressing.over * RATE), *(at + len(tone) for at, tone in tones)])
        self._samples.extend([0] * (end - len(self._samples)))
        for at, tone in tones:
            for index, value in enumerate(tone, at):
                self._samples[index] = max(-32768, min(32767, self._samples[index] + value))

    def speak(self, seconds: float) -> None:
        """Somebody speaks so long (nothing is heard of it), and then presses `#`."""
        self._samples.extend([0] * round(seconds * RATE))
        self._samples.extend(_tone("#"))

    def write(self, path: Path) -> None:
        """A WAV file: 8 kHz, mono, 16 bit. Raises BadInput if it cannot be written."""
        samples = _little_endian(array("h", self._samples))
        try:
            with path.open("wb") as file, wave.open(file, "wb") as sound:
                sound.setparams((1, 2, RATE, 0, "NONE", ""))
                sound.writeframes(samples.tobytes())
        except OSError as error:
            raise BadInput(problem("file.unwritable", str(path), reason=error.strerror or str(error))) from None


def is_recorded(sound: Sound) -> bool:
    """Whether there is a file to play."""
    return bool(sound.path.name)


def _read(sound: Sound) -> "array[int]":
    """The samples of a sound; silence of its length for one that is not recorded."""
    if not is_recorded(sound):
        return array("h", bytes(2 * round(sound.seconds * RATE)))
    with wave.open(str(sound.path), "rb") as file:
        return _little_endian(array("h", file.readframes(file.getnframes())))


def _little_endian(samples: "array[int]") -> "array[int]":
    """Between WAV, which is little-endian, and this machine."""
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


@cache
def _tone(key: str) -> tuple[int, ...]:
    """The two frequencies of a key."""
    row = next(index for index, keys in enumerate(KEYPAD) if key in keys)
    pair = (ROWS[row], COLUMNS[KEYPAD[row].index(key)])
    length = int(TONE_SECONDS * RATE)
    loudness = [min(1.0, at / _RAMP, (length - at) / _RAMP) for at in range(length)]
    return tuple(
        round(_AMPLITUDE * loudness[at] * sum(math.sin(2 * math.pi * hertz * at / RATE) for hertz in pair))
        for at in range(length)
    )
