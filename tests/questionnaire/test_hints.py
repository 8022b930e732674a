"""What is no mistake and makes it hard all the same."""

import pytest

from ivr.questionnaire.hints import find_hints
from ivr.questionnaire.parse import parse
from tests.cases_runner import daily

QUESTION = "  - {id: a, kind: yes_no_unknown, ask: q}\n"
NUMBER = "  - {id: n, kind: number, ask: q, digits: 3, range: [0, 100]}\n"


def hints(head: str, questions: str = QUESTION) -> list[tuple[str, int | None]]:
    source = f"id: q\ntitle: {{ja: a}}\nlanguage: ja\n{head}\nquestions:\n{questions}"
    return [(each.message, each.line) for each in find_hints(parse(source.encode(), "q.yaml"))]


def test_the_daily_questions_are_easy() -> None:
    assert find_hints(daily()) == []


@pytest.mark.parametrize(
    ("head", "hint"),
    [
        ("times: {first_key: 14}", "hint.first_key"),
        ("times: {guard: 0.4}", "hint.guard"),
        ("times: {bounce: 0.1}", "hint.bounce"),
        ("tries: 2", "hint.tries"),
    ],
)
def test_what_makes_it_hard(head: str, hint: str) -> None:
    # Once, however many questions it is about.
    assert hints(head, QUESTION + QUESTION.replace("a,", "b,")) == [(hint, 4)]


def test_at_its_question() -> None:
    assert hints("tries: 3", QUESTION.replace("ask: q", "ask: q, tries: 2")) == [("hint.tries", 6)]


def test_keys_of_one_question_need_no_time_between_them() -> None:
    assert hints("times: {inter_key: 5}") == []
    assert hints("times: {inter_key: 5}", NUMBER) == [("hint.inter_key", 4)]


def test_a_total_that_nothing_reaches() -> None:
    assert hints("times: {total: 90}", NUMBER) == [("hint.total", 4)]
    assert hints("times: {total: 20}", NUMBER) == []
