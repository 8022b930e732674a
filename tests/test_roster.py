"""Reading persons from CSV: as Japanese spreadsheets write it, with everything that is wrong at once."""

import csv
import io
from dataclasses import replace
from datetime import date, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.document import read_content
from ivr.errors import BadInput
from ivr.identity import check_digit
from ivr.numbers import Plan, normalise
from ivr.person import OWN_TIME, Hours, Person, Risk
from ivr.roster import COLUMNS, Rules, parse_people, parse_roster, write_people
from ivr.spreadsheet import FORMULA, is_formula
from tests.cases_runner import ROOT


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


def test_birth_dates() -> None:
    head = "id,name,kana,number1,slot,birth_date\n"
    row = "123456,見本,ミホン,0310000001,morning,"
    assert [parse(f"{head}{row}{cell}\n")[0].birth_date for cell in ("1935-04-05", "1935/4/5", "")] == [
        date(1935, 4, 5),
        date(1935, 4, 5),
        None,
    ]
    assert problems(f"{head}{row}1835-04-05\n") == ["2:roster.birth_date"]
    assert problems(f"{head}{row}1935-02-30\n") == ["2:roster.not_day"]


def test_check_digits_are_wanted_only_if_the_settings_say_so() -> None:
    strict = replace(RULES, check_digit=True)
    with pytest.raises(BadInput) as refused:
        parse_people(GOOD.encode(), "roster.csv", strict)
    assert [(each.line, each.message) for each in refused.value.problems] == [
        (2, "roster.check_digit"),
        (3, "roster.check_digit"),
    ]
    made = "0012345" + check_digit("0012345")
    (person,) = parse_people(GOOD.splitlines()[0].encode() + f"\n{made},a,b,0310000001,,,morning,".encode(), "", strict)
    assert person.id == made


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
        "7:roster.no_text",
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


FULL = Person(
    "00123456",
    "見本 花子",
    "ミホン ハナコ",
    ("0310000001", "09000000001", "09000000002", "09000000003", "09000000004"),
    ("morning", "afternoon", OWN_TIME),
    own_time=time(18, 5),
    hours=Hours(time(10), time(19, 30)),
    risk=Risk.HIGH,
    facts={"oximeter": "yes", "thermometer": "no"},
    begins=date(2026, 11, 5),
    ends=date(2026, 12, 4),
    birth_date=date(1935, 4, 5),
)


@pytest.mark.parametrize(
    ("slot", "own", "begins", "hours", "facts"),
    [
        ("morning;afternoon", "18:05", "2026-11-05", "10:00", "oximeter=yes;thermometer=no"),
        ("morning、afternoon", "18:05:00", "2026/11/5", "10:00:00", " thermometer=no ; oximeter=yes;"),
        ("morning  afternoon", "１８：０５", "２０２６／１１／０５", "10:00", "oximeter=yes;thermometer=no"),
    ],
)
def test_every_column_also_as_spreadsheets_write_it_back(
    slot: str, own: str, begins: str, hours: str, facts: str
) -> None:
    numbers = "0310000001,09000000001,09000000002,09000000003,09000000004"
    row = f"00123456,見本 花子,ミホン ハナコ,{numbers},{slot},{own},,high,{begins},2026-12-04,{hours},19:30,{facts}"
    assert parse(",".join(COLUMNS) + "\n" + row + ",1935/4/5\n") == (FULL,)


@pytest.mark.parametrize(
    ("column", "cell", "wanted"),
    [
        ("slot", "morning;evening", "roster.not_allowed"),
        ("slot", "morning morning", "roster.slot_twice"),
        ("slot", "own", "roster.not_allowed"),
        ("slot", "", "roster.no_slot"),
        ("own_time", "18", "roster.not_time"),
        ("own_time", "7:59", "roster.own_time"),
        ("own_time", "21:00", "roster.own_time"),
        ("risk", "extreme", "roster.not_allowed"),
        ("begins", "2026-02-30", "roster.not_day"),
        ("begins", "5 Nov", "roster.not_day"),
        ("ends", "8年11月5日", "roster.day_era"),
        ("hours_from", "10:00", "roster.hours"),
        ("hours_until", "10:00", "roster.hours"),
        ("hours_until", "noon", "roster.not_time"),
        ("facts", "oximeter", "roster.facts"),
        ("facts", "oximeter=yes;oximeter=no", "roster.facts"),
        ("facts", "Oximeter=yes", "roster.facts"),
        ("facts", "oximeter==1+1", "roster.formula"),
        ("name", "'=cmd|' /C calc'!A0", "roster.formula"),
        ("name", "@SUM(1)", "roster.formula"),
        ("kana", "'＝ミホン", "roster.formula"),
        ("name", "見\t本", "roster.control"),
        ("number2", "9000000001", "roster.number"),
    ],
)
def test_each_cell_that_cannot_be_used(column: str, cell: str, wanted: str) -> None:
    row = dict.fromkeys(COLUMNS, "") | dict(
        id="123456", name="見本", kana="ミホン", number1="0310000001", slot="morning"
    )
    out = io.StringIO()
    csv.writer(out).writerows([COLUMNS, list((row | {column: cell}).values())])
    assert problems(out.getvalue()) == [f"2:{wanted}"]


