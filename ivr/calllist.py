"""The call list for people: those not reached, as a file for a spreadsheet or on paper. Pure."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ivr.spreadsheet import harmless

#: Every PDF reader brings this typeface or one like it: no font file is needed.
FONT = "HeiseiKakuGo-W5"


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
    """For a spreadsheet: CRLF, a byte order mark, no cell that would be run as a formula."""
    out = io.StringIO(newline="")
    out.write("\ufeff")
    written = csv.writer(out)
    written.writerow(columns)
    written.writerows([harmless(cell) for cell in _cells(each)] for each in lines)
    return out.getvalue()


def to_pdf(title: str, columns: Sequence[str], lines: Sequence[Line], made: datetime, note: str | None = None) -> bytes:
    """On A4, landscape, with room for a tick and a note; the columns on every page, `note` under the title."""
    # Only now: every other command would wait for what makes PDFs.
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4, landscape
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import mm
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    style = ParagraphStyle("cell", fontName=FONT, fontSize=9, leading=12, wordWrap="CJK")
    head = ParagraphStyle("head", parent=style, textColor=colors.white)
    rows = [[Paragraph(_safe(each), head) for each in ("✓", *columns, "")]]
    for line in lines:
        rows.append([Paragraph(_safe(each), style) for each in ("□", *_cells(line, "<br/>"), "")])
    widths = [10 * mm, 16 * mm, 22 * mm, 34 * mm, 38 * mm, 34 * mm, 26 * mm, 34 * mm, 34 * mm, 25 * mm]
    table = Table(rows, colWidths=widths, repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.5, colors.grey),
                ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#334155")),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.white, colors.HexColor("#f1f5f9")]),
            ]
        )
    )
    heading = ParagraphStyle("title", parent=style, fontSize=14, leading=20)
    out = io.BytesIO()
    margin = 10 * mm
    document = SimpleDocTemplate(
        out,
        pagesize=landscape(A4),
        leftMargin=margin,
        rightMargin=margin,
        topMargin=margin,
        bottomMargin=margin,
        title=title,
        invariant=1,
    )
    said = [Paragraph(_safe(note), style)] if note else []
    document.build([Paragraph(_safe(f"{title}  {made:%Y-%m-%d %H:%M}"), heading), *said, Spacer(0, 4 * mm), table])
    return out.getvalue()


def _cells(line: Line, between: str = " / ") -> tuple[str, ...]:
    return (line.risk, line.id, line.name, line.kana, between.join(line.numbers), line.slot, line.calls, line.task)


def _safe(cell: str) -> str:
    """Text for reportlab's markup; only our own line breaks are markup."""
    escaped = cell.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("&lt;br/&gt;", "<br/>")
