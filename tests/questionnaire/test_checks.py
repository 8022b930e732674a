"""Every check with a questionnaire that it must refuse, and all of them together."""

from pathlib import Path

import pytest

from ivr.errors import Problem
from ivr.prompts import Prompts, Sound
from ivr.questionnaire.checks import check
from ivr.questionnaire.parse import parse
from ivr.questionnaire.said import prompt_ids, said
from tests.cases_runner import daily, short

HEAD = "id: q\ntitle: {ja: 質問}\nlanguage: ja\nquestions:\n"
YES_NO = "  - {id: cough, kind: yes_no_unknown, ask: [a/b]}\n"
NUMBER = "  - {id: n, kind: number, ask: [a/b], digits: [2, 3], range: [70, 100], keys: {5: none}}\n"
ALERTS = "alerts:\n  - id: x\n    level: urgent\n    reason: {ja: 理由}\n"


def refused(source: str) -> list[Problem]:
    found = check(parse(source.encode(), "q.yaml"), None)
    for each in found:
        assert each.file == "q.yaml"
        assert each.render("ja") != each.render("en")
    return found


def number(rest: str) -> str:
    return HEAD + f"  - {{id: n, kind: number, ask: [a/b], {rest}}}\n"


def choice(keys: str) -> str:
    return HEAD + f"  - {{id: c, kind: choice, ask: [a/b], keys: {{{keys}}}}}\n"


def alert(condition: str) -> str:
    return HEAD + YES_NO + NUMBER + ALERTS + f"    any: [{{{condition}}}]\n"


READ_BACK = 'read_back: ["value/{keys}"]'


@pytest.mark.parametrize(
    ("source", "message", "line"),
    [
        (HEAD + "  - {id: a, kind: say, say: [a/b]}\n", "asks_nothing", 4),
        (HEAD + YES_NO + YES_NO, "id_twice", 6),
        (alert("question: cough, is: yes") + ALERTS[8:] + "    all: [{question: cough, is: no}]\n", "id_twice", 12),
        (choice('"0": x'), "bad_choice_key", 5),
        (choice('"*": x'), "bad_choice_key", 5),
        (choice('"#": x'), "bad_choice_key", 5),
        (choice('"12": x'), "bad_choice_key", 5),
        (choice('"": x'), "bad_choice_key", 5),
        (choice('"１": x'), "bad_choice_key", 5),
        (number("digits: [3, 2], range: [70, 100]"), "digits_order", 5),
        (number("digits: 1, range: [0, 9]"), "zero_alone", 5),
        (number("digits: [1, 2], range: [0, 20]"), "zero_alone", 5),
        (number("digits: 3, range: [100, 70]"), "range_order", 5),
        (number("digits: 2, range: [70, 100]"), "range_not_typed", 5),
        (number("digits: 2, decimals: 1, range: [1, 10]"), "range_not_typed", 5),
        (number("digits: 3, decimals: 1, range: [34.05, 42]"), "range_not_typed", 5),
        (number("digits: 3, range: [-5, 42]"), "range_not_typed", 5),
        (number('digits: 3, range: [1, 42], keys: {"0": x}'), "bad_number_key", 5),
        (number('digits: 3, range: [1, 42], keys: {"9#": x}'), "bad_number_key", 5),
        (number('digits: 3, range: [1, 42], keys: {"*": x}'), "bad_number_key", 5),
        (number('digits: 2, range: [1, 42], keys: {"999": x}'), "long_number_key", 5),
        (number("digits: 3, decimals: 1, range: [34.0, 42.0], keys: {3: x}"), "key_begins_number", 5),
        (number("digits: 3, decimals: 1, range: [34.0, 42.0], keys: {4: x}"), "key_begins_number", 5),
        (number("digits: 3, decimals: 1, range: [34.0, 42.0], keys: {365: x}"), "key_begins_number", 5),
        (number("digits: [2, 3], range: [70, 100], keys: {1: x}"), "key_begins_number", 5),
        (number('digits: [2, 3], range: [70, 100], keys: {"07": x}'), "key_begins_number", 5),
        (number("digits: 3, range: [1, 42], read_back: [a/b]"), "read_back_without_value", 5),
        (number(f"digits: 5, range: [1, 2001], {READ_BACK}"), "too_many_values", 5),
        (number(f"digits: 20, range: [1, 99999999999999999999], {READ_BACK}"), "too_many_values", 5),
        (number("digits: 3, range: [1, 42], read_back_keys: {nne: [a/b]}, keys: {5: none}"), "unknown_value", 5),
        (HEAD + YES_NO + ALERTS, "alert_without_condition", 7),
        (alert("question: couhg, is: yes"), "unknown_question", 11),
        (alert("question: cough"), "condition_form", 11),
        (alert("question: cough, is: []"), "condition_form", 11),
        (alert("question: n, is: none, below: 94"), "condition_form", 11),
        (alert("question: cough, below: 94"), "bound_without_number", 11),
        (alert("question: cough, is: [yes, maybe]"), "unknown_value", 11),
        (alert('question: n, is: ["101"]'), "unknown_value", 11),
        (alert('question: n, is: ["098"]'), "unknown_value", 11),
        (alert('question: n, is: ["98.0"]'), "unknown_value", 11),
        (alert("question: n, below: 70"), "bound_outside", 11),
        (alert("question: n, below: 940"), "bound_outside", 11),
        (alert("question: n, at_least: 101"), "bound_outside", 11),
        (alert("question: n, at_least: 7"), "bound_outside", 11),
        (alert("question: n, at_least: 96, below: 94"), "bounds_cross", 11),
    ],
)
def test_refused(source: str, message: str, line: int) -> None:
    assert (f"questionnaire.{message}", line) in [(each.message, each.line) for each in refused(source)]


