"""Whatever is pressed: a walk ends, never raises, and stores only what may be stored."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ivr.digits import EndedBy
from ivr.questionnaire.model import (
    FollowUpReason,
    Input,
    Phase,
    Pressed,
    Questionnaire,
    SessionStatus,
    Silence,
    Turn,
)
from ivr.questionnaire.turns import MAX_TURNS, reopen, resume, start
from tests.cases_runner import daily, short, through_json

ENDINGS = st.sampled_from([EndedBy.FULL, EndedBy.END_KEY, EndedBy.PAUSE])
#: Mostly sensible keys, so that walks get far, and anything a driver could ever hand over.
KEYS = st.one_of(
    st.sampled_from(["1", "2", "3", "365", "098", "98", "5", "0", "*", "420", "70", "385", "93"]),
    st.text("0123456789*#", max_size=4),
    st.text(max_size=3),
)
INPUTS: st.SearchStrategy[Input] = st.one_of(st.just(Silence()), st.builds(Pressed, KEYS, ENDINGS))
#: None: hangs up and is called again.
STEPS = st.lists(st.one_of(INPUTS, INPUTS, INPUTS, st.none()), max_size=60)
QUESTIONNAIRES = st.sampled_from([short(), daily()])

ALLOWED = {
    "complexion": {"changed", "as_usual", "unclear"},
    "temperature": {f"{Decimal(each) / 10:.1f}" for each in range(340, 421)} | {"no_thermometer"},
    "oxygen": {str(each) for each in range(70, 101)} | {"no_oximeter"},
}
YES_NO = {"yes", "no", "unknown"}


def check_step(questionnaire: Questionnaire, before: Turn, given: Input, after: Turn) -> None:
    old, new = before.session, after.session
    for answer in new.answers:
        allowed = ALLOWED.get(answer.question, YES_NO)
        assert answer.value in (allowed | YES_NO if answer.question == "complexion" else allowed)
    assert [each.question for each in new.answers][: len(old.answers)] == [each.question for each in old.answers]
    assert new.answers == old.answers + after.answered
    assert len({each.question for each in new.answers}) == len(new.answers)
    assert new.alerts == old.alerts + tuple(rule.id for rule in after.alerts)
    assert len(set(new.alerts)) == len(new.alerts)
    assert new.call_wished >= old.call_wished
    assert (FollowUpReason.CALL_WISHED in after.follow_ups) == (new.call_wished and not old.call_wished)
    assert (FollowUpReason.COULD_NOT_ENTER in after.follow_ups) == (new.status is SessionStatus.GAVE_UP)
    assert (after.rules is None) == (new.status is not SessionStatus.WAITING)
    assert (new.status is SessionStatus.COMPLETED) <= (len(new.answers) == asked(questionnaire))
    if new.status is SessionStatus.WAITING:
        assert (new.phase is Phase.CONFIRMING) <= (new.pending != "")
    else:
        assert new.pending == ""  # what was not confirmed is nobody's answer
    assert new.turns == old.turns + 1
    assert after.say
    if given == Pressed("*"):
        assert (new.tries, new.corrections, new.offer_tries) == (old.tries, old.corrections, old.offer_tries)
        assert (new.phase, new.question, new.status) == (old.phase, old.question, old.status)
        times = next(each.times for each in questionnaire.questions if each.id == new.question)
        # As a question that is asked for the first time, after the silence that follows every key.
        assert before.rules is not None
        fresh = replace(before.rules, guard=times.guard, bounce=times.bounce, pause=times.pause)
        assert after.rules == fresh


def asked(questionnaire: Questionnaire) -> int:
    return sum(each.kind != "say" for each in questionnaire.questions)


@given(QUESTIONNAIRES, STEPS)
def test_any_walk(questionnaire: Questionnaire, steps: list[Input | None]) -> None:
    turn = start(questionnaire)
    for step in steps:
        if turn.rules is None:
            break
        before = through_json(turn.session)
        assert before == turn.session
        if step is None:
            turn = reopen(questionnaire, before)
            assert turn.session.answers == before.answers
            assert (turn.answered, turn.alerts, turn.follow_ups) == ((), (), ())
        else:
            after = resume(questionnaire, before, step)
            assert after == resume(questionnaire, before, step)
            check_step(questionnaire, turn, step, after)
            turn = after


@given(QUESTIONNAIRES, st.lists(st.one_of(INPUTS, st.none()), min_size=1, max_size=5))
def test_every_walk_ends(questionnaire: Questionnaire, pattern: list[Input | None]) -> None:
    """The same inputs for ever, hang-ups among them."""
    turn = start(questionnaire)
    for step in range(MAX_TURNS + 1):
        if turn.rules is None:
            return
        given = pattern[step % len(pattern)]
        turn = reopen(questionnaire, turn.session) if given is None else resume(questionnaire, turn.session, given)
    assert turn.rules is None


@given(QUESTIONNAIRES, st.lists(INPUTS.filter(lambda each: each != Pressed("*")), min_size=1, max_size=5))
def test_without_star_a_walk_on_one_call_ends_soon(questionnaire: Questionnaire, pattern: list[Input]) -> None:
    """Tries, corrections and the offer are all bounded: `*` and 0 followed by 1 are the only ways to stay."""
    stays = {"*", "0"}
    if any(isinstance(each, Pressed) and stays & set(each.keys) for each in pattern):
        return
    turn = start(questionnaire)
    for step in range(asked(questionnaire) * 24 + 1):
        if turn.rules is None:
            return
        turn = resume(questionnaire, turn.session, pattern[step % len(pattern)])
    assert turn.rules is None
