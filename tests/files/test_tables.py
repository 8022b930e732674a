"""Files as offices have them: encodings, short lines, columns in Japanese, workbooks. One reader for every table."""

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from ivr.errors import BadInput, Problem, problem
from ivr.files.tables import Layout, read_table
from ivr.files.workbook import write_workbook
from tests.files.names import COMMON, PEOPLE, RARE

LAYOUT = Layout(
    ("id", "name", "kana", "note"),
    ("id",),
    problem("roster.empty"),
    {"氏名": "name", "フリガナ": "kana"},
    frozenset({"kana"}),
)


def rows(content: bytes) -> list[tuple[int, dict[str, str]]]:
    found = []
    for line, row in read_table(content, "f", LAYOUT).rows:
        if isinstance(row, Problem):
            raise BadInput(Problem(row.message, row.values, "f", line))
        found.append((line, row))
    return found


def problems(content: bytes) -> list[str]:
    found: list[str] = []
    try:
        for line, row in read_table(content, "f", LAYOUT).rows:
            if isinstance(row, Problem):
                found.append(f"{line}:{row.message}")
    except BadInput as bad:
        found += [f"{each.line}:{each.message}" for each in bad.problems]
    return found


def text(names: Sequence[tuple[str, str]]) -> str:
    return "id,name,kana\r\n" + "".join(f"{100_001 + at},{name},{kana}\r\n" for at, (name, kana) in enumerate(names))


NAMES = [(f"{family} 花子", "ミホン ハナコ") for family in COMMON]
HALF = [(f"{family} 花子", "ﾐﾎﾝ ﾊﾅｺ ｶﾞｸ ﾎﾟｰ") for family in COMMON]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "euc_jp"])
@pytest.mark.parametrize("count", [1, 2, 40])
@pytest.mark.parametrize(
    "names",
    [NAMES, HALF[:1] + HALF, [("ミホン", "ミホン")], [("João", "ジョアン")]],
    ids=["full", "half", "kana", "latin"],
)
def test_a_file_of_any_encoding_is_read_right_or_refused(
    encoding: str, count: int, names: list[tuple[str, str]]
) -> None:
    """Also the shortest; never as something else."""
    wanted = names[:count]
    try:
        content = text(wanted).encode(encoding)
    except UnicodeEncodeError:
        return
    found = [(row["name"], row["kana"]) for _, row in rows(content)]
    assert found == wanted


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "euc_jp"])
@pytest.mark.parametrize("family", [*COMMON, *RARE])
def test_every_family_name_alone(encoding: str, family: str) -> None:
    try:
        content = text([(family, "ミホン")]).encode(encoding)
    except UnicodeEncodeError:
        return
    assert [row["name"] for _, row in rows(content)] == [family]


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "euc_jp"])
@given(st.data())
def test_one_damaged_byte_never_makes_other_names(encoding: str, data: st.DataObject) -> None:
    """Told by its line, or the whole file is refused; the other lines are read as they were written."""
    whole = text([*NAMES[:6], ("ミホン ハナコ", "ミホン")])
    content = bytearray(whole.encode(encoding))
    at = data.draw(st.sampled_from([at for at, each in enumerate(content) if each > 0x7F]))
    gone, damaged = data.draw(st.booleans()), bytes(content[:at]).count(b"\n") + 1
    content[at : at + 1] = b"" if gone else bytes([data.draw(st.integers(0x80, 0xFF))])
    lines = whole.splitlines()
    told = []
    try:
        for line, row in read_table(bytes(content), "f", LAYOUT).rows:
            if isinstance(row, Problem):
                told.append(row.message)
                continue
            now = ",".join(row.values())
            # One letter for another is what a changed byte can do in any encoding; the other lines are as they were.
            assert now == lines[line - 1] or line == damaged
            assert encoding != "cp932" or not any("｡" <= each <= "ﾟ" for each in now)
    except BadInput as bad:
        told += [each.message for each in bad.problems]
    assert {*told} <= {"roster.damaged_line", "roster.encoding", "roster.encoding_unsure"}


def test_one_damaged_letter_of_katakana_in_utf8_is_told_with_its_line() -> None:
    content = text([("ミホン", "ミホン"), ("レイブン", "レイブン"), ("カタカナ", "カタカナ")]).encode()
    broken = content.replace("レ".encode(), "レ".encode()[:2], 1)
    assert problems(broken) == ["3:roster.damaged_line"]
    with_mark = b"\xef\xbb\xbf" + broken
    assert problems(with_mark) == ["3:roster.damaged_line"]


def test_half_width_kana_where_no_office_writes_them() -> None:
    """In a column of names they are what EUC-JP or damaged UTF-8 looks like: nobody can tell."""
    content = text([("ﾐﾎﾝ", "ﾐﾎﾝ")]).encode("cp932")
    assert problems(content) == ["2:roster.encoding_unsure"]


def test_short_lines_and_columns_without_a_name() -> None:
    content = "id,name,kana,note,,\n123456,見本\n123457,例文,レイブン,x,,\n123458\n,,,,,\n".encode()
    assert rows(content) == [
        (2, {"id": "123456", "name": "見本", "kana": "", "note": ""}),
        (3, {"id": "123457", "name": "例文", "kana": "レイブン", "note": "x"}),
        (4, {"id": "123458", "name": "", "kana": "", "note": ""}),
    ]
    assert problems(b"id,,note\n1,2,3\n") == ["2:roster.nameless"]
    assert problems(b"id,note\n1,2,3\n1,2,,\n") == ["2:roster.cells"]


