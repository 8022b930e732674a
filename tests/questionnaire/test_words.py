"""What questions, answers and conditions are called on paper."""

from decimal import Decimal

import pytest

from ivr.questionnaire.checks import check
from ivr.questionnaire.model import Condition, NumberRule, When
from ivr.questionnaire.parse import parse
from ivr.questionnaire.words import called, condition_in_words, conditions_in_words, example_of
from tests.cases_runner import daily

HEAD = "id: q\ntitle: {ja: 質問}\nlanguage: ja\nquestions:\n"
NUMBER = "  - {id: n, kind: number, ask: [a/b], digits: [2, 3], range: [70, 100], keys: {5: none}EXAMPLE}\n"


def test_words_of_the_questionnaire_then_of_the_catalogue_then_the_id() -> None:
    assert called(daily(), "breathless", "ja") == "息苦しい"
    assert called(daily(), "breathless", "en") == "breathless"
    assert called(daily(), "no_thermometer", "ja") == "体温計がない"
    assert [called(daily(), each, "ja") for each in ("yes", "no", "unknown")] == ["はい", "いいえ", "わからない"]
    # The catalogue does not speak Vietnamese; nor does this questionnaire.
    assert [called(daily(), each, "vi") for each in ("yes", "breathless")] == ["yes", "breathless"]


@pytest.mark.parametrize(
    ("condition", "japanese", "english"),
    [
        (Condition("cough", ("yes", "unknown")), "はい・わからない", "yes・do not know"),
        (Condition("cough", at_least=Decimal(94), below=Decimal(96)), "94 以上 96 未満", "94 or more below 96"),
        (Condition("cough", falls_by=Decimal(2)), "前回より 2 以上低い", "lower by 2 or more"),
        (Condition("cough", rises_by=Decimal("1.5")), "前回より 1.5 以上高い", "higher by 1.5 or more"),
        (Condition("cough", answered=True), "答えがある", "answered"),
        (Condition("cough", answered=False), "答えがない", "not answered"),
    ],
)
def test_conditions(condition: Condition, japanese: str, english: str) -> None:
    assert condition_in_words(daily(), condition, "ja") == f"せきや鼻水がある: {japanese}"
    assert condition_in_words(daily(), condition, "en") == f"cough or runny nose: {english}"


def test_conditions_together() -> None:
    cough, weak = Condition("cough", ("yes",)), Condition("fatigue", ("no",))
    facts = Condition(fact="oximeter", values=("yes",))
    said = [
        conditions_in_words(daily(), when, "ja")
        for when in (
            When(any_of=(cough, weak)),
            When(all_of=(cough, facts)),
            When(any_of=(cough, weak), all_of=(facts,)),
            When(any_of=(cough, weak), how_many=2),
            When(),
        )
    ]
    assert said == [
        "せきや鼻水がある: はい / 全身がだるい: いいえ",
        "せきや鼻水がある: はい、かつ oximeter: はい",
        "oximeter: はい、かつ (せきや鼻水がある: はい / 全身がだるい: いいえ)",
        "2 つ以上（せきや鼻水がある: はい / 全身がだるい: いいえ）",
        "",
    ]


def test_the_example_of_a_number() -> None:
    assert example_of(NumberRule(3, 3, 1, Decimal(34), Decimal(42), Decimal("36.5"))) == "36.5"
    assert example_of(NumberRule(3, 3, 1, Decimal(34), Decimal(42))) == "38.0"
    assert example_of(NumberRule(2, 3, 0, Decimal(70), Decimal(100))) == "85"


@pytest.mark.parametrize(
    ("source", "said", "line"),
    [
        (NUMBER.replace("EXAMPLE", "") + "words:\n  n: {ja: 数}\n  nome: {ja: ない}\n", 'Did you mean "none"?', 8),
        (NUMBER.replace("EXAMPLE", ", example: 101"), "the example 101 cannot be typed", 5),
        (NUMBER.replace("EXAMPLE", ", example: 98.5"), "the example 98.5 cannot be typed", 5),
    ],
)
def test_slips_of_the_pen(source: str, said: str, line: int) -> None:
    (found,) = check(parse((HEAD + source).encode(), "q.yaml"), None)
    assert found.line == line
    assert said in found.render("en")
    assert found.render("ja") != found.render("en")


def test_words_of_everything_are_in_order() -> None:
    source = HEAD + NUMBER.replace("EXAMPLE", ", example: 98") + "facts: {device: [no, yes]}\n"
    words = "words: {n: {ja: 数}, none: {ja: なし}, device: {ja: 機器}, no: {ja: ない}}\n"
    assert check(parse((source + words).encode(), "q.yaml"), None) == []
