"""The card beside the telephone as a PDF: A4, large type, its fonts put in."""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from io import BytesIO

from reportlab.lib.colors import white
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    PageBreak,
    SimpleDocTemplate,
    Spacer,
)

from ivr.leaflet.content import Answer, Asked, Block, Leaflet
from ivr.leaflet.fonts import Fonts
from ivr.leaflet.keypad import PRESS
from ivr.leaflet.looks import DEEP, MARGIN, PALE, SIDE, WARM, WIDTH, Looks

#: Sizes of type, as parts of the usual one, in the order of size.
_SCALES = tuple(each / 100 for each in range(66, 134, 2))


def pdf_of(leaflet: Leaflet, fonts: Fonts) -> bytes:
    """The card as a PDF, in the largest type that has room: its front, and the questions on its back.

    Only a questionnaire that is too long even in the smallest type takes more pages.
    """

    def front(scale: float) -> list[Flowable]:
        return _Side(leaflet, fonts, scale).card()

    def back(scale: float) -> list[Flowable]:
        return _Side(leaflet, fonts, scale).questions()

    def largest(side: Callable[[float], list[Flowable]]) -> float:
        def too_large(scale: float) -> bool:
            return _print(leaflet, fonts, side(scale))[1] > 1

        return _SCALES[max(0, bisect_left(_SCALES, True, key=too_large) - 1)]

    return _print(leaflet, fonts, [*front(largest(front)), PageBreak(), *back(largest(back))])[0]


def _print(leaflet: Leaflet, fonts: Fonts, parts: list[Flowable]) -> tuple[bytes, int]:
    """The PDF, and how many pages it has."""
    paper = BytesIO()
    document = SimpleDocTemplate(
        paper,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=leaflet.say("title"),
        author=leaflet.site.centre,
        lang=leaflet.language,
        initialFontName=fonts.regular,
        # Neither date nor chance in the file.
        invariant=1,
    )
    pages = 0

    def count(_canvas: Canvas, _document: object) -> None:
        nonlocal pages
        pages += 1

    document.build(parts, onFirstPage=count, onLaterPages=count)
    return paper.getvalue(), pages


