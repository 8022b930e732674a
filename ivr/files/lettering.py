"""Which installed font can print which letter. Only fonts that are put into the PDF count: every printer has those.

Letters that need more than a glyph each (combining marks, scripts that join or turn) cannot be printed rightly here.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

#: Fonts for letters that the first one lacks, in this order: JIS X 0213, Latin of Vietnam and Europe, Chinese, rare
#: kanji of names. Debian: fonts-ipaexfont-gothic, fonts-dejavu-core, fonts-droid-fallback, fonts-ipamj-mincho.
FALLBACKS = (
    *("ipaexg.ttf", "DejaVuSans.ttf", "NotoSans-Regular.ttf", "DroidSansFallbackFull.ttf", "ipamjm.ttf"),
    *("HanaMinA.ttf", "HanaMinB.ttf"),
)
#: Scripts whose letters join, stack or change places: from Devanagari to Tibetan, Myanmar, Khmer.
_SHAPED = ((0x0900, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1800, 0x18AF))


class Lettering:
    """The fonts of a page, first the one of its look."""

    def __init__(self, first: str, fallbacks: Sequence[Path] = ()) -> None:
        self._first = first
        self._fallbacks = tuple(fallbacks)
        self._of: dict[str, str | None] = {}
        self._widths: dict[str, float] = {}
        self._read: list[str | None] = []  #: names of the fallbacks that were read; None: it is no TrueType font

    def font_of(self, letter: str) -> str | None:
        """The font to print a letter with; None: there is none."""
        if letter not in self._of:
            self._of[letter] = self._find(letter) if _stands_alone(letter) else None
        return self._of[letter]

    def _find(self, letter: str) -> str | None:
        if _has(self._first, letter):
            return self._first
        # One after the other, and only when a letter asks for it: a font of 40 MB takes a second, and stays in memory.
        for at, path in enumerate(self._fallbacks):
            if at == len(self._read):
                self._read.append(_register(path))
            if (found := self._read[at]) is not None and _has(found, letter):
                return found
        return None

    def missing(self, said: str) -> str:
        """The letters that cannot be printed, each once."""
        return "".join(dict.fromkeys(each for each in said if self.font_of(each) is None))

    def width(self, said: str) -> float:
        """Of a text in the size of 1 point."""
        return sum(map(self._width, said))

    def _width(self, letter: str) -> float:
        if letter not in self._widths:
            font = self.font_of(letter) or self._first
            self._widths[letter] = pdfmetrics.stringWidth(letter, font, 1)
        return self._widths[letter]

    def runs(self, said: str) -> Iterator[tuple[str, str]]:
        """Font and piece, in order; what cannot be printed comes in the first font."""
        for font, letters in groupby(said, key=lambda each: self.font_of(each) or self._first):
            yield font, "".join(letters)


def _register(path: Path) -> str | None:
    try:
        pdfmetrics.registerFont(TTFont(path.stem, str(path)))
    except (TTFError, OSError):
        return None  # one font less; what it alone has is told as not printable
    return path.stem


def _has(font: str, letter: str) -> bool:
    found: Any = pdfmetrics.getFont(font)
    return ord(letter) in found.face.charToGlyph


def _stands_alone(letter: str) -> bool:
    code = ord(letter)
    if code < 0x300:
        return True
    if unicodedata.category(letter)[0] in "MC" or unicodedata.bidirectional(letter) in ("R", "AL"):
        return False
    return not any(first <= code <= last for first, last in _SHAPED)
