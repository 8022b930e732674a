"""The policy, a row for each of its rules, and that nobody is ever left without a next step."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.call import Outcome
from ivr.handover import HandOver
from ivr.window import Window
from scheduler.policy import (
    Attempt,
    Case,
    Decision,
    Dial,
    Done,
    HandToStaff,
    Rules,
    Wait,
    decide,
)

NINE = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)  # 9:00 in Tokyo
WINDOW = Window(NINE, NINE + timedelta(hours=2))
RULES = Rules(
    attempts=3,
    retry_seconds={
        Outcome.BUSY: (900, 1800),
        Outcome.NO_ANSWER: (1800, 3600),
        Outcome.CONGESTION: (60, 120, 300, 600),
        Outcome.NO_KEY: (1800, 3600),
        Outcome.CUT_OFF: (300,),
    },
    ring_seconds=60,
)
A, B = "09000000001", "0310000001"


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def case(*attempts: tuple[str, Outcome | None, float], numbers: tuple[str, ...] = (A,), **known: bool) -> Case:
    rows = [Attempt(number, outcome, None if outcome is None else at(ended)) for number, outcome, ended in attempts]
    return Case(
        WINDOW,
        numbers,
        rows,
        known.get("reported", False),
        known.get("handed_over", False),
        known.get("talking", False),
    )


@pytest.mark.parametrize(
    ("given_case", "minute", "wanted"),
    [
        pytest.param(case(), -1, Wait(at(0)), id="not before the window"),
        pytest.param(case(), 0, Dial(A), id="first call"),
        pytest.param(case(), 119, Dial(A), id="the last moment at which ringing still ends in the window"),
        pytest.param(case(), 119.1, HandToStaff(HandOver.WINDOW_OVER), id="would ring past the window"),
        pytest.param(case(), 600, HandToStaff(HandOver.WINDOW_OVER), id="long after the window"),
        pytest.param(case(reported=True), 0, Done(), id="reported by any channel"),
        pytest.param(case((A, None, 0), reported=True), 5, Done(), id="reported while ringing"),
        pytest.param(case(handed_over=True), 0, Done(), id="staff have it"),
        pytest.param(case((A, None, 0)), 1, Wait(None), id="a call is under way"),
        pytest.param(case(talking=True), 1, Wait(None), id="the person is ringing us"),
        pytest.param(case((A, Outcome.BUSY, 1)), 2, Wait(at(16)), id="busy: wait 15 minutes"),
        pytest.param(case((A, Outcome.BUSY, 1)), 16, Dial(A), id="busy: again"),
        pytest.param(case((A, Outcome.BUSY, 1), (A, Outcome.BUSY, 17)), 47, Dial(A), id="busy twice: 30 minutes"),
        pytest.param(
            case((A, Outcome.NO_ANSWER, 1), (A, Outcome.BUSY, 32)), 33, Wait(at(47)), id="each outcome counts by itself"
        ),
        pytest.param(
            case((A, Outcome.BUSY, 1), (A, Outcome.BUSY, 17), (A, Outcome.NO_ANSWER, 50)),
            51,
            HandToStaff(HandOver.NOT_REACHED),
            id="all attempts used",
        ),
        pytest.param(
            case((A, Outcome.NO_ANSWER, 70), (A, Outcome.NO_ANSWER, 101)),
            102,
            HandToStaff(HandOver.WINDOW_OVER),
            id="the retry would lie after the window",
        ),
        pytest.param(case((A, Outcome.BAD_NUMBER, 1)), 2, HandToStaff(HandOver.BAD_NUMBER), id="dead number"),
        pytest.param(case((A, Outcome.BAD_NUMBER, 1), numbers=(A, B)), 2, Dial(B), id="dead number: next one at once"),
        pytest.param(case((A, Outcome.NO_ANSWER, 1), numbers=(A, B)), 31, Dial(B), id="no answer: next number"),
        pytest.param(case((A, Outcome.BUSY, 1), numbers=(A, B)), 31, Dial(A), id="busy: the same number"),
        pytest.param(case((A, Outcome.CUT_OFF, 1), numbers=(A, B)), 6, Dial(A), id="cut off: the same number"),
        pytest.param(
            case((A, Outcome.CUT_OFF, 1), (A, Outcome.CUT_OFF, 8)),
            9,
            HandToStaff(HandOver.BROKE_OFF),
            id="cut off twice: staff",
        ),
        pytest.param(
            case(*((A, Outcome.CONGESTION, minute) for minute in (1, 2, 4, 9))),
            19,
            Dial(A),
            id="congestion uses up no attempt",
        ),
        pytest.param(
            case(*((A, Outcome.CONGESTION, minute) for minute in (1, 2, 4, 9, 19))),
            20,
            HandToStaff(HandOver.NETWORK),
            id="congestion for ever: staff",
        ),
        pytest.param(
            Case(None, (A,), (), False, False), 0, HandToStaff(HandOver.NO_SLOT), id="slot not in the settings"
        ),
        pytest.param(case(numbers=()), 0, HandToStaff(HandOver.NO_NUMBER), id="no number"),
        pytest.param(case((A, Outcome.FAILED, 1)), 2, HandToStaff(HandOver.NETWORK), id="no wait given: never again"),
        pytest.param(case((A, Outcome.ANSWERED, 1)), 2, HandToStaff(HandOver.NOT_REACHED), id="answered, no report"),
    ],
)
def test_each_rule(given_case: Case, minute: float, wanted: Decision) -> None:
    assert decide(given_case, RULES, at(minute)) == wanted


ended = st.tuples(
    st.sampled_from([A, B]),
    st.sampled_from([each for each in Outcome if each is not Outcome.ANSWERED]),
    st.integers(0, 119),
)


@given(st.lists(ended, max_size=12), st.integers(-600, 6000), st.booleans())
def test_nobody_is_rung_outside_the_window_or_forgotten(
    attempts: list[tuple[str, Outcome, int]], minute: int, reported: bool
) -> None:
    attempts.sort(key=lambda each: each[2])
    decision = decide(case(*attempts, numbers=(A, B), reported=reported), RULES, at(minute))
    match decision:
        case Dial():
            assert 0 <= minute <= 119
            assert sum(outcome is not Outcome.CONGESTION for _, outcome, _ in attempts) < RULES.attempts
        case Wait(until):
            assert until is not None
            assert at(minute) < until <= WINDOW.until
        case Done():
            assert reported
    if minute > 120:
        assert isinstance(decision, Done | HandToStaff)
