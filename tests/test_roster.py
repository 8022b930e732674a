"""Reading persons from CSV: as Japanese spreadsheets write it, with everything that is wrong at once."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.errors import BadInput
from ivr.numbers import Plan, normalise
from ivr.person import Person
from ivr.roster import COLUMNS, Rules, parse_people, read_content


def check_number(raw: str) -> str:
    return normalise(raw, Plan.PRACTICE)


RULES = Rules(check_number, ("morning", "afternoon"), ("ja", "en"))
HANAKO = Person("00123456", "見本 花子", "ミホン ハナコ", ("0310000001", "09000000001"), ("morning",))
TARO = Person("200001", "例文 太郎", "レイブン タロウ", ("07000000003",), ("afternoon",), "en")

GOOD = """id,name,kana,number1,number2,number3,slot,language
00123456,見本 花子,ミホン ハナコ,0310-000-001,090-0000-0001,,morning,
200001,例文 太郎,レイブン タロウ,07000000003,,,afternoon,en
"""


def parse(text: str) -> tuple[Person, ...]:
    return parse_people(text.encode(), "roster.csv", RULES)


def problems(text: str | bytes) -> list[str]:
    content = text.encode() if isinstance(text, str) else text
    with pytest.raises(BadInput) as refused:
        parse_people(content, "roster.csv", RULES)
    assert refused.value.render("ja")
    return [f"{each.line}:{each.message}" for each in refused.value.problems]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_what_spreadsheets_write(encoding: str, line_end: str) -> None:
    content = GOOD.replace("\n", line_end).encode(encoding)
    assert parse_people(content, "roster.csv", RULES) == (HANAKO, TARO)


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("見本 花子", '"見本 花子"').replace("00123456", '"00123456"'),
        GOOD.replace("00123456", "００１２３４５６"),
        GOOD.replace("00123456", " 00123456 "),
        GOOD.replace("id,name", "ID, Name "),
        GOOD.replace("\n2", "\n,,,,,,,\n\n2") + ",,,,,,,\n\n",
        GOOD.rstrip("\n"),
        GOOD.replace("0310-000-001", "０３１０ー０００ー００１"),
    ],
)
def test_what_people_do_to_files(text: str) -> None:
    assert parse(text) == (HANAKO, TARO)


def test_columns_in_any_order_and_only_the_required_ones() -> None:
    (person,) = parse("slot,number1,kana,name,id\nmorning,0310000001,ミホン,見本,123456\n")
    assert person == Person("123456", "見本", "ミホン", ("0310000001",), ("morning",), "ja")


def test_a_quoted_comma_and_quote() -> None:
    (person, _) = parse(GOOD.replace("見本 花子", '"見本, ""はな"" 花子"'))
    assert person.name == '見本, "はな" 花子'


def test_everything_that_is_wrong_at_once_with_its_line() -> None:
    rows = [
        "id,name,kana,number1,number2,number3,slot,language",
        "12345,見本,ミホン,0310000001,,,morning,ja",
        "123456,,ミホン,110,,,evening,fr",
        '123457,"見',
        '本",ミホン,0310000001,0310-000-001,,morning,ja',
        "123458,見本,ミホン,,,,morning,ja",
        "123459,見本,ミホン",
        "123460,=cmd|' /C calc'!A0,＋ミホン,0310000001,,,morning,ja",
        "123456,見本,ミホン,0310000001,,,morning,ja",
        "123461,見本,ミホン,0310000001,,,morning,ja",
    ]
    assert problems("\r\n".join(rows)) == [
        "2:roster.bad_id",
        "3:roster.number",
        "3:roster.no_text",
        "3:roster.not_allowed",
        "3:roster.not_allowed",
        "4:roster.number_twice",
        "4:roster.control",
        "6:roster.no_text",
        "7:roster.cells",
        "8:roster.formula",
        "8:roster.formula",
        "9:roster.id_twice",
    ]


def test_messages_say_what_is_allowed_and_repeat_no_personal_data() -> None:
    text = GOOD.replace("morning", "evening").replace("07000000003", "0312345678").replace("200001", "00123456")
    with pytest.raises(BadInput) as refused:
        parse(text)
    said = refused.value.render("en")
    assert 'roster.csv:2: "slot" cannot be "evening"; allowed: morning, afternoon' in said
    assert "roster.csv:3: line 2 has the same id; neither can be taken" in said
    assert "roster.csv:3: " in said
    for secret in ("花子", "太郎", "00123456", "0312345678"):
        assert secret not in said
        assert secret not in refused.value.render("ja")


def test_unknown_missing_and_repeated_columns_with_the_allowed_ones() -> None:
    with pytest.raises(BadInput) as refused:
        parse("id,name,name,number,slot\n")
    found = [(each.message, each.values.get("column")) for each in refused.value.problems]
    assert found == [
        ("roster.unknown_column", "number"),
        ("roster.missing_column", "kana"),
        ("roster.missing_column", "number1"),
        ("roster.column_twice", "name"),
        ("roster.columns", None),
    ]
    assert ", ".join(COLUMNS) in refused.value.render()


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"", "None:roster.empty"),
        (b"\n\n", "None:roster.empty"),
        (GOOD.splitlines()[0].encode(), "None:roster.empty"),
        (GOOD.encode("utf-16"), "None:roster.encoding"),
        (b"\x89PNG\r\n\x1a\n\0\0", "None:roster.encoding"),
        (b"id,name\n\x81", "None:roster.encoding"),
        (GOOD.encode().replace(b",morning", b',"morning'), "2:roster.broken"),
        (GOOD.encode() + b'x"y' + b"z" * 200_000, "4:roster.broken"),
    ],
)
def test_files_that_are_no_roster(content: bytes, wanted: str) -> None:
    assert problems(content) == [wanted]


def test_a_break_in_the_csv_does_not_hide_what_stands_before_it() -> None:
    text = GOOD.replace("00123456", "1").replace(",en", ',"en"x')
    assert problems(text) == ["2:roster.bad_id", "3:roster.broken"]


def test_reading_a_file(tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    for wrong in (file, tmp_path):
        with pytest.raises(BadInput):
            read_content(wrong)
    file.write_text(GOOD, encoding="cp932")
    assert parse_people(read_content(file), str(file), RULES) == (HANAKO, TARO)


def test_a_hundred_thousand_persons() -> None:
    header, *_ = GOOD.splitlines()
    lines = (f"{number},見本,ミホン,0900{number:07},,,morning,ja" for number in range(100_000, 200_000))
    assert len(parse("\n".join([header, *lines]))) == 100_000


@given(st.binary(max_size=200))
def test_any_bytes_give_persons_or_problems(content: bytes) -> None:
    for prefix in (b"", b"id,name,kana,number1,slot\n"):
        try:
            parse_people(prefix + content, "roster.csv", RULES)
        except BadInput as bad:
            bad.render()


_NAMES = st.text(st.sampled_from("見本花子 ,\"'ーx"), min_size=1).map(str.strip).filter(bool)


@given(st.lists(st.tuples(_NAMES, _NAMES), min_size=1, max_size=5))
def test_what_is_written_is_read(names: list[tuple[str, str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "name", "kana", "number1", "slot"])
    for number, (name, kana) in enumerate(names):
        writer.writerow([f"{number:06}", name, kana, "0310000001", "morning"])
    assert [(each.name, each.kana) for each in parse(out.getvalue())] == names
