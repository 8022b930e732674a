"""From YAML to records: defaults, and every mistake at its line."""

import hashlib
from decimal import Decimal

import pytest

from ivr.errors import BadInput
from ivr.questionnaire.model import Kind, NumberRule, Times
from ivr.questionnaire.parse import parse
from tests.cases_runner import ROOT, daily, short

HEAD = "id: q\ntitle: {ja: 質問}\nlanguage: ja\n"
YES_NO = "  - {id: cough, kind: yes_no_unknown, ask: [a/b]}\n"


def problems(source: str) -> list[tuple[int | None, str, str]]:
    """(line, message id, English text) of each problem."""
    with pytest.raises(BadInput) as caught:
        parse(source.encode(), "q.yaml")
    assert {each.file for each in caught.value.problems} == {"q.yaml"}
    assert all(each.render("ja") for each in caught.value.problems)
    return [(each.line, each.message, each.render("en")) for each in caught.value.problems]


def test_defaults() -> None:
    found = parse((HEAD + "questions:\n" + YES_NO).encode(), "q.yaml")
    question = found.questions[0]
    assert question.kind is Kind.YES_NO_UNKNOWN
    assert question.options == {"1": "yes", "2": "no", "3": "unknown"}
    assert question.times == Times(30, 15, 90, guard=1.0, bounce=0.3, pause=1.0)
    assert (question.tries, found.legends) == (4, 2)
    assert (found.opening, found.closing, found.alerts) == ((), (), ())
    assert found.frame.wrong_key == ("frame/wrong_key",)
    assert found.frame.call_wished_end == ("frame/call_wished_end",)
    assert found.frame.resume == ("frame/resume",)


def test_times_tries_and_frame_can_be_set_for_all_and_for_one() -> None:
    source = (
        HEAD
        + "times: {first_key: 8}\ntries: 2\nframe: {silence: own/silence}\nquestions:\n"
        + YES_NO
        + "  - {id: b, kind: yes_no_unknown, ask: a/b, tries: 5, times: {first_key: 30, total: 40}}\n"
    )
    found = parse(source.encode(), "q.yaml")
    assert [each.times for each in found.questions] == [Times(8, 15, 90), Times(30, 15, 40)]
    assert [each.tries for each in found.questions] == [2, 5]
    assert found.questions[1].ask == ("a/b",)
    assert found.frame.silence == ("own/silence",)
    assert found.frame.way_out == ("frame/way_out",)


def test_the_hash_is_of_the_bytes() -> None:
    source = (ROOT / "questionnaires" / "daily.yaml").read_bytes()
    assert parse(source, "a.yaml").hash == hashlib.sha256(source).hexdigest()
    assert parse(source + b"# another remark\n", "a.yaml").hash != daily().hash
    assert parse(source, "a.yaml") == parse(source, "elsewhere.yaml")


def test_numbers() -> None:
    temperature, oxygen = daily().questions[:2]
    assert temperature.number == NumberRule(3, 3, 1, Decimal("34.0"), Decimal("42.0"), Decimal("36.5"))
    assert oxygen.number == NumberRule(2, 3, 0, Decimal(70), Decimal(100), Decimal(98))
    assert temperature.options == {"5": "no_thermometer"}
    assert temperature.read_back == ("daily/temperature_is", "value/temperature_{keys}", "frame/confirm")
    assert temperature.read_back_options == {"no_thermometer": ("daily/no_thermometer", "frame/confirm")}


def test_alerts_compare_decimals_and_yes_stays_text() -> None:
    rules = {rule.id: rule for rule in daily().alerts}
    assert rules["fever"].when.any_of[0].at_least == Decimal("38.5")
    assert rules["warning_signs"].when.any_of[0].values == ("yes",)
    assert {rule.id: len(rule.when.all_of) for rule in short().alerts}["fever_without_breath"] == 2


