"""The drawing as a whole: one page, nothing over anything else, arrows where the questionnaire leads."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.flow.cards import cards_of
from ivr.flow.graphviz import heights_of, svg_of
from ivr.flow.page import _BELOW, A3, A4, _extent, _fill_page, _place, _split, flow_source, sizes_source
from tests.cases_runner import daily
from tests.flow.test_cards import TEXTS, branching

SVG = "{http://www.w3.org/2000/svg}"


@settings(deadline=None)
@given(st.lists(st.floats(20, 600), min_size=1, max_size=25))
def test_cards_fill_the_page_in_their_order_and_do_not_overlap(heights: list[float]) -> None:
    columns, page = _fill_page(heights)
    assert sum(columns) == len(heights)
    cards = cards_of(daily(), TEXTS, "ja")[: len(heights)]
    by_id = {card.id: height for card, height in zip(cards, heights, strict=False)}
    placed = _place(cards, by_id, _split(list(by_id.values()), 3)) if cards else []
    for one, other in pairwise(placed):
        assert other.x > one.x or one.y - by_id[one.card.id] / 2 >= other.y + by_id[other.card.id] / 2 + _BELOW - 0.01
    width, height = _extent(heights, columns)
    assert page in (A4, A3)
    # No other number of columns makes a bigger drawing.
    scale = min(A3[0] / width, (A3[1] - 0.8) / height)
    for count in range(1, len(heights) + 1):
        wide, tall = _extent(heights, _split(heights, count))
        assert min(A3[0] / wide, (A3[1] - 0.8) / tall) <= scale + 1e-9


def edges(svg: str) -> list[str]:
    return sorted(
        re.sub(r":\w+", "", str(title.text))
        for group in ET.fromstring(svg).iter(f"{SVG}g")
        if group.get("class") == "edge"
        for title in group.iter(f"{SVG}title")
    )


def test_the_arrows_are_the_ways_of_the_questionnaire() -> None:
    questionnaire = branching()
    cards = cards_of(questionnaire, TEXTS, "ja")
    found = edges(svg_of(flow_source(questionnaire, cards, heights_of(sizes_source(cards)), "ja")))
    ways = {re.sub("_(in|out)$", "", each) for arrow in found for each in [arrow.replace("->", " ")]}
    jumps = {"q_well q_goodbye", "q_well q_symptoms", "q_again q_temperature", "q_again closing"}
    assert jumps <= ways
    assert "opening q_well" in ways
    assert "q_hot q_message" in ways
    # Every answer to the last question leads elsewhere.
    assert not any(each.startswith("q_again") for each in ways - jumps)
