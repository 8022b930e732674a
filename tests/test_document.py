"""YAML without its traps, and every problem at its line with the nearest right spelling."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from ivr.document import Document, did_you_mean, parse_document, read_document, validate, written_as
from ivr.errors import BadInput, Problem


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")
    colour: str = "red"
    size: int = Field(default=1, ge=1)
    kinds: list[Literal["a", "b"]] = []
    name: Annotated[str, written_as("id", "[a-z]+")] = "x"


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")
    part: Part = Part()
    maybe: Part | None = None
    parts: list[Part] = []
    pair: tuple[Part, ...] = ()
    named: dict[str, Annotated[Part, Field()]] = {}
    renamed: Part = Field(default=Part(), alias="is")
    wait: timedelta = timedelta()
    some: list[int] = Field(default=[1], min_length=1)
    codes: tuple[str, ...] = Field(default=("x",), min_length=1)


def problems(source: str) -> list[Problem]:
    with pytest.raises(BadInput) as caught:
        validate(parse_document(source, "f.yaml"), Whole)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("9:00", "9:00"),
        ("12:30:45", "12:30:45"),
        ("2026-11-22", "2026-11-22"),
        ("00123456", "00123456"),
        ("0o17", "0o17"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        (".5", ".5"),
        (".inf", ".inf"),
        ("12", 12),
        ("-12", -12),
        ("+12", 12),
        ("0", 0),
        ("36.5", 36.5),
        ("9" * 18, int("9" * 18)),
        ("9" * 19, "9" * 19),
        ("9" * 5000, "9" * 5000),
        ("~", None),
        ("null", None),
        ("", None),
        ("NULL", "NULL"),
        ("=", "="),
        ('"12"', "12"),
    ],
)
def test_the_traps(written: str, read: object) -> None:
    found = parse_document(f"key: {written}\n", "f.yaml").data["key"]
    assert (type(found), found) == (type(read), read)


def test_keys_are_text_too() -> None:
    assert parse_document("no: 1\n9:00: 2\n", "f.yaml").data == {"no": 1, "9:00": 2}


def test_a_byte_order_mark_and_an_empty_file() -> None:
    assert parse_document("\ufeffa: 1\n", "f.yaml").data == {"a": 1}
    for nothing in ("", "# only a comment\n", "---\n"):
        assert not parse_document(nothing, "f.yaml").data


def test_anchors_and_merges_are_followed() -> None:
    assert parse_document("a: &x {b: 1}\nc: {<<: *x, d: 2}\n", "f.yaml").data["c"] == {"b": 1, "d": 2}


@pytest.mark.parametrize(
    ("source", "line"),
    [
        pytest.param("a: [1\nb: 2\n", 2, id="bracket"),
        pytest.param("a: 1\n b: 2\n", 2, id="indent"),
        pytest.param("a: 1\n---\nb: 2\n", 2, id="two documents"),
        pytest.param("a: 1\nb: !!python/object:os.system x\n", 2, id="a tag that runs code"),
        pytest.param("a: 1\nb: !own x\n", 2, id="another tag"),
        pytest.param("? [1]\n: 2\n", 1, id="a list as a key"),
        pytest.param("a: *x\n", 1, id="unknown alias"),
        pytest.param("a: \x00\n", None, id="NUL"),
        pytest.param("a: &x [*x]\n", None, id="an alias inside itself"),
    ],
)
def test_what_is_no_yaml(source: str, line: int | None) -> None:
    with pytest.raises(BadInput) as caught:
        parse_document(source, "f.yaml")
    (found,) = caught.value.problems
    assert (found.message, found.file, found.line) == ("yaml.broken", "f.yaml", line)


def test_a_key_twice_is_named_everywhere_at_its_second_line() -> None:
    with pytest.raises(BadInput) as caught:
        parse_document('a: 1\nb:\n  - {c: 1, c: 2}\na: 3\n5: x\n"5": y\n', "f.yaml")
    assert [(each.message, each.values["key"], each.line) for each in caught.value.problems] == [
        ("yaml.twice", "c", 3),
        ("yaml.twice", "a", 4),
        ("yaml.twice", "5", 6),
    ]


def test_lines() -> None:
    document = parse_document("a:\n  b:\n    - 1\n    - c: 2\n5: x\n", "f.yaml")
    assert document.line(("a", "b", 1, "c")) == 4
    assert document.line(("a", "b", 0)) == 3
    assert document.line(("a", "b", 0, "of", "which")) == 3
    assert document.line(("a", "z")) == 1
    assert document.line((5,)) == 5
    assert document.line(()) == 1


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text("a: 1\n", encoding="utf-8")
    assert read_document(file) == Document(str(file), {"a": 1}, {(): 1, ("a",): 1})
    file.write_bytes("a: あ\n".encode("cp932"))
    for path, message in (
        (file, "file.not_utf8"),
        (tmp_path, "file.unreadable"),
        (tmp_path / "none", "file.missing"),
    ):
        with pytest.raises(BadInput) as caught:
            read_document(path)
        assert [(each.message, each.file) for each in caught.value.problems] == [(message, str(path))]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("part:\n  color: x\n", id="a model"),
        pytest.param("maybe:\n  color: x\n", id="a model that may be missing"),
        pytest.param("parts: [{},\n  {color: x}]\n", id="a list"),
        pytest.param("pair: [{},\n  {color: x}]\n", id="a tuple"),
        pytest.param("named:\n  part: {color: x}\n", id="a mapping"),
        pytest.param("is:\n  color: x\n", id="an alias"),
    ],
)
def test_the_nearest_spelling_at_any_depth(source: str) -> None:
    (found,) = problems(source)
    assert (found.message, found.line, found.values["key"]) == ("yaml.unknown_key", 2, "color")
    assert found.values["allowed"] == "colour, size, kinds, name"
    assert "「colour」のことですか。" in found.render("ja")
    assert 'Did you mean "colour"?' in found.render("en")


def test_names_of_the_root_are_as_they_are_written() -> None:
    (found,) = problems("renamed: {}\n")
    assert found.values["allowed"] == "part, maybe, parts, pair, named, is, wait, some, codes"


def test_below_what_no_model_knows_there_is_no_guess() -> None:
    assert did_you_mean("abc", []) == ""
    assert did_you_mean("colour", ["xyz"]) == ""


def test_all_problems_at_once() -> None:
    found = problems("part: {size: 0}\nparts:\n  - {size: big}\n  - 5\nnamed: {x: {kinds: [c]}}\nsome: [a]\n")
    assert [(each.message, each.line) for each in found] == [
        ("yaml.wrong_value", 1),
        ("yaml.wrong_value", 3),
        ("yaml.not_mapping", 4),
        ("yaml.wrong_value", 5),
        ("yaml.wrong_value", 6),
    ]


def test_one_mistake_is_one_problem() -> None:
    (found,) = problems("codes: [5]\n")
    assert (found.values["path"], found.line) == ("codes.0", 1)
    (found,) = problems("part: {}\nnamed: {5: {}}\n")
    assert (found.values["path"], found.line) == ("named.5", 2)


@pytest.mark.parametrize(
    ("source", "ja", "en"),
    [
        (
            "part: {size: 0}",
            "f.yaml:1: 「part.size」の値 0 は使えません: 1 以上にしてください",
            'f.yaml:1: "part.size" cannot be 0: must be 1 or more',
        ),
        (
            "parts: [{kinds: [c]}]",
            "f.yaml:1: 「parts.0.kinds.0」の値 'c' は使えません: 次のどれかにしてください: 'a', 'b'",
            "f.yaml:1: \"parts.0.kinds.0\" cannot be 'c': must be one of 'a', 'b'",
        ),
        (
            "some: []",
            "f.yaml:1: 「some」の値 [] は使えません: 1 個以上書いてください",
            'f.yaml:1: "some" cannot be []: give at least 1',
        ),
        ("[1]", "f.yaml:1: ここには「項目: 値」の形で書いてください。", 'f.yaml:1: write "key: value" pairs here'),
    ],
)
def test_a_problem_is_said_in_one_language(monkeypatch: pytest.MonkeyPatch, source: str, ja: str, en: str) -> None:
    for in_force in ("ja", "en"):
        # Whatever was in force when it was found, and when it is said.
        monkeypatch.setenv("KENKO_LANG", in_force)
        (found,) = problems(source)
        for other in ("en", "ja"):
            monkeypatch.setenv("KENKO_LANG", other)
            assert (found.render("ja"), found.render("en")) == (ja, en)
            assert found.render() == {"ja": ja, "en": en}[other]


def test_a_kind_of_problem_without_a_sentence_keeps_its_own_words() -> None:
    (found,) = problems("wait: soon")
    assert "timedelta" in found.render("ja")


@pytest.mark.parametrize("name", ["x1", "x\\n", "", " x"])
def test_a_form_is_the_whole_text(name: str) -> None:
    (found,) = problems(f'part: {{name: "{name}"}}')
    assert isinstance(found.values["allowed"], Problem)
    assert found.values["allowed"].message == "allowed.id"


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_as_a_whole(source: str) -> None:
    refused: list[Problem] = []
    try:
        validate(parse_document(source, "f.yaml"), Whole)
    except BadInput as bad:
        refused.extend(bad.problems)
    assert all(each.render("ja") and each.render("en") for each in refused)


def test_aliases_of_aliases_come_to_an_end() -> None:
    """Ten lines that stand for ten thousand million places."""
    lines = ["a0: &a0 [x]", *(f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 10)}]" for at in range(1, 11))]
    with pytest.raises(BadInput) as caught:
        parse_document("\n".join(lines), "laughs.yaml")
    assert [each.message for each in caught.value.problems] == ["yaml.broken"]
