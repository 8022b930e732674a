"""Flite: small English voices under free licences, for prompts in English."""

import os
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ivr.errors import BadInput, problem
from ivr.voice.engines import UNPACKED, Engine, sentences
from ivr.voice.lint import Samples
from ivr.voice.script import Word

#: Times its natural length: about 120 words a minute.
_STRETCH = 1.3
_RATE = 16000


def load_voice(name: str, words: Mapping[str, Word]) -> Engine:
    """One of the voices in Debian's package. Raises BadInput if there is no flite; it knows no words of ours."""
    unpacked = UNPACKED / "usr/bin/flite"
    program = str(unpacked) if unpacked.is_file() else shutil.which("flite")
    if program is None:
        raise BadInput(problem("voice.no_engine", module="flite"))
    if words:
        raise BadInput(problem("voice.no_words", voice=name))
    return Engine(name, _RATE, None, lambda text: [_say(program, name, each) for each in sentences(text)])


def _say(program: str, name: str, sentence: str) -> Samples:
    libraries = ":".join(str(each) for each in (UNPACKED / "usr/lib").glob("*-linux-*"))
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder) / "spoken.wav"
        command = [program, "-voice", name, "--setf", f"duration_stretch={_STRETCH}", "-t", sentence, "-o", str(spoken)]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "LD_LIBRARY_PATH": libraries})
        with wave.open(str(spoken), "rb") as sound:
            if sound.getframerate() != _RATE:
                raise BadInput(problem("voice.bad_voice", program, reason=f"{sound.getframerate()} Hz"))
            data = sound.readframes(sound.getnframes())
    return np.frombuffer(data, dtype="<i2").astype(np.float64) / 32768
