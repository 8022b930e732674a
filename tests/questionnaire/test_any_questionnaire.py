"""For any questionnaire that passes the checks: whatever comes in, the walk ends, and it survives being stored."""

from typing import Any

import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ivr.digits import EndedBy
from ivr.errors import BadInput
from ivr.questionnaire.checks import check
from ivr.questionnaire.conditions import known
from ivr.questionnaire.model import (
    Input,
    Kind,
    NextCall,
    PersonFacts,
    Pressed,
    Questionnaire,
    Recorded,
    SessionStatus,
    Silence,
    Turn,
)
from ivr.questionnaire.parse import parse
from ivr.questionnaire.path import way_from
from ivr.questionnaire.reach import reach_of
from ivr.questionnaire.said import prompt_ids
from ivr.questionnaire.turns import MAX_TURNS, reopen, resume, start
from tests.cases_runner import through_json

FACTS = {"oximeter": ["yes", "no"], "high_risk": ["no", "yes"]}
VALUES = {
    Kind.CHOICE: ["good", "bad"],
    Kind.YES_NO_UNKNOWN: ["yes", "no", "unknown"],
    Kind.NUMBER: ["none"],
    Kind.MULTI: ["fever", "cough", "none"],
    Kind.LANGUAGE: ["ja", "en"],
    Kind.VOICE_MESSAGE: [],
    Kind.SAY: [],
}
FORMS: dict[Kind, dict[str, Any]] = {
    Kind.CHOICE: {"keys": {"1": "good", "2": "bad"}},
    Kind.YES_NO_UNKNOWN: {},
    Kind.NUMBER: {"digits": [1, 2], "range": [1, 20], "keys": {"99": "none"}},
    Kind.MULTI: {"keys": {"1": "fever", "2": "cough", "9": "none"}, "alone": "none", "read_back": ["value/{value}"]},
    Kind.LANGUAGE: {"keys": {"1": "ja", "2": "en"}},
    Kind.VOICE_MESSAGE: {},
    Kind.SAY: {},
}


@st.composite
def conditions(draw: st.DrawFn, kinds: list[Kind], late: bool) -> dict[str, Any]:
    """One condition on a question of `kinds` (named by position), or on a fact; `late`: also on what has no answer."""
    at = draw(st.sampled_from([-1, *(at for at, kind in enumerate(kinds) if kind is not Kind.SAY)]))
    if at < 0:
        fact = draw(st.sampled_from(sorted(FACTS)))
        return {"fact": fact, "is": draw(st.sampled_from(FACTS[fact]))}
    condition: dict[str, Any] = {"question": f"q{at}"}
    match draw(st.sampled_from(["is", "answered", "bound"])):
        case "bound" if kinds[at] is Kind.NUMBER:
            name = draw(st.sampled_from(["below", "at_least", "falls_by", "rises_by"]))
            return {**condition, name: draw(st.integers(2, 15))}
        case "is" if values := VALUES[kinds[at]]:
            return {**condition, "is": draw(st.lists(st.sampled_from(values), min_size=1, max_size=2))}
        case _:
            return {**condition, "answered": not late or draw(st.booleans())}


@st.composite
def whens(draw: st.DrawFn, kinds: list[Kind], late: bool = True) -> dict[str, Any]:
    """Conditions under any and all."""
    any_of = draw(st.lists(conditions(kinds, late), min_size=0 if late else 1, max_size=2))
    return {"any": any_of, "all": draw(st.lists(conditions(kinds, late), max_size=1))}


@st.composite
def questions(draw: st.DrawFn, at: int, kinds: list[Kind]) -> dict[str, Any]:
    """The question at one position; it may look at those before it and jump anywhere."""
    kind, said = kinds[at], [f"p/{at}"]
    form: dict[str, Any] = {"id": f"q{at}", "kind": kind.value, **FORMS[kind]}
    numbers = [each for each in range(at) if kinds[each] in (Kind.NUMBER, Kind.CHOICE, Kind.MULTI)]
    if kind is Kind.SAY and numbers and draw(st.booleans()):
        said.append(f"value/{{q{draw(st.sampled_from(numbers))}}}")
    form["say" if kind is Kind.SAY else "ask"] = said
    if kind in (Kind.NUMBER, Kind.VOICE_MESSAGE) and draw(st.booleans()):
        form["read_back"] = ["value/{keys}"] if kind is Kind.NUMBER else ["r/message"]
    if draw(st.booleans()):
        form["say_if" if kind is Kind.SAY else "ask_if"] = draw(whens(kinds[:at]))
    if draw(st.integers(0, 2)) == 0:
        targets = st.sampled_from([*(f"q{each}" for each in range(len(kinds))), "end"])
        values = [*VALUES[kind], "otherwise"]
        form["then"] = draw(st.dictionaries(st.sampled_from(values), targets, min_size=1, max_size=2))
    if kind is not Kind.SAY and draw(st.booleans()):
        form["tries"] = draw(st.integers(1, 3))
    return form