class _Side(Looks):
    """The two sides of the card, in one size of type."""

    def __init__(self, leaflet: Leaflet, fonts: Fonts, scale: float) -> None:
        super().__init__(fonts, scale)
        self._leaflet = leaflet

    def card(self) -> list[Flowable]:
        """Who calls, when, and what helps."""
        say, site = self._leaflet.say, self._leaflet.site
        # One of several is ticked by hand.
        tick = "□ " if len(self._leaflet.slots) > 1 else ""
        times = [self.text(tick + each, 19, bold=True) for each in self._leaflet.slots]
        return [
            self.banner(say("title")),
            self.gap(4),
            self.box(
                [
                    self.pair(say("from_label"), self.numbers(site.callers, 34)),
                    self.pair(say("when_label"), times),
                    self.pair("", [self.text(say("again"), 12.5)]),
                ],
                PALE,
            ),
            self.gap(4),
            self.heading(say("answer_heading")),
            self.beside(
                self.pad("1", 25),
                [
                    self.text(say("greeting", greeting=site.greeting), 14.5),
                    self.text(say("ready"), 19, bold=True),
                    self.text(say("patience", seconds=self._leaflet.patience), 12.5),
                ],
            ),
            self.gap(3),
            self.heading(say("always_heading")),
            self._always(),
            self.gap(4),
            self._safe(),
            self.gap(4),
            self.heading(say("call_in_heading")),
            *self._call_in(),
            self.gap(3),
            self._places(),
            self.gap(3),
            self._old_telephone(),
        ]

    def _always(self) -> Flowable:
        say = self._leaflet.say
        pads = [(each, say(message)) for each, message in (("*", "repeat"), ("0", "call_me"), ("#", "end_key"))]
        return self.row([self.labelled(Answer(key, said), 21, 15) for key, said in pads])

    def _safe(self) -> Flowable:
        say = self._leaflet.say
        return self.box(
            [
                [self.text(say("safe_heading"), 17, bold=True, colour=PRESS)],
                [self.text(say("never_asks"), 15, bold=True)],
                [self.text(say("doubt"), 13)],
            ],
            WARM,
        )

    def _call_in(self) -> list[Flowable]:
        say, site = self._leaflet.say, self._leaflet.site
        rows = [self.pair(say("call_in_label"), [*self.numbers(site.call_in, 24), self.text(say("call_in"), 12.5)])]
        rows.append(self.pair(say("id_label"), [self.boxes(8)]))
        if site.telephone:
            hours = [self.text(site.hours, 12.5)] if site.hours else []
            rows.append(self.pair(say("staff_label"), [*self.numbers([site.telephone], 24), *hours]))
        rows.append(self.pair(say("emergency_label"), [self.text("119", 24, bold=True, colour=PRESS)]))
        return [self.box(rows, white)]

    def _places(self) -> Flowable:
        """Which key is whose, on a telephone that several persons share: names are written in by hand."""
        say = self._leaflet.say
        names = "　".join(say("place", place=place) for place in range(1, 4))
        said = [self.text(names, 14, bold=True), self.text(say("places"), 12.5)]
        return self.box([self.pair(say("places_label"), said)], white)

    def _old_telephone(self) -> Flowable:
        say = self._leaflet.say
        return self.beside(
            self.pad("*", 17), [self.text(say("old_heading"), 14, bold=True), self.text(say("old_telephone"), 12.5)]
        )

    def questions(self) -> list[Flowable]:
        """Every question and its keys."""
        parts: list[Flowable] = [self.banner(self._leaflet.say("questions_title")), self.gap(3)]
        last = max((at for at, each in enumerate(self._leaflet.blocks) if each.confirmed), default=None)
        for at, block in enumerate(self._leaflet.blocks):
            parts.append(KeepTogether([*self._block(block), self.gap(3)]))
            if at == last:
                parts.append(KeepTogether([self._confirming(), self.gap(3)]))
        return parts

    def _block(self, block: Block) -> list[Flowable]:
        if len(block.questions) == 1:
            titles: list[Flowable] = [self._title(block.questions[0])]
        else:
            first, last = block.questions[0].number, block.questions[-1].number
            titles = [self.heading(self._leaflet.say("alike", first=first, last=last))]
        how: list[Flowable] = [self.text(block.how, 13)] if block.how else []
        shown = list(block.answers)
        if block.example is not None:
            shown.insert(0, Answer(block.example.keys, self._leaflet.say("example", value=block.example.word)))
        pads = [self.labelled(each, 18 if len(shown) <= 4 else 15, 14) for each in shown]
        rows = [self.row(pads[at : at + 5]) for at in range(0, len(pads), 5)]
        several: list[Flowable] = [self._list(block.questions)] if len(block.questions) > 1 else []
        return [*titles, *how, *rows, *several]

    def _confirming(self) -> Flowable:
        say = self._leaflet.say
        pads = [self.labelled(Answer("1", say("right")), 15, 13), self.labelled(Answer("2", say("wrong")), 15, 13)]
        return self.box([[self.text(say("read_back"), 14, bold=True)], [self.row(pads, WIDTH - 2 * SIDE)]], PALE)

    def banner(self, title: str) -> Flowable:
        """The head of a side."""
        left = self.text(title, 27, bold=True, colour=white)
        right = self.text(self._leaflet.site.centre, 17, bold=True, colour=white, aligned=TA_RIGHT)
        return self.table([[left, right]], [WIDTH * 0.66, WIDTH * 0.34], background=DEEP, padding=3.5 * mm)

    def _title(self, asked: Asked) -> Flowable:
        perhaps = self._leaflet.say("perhaps") if asked.perhaps else ""
        return self.heading(f"{asked.number}　{asked.word}{perhaps}")

    def _list(self, questions: Iterable[Asked]) -> Flowable:
        """Questions in two columns, down the first and then down the second."""
        perhaps = self._leaflet.say("perhaps")
        shown = [self.text(f"{each.number}　{each.word}{perhaps if each.perhaps else ''}", 16) for each in questions]
        half = (len(shown) + 1) // 2
        pairs = [[shown[at], shown[at + half] if at + half < len(shown) else Spacer(0, 0)] for at in range(half)]
        return self.table(pairs, [WIDTH / 2, WIDTH / 2], padding=1.4 * mm, background=PALE)
