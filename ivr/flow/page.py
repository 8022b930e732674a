"""The cards of a questionnaire on one page: in columns that fill it, with arrows. The text of Graphviz's
language only; ivr.flow.graphviz runs it. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from ivr.flow.cards import Card
from ivr.flow.style import CARD_WIDTH, FONTS, INK, JUMP, PAPER, QUIET
from ivr.messages import text
from ivr.questionnaire.model import Questionnaire
from ivr.questionnaire.words import catalogued

#: Inches of the drawing on landscape A4 and A3, 10 mm of margin all around.
A4, A3 = (10.9, 7.48), (15.75, 10.9)
#: Points between cards of a column, and between columns.
_BELOW, _BESIDE = 26.0, 56.0
_POINTS = 72.0


@dataclass(frozen=True)
class Placed:
    """A card and where its middle is, in points from the lower left corner."""

    card: Card
    x: float
    y: float


def sizes_source(cards: Sequence[Card]) -> str:
    """What Graphviz needs to tell how big each card becomes."""
    return _graph("", (f"{each.id} [label=<{each.label}>];" for each in cards))


def flow_source(
    questionnaire: Questionnaire, cards: Sequence[Card], heights: Mapping[str, float], language: str
) -> str:
    """The drawing: cards in columns, arrows between them. `heights`: card id -> points."""
    columns, page = _fill_page([heights[each.id] for each in cards])
    placed = _place(cards, heights, columns)
    title = _title(questionnaire, language)
    size = f'size="{page[0]},{page[1]}"; labelloc=t; labeljust=l; label=<{title}>;'
    nodes = (f'{each.card.id} [label=<{each.card.label}>, pos="{each.x:.1f},{each.y:.1f}!"];' for each in placed)
    return _graph(size, (*nodes, *_arrows(placed)))


def _graph(settings: str, parts: Iterator[str] | Sequence[str]) -> str:
    font = f'fontname="{FONTS}"'
    lines = (
        f'graph [{font}, splines=true, esep="+6", sep="+8", bgcolor="{PAPER}", outputorder=edgesfirst, pad=0.15];',
        f'node [shape=plain, {font}, fontsize=11, fontcolor="{INK}"];',
        f'edge [{font}, fontsize=10, color="{QUIET}", fontcolor="{QUIET}", arrowsize=0.8, penwidth=1.6];',
        settings,
        *parts,
    )
    return "digraph questionnaire {\n" + "\n".join(lines) + "\n}\n"


def _title(questionnaire: Questionnaire, language: str) -> str:
    shown = catalogued(language)
    name = questionnaire.title.get(shown) or next(iter(questionnaire.title.values()))
    version = text("flow.version", shown, id=questionnaire.id, hash=questionnaire.hash[:8])
    return (
        f'<FONT POINT-SIZE="26"><B>{escape(name)}</B></FONT><BR ALIGN="LEFT"/>'
        f'<FONT POINT-SIZE="11" COLOR="{QUIET}">{escape(version)}</FONT><BR ALIGN="LEFT"/> <BR/>'
    )


def _fill_page(heights: Sequence[float]) -> tuple[list[int], tuple[float, float]]:
    """How many cards each column gets, so that the drawing comes out biggest; and the smallest page that will do."""
    best: tuple[float, list[int]] = (0.0, [])
    for count in range(1, len(heights) + 1):
        columns = _split(heights, count)
        width, height = _extent(heights, columns)
        scale = min(A3[0] * _POINTS / width, (A3[1] - 0.8) * _POINTS / height)
        if scale > best[0]:
            best = (scale, columns)
    fits_small = best[0] >= A3[0] / A4[0]
    return best[1], A4 if fits_small else A3


def _extent(heights: Sequence[float], columns: Sequence[int]) -> tuple[float, float]:
    tallest, first = 0.0, 0
    for count in columns:
        tallest = max(tallest, sum(heights[first : first + count]) + _BELOW * (count - 1))
        first += count
    return len(columns) * (CARD_WIDTH + _BESIDE) - _BESIDE, tallest


def _split(heights: Sequence[float], count: int) -> list[int]:
    """The cards in their order over `count` columns at most, the tallest as low as it can be."""
    low, high = max(heights), sum(heights) + _BELOW * len(heights)
    columns = _pack(heights, high)
    while high - low > 1.0:
        middle = (low + high) / 2
        packed = _pack(heights, middle)
        if len(packed) <= count:
            columns, high = packed, middle
        else:
            low = middle
    return columns


def _pack(heights: Sequence[float], most: float) -> list[int]:
    columns: list[int] = []
    filled = most + 1.0
    for height in heights:
        if columns and filled + _BELOW + height <= most:
            columns[-1] += 1
            filled += _BELOW + height
        else:
            columns.append(1)
            filled = height
    return columns


def _place(cards: Sequence[Card], heights: Mapping[str, float], columns: Sequence[int]) -> list[Placed]:
    placed: list[Placed] = []
    left = iter(cards)
    for column, count in enumerate(columns):
        top = 0.0
        for card in (next(left) for _ in range(count)):
            placed.append(Placed(card, column * (CARD_WIDTH + _BESIDE), top - heights[card.id] / 2))
            top -= heights[card.id] + _BELOW
    return placed


def _arrows(placed: Sequence[Placed]) -> Iterator[str]:
    """From each card to the next, unless every answer leads elsewhere; and every jump, in a colour of its own."""
    steps = [each for each in placed if each.card.is_step]
    where = {each.card.id: each for each in steps}
    for one, other in pairwise(steps):
        if one.card.goes_on:
            yield from (_down(one, other) if one.x == other.x else _around(one, other))
    for one in steps:
        for target in dict.fromkeys(each.target for each in one.card.exits):
            yield _jump(one, where[target])


def _down(one: Placed, other: Placed) -> Iterator[str]:
    yield f"{one.card.id}:s -> {other.card.id}:n;"


def _around(one: Placed, other: Placed) -> Iterator[str]:
    """To the top of the next column: out at the right, up between the columns, in at the left."""
    between = (one.x + other.x) / 2
    corners = [f"{one.card.id}_{corner}" for corner in ("out", "in")]
    for corner, y in zip(corners, (one.y, other.y), strict=True):
        yield f'{corner} [shape=point, width=0.01, color="{QUIET}", pos="{between:.1f},{y:.1f}!"];'
    yield f"{one.card.id}:e -> {corners[0]} -> {corners[1]} [dir=none];"
    yield f"{corners[1]} -> {other.card.id}:w;"


def _jump(one: Placed, other: Placed) -> str:
    ports = (":e", ":e") if one.x == other.x else (":e", ":w") if one.x < other.x else (":w", ":e")
    return f'{one.card.id}{ports[0]} -> {other.card.id}{ports[1]} [color="{JUMP}", penwidth=2.2];'
