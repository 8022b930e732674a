"""Names on paper: every letter from a font that is put in, or told by ID and printed by the reading."""

import csv
import io
import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from ivr.calllist import Line, not_printable, to_csv, to_pdf
from ivr.errors import BadInput
from ivr.files.lettering import Lettering
from ivr.leaflet.fonts import find_fallbacks, find_fonts, register
from ivr.leaflet.looks import Looks
from tests.files.names import COMMON, NEPALI, PEOPLE, PORTUGUESE, VIETNAMESE

MADE = datetime(2026, 11, 15, 9, 0, tzinfo=UTC)
COLUMNS = ("リスク", "番号", "氏名", "よみ", "電話番号", "時間帯", "電話", "仕事")


def line(id: str, name: str, kana: str = "ミホン") -> Line:
    return Line("高", id, name, kana, ("0310000006", "09000000001"), "morning", "3 話し中", "連絡がつかない")


LINES = [line(each.id, each.name, each.kana) for each in PEOPLE]


@pytest.fixture(scope="module")
def lettering() -> Lettering:
    return register(*find_fonts(None), find_fallbacks()).lettering()


def words(content: bytes) -> str:
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).replace("\n", "")


def test_every_name_is_printed_or_told(lettering: Lettering) -> None:
    told = not_printable(LINES, lettering)
    content = to_pdf("一覧", COLUMNS, LINES, MADE, lettering)
    said = words(content).replace(" ", "")
    for each in LINES:
        assert each.id in said
        # What reportlab says of the text of letters beyond the first plane is wrong; what it draws is right.
        if each.id not in told and max(each.name) < "\U00010000":
            assert each.name.replace(" ", "").replace("\u3000", "") in said.replace("\u3000", ""), each.name
    printed = {each.name.split()[0] for each in LINES if each.id not in told}
    assert printed >= {*COMMON, "髙橋", "濵田", "渡邉", "齋藤"}
    names = {each.name: each.id for each in LINES}
    # Letters that stand together, and forms that a selector chooses, are more than a glyph each.
    assert {names[each] for each in NEPALI[:4]} <= set(told)
    assert {each.id for each in LINES if "\U000e0100" in each.name or "\U000e0101" in each.name} <= set(told)
    if any(each.name == "DejaVuSans.ttf" for each in find_fallbacks()):
        assert not {names[each] for each in (*VIETNAMESE, *PORTUGUESE)} & set(told)


def test_every_font_is_in_the_file(lettering: Lettering) -> None:
    content = to_pdf("一覧", COLUMNS, LINES, MADE, lettering)
    pages: list[Any] = list(PdfReader(io.BytesIO(content)).pages)
    fonts = [font.get_object() for page in pages for font in page["/Resources"]["/Font"].values()]
    # reportlab names Helvetica in every file, and here nothing is drawn with it.
    used = [each for each in fonts if each["/BaseFont"] != "/Helvetica"]
    assert used
    assert all("/FontFile2" in each["/FontDescriptor"] for each in used)


def test_a_name_that_cannot_be_printed_is_left_to_its_reading_and_that_to_the_id(lettering: Lettering) -> None:
    lines = [line("200001", "葛\U000e0100城 花子", "カツラギ ハナコ"), line("200002", "शर्मा", "शर्मा")]
    said = words(to_pdf("一覧", COLUMNS, lines, MADE, lettering, ("※ 2 人",)))
    assert "※ カツラギ" in said
    assert "※ 200002" in said
    assert "※ 2 人" in said
    assert not_printable(lines, lettering) == ["200001", "200002"]


def test_a_long_name_stays_on_its_page(lettering: Lettering) -> None:
    content = to_pdf("一覧", COLUMNS, [line("200001", "あ" * 200, "ア" * 200)], MADE, lettering)
    assert len(PdfReader(io.BytesIO(content)).pages) == 1
    assert words(content).count("あ") == 200


def test_thousands_take_seconds_and_little_memory(lettering: Lettering) -> None:
    """8,000 people; 10 s and 150 MB are promised. Measured by the processor, which others use too."""
    lines = [line(f"{200_001 + at}", LINES[at % 160].name) for at in range(8000)]
    began = time.process_time()
    content = to_pdf("一覧", COLUMNS, lines, MADE, lettering)
    assert time.process_time() - began < 10
    assert len(PdfReader(io.BytesIO(content)).pages) > 200
    tracemalloc.start()
    to_pdf("一覧", COLUMNS, lines[:1000], MADE, lettering)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80 * 1024 * 1024


def test_the_list_of_numbers_to_ring_keeps_its_zeros_in_a_spreadsheet() -> None:
    rows = list(csv.reader(io.StringIO(to_csv(COLUMNS, [line("00123456", "=1+1")]).removeprefix("\ufeff"))))
    assert rows[1][1:5] == ["'00123456", "'=1+1", "ミホン", "'0310000006 / 09000000001"]


def test_a_centre_whose_name_no_font_can_print_is_told(lettering: Lettering, tmp_path: Path) -> None:
    fonts = register(*find_fonts(None))
    with pytest.raises(BadInput) as refused:
        Looks(fonts, 1.0).text("शर्मा保健所", 12)
    assert refused.value.problems[0].message == "leaflet.no_letter"
    assert Looks(register(*find_fonts(None), find_fallbacks()), 1.0).text("Nguyễn 保健所", 12)
