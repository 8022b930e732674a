"""The call list for people: those not reached, as a file for a spreadsheet or on paper."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ivr.spreadsheet import unchanged

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

    from ivr.files.lettering import Lettering


@dataclass(frozen=True)
class Line:
    """One person, as staff read it."""

    risk: str
    id: str
    name: str
    kana: str
    numbers: Sequence[str]
    slot: str
    calls: str  #: how often rung today, and how the last one ended
    task: str  #: why staff must ring


def to_csv(columns: Sequence[str], lines: Sequence[Line]) -> str:
    """For a spreadsheet: CRLF, a byte order mark, no cell that would be run as a formula or lose its zeros."""
    out = io.StringIO(newline="")
    out.write("\ufeff")
    written = csv.writer(out)
    written.writerow(columns)
    written.writerows([unchanged(cell) for cell in _cells(each)] for each in lines)
    return out.getvalue()


#: Points. A4 across; the widths of the columns, the last one for a note, as parts of what is between the margins.
_PAGE = (841.89, 595.28)
_MARGIN = 28.0
_SIZE, _LEADING, _PAD = 9.0, 12.0, 4.0
_WIDTHS = (28, 45, 63, 100, 108, 96, 74, 96, 96, 79)
_WORDS = re.compile(r"[0-9A-Za-z\u00c0-\u024f\u1e00-\u1eff.,'-]+|.", re.DOTALL)


def to_pdf(
    title: str,
    columns: Sequence[str],
    lines: Sequence[Line],
    made: datetime,
    lettering: "Lettering",
    notes: Sequence[str] = (),
) -> bytes:
    """On A4, across, with room for a tick and a note; the columns on every page, `notes` under the title.

    Drawn by hand: reportlab's own tables take five times as long and keep everything in memory.
    """
    # Only now: every other command would wait for what makes PDFs.
    from reportlab.pdfgen.canvas import Canvas

    out = io.BytesIO()
    canvas = Canvas(out, pagesize=_PAGE, invariant=1, pageCompression=1)
    canvas.setTitle(title)
    page = _Page(canvas, lettering, ("", *columns, ""))
    page.heading(f"{title}  {made:%Y-%m-%d %H:%M}", notes)
    for number, line in enumerate(lines):
        page.row(("□", *_printable(line, lettering), ""), shaded=number % 2 == 1)
    page.end()
    canvas.save()
    return out.getvalue()


def not_printable(lines: Sequence[Line], lettering: "Lettering") -> list[str]:
    """The IDs of those whose name has a letter that no font here can print."""
    return [each.id for each in lines if lettering.missing(each.name)]


def _printable(line: Line, lettering: "Lettering") -> Iterator[str]:
    """Its cells; a name that cannot be printed is left to its reading, and a reading to the ID."""
    for at, cell in enumerate(_cells(line, "\n")):
        missing = lettering.missing(cell.replace("\n", ""))
        if not missing:
            yield cell
        elif at == 2 and not lettering.missing(line.kana):
            yield f"※ {line.kana}"
        else:
            yield f"※ {line.id}"


class _Page:
    """Draws rows from the top of a page down, and begins another one when it is full."""

    def __init__(self, canvas: "Canvas", lettering: "Lettering", columns: Sequence[str]) -> None:
        self._canvas = canvas
        self._lettering = lettering
        self._columns = columns
        self._number = 1
        self._top = _PAGE[1] - _MARGIN
        scale = (_PAGE[0] - 2 * _MARGIN) / sum(_WIDTHS)
        self._widths = [each * scale for each in _WIDTHS]

    def heading(self, said: str, notes: Sequence[str]) -> None:
        self._top -= 14
        self._draw(_MARGIN, self._top, said, 14)
        for note in notes:
            for line in self._wrapped(note, _PAGE[0] - 2 * _MARGIN):
                self._top -= _LEADING + 2
                self._draw(_MARGIN, self._top, line)
        self._top -= 10
        self._header()

    def _header(self) -> None:
        self._cells([[each] for each in self._columns], _LEADING + _PAD, fill=(0.2, 0.255, 0.333), ink=1.0)

    def row(self, cells: Sequence[str], *, shaded: bool) -> None:
        wrapped = [self._wrapped(cell, width - 2 * _PAD) for cell, width in zip(cells, self._widths, strict=True)]
        height = max(map(len, wrapped)) * _LEADING + _PAD
        if self._top - height < _MARGIN + 10:
            self.end()
            self._canvas.showPage()
            self._number += 1
            self._top = _PAGE[1] - _MARGIN
            self._header()
        self._cells(wrapped, height, fill=(0.945, 0.96, 0.976) if shaded else None)

    def end(self) -> None:
        self._canvas.setFillGray(0.3)
        self._draw(_PAGE[0] - _MARGIN - 20, _MARGIN - 8, str(self._number))

    def _cells(
        self, wrapped: Sequence[Sequence[str]], height: float, fill: tuple[float, float, float] | None, ink: float = 0.0
    ) -> None:
        canvas, left = self._canvas, _MARGIN
        if fill:
            canvas.setFillColorRGB(*fill)
            canvas.rect(left, self._top - height, sum(self._widths), height, stroke=0, fill=1)
        canvas.setFillGray(ink)
        for lines, width in zip(wrapped, self._widths, strict=True):
            below = self._top - _SIZE - 1.5
            for line in lines:
                if line:
                    self._draw(left + _PAD, below, line)
                below -= _LEADING
            left += width
        self._grid(height)
        self._top -= height

    def _grid(self, height: float) -> None:
        self._canvas.setStrokeGray(0.6)
        self._canvas.setLineWidth(0.5)
        left, bottom = _MARGIN, self._top - height
        edges = [left + sum(self._widths[:at]) for at in range(len(self._widths) + 1)]
        lines = [(each, bottom, each, self._top) for each in edges]
        self._canvas.lines([*lines, (left, bottom, edges[-1], bottom), (left, self._top, edges[-1], self._top)])

    def _draw(self, left: float, below: float, said: str, size: float = _SIZE) -> None:
        text = self._canvas.beginText(left, below)
        for font, piece in self._lettering.runs(said):
            text.setFont(font, size)
            text.textOut(piece)
        self._canvas.drawText(text)

    def _wrapped(self, cell: str, width: float) -> list[str]:
        found = []
        for given in cell.split("\n"):
            line = ""
            for word in _WORDS.findall(given):
                for piece in [word] if self._fits(word, width) else word:
                    if line and not self._fits(line + piece, width):
                        found.append(line.rstrip())
                        line = ""
                    line += piece if line or not piece.isspace() else ""
            found.append(line.rstrip())
        return found

    def _fits(self, said: str, width: float) -> bool:
        return self._lettering.width(said) * _SIZE <= width


def _cells(line: Line, between: str = " / ") -> tuple[str, ...]:
    return (line.risk, line.id, line.name, line.kana, between.join(line.numbers), line.slot, line.calls, line.task)
