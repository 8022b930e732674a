"""Files of what people said: WAV as a telephone has it, on the disk for certain, readable by nobody but us."""

import io
import math
import struct
import wave
from collections.abc import Iterable
from pathlib import Path

from ivr.errors import StorageError
from ivr.files.saving import save, unwritable
from ivr.prompts import Sound

#: Samples a second, of 16 bit, one channel: what Asterisk records as `wav`.
RATE = 8000
_BEEP_SECONDS = 0.25
_BEEP_HERTZ = 1000
_BEEP_LEVEL = 9000


def store(path: Path, audio: bytes) -> float:
    """Write the bytes of a WAV file, so that they survive a power cut when this returns. Seconds of sound in it.

    The file is there whole or not at all. Raises StorageError.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        save(path, audio)
    except OSError as error:
        raise StorageError(unwritable(path, error)) from error
    return seconds_of(audio)


def seconds_of(audio: bytes) -> float:
    """How long a WAV file is; 0 for what is none."""
    try:
        with wave.open(io.BytesIO(audio), "rb") as sound:
            return sound.getnframes() / sound.getframerate()
    except (wave.Error, EOFError, ZeroDivisionError):
        return 0.0


def length_of(path: Path) -> float:
    """How many seconds the WAV file at `path` is; 0 if there is none."""
    try:
        with wave.open(str(path), "rb") as sound:
            return sound.getnframes() / sound.getframerate()
    except (OSError, wave.Error, EOFError, ZeroDivisionError):
        return 0.0


def silence(seconds: float) -> bytes:
    """A WAV file of nothing, for telephones that only play at speaking."""
    return _wav(bytes(2 * int(seconds * RATE)))


def shortened(audio: bytes, seconds: float) -> bytes:
    """A WAV file without so many seconds at its end; what is none stays as it is."""
    if not seconds or not seconds_of(audio):
        return audio
    with wave.open(io.BytesIO(audio), "rb") as sound:
        return _wav(sound.readframes(max(0, sound.getnframes() - int(seconds * RATE))))


def beep_in(folder: Path) -> Sound:
    """The tone after which people speak, as a file that Asterisk may read, made anew. Raises StorageError."""
    path = folder.resolve() / "beep.wav"
    seconds = store(path, _beep())
    path.chmod(0o644)
    return Sound("beep", path, seconds)


def _beep() -> bytes:
    samples = (
        int(_BEEP_LEVEL * math.sin(2 * math.pi * _BEEP_HERTZ * at / RATE)) for at in range(int(_BEEP_SECONDS * RATE))
    )
    return _wav(b"".join(struct.pack("<h", each) for each in samples))


def _wav(samples: bytes) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as sound:
        sound.setparams((1, 2, RATE, 0, "NONE", ""))
        sound.writeframes(samples)
    return made.getvalue()


def orphans(folder: Path, known: Iterable[str]) -> list[Path]:
    """Recordings that no row names: we died, or the disk was full, between the file and the row."""
    named = set(known)
    return sorted(each for each in folder.glob("*.wav") if each.stem not in named)
