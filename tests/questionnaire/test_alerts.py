"""Alert rules: every rule of daily.yaml as a table, and the comparisons by themselves."""

from decimal import Decimal

import pytest

from ivr.questionnaire.alerts import fires, newly_fired
from ivr.questionnaire.conditions import Known, holds, known
from ivr.questionnaire.model import AlertRule, Answer, Condition, Level, PersonFacts, When
from ivr.questionnaire.values import as_number
from tests.cases_runner import daily

WARNING = "warning_signs"

#: Answers of daily.yaml, and the rules that fire on them.
DAILY: list[tuple[dict[str, str], list[str]]] = [
    ({}, []),
    ({"temperature": "36.5", "oxygen": "98", "complexion": "no", "eating": "no"}, []),
    ({"complexion": "yes"}, [WARNING]),
    ({"breathless": "yes"}, [WARNING]),
    ({"consciousness": "yes"}, [WARNING]),
    ({"complexion": "unknown", "breathless": "unknown", "consciousness": "unknown"}, []),
    ({"cough": "yes", "fatigue": "yes", "nausea": "yes", "diarrhoea": "yes"}, []),
    ({"oxygen": "70"}, ["oxygen_very_low"]),
    ({"oxygen": "93"}, ["oxygen_very_low"]),
    ({"oxygen": "94"}, ["oxygen_low"]),
    ({"oxygen": "95"}, ["oxygen_low"]),
    ({"oxygen": "96"}, []),
    ({"oxygen": "100"}, []),  # as text "100" would be below "94"
    ({"oxygen": "no_oximeter"}, []),
    ({"temperature": "38.4"}, []),
    ({"temperature": "38.5"}, ["fever"]),
    ({"temperature": "42.0"}, ["fever"]),
    ({"temperature": "no_thermometer"}, []),
    ({"eating": "yes"}, ["cannot_eat_or_drink"]),
    ({"no_urine": "yes"}, ["cannot_eat_or_drink"]),
    ({"eating": "yes", "no_urine": "yes"}, ["cannot_eat_or_drink"]),
    (
        {"breathless": "yes", "oxygen": "90", "temperature": "39.9", "eating": "yes"},
        [WARNING, "oxygen_very_low", "fever", "cannot_eat_or_drink"],
    ),
]


@pytest.mark.parametrize(("values", "expected"), DAILY)
def test_rules_of_the_daily_questionnaire(values: dict[str, str], expected: list[str]) -> None:
    answers = [Answer(question, value) for question, value in values.items()]
    assert [rule.id for rule in newly_fired(daily().alerts, known(answers, PersonFacts()), ())] == expected


def test_every_daily_rule_has_a_row() -> None:
    rows = {each for _, expected in DAILY for each in expected} | {"oxygen_falls"}  # its own test stands below
    assert rows == {rule.id for rule in daily().alerts}


@pytest.mark.parametrize(("last", "fires"), [("98", False), ("99", True), ("no_oximeter", False), (None, False)])
def test_the_daily_rule_that_compares_with_the_last_report(last: str | None, fires: bool) -> None:
    person = PersonFacts(last_report={"oxygen": last} if last else {})
    fired = newly_fired(daily().alerts, known([Answer("oxygen", "97")], person), ())
    assert [rule.id for rule in fired] == (["oxygen_falls"] if fires else [])


def test_a_rule_that_fired_is_silent() -> None:
    answers = [Answer("breathless", "yes"), Answer("oxygen", "90")]
    assert [rule.id for rule in newly_fired(daily().alerts, known(answers, PersonFacts()), (WARNING,))] == [
        "oxygen_very_low"
    ]


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        (Condition("q", values=("yes",)), "yes", True),
        (Condition("q", values=("yes", "unknown")), "unknown", True),
        (Condition("q", values=("yes",)), "no", False),
        (Condition("q", values=("yes",)), None, False),
        (Condition("q", below=Decimal("94")), "93", True),
        (Condition("q", below=Decimal("94")), "94", False),
        (Condition("q", below=Decimal("94")), None, False),
        (Condition("q", at_least=Decimal("38.5")), "38.5", True),
        (Condition("q", at_least=Decimal("38.50")), "38.5", True),
        (Condition("q", at_least=Decimal("38.5")), "38.4", False),
        (Condition("q", at_least=Decimal("94"), below=Decimal("96")), "93", False),
        (Condition("q", at_least=Decimal("94"), below=Decimal("96")), "94", True),
        (Condition("q", at_least=Decimal("94"), below=Decimal("96")), "96", False),
        (Condition("q", at_least=Decimal("0")), "no_thermometer", False),
        (Condition("q", at_least=Decimal("0")), "nan", False),
        (Condition("q", at_least=Decimal("0")), "Infinity", False),
        (Condition("q", at_least=Decimal("0")), "１", False),
        (Condition("q", at_least=Decimal("0")), "", False),
        (Condition("q"), "yes", False),
    ],
)
def test_one_comparison(condition: Condition, value: str | None, expected: bool) -> None:
    values = {} if value is None else {"q": value}
    assert holds(condition, Known(values)) is expected


A = Condition("a", values=("yes",))
B = Condition("b", values=("yes",))
C = Condition("c", values=("yes",))


@pytest.mark.parametrize(
    ("any_of", "all_of", "yes", "expected"),
    [
        ((A, B), (), "a", True),
        ((A, B), (), "b", True),
        ((A, B), (), "c", False),
        ((), (A, B), "a", False),
        ((), (A, B), "ab", True),
        ((A, B), (C,), "c", False),
        ((A, B), (C,), "bc", True),
        ((A, B), (C,), "ab", False),
        ((), (), "abc", False),
    ],
)
def test_any_and_all(any_of: tuple[Condition, ...], all_of: tuple[Condition, ...], yes: str, expected: bool) -> None:
    rule = AlertRule("rule", Level.URGENT, {"ja": "理由"}, When(any_of, all_of))
    assert fires(rule, Known({each: "yes" for each in yes})) is expected


@pytest.mark.parametrize(("value", "number"), [("36.5", "36.5"), ("0", "0"), ("-3", "-3"), ("1e3", None), ("3.", None)])
def test_numbers_are_what_the_engine_writes(value: str, number: str | None) -> None:
    assert as_number(value) == (None if number is None else Decimal(number))