def test_an_alert_on_a_statement_can_never_fire() -> None:
    source = HEAD + YES_NO + "  - {id: s, kind: say, say: [a/b]}\n" + ALERTS + "    all: [{question: s, is: yes}]\n"
    assert [each.message for each in refused(source)] == ["questionnaire.unknown_question"]


@pytest.mark.parametrize(
    "source",
    [
        HEAD + YES_NO,
        HEAD + NUMBER,
        choice("1: a, 9: b"),
        number('digits: 3, decimals: 1, range: [34.0, 42.0], keys: {5: x, "00": y}'),
        number("digits: 1, range: [1, 9]"),
        number("digits: [2, 3], range: [0, 100]"),
        number(f"digits: 4, range: [1, 2000], {READ_BACK}"),
        alert('question: n, is: [none, "98"]'),
        alert("question: n, at_least: 94, below: 96"),
        alert("question: n, below: 100"),
        alert("question: n, at_least: 70"),
    ],
)
def test_accepted(source: str) -> None:
    assert refused(source) == []


def test_everything_at_once_in_the_order_of_the_file() -> None:
    source = (
        HEAD
        + '  - {id: a, kind: choice, ask: [a/b], keys: {"0": x}}\n'
        + '  - {id: a, kind: number, ask: [a/b], digits: 2, range: [70, 100], keys: {"7": x}}\n'
        + ALERTS
        + "    any: [{question: b, is: yes}]\n"
    )
    assert [(each.line, each.message.split(".")[1]) for each in refused(source)] == [
        (5, "bad_choice_key"),
        (6, "id_twice"),
        (6, "range_not_typed"),
        (6, "key_begins_number"),
        (11, "unknown_question"),
    ]


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    (found,) = refused(alert("question: couhg, is: yes"))
    assert "cough" in found.render("en")


def recorded(ids: frozenset[str], language: str = "ja") -> Prompts:
    folder = Path("prompts")
    return Prompts(folder, {(language, each): Sound(each, folder / f"{each}.wav", 1.0) for each in ids})


def test_all_audio_is_there() -> None:
    assert check(daily(), recorded(prompt_ids(daily()))) == []


def test_missing_audio_is_named_at_its_line() -> None:
    there = prompt_ids(daily()) - {"daily/closing", "value/temperature_365", "frame/way_out"}
    found = check(daily(), recorded(there))
    assert [each.message for each in found] == ["questionnaire.prompts_missing"] * 3
    named = {str(each.values["prompts"]): each.line for each in found}
    source = Path(daily().file)
    assert source.name == "daily.yaml"
    assert named["value/temperature_365"] == daily().lines["questions", 0, "read_back", 1]
    assert named["daily/closing"] == daily().lines["closing", 0]
    assert named["frame/way_out"] == 3  # the file leaves the frame to the defaults


def test_audio_of_another_language_does_not_count() -> None:
    found = check(short(), recorded(prompt_ids(short()), "en"))
    assert {each.message for each in found} == {"questionnaire.prompts_missing"}
    assert "40 " not in found[0].render("en")


def test_many_missing_values_are_one_problem() -> None:
    there = frozenset(each for each in prompt_ids(daily()) if not each.startswith("value/"))
    found = check(daily(), recorded(there))
    assert [each.values["count"] for each in found] == [81, 31]


def test_every_value_of_a_range_has_its_prompt() -> None:
    ids = prompt_ids(daily())
    assert {f"value/temperature_{keys}" for keys in range(340, 421)} <= ids
    assert {f"value/oxygen_{keys}" for keys in range(70, 101)} <= ids
    assert not any("{" in each for each in ids)


def test_every_prompt_has_a_place_in_the_file() -> None:
    found = daily()
    for place, prompt in said(found):
        assert place in found.lines or place[:1] in found.lines or place[0] == "frame", prompt


LANGUAGES = """
id: q
title: {ja: 質問}
language: ja
languages: [ja, en]
questions:
  - {id: which, kind: language, ask: ["ja:l/which", "en:l/which"], keys: {1: ja, 2: en}}
  - {id: well, kind: yes_no_unknown, ask: q/well}
next_call: [n/call, "{next_day}", "{next_time}"]
"""


def test_every_language_needs_its_audio() -> None:
    found = parse(LANGUAGES.encode(), "q.yaml")
    japanese = prompt_ids(found, ["0900"]) - {"en:l/which", "ja:l/which"} | {"l/which"}
    problems = check(found, recorded(japanese), ["0900"])
    named = [(each.line, str(each.values["prompts"]), str(each.values["folder"])[-2:]) for each in problems]
    assert [each for each in named if each[0] in (7, 8)] == [(7, "l/which", "en"), (8, "q/well", "en")]
    assert {folder for _, _, folder in named} == {"en"}


def test_the_times_of_the_next_call_need_audio_when_they_are_known() -> None:
    found = parse(
        LANGUAGES.replace("[ja, en]", "[ja]").replace(', "en:l/which"', "").replace(", 2: en", "").encode(), "q"
    )
    there = recorded(prompt_ids(found, ["0900", "1430"]) | {"l/which"})
    assert {"time/hour_9_end", "time/minute_30_end", "date/month_12", "date/day_31", "date/today"} <= prompt_ids(
        found, ["0900", "1430"]
    )
    assert check(found, there, ["0900", "1430"]) == []
    (missing,) = check(found, there, ["0905"])
    assert missing.values["prompts"] == "time/hour_9, time/minute_5_end"
    assert check(found, recorded(prompt_ids(found) | {"l/which"})) == []
