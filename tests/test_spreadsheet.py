"""What a spreadsheet would run or change is written so that it stays text.

The lists were read by LibreOffice 7.4.7 (soffice --convert-to fods, languages ja and en-US, with and without detection
of special numbers, each cell in quotes): CHANGED is what became something else in any of the four. What only Excel
changes is marked; it is from support.microsoft.com, "Stop automatically changing numbers to dates", and not tried here.
"""

import pytest

from ivr.spreadsheet import FORMULA, unchanged

CHANGED = [
    *("00123456", "00", "1234567890123456", "9007199254740993", "１２３", "００１２", "١٢", "３６.５", ".5", "1,000"),
    *("12E45", "1e5", "1E+5", "12345e67890123456789012345678901", "$5", "5%"),
    *("1-2", "1/2", "12:30", "2025.01.06", "1.2.3"),
    *("TRUE", "true", "False"),
]
#: LibreOffice left these as they are.
CHANGED_BY_EXCEL = ["MAR1", "mar-1", "1-MAR", "3 Sept", "DEC2025", "R06-01-06", "H1.1.1", "S10.4"]
RUN = ["=1+1", "+1", "-1", "@SUM(1)", "\t=1+1", "\r=1+1", "\n=1+1", "＝1+1", "-36.5"]
#: The same afterwards: text, or a number or day of the same value.
KEPT = [
    *("39.0", "36.50", "0", "98", "999999999999999", "0.5", "2025-01-06", "2025-01-06T00:05:00+00:00"),
    *("kc-123", "kc-00123", "12345678-1234-1234-1234-123456789012", "no_thermometer", "answer.temperature", "yes", ""),
    *("daily", "morning", "ab" * 32, "Cel", "%", "1 日", "marker", "r2d2", "見本"),
]


@pytest.mark.parametrize("cell", [*CHANGED, *CHANGED_BY_EXCEL, *RUN, "'quoted", "'"])
def test_what_would_change_or_run_is_text(cell: str) -> None:
    assert unchanged(cell) == "'" + cell


@pytest.mark.parametrize("cell", KEPT)
def test_what_stays_is_left_alone(cell: str) -> None:
    assert unchanged(cell) == cell


def test_every_formula_is_text() -> None:
    assert all(unchanged(sign + rest) == f"'{sign}{rest}" for sign in FORMULA for rest in ("", "1", "A1", "cmd|x"))
