"""Which questions a walk can come to, and how it goes along."""

import pytest

from ivr.questionnaire.conditions import Known
from ivr.questionnaire.model import Questionnaire
from ivr.questionnaire.parse import parse
from ivr.questionnaire.path import position_after, way_from
from ivr.questionnaire.reach import reach_of
from ivr.questionnaire.turns import start
from tests.cases_runner import daily

HEAD = "id: r\ntitle: {ja: a}\nlanguage: ja\nfacts: {ill: [no, yes]}\nquestions:\n"


def made(*questions: str) -> Questionnaire:
    return parse((HEAD + "".join(f"  - {{{each}}}\n" for each in questions)).encode(), "r.yaml")


def ask(name: str, rest: str = "") -> str:
    return f"id: {name}, kind: yes_no_unknown, ask: p/{name}" + (f", {rest}" if rest else "")


def say(name: str, rest: str = "") -> str:
    return f"id: {name}, kind: say, say: p/{name}" + (f", {rest}" if rest else "")


IF_ILL = "ask_if: {all: [{fact: ill, is: yes}]}"


def test_without_jumps_everything_follows_everything_before_it() -> None:
    reach = reach_of(daily())
    assert reach.come_to == frozenset(range(12))
    assert [len(each) for each in reach.after] == list(range(11, 0, -1))
    assert not any(at in after for at, after in enumerate(reach.after))


@pytest.mark.parametrize(
    ("questions", "come_to"),
    [
        ([ask("a", "then: {yes: c}"), ask("b"), ask("c")], {0, 1, 2, 3}),
        ([ask("a", "then: c"), ask("b"), ask("c")], {0, 2, 3}),
        ([ask("a", f"then: c, {IF_ILL}"), ask("b"), ask("c")], {0, 1, 2, 3}),
        ([ask("a", "then: {yes: c, no: c, unknown: end}"), ask("b"), ask("c")], {0, 2, 3}),
        ([ask("a", "then: {otherwise: a}")], {0}),
        ([ask("a", "then: {yes: a}")], {0, 1}),
        ([ask("a", "then: nowhere"), ask("b")], {0, 1, 2}),
    ],
)
def test_where_a_walk_can_come(questions: list[str], come_to: set[int]) -> None:
    assert reach_of(made(*questions)).come_to == come_to


def test_an_answer_leads_only_its_own_way() -> None:
    reach = reach_of(made(ask("a", "then: {yes: c, unknown: a}"), ask("b", "then: end"), ask("c")))
    assert reach.precedes(0, 1)
    assert reach.precedes(0, 1, "no")
    assert not reach.precedes(0, 1, "yes")
    assert reach.precedes(0, 1, "unknown")  # by way of itself
    assert reach.precedes(0, 2, "yes")
    assert not reach.precedes(1, 2)
    assert not reach.precedes(2, 0)


def test_the_first_value_that_leads_anywhere_counts() -> None:
    found = made(
        'id: m, kind: multi, ask: p, keys: {1: x, 2: y, 3: z}, read_back: "value/{value}", '
        "then: {y: end, z: m, otherwise: b}",
        ask("a"),
        ask("b"),
    )
    question = found.questions[0]
    assert position_after(found, question, "x,y,z") == 3
    assert position_after(found, question, "x,z") == 0
    assert position_after(found, question, "x") == 2


def test_on_the_way_statements_are_said_and_questions_passed_over() -> None:
    found = made(ask("a", IF_ILL), say("b", "then: d"), say("c"), say("d"), ask("e", IF_ILL), ask("f"))
    well, ill = Known({}, {"ill": "no"}), Known({}, {"ill": "yes"})
    assert way_from(found, 0, well).question == found.questions[5]
    assert way_from(found, 0, well).said == ("p/b", "p/d")
    assert way_from(found, 0, ill).question == found.questions[0]
    assert way_from(found, 1, ill).question == found.questions[4]
    assert way_from(found, 6, ill).question is None


def test_a_way_that_goes_round_and_round_is_noticed() -> None:
    """Checks refuse it; a file that nobody checked must not hang a call."""
    found = made(ask("a", IF_ILL), say("b"), say("c", "then: a"))
    way = way_from(found, 0, Known({}, {"ill": "no"}))
    assert way.endless
    assert way_from(found, 0, Known({}, {"ill": "yes"})).endless is False
    turn = start(found)
    assert (turn.session.status, turn.say) == ("gave_up", ("frame/way_out",))
    assert [str(each) for each in turn.follow_ups] == ["could_not_enter"]
