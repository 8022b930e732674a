"""Finds a Japanese font that can be put into the PDF, so that every printer has it."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from ivr.errors import BadInput, problem
from ivr.files.lettering import FALLBACKS, Lettering

#: Regular and bold, best first. BIZ UD Gothic (SIL Open Font License) is a universal design font: open counters and
#: clearly different signs, for tired eyes; Debian: fonts-morisawa-bizud-gothic. Only TrueType outlines can be put in.
_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/Library/Fonts", "/Library/Fonts")
_FONTS = (
    ("BIZUDPGothic-Regular.ttf", "BIZUDPGothic-Bold.ttf"),
    ("BIZUDGothic-Regular.ttf", "BIZUDGothic-Bold.ttf"),
    ("ipaexg.ttf", "ipaexg.ttf"),
    ("VL-PGothic-Regular.ttf", "VL-PGothic-Regular.ttf"),
)


@dataclass(frozen=True)
class Fonts:
    """Names by which reportlab knows the two."""

    regular: str
    bold: str
    more: tuple[Path, ...] = ()  #: files for letters that these lack

    def lettering(self, *, bold: bool = False) -> Lettering:
        """One of the two, and behind it the others."""
        return _lettering(self.bold if bold else self.regular, self.more)


@cache
def _lettering(first: str, more: tuple[Path, ...]) -> Lettering:
    return Lettering(first, more)


def find_fonts(chosen: Path | None, folders: tuple[str, ...] = _FOLDERS) -> tuple[Path, Path]:
    """Files of the regular and the bold font: the one `chosen`, for both, or the best that is installed.

    Raises BadInput, saying what to install, if there is none.
    """
    if chosen is not None:
        return chosen, chosen
    found = {
        path.name: path for folder in reversed(folders) for path in sorted(Path(folder).expanduser().rglob("*.tt[fc]"))
    }
    for regular, bold in _FONTS:
        if regular in found and bold in found:
            return found[regular], found[bold]
    raise BadInput(problem("leaflet.no_font"))


def find_fallbacks(folders: tuple[str, ...] = _FOLDERS) -> tuple[Path, ...]:
    """Installed fonts for letters that the first one lacks, in the order of `FALLBACKS`."""
    found = {path.name: path for folder in reversed(folders) for path in Path(folder).expanduser().rglob("*.ttf")}
    return tuple(found[each] for each in FALLBACKS if each in found)


def register(regular: Path, bold: Path, more: tuple[Path, ...] = ()) -> Fonts:
    """Make the fonts known to reportlab. Raises BadInput if a file is no TrueType font."""
    names = []
    for path in (regular, bold):
        try:
            pdfmetrics.registerFont(TTFont(path.stem, str(path)))
        except (TTFError, OSError) as error:
            raise BadInput(problem("leaflet.bad_font", str(path), reason=str(error))) from None
        names.append(path.stem)
    return Fonts(names[0], names[1], more)