def test_hours_must_leave_something_of_the_day() -> None:
    head = "id,name,kana,number1,slot,hours_from,hours_until,begins,ends\n"
    for first, until in (("12:00", "11:00"), ("6:00", "8:00"), ("21:00", "22:00"), ("9:00", "9:00")):
        text = f"{head}123456,見本,ミホン,0310000001,morning,{first},{until},2026-11-06,2026-11-05\n"
        assert problems(text) == ["2:roster.hours", "2:roster.period"]


def test_the_good_rows_of_a_file_with_bad_ones() -> None:
    text = GOOD + "200002,見本,ミホン,110,,,morning,\n200003,見本,ミホン,0310000002,,,morning,\n" + GOOD.splitlines()[1]
    found = parse_roster(text.encode(), "roster.csv", RULES)
    assert [each.id for each in found.people] == ["200001", "200003"]
    # Two rows of one id: which one is meant, nobody knows.
    assert [(each.line, each.message) for each in found.problems] == [(4, "roster.number"), (6, "roster.id_twice")]


def test_what_stands_before_a_break_is_kept() -> None:
    found = parse_roster((GOOD + '"broken').encode(), "roster.csv", RULES)
    assert found.people == (HANAKO, TARO)
    assert [(each.line, each.message) for each in found.problems] == [(4, "roster.broken")]


def test_progress_is_told() -> None:
    told: list[int] = []
    rows = "".join(f"{number},見本,ミホン,0310000001,,,morning,\n" for number in range(100_000, 102_500))
    parse_roster((GOOD.splitlines()[0] + "\n" + rows).encode(), "roster.csv", RULES, told.append)
    assert told == [1000, 2000]


def test_an_export_defuses_what_a_spreadsheet_would_run() -> None:
    """No such name comes in by a file; whatever else may write names, it does not go out as a formula."""
    written = write_people([replace(HANAKO, name="=1+1", kana="＠x")])
    assert "'=1+1" in written
    assert "'＠x" in written
    with pytest.raises(BadInput) as refused:
        parse(written)
    assert [each.message for each in refused.value.problems] == ["roster.formula", "roster.formula"]


_WORD = st.text(st.sampled_from("見本花子髙①é ,\"';=+-@、ー\\x"), min_size=1, max_size=8).map(str.strip)
_WORDS = _WORD.filter(lambda each: bool(each) and not is_formula(each))
_TIME = st.times().map(lambda each: each.replace(second=0, microsecond=0))
_OWN = st.none() | _TIME.filter(lambda each: time(8) <= each < time(21))
_NUMBER = st.from_regex(r"0310[0-9]{6}", fullmatch=True)
_DAY = st.none() | st.dates(date(2000, 1, 1), date(2100, 1, 1))


@st.composite
def people(draw: st.DrawFn) -> Person:
    """Anybody a roster can hold."""
    own = draw(_OWN)
    slots = draw(st.lists(st.sampled_from(["morning", "afternoon"]), unique=True, min_size=0 if own else 1))
    begins, ends = draw(_DAY), draw(_DAY)
    if begins and ends and begins > ends:
        begins, ends = ends, begins
    hours = draw(st.none() | st.tuples(_TIME, _TIME).map(lambda each: Hours(min(each), max(each))))
    if hours and (hours.first == hours.until or hours.until <= time(8) or hours.first >= time(21)):
        hours = None
    facts = st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), _WORDS.filter(lambda each: ";" not in each)
    )
    return Person(
        id=draw(st.from_regex(r"[0-9]{6,8}", fullmatch=True)),
        name=draw(_WORDS),
        kana=draw(_WORDS),
        numbers=tuple(
            draw(st.lists(st.from_regex(r"0310[0-9]{6}", fullmatch=True), min_size=1, max_size=5, unique=True))
        ),
        slots=(*slots, OWN_TIME) if own else tuple(slots),
        language=draw(st.sampled_from(["ja", "en"])),
        own_time=own,
        hours=hours,
        risk=draw(st.sampled_from(list(Risk))),
        facts=draw(facts),
        begins=begins,
        ends=ends,
        birth_date=draw(_DAY),
    )


@given(st.lists(people(), min_size=1, max_size=4, unique_by=lambda each: each.id))
def test_an_export_reads_as_the_same_people(given_people: list[Person]) -> None:
    written = write_people(given_people)
    assert parse(written) == tuple(given_people)
    assert parse_people(written.encode("utf-8-sig"), "roster.csv", RULES) == tuple(given_people)
    for record in csv.reader(io.StringIO(written, newline="")):
        assert not any(each.startswith(FORMULA) for each in record)


def test_the_sample_of_the_documentation_is_in_order_and_shows_every_column() -> None:
    content = (ROOT / "docs" / "people.sample.csv").read_bytes()
    found = parse_people(content, "people.sample.csv", RULES)
    assert len(found) >= 4
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert tuple(header) == COLUMNS
    used = {name for name, cells in zip(header, zip(*rows, strict=True), strict=True) if any(cells)}
    assert used >= set(COLUMNS) - {"number4", "number5"}
    assert len({each for person in found for each in person.numbers}) < sum(len(each.numbers) for each in found)


def test_the_documentation_names_every_column() -> None:
    text = (ROOT / "docs" / "people.md").read_text(encoding="utf-8")
    for column in COLUMNS:
        assert text.count(f"`{column}`") >= 2  # once in each language


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
