"""What spreadsheets do to text: which cells they run or change, and how such a cell is written as text. Pure."""

import re

#: A spreadsheet takes a cell that begins so for a formula and runs it (full-width signs too, in Japanese editions).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(cell: str) -> str:
    """The cell, with a leading apostrophe if a spreadsheet would run it."""
    return "'" + cell if cell.startswith(FORMULA) else cell


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet would run this cell, or it is one that `harmless` has defused."""
    first = cell[:1]
    return first in FORMULA or (first == "'" and cell[1:2] in FORMULA)


#: Numbers, dates and times of any notation: nothing but digits (of any script) and the signs between them.
_LIKE_NUMBER = re.compile(r"[\d.,:;/\s%％$¥￥€£+-]*\d[\d.,:;/\s%％$¥￥€£+-]*([eE][+-]?\d+)?")
_LIKE_WORD = re.compile(
    r"true|false|[mtshr]\d{1,2}[./-]\d{1,2}([./-]\d{1,2})?"  # dates of Japanese eras
    r"|(\d+[\s./-]*)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[\s./-]*\d+([\s./-]+\d+)?"
    r"|\d+[\s./-]*(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*",
    re.IGNORECASE,
)
#: What is the same afterwards: a number that no spreadsheet rounds, a day, a UUID (which none takes for a number).
_STAYS = re.compile(
    r"(0|[1-9][0-9]{0,14})|(0|[1-9][0-9]{0,8})\.[0-9]{1,6}|[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
)


def unchanged(cell: str) -> str:
    """The cell, with a leading apostrophe if a spreadsheet would run it, or read something else than stands there.

    So is a cell that begins with one: whoever reads the file takes exactly one away.
    """
    if _STAYS.fullmatch(cell):
        return cell
    changes = cell.startswith("'") or _LIKE_NUMBER.fullmatch(cell) or _LIKE_WORD.fullmatch(cell)
    return "'" + cell if changes else harmless(cell)
