"""The card as a PDF: its text, its fonts, its size."""

import re
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from ivr.errors import BadInput
from ivr.leaflet.content import Site, leaflet_of
from ivr.leaflet.fonts import Fonts, find_fonts, register
from ivr.leaflet.pages import pdf_of
from ivr.questionnaire.model import Questionnaire
from tests.cases_runner import daily
from tests.flow.test_cards import branching
from tests.leaflet.test_content import SITE


@pytest.fixture(scope="module")
def fonts() -> Fonts:
    return register(*find_fonts(None))


def printed(questionnaire: Questionnaire, fonts: Fonts, site: Site = SITE, language: str = "ja") -> PdfReader:
    return PdfReader(BytesIO(pdf_of(leaflet_of(questionnaire, site, language), fonts)))


def said(pdf: PdfReader) -> str:
    """All of its text, without line breaks."""
    return re.sub(r"\s", "", "".join(each.extract_text() for each in pdf.pages))


def test_the_daily_card_is_two_sides_of_a4(fonts: Fonts) -> None:
    pdf = printed(daily(), fonts)
    assert len(pdf.pages) == 2
    for page in pdf.pages:
        assert [round(float(each)) for each in page.mediabox] == [0, 0, 595, 842]
    assert pdf.metadata
    assert pdf.metadata.title == "健康観察のお電話"


def test_every_font_is_in_the_file(fonts: Fonts) -> None:
    seen = set()
    for page in printed(daily(), fonts).pages:
        resources = cast(DictionaryObject, page["/Resources"])
        for reference in cast(DictionaryObject, resources["/Font"]).values():
            font = cast(DictionaryObject, reference.get_object())
            seen.add(str(font["/BaseFont"]).rpartition("+")[2])
            assert "/FontFile2" in cast(DictionaryObject, font["/FontDescriptor"])
    assert seen == {fonts.regular, fonts.bold}


def test_the_front_says_who_calls_from_where_and_when_and_what_is_never_asked(fonts: Fonts) -> None:
    front = re.sub(r"\s", "", printed(daily(), fonts).pages[0].extract_text())
    for part in ("さくら保健所", "050-0000-0100", "午前9時～11時30分", "午後2時～4時30分", "03-1000-0123", "119"):
        assert part in front
    for part in ("もう一度聞く", "担当者からの電話を希望", "こちらは、さくら保健所です。", "1番を押します", "観察番号"):
        assert part in front
    for part in ("お金", "生年月日", "ご住所", "決してありません", "トーン"):
        assert part in front


@pytest.mark.parametrize("make", [daily, branching])
def test_every_question_has_its_keys(make: object, fonts: Fonts) -> None:
    assert callable(make)
    questionnaire = make()
    text = said(printed(questionnaire, fonts))
    for block in leaflet_of(questionnaire, SITE, "ja").blocks:
        for asked in block.questions:
            assert f"{asked.number}{asked.word}".replace("　", "") in text
        for answer in block.answers:
            assert answer.word in text
        if block.example:
            assert f"{block.example.word}のとき" in text


def test_what_a_site_has_not_is_not_printed(fonts: Fonts) -> None:
    text = said(printed(branching(), fonts, replace(SITE, telephone=None, hours=None, slots=SITE.slots[:1])))
    assert "担当者への相談" not in text
    # With one time of day there is nothing to tick.
    assert "□" not in text
    assert "□" in said(printed(branching(), fonts))


def test_a_long_questionnaire_goes_on(fonts: Fonts) -> None:
    long = replace(daily(), questions=daily().questions * 6)
    pdf = printed(long, fonts)
    assert len(pdf.pages) > 2
    assert "66尿が半日以上出ていない" in said(pdf)


def test_english(fonts: Fonts) -> None:
    text = said(printed(daily(), fonts, language="en"))
    for part in ("neveraskformoney", "nothermometer", "9:00a.m.", "donotknow"):
        assert part in text


def test_the_same_card_is_the_same_file(fonts: Fonts) -> None:
    one, other = (pdf_of(leaflet_of(daily(), SITE, "ja"), fonts) for _ in range(2))
    assert one == other


def test_signs_of_markup_are_only_text(fonts: Fonts) -> None:
    assert "<b>&さくら" in said(printed(daily(), fonts, replace(SITE, centre="<b>&さくら")))


def test_the_best_font_that_is_installed(tmp_path: Path) -> None:
    near, far = tmp_path / "near", tmp_path / "far"
    for path in (near / "ipaexg.ttf", far / "BIZUDPGothic-Regular.ttf"):
        path.parent.mkdir()
        path.touch()
    folders = (str(near), str(far), str(tmp_path / "none"))
    # Without its bold, the better one will not do.
    assert find_fonts(None, folders) == (near / "ipaexg.ttf", near / "ipaexg.ttf")
    (far / "BIZUDPGothic-Bold.ttf").touch()
    assert find_fonts(None, folders) == (far / "BIZUDPGothic-Regular.ttf", far / "BIZUDPGothic-Bold.ttf")
    assert find_fonts(near / "ipaexg.ttf", folders) == (near / "ipaexg.ttf", near / "ipaexg.ttf")
    with pytest.raises(BadInput) as caught:
        find_fonts(None, (str(tmp_path / "none"),))
    assert "fonts-morisawa-bizud-gothic" in caught.value.render()


def test_a_file_that_is_no_font(tmp_path: Path) -> None:
    (tmp_path / "a.ttf").write_text("no font")
    for path in (tmp_path / "a.ttf", tmp_path / "none.ttf"):
        with pytest.raises(BadInput) as caught:
            register(path, path)
        assert str(path) in caught.value.render()


def test_each_picture_shows_its_own_key(fonts: Fonts) -> None:
    """In the drawing of a keypad the key to press is written in the larger type, and only it."""
    content = printed(replace(daily(), questions=daily().questions[2:3]), fonts).pages[-1].get_contents()
    assert content is not None
    sizes = re.findall(rb"/F\d\+\d ([0-9.]+) Tf", content.get_data())
    assert sizes
    assert any(float(one) > float(other) for one, other in pairwise(sizes))
