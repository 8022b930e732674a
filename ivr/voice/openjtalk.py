"""Open JTalk: Japanese text to katakana reading, and to speech with any HTS voice file."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyopenjtalk
from pyopenjtalk.htsengine import HTSEngine

from ivr.errors import BadInput, problem
from ivr.voice.engines import Engine, sentences
from ivr.voice.lint import Samples
from ivr.voice.readings import morae
from ivr.voice.script import Word

#: Samples for each frame of the voice; its own 240 makes 9 morae a second, this about 5, what old listeners understood
#: best. It stretches every sound alike. The engine's own speed setting puts most of the time into the silences, and
#: was understood less (kana error rate of a recogniser 6.8 % against 5.9 %).
FRAME_PERIOD = 410


def load_voice(name: str, file: Path, words: Mapping[str, Word]) -> Engine:
    """Load the voice file and our words. Raises BadInput if the file is no voice."""
    try:
        engine = _load_slowly(file)
    except (RuntimeError, ValueError, OSError) as error:
        raise BadInput(problem("voice.bad_voice", str(file), reason=str(error))) from None
    load_words(words)
    return Engine(name, engine.get_sampling_frequency(), reading, lambda text: _say(engine, text))


def _load_slowly(voice: Path) -> HTSEngine:
    """The voice with our frame period, which the engine takes only from the voice file's header."""
    data, found = re.subn(rb"\bFRAME_PERIOD:\d+", b"FRAME_PERIOD:%d" % FRAME_PERIOD, voice.read_bytes(), count=1)
    if not found:
        raise ValueError("FRAME_PERIOD")
    with tempfile.TemporaryDirectory() as folder:
        slow = Path(folder) / voice.name
        slow.write_bytes(data)
        return HTSEngine(str(slow).encode())


def load_words(words: Mapping[str, Word]) -> None:
    """Make these words known to the engine, before all others. It keeps them until the program ends."""
    if not words:
        return
    # Surface, costs, part of speech, base form, reading, pronunciation, accent, and how it joins its neighbours.
    rows = (
        f"{word},,,-5000,名詞,一般,*,*,*,*,{word},{each.reading},{each.reading},{each.accent}/{morae(each.reading)},C1\n"
        for word, each in words.items()
    )
    with tempfile.TemporaryDirectory() as folder:
        table, compiled = Path(folder) / "words.csv", Path(folder) / "words.dic"
        table.write_text("".join(rows), encoding="utf-8")
        with _silenced():
            pyopenjtalk.mecab_dict_index(str(table), str(compiled))
        pyopenjtalk.update_global_jtalk_with_user_dict(str(compiled))


@contextmanager
def _silenced() -> Iterator[None]:
    """The C code draws its progress on both outputs."""
    sys.stdout.flush()
    kept = [os.dup(each) for each in (1, 2)]
    with open(os.devnull, "wb") as nothing:
        try:
            for each in (1, 2):
                os.dup2(nothing.fileno(), each)
            yield
        finally:
            for each, copy in zip((1, 2), kept, strict=True):
                os.dup2(copy, each)
                os.close(copy)


def reading(text: str) -> str:
    """Katakana as it will sound."""
    # Without Sudachi, whose dictionary may be missing on one machine and there on another.
    return str(pyopenjtalk.g2p(text, kana=True, use_sudachi_kanji_yomi=False))


def _say(engine: HTSEngine, text: str) -> list[Samples]:
    return [_say_sentence(engine, each) for each in sentences(text)]


def _say_sentence(engine: HTSEngine, sentence: str) -> Samples:
    labels = pyopenjtalk.extract_fullcontext(sentence, use_sudachi_kanji_yomi=False)
    return np.asarray(engine.synthesize(labels), dtype=np.float64) / 32768
