"""A severe yes: stored and alerted at once, read back, and taken back where it was pressed by mistake."""

import pytest

from ivr.questionnaire.model import Answer, Phase, Pressed, SessionStatus, Silence, Turn
from ivr.questionnaire.turns import reopen, resume, start
from tests.cases_runner import as_input, daily, through_json

VALUES = "365 1 98# 1"


def walk(keys: str) -> Turn:
    turn = start(daily())
    for word in keys.split():
        turn = resume(daily(), through_json(turn.session), as_input(word, turn))
    return turn


def test_a_yes_counts_before_it_is_confirmed() -> None:
    turn = walk(f"{VALUES} 1")
    assert turn.say == ("daily/complexion_yes", "frame/confirm_sign")
    assert turn.answered == (Answer("complexion", "yes"),)
    assert [each.id for each in turn.alerts] == ["warning_signs"]
    # What the alert asks for waits: nobody is put through for a key that was pressed by mistake.
    assert turn.heed == ()
    assert turn.session.phase is Phase.CONFIRMING


@pytest.mark.parametrize("end", ["1", "- - - -", "9 9 9 9"])
def test_it_stands_unless_it_is_taken_back(end: str) -> None:
    turn = walk(f"{VALUES} 1 {end}")
    assert [each.id for each in turn.heed] == ["warning_signs"]
    assert (turn.answered, turn.alerts, turn.withdrawn) == ((), (), ())
    assert turn.session.question == "cough"


def test_who_hangs_up_at_the_read_back_meant_it() -> None:
    turn = reopen(daily(), walk(f"{VALUES} 1").session)
    assert [each.id for each in turn.heed] == ["warning_signs"]
    assert turn.say[:2] == ("frame/resume", "daily/cough")


def test_it_is_withdrawn_by_another_answer() -> None:
    asked = walk(f"{VALUES} 1 2")
    assert asked.say == ("daily/complexion", "frame/yes_no_unknown")
    # Whoever hangs up here has not said no: the alert stands.
    assert (asked.withdrawn, asked.session.alerts) == ((), ("warning_signs",))
    turn = walk(f"{VALUES} 1 2 2")
    assert turn.answered == (Answer("complexion", "no"),)
    assert (turn.withdrawn, turn.session.alerts, turn.heed) == (("warning_signs",), (), ())
    # ... and a sign that comes later is an alert again.
    later = walk(f"{VALUES} 1 2 2 2 1 1")
    assert [each.id for each in later.heed] == ["warning_signs"]


def test_a_yes_that_is_keyed_again_is_the_same_alert() -> None:
    turn = walk(f"{VALUES} 1 2 1")
    assert (turn.alerts, turn.withdrawn, turn.session.unsure) == ((), (), ("warning_signs",))
    assert [each.id for each in walk(f"{VALUES} 1 2 1 1").heed] == ["warning_signs"]


def test_an_alert_of_another_answer_is_not_withdrawn() -> None:
    turn = walk("365 1 93# 1 1 2 2")
    assert turn.withdrawn == ("warning_signs",)
    assert turn.session.alerts == ("oxygen_very_low", "oxygen_low")[:1]


def test_a_confirming_key_pressed_twice_answers_no_question() -> None:
    """The second 1, 0.8 s later, was `complexion: yes` and an emergency: it falls into the silence."""
    turn = walk("365 1 98# 1")
    assert turn.session.question == "complexion"
    assert turn.rules is not None
    assert turn.rules.pause == turn.rules.guard == 1.0


def test_the_legend_is_said_twice_and_when_it_is_asked_for() -> None:
    legend = "frame/yes_no_unknown"
    assert [walk(f"{VALUES} {keys}").say[-1] for keys in ("", "2")] == [legend, legend]
    assert walk(f"{VALUES} 2 2").say == ("daily/breathless",)
    for asked in ("*", "-", "9"):
        assert walk(f"{VALUES} 2 2 {asked}").say[-1] == legend
    assert reopen(daily(), walk(f"{VALUES} 2 2").session).say[-1] == legend


@pytest.mark.parametrize("keys", ["36*5", "0365"])
def test_a_temperature_as_it_is_written_on_paper(keys: str) -> None:
    assert walk(keys).session.pending == "36.5"


def test_zero_behind_a_temperature_is_no_wish() -> None:
    """3650: the 0 comes while the value is read back, and only what is pressed after it counts."""
    turn = walk("365")
    assert turn.closed == 2  # "the temperature is", "36.5"
    assert turn.say[turn.closed :] == ("frame/confirm",)


def test_what_is_pressed_while_it_was_wrong_is_said_counts_for_nothing() -> None:
    assert walk("430").closed == 1
    assert walk("-").closed == 0
    assert walk("365 9").closed == 3


def test_a_key_that_was_too_late_for_a_silence_answers_the_question_asked_again() -> None:
    turn = resume(daily(), start(daily()).session, Silence())
    assert turn.rules is not None
    assert turn.rules.guard == 0
    assert resume(daily(), turn.session, Pressed("365")).session.pending == "36.5"


@pytest.mark.parametrize("given", [Silence(too_early=True), Silence()], ids=["too early", "nothing"])
def test_who_heard_a_value_once_may_confirm_it_as_soon_as_it_is_said_again(given: Silence) -> None:
    turn = resume(daily(), walk("365").session, given)
    assert turn.rules is not None
    assert (turn.closed, turn.rules.guard) == (0, 0)
    assert turn.session.pending == "36.5"


def test_the_other_reading_of_a_trembling_hand() -> None:
    turn = resume(daily(), start(daily()).session, Pressed("36", doubled="366"))
    assert turn.session.pending == "36.6"
    assert turn.session.status is SessionStatus.WAITING
