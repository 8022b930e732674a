"""How the parts of the card look: type, keypads with their meaning, boxes."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal
from xml.sax.saxutils import escape

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_CENTER, TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, Spacer, Table

from ivr.errors import BadInput, problem
from ivr.leaflet.content import Answer, grouped
from ivr.leaflet.fonts import Fonts
from ivr.leaflet.keypad import INK, PRESS, Keypad

DEEP, PALE, WARM, EDGE = HexColor("#17525a"), HexColor("#eef6f5"), HexColor("#fdf4e3"), HexColor("#b9cfd1")
MARGIN = 11 * mm
WIDTH = A4[0] - 2 * MARGIN
#: Between the edge of a box and what is in it.
SIDE = 4 * mm


class Looks:
    """Everything in one size of type: sizes and millimetres given here are those of the usual size."""

    def __init__(self, fonts: Fonts, scale: float) -> None:
        self._fonts = fonts
        self._scale = scale

    def text(
        self, said: str, size: float, bold: bool = False, colour: Color = INK, aligned: Literal[0, 1, 2] = TA_LEFT
    ) -> Paragraph:
        """A paragraph; `size` in points."""
        size *= self._scale
        style = ParagraphStyle(
            "text",
            fontName=self._fonts.bold if bold else self._fonts.regular,
            fontSize=size,
            leading=size * 1.34,
            textColor=colour,
            wordWrap="CJK",
            alignment=aligned,
        )
        return Paragraph(self._markup(said, bold), style)

    def _markup(self, said: str, bold: bool) -> str:
        """With the font of each letter. Raises BadInput for letters that no installed font has: a box says nothing."""
        lettering = self._fonts.lettering(bold=bold)
        if missing := lettering.missing(said):
            raise BadInput(problem("leaflet.no_letter", letters=missing))
        own = self._fonts.bold if bold else self._fonts.regular
        return "".join(
            escape(piece) if font == own else f'<font name="{font}">{escape(piece)}</font>'
            for font, piece in lettering.runs(said)
        )

    def numbers(self, numbers: Iterable[str], size: float) -> list[Flowable]:
        """Telephone numbers, one below the other."""
        return [self.text(grouped(each), size, bold=True, colour=DEEP) for each in numbers]

    def gap(self, millimetres: float) -> Spacer:
        """Nothing, so high."""
        return Spacer(1, millimetres * mm * self._scale)

    def pad(self, key: str, width: float) -> Keypad:
        """A keypad, so many millimetres wide."""
        return Keypad(self._fonts, key, width * mm * self._scale)

    def heading(self, said: str) -> Flowable:
        """A line with a bar before it."""
        bar = 2.2 * mm
        return self.table([[Spacer(0, 0), self.text(said, 17, bold=True, colour=DEEP)]], [bar, WIDTH - bar], bar=DEEP)

    def pair(self, label: str, inner: Sequence[Flowable]) -> list[Flowable]:
        """A label and what stands beside it, for a box."""
        wide = WIDTH - 2 * SIDE
        left = self.text(label, 14, bold=True)
        return [self.table([[left, list(inner)]], [wide * 0.3, wide * 0.7], padding=0.8 * mm)]

    def beside(self, picture: Keypad, said: Sequence[Flowable]) -> Flowable:
        """Text at the right of a picture."""
        wide = picture.width + 5 * mm
        return self.table([[picture, list(said)]], [wide, WIDTH - wide], padding=1 * mm)

    def labelled(self, answer: Answer, width: float, size: float) -> tuple[list[Flowable], float]:
        """Keypads side by side, one for each key to press, with the meaning below; and how wide they are."""
        pads: list[Flowable] = []
        for key in answer.keys:
            pads += [self.text("▶", 11, colour=PRESS, aligned=TA_CENTER)] if pads else []
            pads.append(self.pad(key, width))
        widths = [each.width + 1 * mm if isinstance(each, Keypad) else 6 * mm * self._scale for each in pads]
        wide = max(sum(widths), 31 * mm * self._scale)
        meaning = self.text(answer.word, size, bold=True, aligned=TA_CENTER)
        return [self.table([pads], widths, centred=True), meaning], wide

    def row(self, parts: Sequence[tuple[list[Flowable], float]], width: float = WIDTH) -> Flowable:
        """Labelled keypads from left to right, spread over the width; below one another what does not fit."""
        rows: list[list[tuple[list[Flowable], float]]] = [[]]
        for part in parts:
            if rows[-1] and sum(each[1] for each in rows[-1]) + part[1] > width:
                rows.append([])
            rows[-1].append(part)
        tables = []
        for row in rows:
            spare = min(30 * mm, (width - sum(each[1] for each in row)) / len(row))
            widths = [each[1] + spare for each in row]
            tables.append([self.table([[each[0] for each in row]], widths, centred=True, padding=1 * mm)])
        return self.table(tables, [width])

    def boxes(self, count: int) -> Flowable:
        """Where the person's own number is written by hand."""
        side = 8.5 * mm * self._scale
        whole = (0, 0), (-1, -1)
        grid: list[Any] = [("GRID", *whole, 0.9, INK), ("FONTNAME", *whole, self._fonts.regular)]
        return Table([[Spacer(0, 0)] * count], [side] * count, [side], style=grid, hAlign="LEFT")

    def box(self, rows: Sequence[Sequence[Flowable]], colour: Color) -> Flowable:
        """Rows with an edge around them."""
        cells = [[list(each)] for each in rows]
        return self.table(cells, [WIDTH], background=colour, edge=True, padding=1.2 * mm, side=SIDE)

    def table(
        self,
        cells: Sequence[Sequence[object]],
        widths: Sequence[float],
        background: Color | None = None,
        bar: Color | None = None,
        edge: bool = False,
        centred: bool = False,
        padding: float = 0.0,
        side: float | None = None,
    ) -> Table:
        """A table without lines of its own; `bar` fills its first column."""
        whole = (0, 0), (-1, -1)
        style: list[Any] = [
            # Named even where nothing is written in it.
            ("FONTNAME", *whole, self._fonts.regular),
            ("VALIGN", *whole, "MIDDLE"),
            ("ALIGN", *whole, "CENTER" if centred else "LEFT"),
            ("TOPPADDING", *whole, padding),
            ("BOTTOMPADDING", *whole, padding),
            ("LEFTPADDING", *whole, padding if side is None else side),
            ("RIGHTPADDING", *whole, padding if side is None else side),
        ]
        if background is not None:
            style += [("BACKGROUND", *whole, background), ("ROUNDEDCORNERS", [5, 5, 5, 5])]
        if edge:
            style.append(("BOX", *whole, 0.9, EDGE))
        if bar is not None:
            style += [("BACKGROUND", (0, 0), (0, -1), bar), ("LEFTPADDING", (1, 0), (1, -1), 3 * mm)]
        return Table([list(each) for each in cells], list(widths), style=style)
