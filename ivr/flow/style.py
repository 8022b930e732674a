"""Colours, fonts and measures of the drawing, and lines that fit. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

#: What a Japanese Windows, macOS or Debian has, best first.
FONTS = "BIZ UDPGothic,Hiragino Sans,Yu Gothic,Meiryo,Noto Sans CJK JP,IPAexGothic,sans-serif"

INK, QUIET, PAPER = "#1f2933", "#64748b", "#ffffff"
QUESTION, STATEMENT, FRAME = "#1d4e89", "#475569", "#2f6f5e"
BORDER, KEY, CONDITION, JUMP = "#94a3b8", "#e8eef6", "#fff3cd", "#0f6cbd"
LEVELS = {"emergency": ("#b42318", "#fdecea"), "urgent": ("#8a5200", "#fdf3e1")}

#: Points.
CARD_WIDTH = 282
TEXT = 12
SMALL = 10

#: Not at the beginning of a line.
_CLOSING = "、。，．）」』】？！・：；…,.)?!:;ーぁぃぅぇぉっゃゅょァィゥェォッャュョ"
_PIECE = re.compile(r"[!-~]+ ?|.", re.DOTALL)


def wrap(said: str, size: int = TEXT, width: float = CARD_WIDTH - 6) -> list[str]:
    """Lines of at most `width` points: Japanese breaks anywhere but before closing signs, other scripts at blanks."""
    lines, line, used = [], "", 0.0
    for piece in _PIECE.findall(said):
        length = _columns(piece.rstrip()) * size / 2
        if line and used + length > width and piece not in _CLOSING:
            lines.append(line.rstrip())
            line, used = "", 0.0
        line += piece
        used += _columns(piece) * size / 2
    return [*lines, line.rstrip()]


def _columns(said: str) -> float:
    """Half widths; Latin letters of a proportional font are a little wider than half."""
    return sum(2.0 if unicodedata.east_asian_width(each) in "FWA" else 1.15 for each in said)


def lines(said: str, size: int = TEXT, colour: str = "", bold: bool = False, width: float = CARD_WIDTH - 6) -> str:
    """The text as wrapped lines of an HTML-like label."""
    broken = "".join(f'{escape(each)}<BR ALIGN="LEFT"/>' for each in wrap(said, size, width))
    if bold:
        broken = f"<B>{broken}</B>"
    return font(broken, size, colour)


def font(inner: str, size: int = TEXT, colour: str = "") -> str:
    """`inner` in a size and a colour."""
    return f'<FONT POINT-SIZE="{size}" COLOR="{colour or INK}">{inner}</FONT>'


def row(inner: str, colour: str = "") -> str:
    """One row of a card."""
    background = f' BGCOLOR="{colour}"' if colour else ""
    return f'<TR><TD ALIGN="LEFT" BALIGN="LEFT" WIDTH="{CARD_WIDTH}"{background}>{inner}</TD></TR>'


def cells(*parts: "Part") -> str:
    """Keys and words side by side, from the left: what is left of the width goes to the end."""
    rest = max(1, int(_room(parts)))
    inner = "".join(each.cell for each in parts)
    return (
        '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="4" CELLPADDING="0">'
        f'<TR>{inner}<TD WIDTH="{rest}"></TD></TR></TABLE>'
    )


def fits(parts: "Sequence[Part]") -> bool:
    """Whether they have room side by side."""
    return _room(parts) >= 0


def _room(parts: "Sequence[Part]") -> float:
    return CARD_WIDTH - 20 - sum(each.width + 4 for each in parts)


@dataclass(frozen=True)
class Part:
    """A cell of such a row, and its width in points, as far as it can be told without the font."""

    cell: str
    width: float


def key(name: str) -> Part:
    """A key of the keypad."""
    shape = 'BORDER="1" STYLE="ROUNDED" FIXEDSIZE="TRUE" WIDTH="24" HEIGHT="22"'
    return Part(f'<TD {shape} COLOR="{INK}" BGCOLOR="{KEY}"><B>{escape(name)}</B></TD>', 24)


def word(said: str) -> Part:
    """A word beside a key."""
    width = _columns(said) * TEXT / 2 + 8
    return Part(f'<TD ALIGN="LEFT" WIDTH="{width:.0f}">{font(escape(said))}</TD>', width)


def card(rows: list[str]) -> str:
    """The whole card as a label."""
    return f'<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4" COLOR="{BORDER}">{"".join(rows)}</TABLE>'