def test_names_of_columns_as_japanese_offices_write_them() -> None:
    assert rows("　ＩＤ , 氏名,ﾌﾘｶﾞﾅ\n1,見本,ミホン\n".encode()) == [(2, {"id": "1", "name": "見本", "kana": "ミホン"})]
    assert problems("id,氏名,name\n".encode()) == ["1:roster.column_twice", "1:roster.columns"]


def xlsx(*table: Sequence[object], prepare: Callable[[Workbook], None] = lambda book: None) -> bytes:
    book = Workbook()
    assert book.active is not None
    for row in table:
        book.active.append(list(row))
    prepare(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_says_what_people_see_in_it() -> None:
    def zeros(book: Workbook) -> None:
        assert book.active is not None
        book.active["A2"].number_format = "00000000"
        book.active["D2"].number_format = "000-0000-0000"

    content = xlsx(
        ("id", "name", "kana", "note"),
        (123456, "見本", None, 9000000001),
        ("00123457", "例文", "レイブン", 9000000001.0),
        (123458, True, datetime(2026, 11, 1), time(9, 30)),
        (123459, 36.5, datetime(2026, 11, 1, 9, 30), date(2026, 11, 1)),
        prepare=zeros,
    )
    assert [tuple(row.values()) for _, row in rows(content)] == [
        ("00123456", "見本", "", "09000000001"),
        ("00123457", "例文", "レイブン", "9000000001"),
        ("123458", "TRUE", "2026-11-01", "09:30"),
        ("123459", "36.5", "2026-11-01 09:30:00", "2026-11-01"),
    ]
    assert [line for line, _ in rows(xlsx((), ("id", "name"), (), ("1", "見本")))] == [4]


def test_workbooks_that_are_no_table() -> None:
    def second(book: Workbook) -> None:
        book.create_sheet("別").append(["x"])

    assert problems(xlsx(("id",), ("1",), prepare=second)) == ["None:workbook.sheets"]
    assert problems(xlsx(("id", "name"), ("1", "=A1"))) == ["2:workbook.no_result"]
    assert problems(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600) == ["None:workbook.old"]
    assert problems(b"PK\x03\x04" + b"\0" * 600) == ["None:workbook.broken"]
    assert problems(xlsx(("id",), ("1",))[:-300]) == ["None:workbook.broken"]
    assert problems(xlsx()) == ["None:roster.empty"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    assert problems(packed.getvalue()) == ["None:workbook.unknown"]
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for at in range(5):
            archive.writestr(f"xl/{at}.xml", bytes(100 * 1024 * 1024))
    assert problems(packed.getvalue()) == ["None:workbook.too_big"]


_ODS = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
    '<table:table table:name="名簿">{}</table:table></office:spreadsheet></office:body></office:document-content>'
)


def ods(*lines: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("content.xml", _ODS.format("".join(lines)))
    return packed.getvalue()


def test_an_opendocument_sheet() -> None:
    def cell(inside: str, **values: str) -> str:
        told = " ".join(f'{name.replace("_", ":", 1).replace("_", "-")}="{each}"' for name, each in values.items())
        return f"<table:table-cell {told}>{inside}</table:table-cell>"

    def row(*cells: str, times: int = 1) -> str:
        return f'<table:table-row table:number-rows-repeated="{times}">{"".join(cells)}</table:table-row>'

    def said(words: str) -> str:
        return cell(f"<text:p>{words}</text:p>", office_value_type="string")

    number = cell("<text:p>9,000,000,001</text:p>", office_value_type="float", office_value="9000000001")
    shown = cell("<text:p>00123456</text:p>", office_value_type="float", office_value="123456")
    day = cell("<text:p>R8.11.1</text:p>", office_value_type="date", office_date_value="2026-11-01")
    clock = cell("<text:p>9時</text:p>", office_value_type="time", office_time_value="PT09H30M00S")
    empty = cell("", table_number_columns_repeated="1000")
    content = ods(
        row(*map(said, ("id", "name", "kana", "note")), empty),
        row(empty),
        row(shown, said('見本<text:s text:c="1"/>花子'), number, day, empty),
        row(said("1"), said(""), clock, said("a<text:line-break/>b")),
        row(empty, times=1_000_000),
    )
    assert [(line, *row.values()) for line, row in rows(content)] == [
        (3, "00123456", "見本 花子", "9000000001", "2026-11-01"),
        (4, "1", "", "09:30:00", "a\nb"),
    ]
    assert problems(ods("<!ENTITY")) == ["None:workbook.broken"]


def test_a_written_workbook_is_text_alone() -> None:
    lines = [["id", "name", "kana", "note"], *([each.id, each.name, each.kana, "=1+1"] for each in PEOPLE)]
    content = write_workbook("名簿", [*lines, ["00000001", "1/2", "090", "2026-11-05"]])
    found = [list(row.values()) for _, row in rows(content)]
    assert found == [*lines[1:], ["00000001", "1/2", "090", "2026-11-05"]]


@given(st.binary(max_size=300))
def test_any_bytes_give_rows_or_problems(content: bytes) -> None:
    for prefix in (b"", b"id,name\n", b"PK\x03\x04", "id,氏名\n".encode("cp932"), "id,氏名\n".encode("euc_jp")):
        problems(prefix + content)


@given(st.lists(st.sampled_from(PEOPLE), max_size=5))
def test_what_is_written_as_csv_is_read(people: list[object]) -> None:
    out = io.StringIO()
    names = [getattr(each, "name", "") for each in people]
    csv.writer(out).writerows([["id", "name"], *([str(at), each] for at, each in enumerate(names))])
    assert [row["name"] for _, row in rows(out.getvalue().encode())] == names