@st.composite
def sources(draw: st.DrawFn) -> bytes:
    kinds = draw(st.lists(st.sampled_from(list(Kind)), min_size=1, max_size=7))
    rules = [
        {"id": f"a{each}", "level": "urgent", "reason": {"ja": "理由"}, **draw(whens(kinds, late=False))}
        for each in range(draw(st.integers(0, 2)))
    ]
    whole = {
        "id": "any",
        "title": {"ja": "任意"},
        "language": "ja",
        "languages": ["ja", "en"],
        "facts": FACTS,
        "opening": ["o"],
        "questions": [draw(questions(at, kinds)) for at in range(len(kinds))],
        "next_call": ["n", "{next_day}", "{next_time}"],
        "closing": ["c"],
        "alerts": rules,
    }
    return yaml.safe_dump(whole, allow_unicode=True, sort_keys=False).encode()


PERSONS = st.builds(
    PersonFacts,
    st.dictionaries(st.sampled_from(["oximeter", "high_risk", "other"]), st.sampled_from(["yes", "no", "maybe"])),
    st.sampled_from(["", "ja", "en", "zh"]),
    st.dictionaries(st.sampled_from([f"q{at}" for at in range(7)]), st.sampled_from(["1", "10", "20", "none", "yes"])),
    st.one_of(st.none(), st.builds(NextCall, st.sampled_from(["today", "tomorrow", "1122"]), st.just("0930"))),
)
INPUTS: st.SearchStrategy[Input] = st.one_of(
    st.just(Silence()),
    st.builds(Pressed, st.sampled_from(["1", "1", "2", "2", "3", "9", "12", "7", "20", "99", "*", "0", "29", "#"])),
    st.builds(Pressed, st.text("0123456789*#", max_size=4), st.sampled_from(EndedBy)),
    st.builds(Recorded, st.sampled_from(["rec", ""]), st.floats(0, 60)),
)


def in_order(source: bytes) -> Questionnaire:
    """The questionnaire, if it passes the checks."""
    try:
        found = parse(source, "any.yaml")
    except BadInput:
        found = None
    assume(found is not None and not check(found, None))
    assert found is not None
    return found


@settings(max_examples=200, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], deadline=None)
@given(sources(), PERSONS, st.lists(st.one_of(INPUTS, INPUTS, INPUTS, st.none()), min_size=1, max_size=12))
def test_every_walk_ends_and_survives_being_stored(
    source: bytes, person: PersonFacts, pattern: list[Input | None]
) -> None:
    """The same inputs for ever, hang-ups (None) among them."""
    questionnaire = in_order(source)
    spoken = prompt_ids(questionnaire, ["0930"]) | {"date/day_22"}
    positions = [at for at in reach_of(questionnaire).come_to if at < len(questionnaire.questions)]
    turn = start(questionnaire, person)
    assert turn == start(questionnaire, person)
    for step in range(MAX_TURNS + 2):
        looked_at(questionnaire, turn, spoken, positions)
        if turn.rules is None:
            return
        before = through_json(turn.session)
        assert before == turn.session
        given = pattern[step % len(pattern)]
        after = reopen(questionnaire, before) if given is None else resume(questionnaire, before, given)
        assert after == (
            reopen(questionnaire, turn.session) if given is None else resume(questionnaire, turn.session, given)
        )
        turn = after
    raise AssertionError("it does not end")


def looked_at(questionnaire: Questionnaire, turn: Turn, spoken: frozenset[str], positions: list[int]) -> None:
    session = turn.session
    assert (turn.rules is None) == (session.status is not SessionStatus.WAITING)
    assert turn.record is None or turn.rules is not None
    assert set(turn.say) <= spoken
    assert session.turns <= MAX_TURNS
    assert session.language in questionnaire.languages
    assert set(session.person.facts) == set(FACTS)
    given = known(session.answers, session.person)
    assert not any(way_from(questionnaire, at, given).endless for at in positions)
