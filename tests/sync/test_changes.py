"""Reading what a centre says has changed: pages and files alike, with everything that is wrong at once."""

import json
from contextlib import suppress
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.errors import BadInput, from_stored, problem, to_stored
from ivr.person import OWN_TIME, Hours, Person, Risk
from ivr.reported import Reported
from ivr.sync.changes import MOST_CHANGES, parse_lines, parse_page
from tests.cases_runner import ROOT
from tests.fakes.site import settings
from tests.storage.records import DAY, HANAKO, SACHIKO, TARO
from tests.sync.changes import closing, reported, said

RULES = settings().roster_rules
EVERYTHING = Person(
    *("200003", "見本 全", "ミホン ゼン", ("0310000001", "09000000001"), ("morning", OWN_TIME)),
    own_time=time(10, 30),
    hours=Hours(time(9), time(12)),
    risk=Risk.HIGH,
    facts={"oximeter": "yes", "thermometer": "no"},
    begins=date(2025, 1, 1),
    ends=date(2025, 1, 20),
    birth_date=date(1935, 4, 5),
)


def page(*changes: object, **other: object) -> dict[str, Any]:
    return {"format": 1, "cursor": "c9", "more": False, "changes": list(changes)} | other


def problems(body: object, since: str = "") -> list[tuple[int | None, str]]:
    with pytest.raises(BadInput) as caught:
        parse_page(body, since, "centre", RULES, DAY)
    for each in caught.value.problems:
        assert each.render("ja")
        assert each.render("en")
    return [(each.line, each.message) for each in caught.value.problems]


def test_a_page() -> None:
    found = parse_page(page(said(EVERYTHING), reported(TARO, "r-1"), more=True), "c7", "centre", RULES, DAY)
    assert (found.cursor, found.more) == ("c9", True)
    (theirs,) = found.changes.people
    assert (theirs.person, theirs.revision, theirs.closed, theirs.line) == (EVERYTHING, 1, None, 1)
    assert found.changes.reports == (Reported("r-1", TARO.id, DAY, 2),)


def test_a_file_of_the_same() -> None:
    lines = [said(HANAKO), said(TARO, 2, closing()), reported(SACHIKO, "r-1")]
    content = "\ufeff" + "\r\n\r\n".join(json.dumps(each, ensure_ascii=False) for each in lines)
    found = parse_lines(content.encode(), "changes.jsonl", RULES, DAY)
    assert [(each.person, each.line) for each in found.people] == [(HANAKO, 1), (TARO, 3)]
    taro = found.people[1]
    assert (taro.closed, taro.closed_by, taro.closed_reason) == (datetime(2025, 1, 6, tzinfo=UTC), "鈴木", "回復")
    assert found.reports == (Reported("r-1", SACHIKO.id, DAY, 5),)


def test_the_sample_is_in_order() -> None:
    found = parse_lines((ROOT / "docs" / "changes.sample.jsonl").read_bytes(), "sample", RULES, date(2026, 11, 4))
    assert [each.closed is None for each in found.people] == [True, False]
    assert len(found.reports) == 1


def test_the_last_word_of_a_person_counts_once() -> None:
    found = parse_page(page(said(TARO, 1), said(HANAKO, 1), said(TARO, 2, closing())), "", "centre", RULES, DAY)
    assert [(each.person.id, each.revision) for each in found.changes.people] == [(TARO.id, 2), (HANAKO.id, 1)]
    twice = parse_page(page(reported(TARO, "r"), reported(TARO, "r")), "", "centre", RULES, DAY)
    assert len(twice.changes.reports) == 1


def without(change: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in change.items() if name != field}