def test_keys_may_be_written_with_and_without_quotes() -> None:
    source = HEAD + 'questions:\n  - {id: a, kind: choice, ask: [a/b], keys: {1: good, "2": bad}}\n'
    assert parse(source.encode(), "q.yaml").questions[0].options == {"1": "good", "2": "bad"}


def test_every_mistake_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KENKO_LANG", "en")
    source = (
        "id: Q 1\n"  # 1: not an id
        "title: {ja: 質問, fr: question}\n"  # 2: no such language of staff
        "tries: 0\n"  # 3
        "opning: [a/b]\n"  # 4: misspelt
        "questions:\n"  # 5; language is missing: 1
        "  - {id: a, kind: chioce, ask: [a/b]}\n"  # 6: misspelt kind
        "  - {id: b, kind: choice, ask: [a/b]}\n"  # 7: keys missing
        "  - {id: c, kind: number, ask: [../b], digits: 3, range: [1, high]}\n"  # 8: two mistakes
        "  - id: d\n"  # 9
        "    kind: number\n"
        "    ask: [a/b]\n"
        "    digits: [2, 3, 4]\n"  # 12
        "    range: [1, 2]\n"
        '    read_back: ["value/x_{value}"]\n'  # 14
        "  - {id: e, ask: [a/b]}\n"  # 15: kind missing
        "  - {id: f, kind: say, ask: [a/b]}\n"  # 16: say, not ask: two
        "  - nothing\n"  # 17
        "alerts:\n"
        "  - {id: x, level: high, reason: {ja: 理由}, any: [{question: a, is: [true]}]}\n"  # 19: two
    )
    found = problems(source)
    assert [line for line, _, _ in found] == [1, 1, 2, 3, 4, 6, 7, 8, 8, 12, 14, 15, 16, 16, 17, 19, 19]
    said = "\n".join(each for _, _, each in found)
    assert 'Did you mean "opening"?' in said
    assert 'there is no kind "chioce". Did you mean "choice"? Allowed: say, choice, yes_no_unknown, number, ' in said


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "yaml.missing_key"),
        ("- a\n", "yaml.not_mapping"),
        ("id: [", "yaml.broken"),
        (HEAD + "questions: []\n", "yaml.wrong_value"),
        (HEAD + "questions: yes\n", "yaml.wrong_value"),
        (HEAD + "id: again\nquestions:\n" + YES_NO, "yaml.twice"),
        (HEAD + 'questions:\n  - {id: a, kind: choice, ask: [a/b], keys: {"1": x, 1: y}}\n', "yaml.twice"),
        (HEAD + "questions:\n  - {id: a, kind: [x], ask: [a/b]}\n", "questionnaire.unknown_kind"),
        (HEAD + "questions:\n  - {id: a, kind: number, ask: [a/b], digits: 2, range: [1, .inf]}\n", "yaml.wrong_value"),
        (HEAD + "questions:\n  - {id: a, kind: number, ask: [a/b], digits: 2, range: [1, nan]}\n", "yaml.wrong_value"),
        (HEAD + "questions:\n  - {id: a, kind: number, ask: [a/b], digits: 0, range: [1, 2]}\n", "yaml.wrong_value"),
        (HEAD + "questions:\n  - {id: a, kind: choice, ask: [a/b], keys: {1: 36}}\n", "yaml.wrong_value"),
        (HEAD + "questions:\n  - {id: a, kind: choice, ask: [], keys: {1: x}}\n", "yaml.wrong_value"),
        (HEAD + "questions:\n  - {id: a, kind: yes_no_unknown, ask: [a/b], read_back: [c]}\n", "yaml.unknown_key"),
    ],
)
def test_one_mistake(source: str, message: str) -> None:
    assert message in {found for _, found, _ in problems(source)}


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(BadInput) as caught:
        parse(b"\xff\xfe", "q.yaml")
    assert [each.message for each in caught.value.problems] == ["file.not_utf8"]
