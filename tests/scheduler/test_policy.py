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
    Use,
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
        Outcome.UNKNOWN: (900,),
    },
    ring_seconds=60,
    per_day=5,
    per_number=4,
    rest_seconds=180,
)
A, B = "09000000001", "0310000001"


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def case(
    *attempts: tuple[str, Outcome | None, float],
    numbers: tuple[str, ...] = (A,),
    tried_before: int = 0,
    uses: dict[str, Use] | None = None,
    **known: bool,
) -> Case:
    rows = [Attempt(number, outcome, None if outcome is None else at(ended)) for number, outcome, ended in attempts]
    return Case(
        WINDOW,
        numbers,
        rows,
        known.get("reported", False),
        known.get("handed_over", False),
        known.get("talking", False),
        tried_before,
        uses or {},
        known.get("tones", True),
    )


@pytest.mark.parametrize(
    ("given_case", "minute", "wanted"),
    [
        pytest.param(case(), -1, Wait(at(0)), id="not before the window"),
        pytest.param(case(), 0, A, id="first call"),
        pytest.param(case(), 119, A, id="the last moment at which ringing still ends in the window"),
        pytest.param(case(), 119.1, HandToStaff(HandOver.WINDOW_OVER), id="would ring past the window"),
        pytest.param(case(), 600, HandToStaff(HandOver.WINDOW_OVER), id="long after the window"),
        pytest.param(case(reported=True), 0, Done(), id="reported by any channel"),
        pytest.param(case((A, None, 0), reported=True), 5, Done(), id="reported while ringing"),
        pytest.param(case(handed_over=True), 0, Done(), id="staff have it"),
        pytest.param(case((A, None, 0)), 1, Wait(None), id="a call is under way"),
        pytest.param(case(talking=True), 1, Wait(None), id="the person is ringing us"),
        pytest.param(case((A, Outcome.BUSY, 1)), 2, Wait(at(16)), id="busy: wait 15 minutes"),
        pytest.param(case((A, Outcome.BUSY, 1)), 16, A, id="busy: again"),
        pytest.param(case((A, Outcome.BUSY, 1), (A, Outcome.BUSY, 17)), 47, A, id="busy twice: 30 minutes"),
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
        pytest.param(case((A, Outcome.BAD_NUMBER, 1), numbers=(A, B)), 2, B, id="dead number: next one at once"),
        pytest.param(case((A, Outcome.NO_ANSWER, 1), numbers=(A, B)), 31, B, id="no answer: next number"),
        pytest.param(case((A, Outcome.BUSY, 1), numbers=(A, B)), 31, A, id="busy: the same number"),
        pytest.param(case((A, Outcome.CUT_OFF, 1), numbers=(A, B)), 6, A, id="cut off: the same number"),
        pytest.param(
            case((A, Outcome.CUT_OFF, 1), (A, Outcome.CUT_OFF, 8)),
            9,
            HandToStaff(HandOver.BROKE_OFF),
            id="cut off twice: staff",
        ),
        pytest.param(
            case(*((A, Outcome.CONGESTION, minute) for minute in (1, 2, 4, 9))),
            19,
            A,
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
        pytest.param(
            case(uses={A: Use(1, vain_until=at(4))}), 6, Wait(at(7)), id="it rang in vain for the household: rests"
        ),
        pytest.param(case(uses={A: Use(1, vain_until=at(4))}), 7, A, id="rested"),
        pytest.param(case(uses={A: Use(1, in_use=True)}), 7, Wait(None), id="the household talks: wait for its end"),
        pytest.param(case(uses={A: Use(3)}), 7, A, id="one call to the number is left"),
        pytest.param(
            case(uses={A: Use(4)}), 7, HandToStaff(HandOver.LIMIT), id="the most calls of a day to the number"
        ),
        pytest.param(case(numbers=(A, B), uses={A: Use(4)}), 7, B, id="another number has calls left"),
        pytest.param(case(tried_before=4), 7, A, id="one call of the day is left"),
        pytest.param(
            case(tried_before=5), 7, HandToStaff(HandOver.LIMIT), id="the most calls of a day, in other slots"
        ),
        pytest.param(
            case((A, Outcome.BUSY, 1), tried_before=4), 17, HandToStaff(HandOver.LIMIT), id="of all slots together"
        ),
        pytest.param(case((A, Outcome.CONGESTION, 1), tried_before=4), 17, A, id="a full network counts on no limit"),
        pytest.param(
            case((A, Outcome.BUSY, 900)), 1, HandToStaff(HandOver.WINDOW_OVER), id="an end in the future blocks nobody"
        ),
        pytest.param(
            case(uses={A: Use(1, vain_until=at(117))}), 30, HandToStaff(HandOver.WINDOW_OVER), id="rests for too long"
        ),
        pytest.param(
            case((A, Outcome.REJECTED, 1)), 2, HandToStaff(HandOver.NOT_REACHED), id="rejected, no wait given"
        ),
        pytest.param(case((A, Outcome.NO_KEY, 1)), 20, Wait(at(31)), id="no key: as not answered"),
        pytest.param(case((A, Outcome.UNKNOWN, 1)), 16, A, id="lost: counted, and tried again"),
        pytest.param(
            case(*((A, Outcome.NO_KEY, minute) for minute in (1, 32, 93)), tones=False),
            94,
            HandToStaff(HandOver.NO_TONES),
            id="answered, and never a key from this telephone",
        ),
        pytest.param(
            case(*((A, Outcome.NO_KEY, minute) for minute in (1, 32, 93))),
            94,
            HandToStaff(HandOver.NOT_REACHED),
            id="answered without a key today, but there were keys before",
        ),
        pytest.param(
            case((A, Outcome.NO_KEY, 1), (A, Outcome.NO_ANSWER, 32), (A, Outcome.NO_KEY, 63), tones=False),
            94,
            HandToStaff(HandOver.NOT_REACHED),
            id="once nobody answered",
        ),
        pytest.param(case((A, Outcome.ANSWERED, 1)), 2, HandToStaff(HandOver.NOT_REACHED), id="answered, no report"),
    ],
)
def test_each_rule(given_case: Case, minute: float, wanted: Decision | str) -> None:
    """`wanted` is a decision, or the number to dial."""
    decision = decide(given_case, RULES, at(minute))
    assert (decision.number if isinstance(decision, Dial) else decision) == wanted


@pytest.mark.parametrize(
    ("given_case", "minute", "then"),
    [
        pytest.param(case(), 0, 15, id="lost: as after an unknown end"),
        pytest.param(case((A, Outcome.BUSY, 1)), 16, 31, id="lost the second time"),
        pytest.param(case((A, Outcome.UNKNOWN, 1)), 16, 120, id="no next step: the end of the window"),
        pytest.param(case(), 110, 120, id="a step after the window: its end"),
    ],
)
def test_the_next_step_is_known_before_dialling(given_case: Case, minute: float, then: float) -> None:
    assert decide(given_case, RULES, at(minute)) == Dial(A, at(then))


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


@pytest.mark.parametrize(
    ("attempts", "decision"),
    [
        pytest.param((), Dial, id="rung all the same"),
        pytest.param(((Outcome.ANSWERED, 1),), Done, id="spoken to"),
        pytest.param(((Outcome.NO_KEY, 1), (Outcome.NO_KEY, 2), (Outcome.NO_KEY, 3)), Done, id="not reached: no task"),
    ],
)
def test_a_report_in_doubt(attempts: tuple[tuple[Outcome, int], ...], decision: type[Decision]) -> None:
    tried = [Attempt("0310000001", outcome, NINE + timedelta(minutes=at)) for outcome, at in attempts]
    case = Case(WINDOW, ("0310000001",), tried, reported=True, handed_over=False, in_doubt=True)
    assert isinstance(decide(case, RULES, NINE + timedelta(minutes=4 if tried else 0)), decision)
    certain = Case(WINDOW, ("0310000001",), tried, reported=True, handed_over=False)
    assert decide(certain, RULES, NINE) == Done()
