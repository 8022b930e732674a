"""Conditions: on answers, on facts of the person, against the last report."""

from decimal import Decimal

import pytest

from ivr.questionnaire.conditions import Known, conditions_of, holds, known, meets
from ivr.questionnaire.model import Answer, Condition, PersonFacts, When
from tests.cases_runner import daily

FALLS = Condition("oxygen", falls_by=Decimal(2))
RISES = Condition("temperature", rises_by=Decimal("1.0"))


@pytest.mark.parametrize(
    ("condition", "now", "last", "expected"),
    [
        (FALLS, "96", "98", True),
        (FALLS, "97", "98", False),
        (FALLS, "99", "98", False),
        (FALLS, "96", None, False),
        (FALLS, "96", "no_oximeter", False),
        (FALLS, "no_oximeter", "98", False),
        (FALLS, None, "98", False),
        (RISES, "37.5", "36.5", True),
        (RISES, "37.4", "36.5", False),
        (RISES, "35.5", "36.5", False),
        (RISES, "37.5", "", False),
        (RISES, "37.5", "nan", False),
        (Condition("oxygen", falls_by=Decimal(2), below=Decimal(94)), "94", "98", False),
        (Condition("oxygen", falls_by=Decimal(2), below=Decimal(94)), "93", "98", True),
        (Condition("oxygen", falls_by=Decimal(2), rises_by=Decimal(1)), "93", "98", False),
    ],
)
def test_against_the_last_report(condition: Condition, now: str | None, last: str | None, expected: bool) -> None:
    question = condition.question
    given = Known({question: now} if now else {}, {}, {question: last} if last is not None else {})
    assert holds(condition, given) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Condition("symptoms", ("fever",)), True),
        (Condition("symptoms", ("cough", "none")), True),
        (Condition("symptoms", ("none",)), False),
        (Condition("symptoms", ("fever,cough",)), False),
        (Condition("symptoms", answered=True), True),
        (Condition("symptoms", answered=False), False),
        (Condition("message", answered=True), False),
        (Condition("message", answered=False), True),
        (Condition(fact="oximeter", values=("no",)), True),
        (Condition(fact="oximeter", values=("yes",)), False),
        (Condition(fact="symptoms", values=("fever",)), False),
        (Condition("oximeter", ("no",)), False),
    ],
)
def test_one_comparison(condition: Condition, expected: bool) -> None:
    assert holds(condition, Known({"symptoms": "fever,cough"}, {"oximeter": "no"})) is expected


@pytest.mark.parametrize(
    ("yes", "how_many", "expected"),
    [("", 1, False), ("a", 1, True), ("a", 2, False), ("ab", 2, True), ("abc", 2, True)],
)
def test_so_many_of_them(yes: str, how_many: int, expected: bool) -> None:
    when = When(tuple(Condition(each, ("yes",)) for each in "abc"), how_many=how_many)
    assert meets(when, Known({each: "yes" for each in yes})) is expected


def test_without_conditions_it_always_holds() -> None:
    assert meets(When(), Known({}))


def test_what_is_known_at_one_point() -> None:
    person = PersonFacts({"oximeter": "no"}, "en", {"oxygen": "98"})
    given = known([Answer("oxygen", "96")], person)
    assert given == Known({"oxygen": "96"}, {"oximeter": "no"}, {"oxygen": "98"})


def test_all_conditions_are_found() -> None:
    assert {each.question for each in conditions_of(daily())} == {
        *("complexion", "breathless", "consciousness", "oxygen", "temperature", "eating", "no_urine")
    }
