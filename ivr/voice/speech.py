"""The engine: Japanese text to katakana reading and to speech, by Open JTalk with any HTS voice file."""

import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pyopenjtalk
from pyopenjtalk.htsengine import HTSEngine

from ivr.errors import BadInput, problem
from ivr.voice.lint import Samples

#: Where Debian's package puts the voice.
DEBIAN_VOICE = Path("/usr/share/hts-voice/nitech-jp-atr503-m001/nitech_jp_atr503_m001.htsvoice")

#: Samples for each frame of the voice; its own 240 makes 9 morae a second, this about 5, what old listeners understood
#: best. It stretches every sound alike. The engine's own speed setting puts most of the time into the silences, and
#: was understood less (kana error rate of a recogniser 6.8 % against 5.9 %).
FRAME_PERIOD = 410


@dataclass(frozen=True)
class Engine:
    """A loaded voice."""

    voice: str  #: its name, for the manifest
    rate: int  #: Hz of what `say` returns
    reading: Callable[[str], str]  #: text -> katakana with 、 and 。
    say: Callable[[str], list[Samples]]  #: text -> one array for each sentence


def load_engine(voice: Path) -> Engine:
    """Load the voice file and our dictionary. Raises BadInput saying what to install."""
    if not voice.is_file():
        raise BadInput(problem("voice.no_voice", str(voice)))
    try:
        engine = _load_slowly(voice)
    except (RuntimeError, ValueError) as error:
        raise BadInput(problem("voice.bad_voice", str(voice), reason=str(error))) from None
    _load_dictionary()
    return Engine(voice.stem, engine.get_sampling_frequency(), reading, lambda text: _say(engine, text))


def _load_slowly(voice: Path) -> HTSEngine:
    """The voice with our frame period, which the engine takes only from the voice file's header."""
    data, found = re.subn(rb"\bFRAME_PERIOD:\d+", b"FRAME_PERIOD:%d" % FRAME_PERIOD, voice.read_bytes(), count=1)
    if not found:
        raise ValueError("FRAME_PERIOD")
    with tempfile.TemporaryDirectory() as folder:
        slow = Path(folder) / voice.name
        slow.write_bytes(data)
        return HTSEngine(str(slow).encode())


def _load_dictionary() -> None:
    """Words that the engine's own dictionary misreads. It is compiled each time: it has a dozen lines."""
    with as_file(files(__package__) / "dictionary.csv") as words, tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / "words.dic"
        pyopenjtalk.mecab_dict_index(str(words), str(compiled))
        pyopenjtalk.update_global_jtalk_with_user_dict(str(compiled))


def reading(text: str) -> str:
    """Katakana as it will sound."""
    # Without Sudachi, whose dictionary may be missing on one machine and there on another.
    return str(pyopenjtalk.g2p(text, kana=True, use_sudachi_kanji_yomi=False))


def _say(engine: HTSEngine, text: str) -> list[Samples]:
    return [_say_sentence(engine, each) for each in re.findall(r"[^。]+。?", text)]


def _say_sentence(engine: HTSEngine, sentence: str) -> Samples:
    labels = pyopenjtalk.extract_fullcontext(sentence, use_sudachi_kanji_yomi=False)
    return np.asarray(engine.synthesize(labels), dtype=np.float64) / 32768