BAD: dict[str, tuple[object, str]] = {
    "no object": ([], "changes.field"),
    "no kind": (without(said(TARO), "kind"), "changes.kind"),
    "other kind": (said(TARO) | {"kind": "erased"}, "changes.kind"),
    "unknown field": (said(TARO) | {"phone": "0310000001"}, "changes.unknown_field"),
    "left out": (without(said(TARO), "birth_date"), "changes.field"),
    "closing left out": (without(said(TARO), "closed"), "changes.field"),
    "number as number": (said(TARO) | {"id": 200001}, "changes.field"),
    "revision as text": (said(TARO) | {"revision": "1"}, "changes.field"),
    "revision true": (said(TARO) | {"revision": True}, "changes.field"),
    "revision too big": (said(TARO) | {"revision": 2**53}, "changes.field"),
    "no number": (said(TARO) | {"numbers": []}, "changes.field"),
    "six numbers": (said(TARO) | {"numbers": ["0310000001"] * 6}, "changes.field"),
    "emergency number": (said(TARO) | {"numbers": ["119"]}, "roster.number"),
    "unknown slot": (said(TARO) | {"slots": ["night"]}, "roster.not_allowed"),
    "no slot": (said(TARO) | {"slots": []}, "roster.no_slot"),
    "two slots in one": (said(TARO) | {"slots": ["morning;afternoon"]}, "changes.field"),
    "two facts in one": (said(TARO) | {"facts": {"a": "b;c=d"}}, "changes.field"),
    "lone surrogate": (said(TARO) | {"name": "\ud800"}, "changes.field"),
    "NUL": (said(TARO) | {"name": "a\0"}, "roster.control"),
    "formula": (said(TARO) | {"name": "=1+1"}, "roster.formula"),
    "short id": (said(TARO) | {"id": "12"}, "roster.bad_id"),
    "bad day": (said(TARO) | {"ends": "tomorrow"}, "roster.not_day"),
    "closed without zone": (said(TARO) | {"closed": closing("2025-01-06T00:00:00")}, "changes.field"),
    "closed at a number": (said(TARO) | {"closed": closing() | {"at": 1736121600}}, "changes.field"),
    "closed without reason": (said(TARO) | {"closed": closing(reason=" ")}, "roster.no_text"),
    "closed by nobody": (said(TARO) | {"closed": closing(by="")}, "roster.no_text"),
    "closed true": (said(TARO) | {"closed": True}, "changes.field"),
    "day to come": (reported(TARO, "r") | {"day": "2025-01-07"}, "reported.future"),
    "no day": (reported(TARO, "r") | {"day": ""}, "roster.no_text"),
    "report id": (reported(TARO, "r 1"), "reported.bad_id"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_change(name: str) -> None:
    change, message = BAD[name]
    assert set(problems(page(said(HANAKO), change))) == {(2, message)}


def test_everything_at_once() -> None:
    found = problems(page(*(change for change, _ in BAD.values())))
    assert {line for line, _ in found} == set(range(1, len(BAD) + 1))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="empty"),
        pytest.param(page(format=2), id="format"),
        pytest.param(page(cursor=""), id="no cursor"),
        pytest.param(page(cursor="c" * 201), id="long cursor"),
        pytest.param(page(cursor="é"), id="cursor that is no header"),
        pytest.param(page(more="no"), id="more"),
        pytest.param(page(changes={}), id="no list"),
        pytest.param(page(*[{}] * (MOST_CHANGES + 1)), id="too many"),
    ],
)
def test_what_is_no_page(body: object) -> None:
    assert {message for _, message in problems(body)} == {"changes.field"}
    assert problems(page(next="c9")) == [(None, "changes.unknown_field")]


def test_a_page_after_which_we_would_ask_the_same_for_ever() -> None:
    assert problems(page(said(TARO), more=True), since="c9") == [(None, "changes.stuck")]
    assert problems(page(more=True)) == [(None, "changes.stuck")]
    assert parse_page(page(), "c9", "centre", RULES, DAY).changes.people == ()


def test_twice_in_one_page() -> None:
    assert problems(page(said(TARO, 2), said(TARO, 1))) == [(2, "changes.person_twice")]
    assert problems(page(reported(TARO, "r"), reported(HANAKO, "r"))) == [(2, "reported.id_twice")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", [(None, "changes.empty")]),
        (b"\n \n", [(None, "changes.empty")]),
        (b"{}\nnot json\n\xff\xfe", [(1, "changes.kind"), (2, "changes.no_json"), (3, "changes.no_json")]),
        (b"[" * 100_000, [(1, "changes.no_json")]),
    ],
)
def test_what_is_no_file(content: bytes, expected: list[tuple[int | None, str]]) -> None:
    with pytest.raises(BadInput) as caught:
        parse_lines(content, "f", RULES, DAY)
    assert [(each.line, each.message) for each in caught.value.problems] == expected


def test_a_file_that_is_too_long_says_how_long_one_may_be() -> None:
    content = "\n".join(json.dumps(reported(TARO, f"r-{at}")) for at in range(MOST_CHANGES + 1))
    with pytest.raises(BadInput, match=str(MOST_CHANGES)):
        parse_lines(content.encode(), "f", RULES, DAY)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.data())
def test_whatever_stands_in_a_field_it_is_read_or_refused(data: st.DataObject) -> None:
    change = data.draw(st.sampled_from((said(EVERYTHING), reported(TARO, "r-1"))))
    field = data.draw(st.sampled_from(sorted(change)))
    body = page(change | {field: data.draw(_JSON)})
    with suppress(BadInput):
        assert parse_page(body, "", "centre", RULES, DAY).cursor == "c9"


@given(_JSON)
def test_whatever_comes_instead_of_a_page_it_is_refused(body: object) -> None:
    with pytest.raises(BadInput):
        parse_page(body, "", "centre", RULES, DAY)


def test_problems_last_over_a_restart() -> None:
    inner = problem("roster.number", "f", 3, column="number1", reason=problem("number.own"))
    for each in (inner, problem("changes.stuck", "f")):
        (again,) = from_stored(json.loads(json.dumps(to_stored([each]))))
        assert again.render("ja") == each.render("ja")
        assert again.render("en") == each.render("en")
