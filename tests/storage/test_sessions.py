"""Sessions and what their turns leave behind."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from ivr.call import Ending, Outcome
from ivr.handover import HandOver
from ivr.questionnaire.model import AlertRule, Answer, FollowUpReason, Level, Phase, Session, SessionStatus
from ivr.storage.calls import end_call, get_call
from ivr.storage.followups import (
    NewFollowUp,
    acknowledge_alert,
    close_follow_up,
    open_alerts,
    open_follow_up,
    open_follow_ups,
    set_follow_up_minutes,
    withdraw_alert,
)
from ivr.storage.reports import export_rows, report_exists, reports_of_day
from ivr.storage.schema import alerts, answers
from ivr.storage.sessions import (
    AlreadyWaiting,
    get_session,
    open_session,
    save_turn,
    session_from_json,
    session_to_json,
    waiting_session,
)
from ivr.storage.words import Completeness
from tests.storage.records import DAY, FRESH, HANAKO, NOW, TARO, begin_session, later, ring_in, session, turn

DONE = SessionStatus.COMPLETED
LOW_OXYGEN = AlertRule("low_oxygen", Level.EMERGENCY, {"ja": "酸素飽和度が低い", "en": "low oxygen"})


@given(
    st.builds(
        Session,
        questionnaire=st.text(),
        question=st.text(),
        phase=st.sampled_from(Phase),
        tries=st.integers(0, 9),
        pending=st.text(),
        answers=st.lists(st.builds(Answer, st.text(), st.text())).map(tuple),
        alerts=st.lists(st.text()).map(tuple),
        call_wished=st.booleans(),
        status=st.sampled_from(SessionStatus),
    )
)
def test_a_session_survives_as_text(session: Session) -> None:
    again = session_from_json(session_to_json(session))
    assert again == session
    assert (type(again.phase), type(again.status)) == (Phase, SessionStatus)


def test_a_session_of_an_earlier_version_takes_defaults() -> None:
    assert session_from_json('{"questionnaire":"hash-1","question":"temperature"}') == FRESH


def test_a_session_is_resumed_on_its_own_day_by_its_own_person(connection: Connection) -> None:
    stored = session("s1")
    open_session(connection, stored)
    assert waiting_session(connection, HANAKO.id, DAY) == stored
    assert get_session(connection, "s1") == stored
    assert waiting_session(connection, TARO.id, DAY) is None
    assert waiting_session(connection, HANAKO.id, DAY + timedelta(days=1)) is None


def test_one_waiting_session_per_person_and_day(connection: Connection) -> None:
    begin_session(connection, "s1")
    with pytest.raises(AlreadyWaiting):
        begin_session(connection, "s2")
    begin_session(connection, "s3", TARO)
    begin_session(connection, "s4", HANAKO, DAY + timedelta(days=1))
    begin_session(connection, "s5", None)
    begin_session(connection, "s6", None)  # two unknown callers are two
    save_turn(connection, "s1", None, turn(status=DONE), later(1))
    begin_session(connection, "s2")


def test_the_index_holds_where_nobody_asked_before(connection: Connection) -> None:
    begin_session(connection, "s1")
    with pytest.raises(IntegrityError):
        connection.exec_driver_sql(
            "INSERT INTO sessions SELECT 's2', person_id, claimed_id, day, questionnaire_hash, language, source, auth,"
            " status, state, started_at, updated_at FROM sessions"
        )


def test_turns_store_answers_state_and_the_report(connection: Connection) -> None:
    call = ring_in(connection, "c1", HANAKO.numbers[0])
    begin_session(connection, "s1")
    save_turn(connection, "s1", call.id, turn(), later(1))
    assert reports_of_day(connection, DAY) == ()
    assert get_call(connection, "c1").session_id == "s1"

    save_turn(connection, "s1", call.id, turn(("temperature", "36.5")), later(2))
    (report,) = reports_of_day(connection, DAY)
    assert (report.completeness, report.created_at, report.updated_at) == (Completeness.PARTIAL, later(2), later(2))
    assert (report.session_id, report.person_id, report.claimed_id) == ("s1", HANAKO.id, None)
    assert not report_exists(connection, HANAKO.id, DAY)
    waiting = waiting_session(connection, HANAKO.id, DAY)
    assert waiting
    assert waiting.state.answers == (Answer("temperature", "36.5"),)
    assert waiting.updated_at == later(2)

    # Hung up, and resumed on another call.
    ring_in(connection, "c2")
    save_turn(connection, "s1", "c2", turn(("oxygen", "98"), status=DONE), later(30))
    (report,) = reports_of_day(connection, DAY)
    assert (report.completeness, report.created_at, report.updated_at) == (Completeness.COMPLETE, later(2), later(30))
    assert report_exists(connection, HANAKO.id, DAY)
    assert waiting_session(connection, HANAKO.id, DAY) is None
    assert get_call(connection, "c2").session_id == "s1"
    assert _answers(connection) == [("temperature", "36.5", "c1"), ("oxygen", "98", "c2")]


def test_answers_are_never_changed_only_followed(connection: Connection) -> None:
    begin_session(connection, "s1")
    for value in ("36.5", "37.8", "36.5"):
        save_turn(connection, "s1", None, turn(("temperature", value)), later(1))
    assert [value for _, value, _ in _answers(connection)] == ["36.5", "37.8", "36.5"]


def test_a_late_turn_on_a_session_that_is_over_keeps_its_answers_and_its_end(connection: Connection) -> None:
    begin_session(connection, "s1")
    save_turn(connection, "s1", None, turn(("temperature", "36.5"), status=DONE), later(1))
    save_turn(connection, "s1", None, turn(("temperature", "38.5")), later(2))
    assert get_session(connection, "s1").state.status is DONE
    assert report_exists(connection, HANAKO.id, DAY)
    assert [value for _, value, _ in _answers(connection)] == ["36.5", "38.5"]


@pytest.mark.parametrize("status", [SessionStatus.ENDED_EARLY, SessionStatus.GAVE_UP])
def test_a_session_that_ends_early_leaves_a_partial_report(connection: Connection, status: SessionStatus) -> None:
    begin_session(connection, "s1")
    save_turn(connection, "s1", None, turn(("temperature", "36.5"), status=status), later(1))
    assert [each.completeness for each in reports_of_day(connection, DAY)] == [Completeness.PARTIAL]
    begin_session(connection, "s2")
    save_turn(connection, "s2", None, turn(status=status), later(2))
    assert len(reports_of_day(connection, DAY)) == 1


def test_an_unknown_session_or_call_stores_nothing(connection: Connection) -> None:
    with pytest.raises(LookupError):
        save_turn(connection, "s9", None, turn(("temperature", "36.5")), NOW)
    begin_session(connection, "s1")
    with pytest.raises(IntegrityError), connection.begin_nested():
        save_turn(connection, "s1", "no-such-call", turn(("temperature", "36.5")), NOW)
    assert _answers(connection) == []


def test_alerts_fire_once_a_session(connection: Connection) -> None:
    begin_session(connection, "s1")
    fired = replace(turn(("oxygen", "88")), alerts=(LOW_OXYGEN,))
    save_turn(connection, "s1", None, fired, later(1))
    save_turn(connection, "s1", None, fired, later(2))
    (alert,) = open_alerts(connection)
    assert (alert.rule, alert.level, alert.at) == ("low_oxygen", Level.EMERGENCY, later(1))
    assert (alert.session_id, alert.person_id, alert.reason) == ("s1", HANAKO.id, LOW_OXYGEN.reason)
    assert acknowledge_alert(connection, alert.id, later(3))
    assert not acknowledge_alert(connection, alert.id, later(4))
    assert open_alerts(connection) == ()


def test_an_alert_that_was_taken_back_stays_with_when(connection: Connection) -> None:
    begin_session(connection, "s1")
    save_turn(connection, "s1", None, replace(turn(("breathless", "yes")), alerts=(LOW_OXYGEN,)), later(1))
    back = replace(turn(("breathless", "no")), withdrawn=("low_oxygen",))
    save_turn(connection, "s1", None, back, later(2))
    assert open_alerts(connection) == ()
    assert not withdraw_alert(connection, "s1", "low_oxygen", later(3))
    (kept,) = connection.execute(select(alerts)).all()
    assert (kept.rule, kept.at, kept.withdrawn_at, kept.acknowledged_at) == ("low_oxygen", later(1), later(2), None)
    # Both answers are there, and the row says no more that an emergency stands.
    said = connection.execute(select(answers.c.value).order_by(answers.c.id)).scalars().all()
    assert list(said) == ["yes", "no"]
    (row,) = export_rows(connection, DAY, DAY)
    assert row.alerts == ()
    # Said again, it stands again.
    save_turn(connection, "s1", None, replace(turn(("breathless", "yes")), alerts=(LOW_OXYGEN,)), later(4))
    assert [(each.at, each.withdrawn_at) for each in open_alerts(connection)] == [(later(4), None)]


# --- follow-ups ---


def test_a_wish_is_a_follow_up_with_whom_it_concerns(connection: Connection) -> None:
    begin_session(connection, "s1")
    begin_session(connection, "s2", None)
    wish = replace(turn(), follow_ups=(FollowUpReason.CALL_WISHED,))
    for id in ("s1", "s2", "s1"):
        save_turn(connection, id, None, wish, later(1))
    found = [(each.person_id, each.claimed_id, each.reason, each.session_id) for each in open_follow_ups(connection)]
    assert found == [(HANAKO.id, None, "call_wished", "s1"), (None, "999999", "call_wished", "s2")]
    assert reports_of_day(connection, DAY) == ()


Change = Callable[[NewFollowUp], NewFollowUp]


@pytest.mark.parametrize(
    ("change", "opened"),
    [
        (lambda new: new, False),
        (lambda new: replace(new, session_id="s1", due_at=later(60)), False),
        (lambda new: replace(new, reason="call_wished"), True),
        (lambda new: replace(new, day=DAY + timedelta(days=1)), True),
        (lambda new: replace(new, person_id=TARO.id), True),
        (lambda new: replace(new, person_id=None, claimed_id="999999"), True),
        (lambda new: replace(new, person_id=None, session_id="s1"), True),
    ],
)
def test_one_open_follow_up_per_person_day_and_reason(connection: Connection, change: Change, opened: bool) -> None:
    begin_session(connection, "s1")
    first = NewFollowUp(DAY, "not_reached", HANAKO.id)
    assert open_follow_up(connection, first, NOW)
    assert open_follow_up(connection, change(first), later(1)) is opened
    assert not open_follow_up(connection, change(first), later(2))


@pytest.mark.parametrize(("set_to", "due"), [(None, later(60)), (15.0, later(15)), (0.0, NOW)])
def test_no_follow_up_is_without_a_deadline(connection: Connection, set_to: float | None, due: datetime) -> None:
    if set_to is not None:
        set_follow_up_minutes(connection, set_to)
    assert open_follow_up(connection, NewFollowUp(DAY, "call_wished", HANAKO.id), NOW)
    (task,) = open_follow_ups(connection)
    assert task.due_at == due


def test_a_closed_follow_up_can_be_opened_anew(connection: Connection) -> None:
    new = NewFollowUp(DAY, "not_reached", HANAKO.id, due_at=later(60))
    open_follow_up(connection, new, NOW)
    (task,) = open_follow_ups(connection, DAY)
    assert (task.due_at, task.opened_at, task.closed_at) == (later(60), NOW, None)
    assert close_follow_up(connection, task.id, later(1))
    assert not close_follow_up(connection, task.id, later(2))
    assert not close_follow_up(connection, 999, later(2))
    assert open_follow_ups(connection) == ()
    assert open_follow_up(connection, new, later(3))
    assert open_follow_ups(connection, DAY + timedelta(days=1)) == ()


def test_unknown_callers_without_an_id_are_not_mixed_up(connection: Connection) -> None:
    for id in ("s1", "s2"):
        open_session(connection, session(id, None))
        assert open_follow_up(connection, NewFollowUp(DAY, "call_wished", session_id=id), NOW)
    assert len(open_follow_ups(connection)) == 2


def test_an_ended_call_keeps_its_session(connection: Connection) -> None:
    ring_in(connection, "c1")
    begin_session(connection, "s1")
    save_turn(connection, "s1", "c1", turn(("temperature", "36.5")), later(1))
    end_call(connection, "c1", Ending(None, 16), Outcome.CUT_OFF, later(2))
    save_turn(connection, "s1", "c1", turn(("oxygen", "98")), later(2))
    assert get_call(connection, "c1").session_id == "s1"


def _answers(connection: Connection) -> list[tuple[str, str, str | None]]:
    wanted = select(answers.c.question_id, answers.c.value, answers.c.call_id).order_by(answers.c.id)
    return [tuple(row) for row in connection.execute(wanted)]


def test_a_complete_report_settles_what_the_dialler_handed_over_and_nothing_else(connection: Connection) -> None:
    begin_session(connection, "s1")
    yesterday = NewFollowUp(DAY - timedelta(days=1), HandOver.NOT_REACHED, HANAKO.id)
    theirs = NewFollowUp(DAY, HandOver.NOT_REACHED, TARO.id)
    wish = NewFollowUp(DAY, FollowUpReason.CALL_WISHED, HANAKO.id)
    settled = NewFollowUp(DAY, HandOver.NOT_REACHED, HANAKO.id)
    for each in (yesterday, theirs, wish, settled):
        open_follow_up(connection, each, NOW)
    save_turn(connection, "s1", None, turn(("temperature", "36.5")), later(1))
    assert len(open_follow_ups(connection)) == 4
    save_turn(connection, "s1", None, turn(status=DONE), later(2))
    left = {(each.day, each.person_id, each.reason) for each in open_follow_ups(connection)}
    assert left == {(each.day, each.person_id, each.reason) for each in (yesterday, theirs, wish)}


@pytest.mark.parametrize(("reported", "tasks"), [(True, []), (False, ["could_not_enter"])])
def test_who_has_reported_that_day_could_enter(connection: Connection, reported: bool, tasks: list[str]) -> None:
    """Two calls of one person: the one completes the session, then the other, which fell silent, gives up."""
    begin_session(connection, "s1")
    if reported:
        save_turn(connection, "s1", None, turn(("temperature", "36.5"), status=DONE), later(1))
    gave_up = replace(turn(status=SessionStatus.GAVE_UP), follow_ups=(FollowUpReason.COULD_NOT_ENTER,))
    save_turn(connection, "s1", None, gave_up, later(2))
    assert [each.reason for each in open_follow_ups(connection)] == tasks
    assert report_exists(connection, HANAKO.id, DAY) == reported


def test_a_wish_of_who_has_reported_is_kept(connection: Connection) -> None:
    begin_session(connection, "s1")
    save_turn(connection, "s1", None, turn(("temperature", "36.5"), status=DONE), later(1))
    begin_session(connection, "s2")
    wish = (FollowUpReason.COULD_NOT_ENTER, FollowUpReason.CALL_WISHED)
    save_turn(connection, "s2", None, replace(turn(status=SessionStatus.GAVE_UP), follow_ups=wish), later(2))
    assert [each.reason for each in open_follow_ups(connection)] == ["call_wished"]


def test_a_stranger_who_could_not_key_is_a_task(connection: Connection) -> None:
    begin_session(connection, "s1")
    save_turn(connection, "s1", None, turn(("temperature", "36.5"), status=DONE), later(1))
    begin_session(connection, "s2", None)
    gave_up = replace(turn(status=SessionStatus.GAVE_UP), follow_ups=(FollowUpReason.COULD_NOT_ENTER,))
    save_turn(connection, "s2", None, gave_up, later(2))
    assert [each.reason for each in open_follow_ups(connection)] == ["could_not_enter"]
