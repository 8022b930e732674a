"""Finds the sound files on disk and checks that a call can use them."""

import wave
from collections.abc import Collection
from pathlib import Path

from ivr.errors import BadInput, Problem, problem
from ivr.prompts import Prompts, Sound
from ivr.voice.recordings import FOLDER as RECORDINGS
from ivr.voice.review import check_prompts

#: What `check_prompts` finds and `load_prompts` or the check of the questionnaire has said already.
_SAID_ELSEWHERE = ("voice.missing", "voice.bad_format")


def load_prompts(folder: Path) -> Prompts:
    """Find `<folder>/<language>/<prompt id>.wav`. Raises BadInput naming every file that is not what a call needs."""
    sounds: dict[tuple[str, str], Sound] = {}
    problems: list[Problem] = []
    if not folder.is_dir():
        raise BadInput(problem("prompts.no_folder", str(folder)))
    absolute = folder.resolve()
    for path in sorted(absolute.glob("*/**/*.wav")):
        language, *rest = path.relative_to(absolute).with_suffix("").parts
        prompt = "/".join(rest)
        if language == RECORDINGS:  # of any format; the finished sounds are made from them
            continue
        try:
            sounds[language, prompt] = Sound(prompt, path, _length(path))
        except (ValueError, wave.Error, EOFError, OSError) as error:
            problems.append(problem("prompts.bad_audio", str(path), reason=str(error)))
    if problems:
        raise BadInput(*problems)
    return Prompts(folder, sounds)


def check_sounds(folder: Path, spoken: Collection[tuple[str, str]]) -> list[Problem]:
    """What is wrong with the sounds themselves: made from other words, or not fit for a call.

    `spoken`: language and prompt id of what calls say. Languages without a script (`<language>.yaml`) are sounds that
    came from elsewhere: nobody knows their words.
    """
    problems: list[Problem] = []
    for language in sorted({language for language, _ in spoken}):
        if (folder / f"{language}.yaml").is_file():
            problems += check_prompts(folder, language, {prompt for own, prompt in spoken if own == language})
    return [each for each in problems if each.message not in _SAID_ELSEWHERE]


def _length(path: Path) -> float:
    """Seconds. Asterisk plays only PCM, mono, 16 bit, 8000 Hz as `.wav` (format_wav.c, 22.10.1)."""
    with wave.open(str(path), "rb") as sound:
        shape = (sound.getframerate(), sound.getnchannels(), sound.getsampwidth() * 8)
        if shape != (8000, 1, 16):
            raise ValueError(f"{shape[0]} Hz, {shape[1]} ch, {shape[2]} bit")
        if sound.getnframes() == 0:
            raise ValueError("0 s")
        return sound.getnframes() / 8000
