"""What spreadsheets do to text: which cells they run as formulas, and how such a cell is written as text. Pure."""

#: A spreadsheet takes a cell that begins so for a formula and runs it (full-width signs too, in Japanese editions).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(cell: str) -> str:
    """The cell, with a leading apostrophe if a spreadsheet would run it."""
    return "'" + cell if cell.startswith(FORMULA) else cell


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet would run this cell, or it is one that `harmless` has defused."""
    first = cell[:1]
    return first in FORMULA or (first == "'" and cell[1:2] in FORMULA)
