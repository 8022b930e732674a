"""The day as staff see it, and the reports as they leave."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import Connection, event, insert

from ivr.call import Ending, Outcome
from ivr.export import ReportRow
from ivr.handover import CALLING_GOES_ON, PERIOD_OVER, HandOver
from ivr.questionnaire.model import AlertRule, FollowUpReason, Level, SessionStatus
from ivr.storage.agenda import facts_of
from ivr.storage.calls import answer_call, end_call, plan_attempt
from ivr.storage.decisions import Signed, close_person
from ivr.storage.followups import NewFollowUp, close_follow_up, open_follow_up, open_follow_ups
from ivr.storage.people import upsert_people
from ivr.storage.reports import export_rows, report_exists, reports_of_day
from ivr.storage.schema import reports
from ivr.storage.sessions import get_session, save_turn
from ivr.storage.sofar import so_far
from ivr.storage.status import DayState, PersonStatus, day_state, status_of_day
from tests.storage.records import DAY, HANAKO, NOW, SACHIKO, TARO, attempt, begin_session, dial, later, ring_in, turn

DONE = SessionStatus.COMPLETED
NEXT_DAY = DAY + timedelta(days=1)
FEVER = AlertRule("fever", Level.URGENT, {"ja": "発熱"})
LOW_OXYGEN = AlertRule("low_oxygen", Level.EMERGENCY, {"ja": "酸素"})


@pytest.mark.parametrize(("complete", "follow_up", "partial", "in_call"), list(product([True, False], repeat=4)))
def test_one_word_for_a_day(complete: bool, follow_up: bool, partial: bool, in_call: bool) -> None:
    ranked = [
        (complete, DayState.REPORTED),
        (follow_up, DayState.FOLLOW_UP),
        (partial, DayState.PARTIAL),
        (in_call, DayState.IN_CALL),
        (True, DayState.WAITING),
    ]
    wanted = next(state for holds, state in ranked if holds)
    assert day_state(complete=complete, follow_up=follow_up, partial=partial, in_call=in_call) is wanted


def _of(connection: Connection, person_id: str = HANAKO.id) -> PersonStatus:
    return next(each for each in status_of_day(connection, DAY) if each.person_id == person_id)


def test_the_day_begins_with_everybody_waiting_by_kana(connection: Connection) -> None:
    found = status_of_day(connection, DAY)
    assert [each.person_id for each in found] == [TARO.id, HANAKO.id, SACHIKO.id]
    assert found[1] == PersonStatus(
        HANAKO.id, "見本 花子", "ミホン ハナコ", "morning", DayState.WAITING, False, 0, None, (), ()
    )


def test_a_day_of_one_person(connection: Connection) -> None:
    dial(connection, "c1")
    assert (_of(connection).state, _of(connection).attempts) == (DayState.IN_CALL, 1)
    end_call(connection, "c1", Ending(Outcome.BUSY), Outcome.BUSY, later(1))
    assert (_of(connection).state, _of(connection).last_outcome) == (DayState.WAITING, Outcome.BUSY)

    dial(connection, "c2", minutes=15)
    answer_call(connection, "c2", later(16))
    begin_session(connection, "s1")
    wish = replace(turn(("temperature", "38.1")), alerts=(FEVER,), follow_ups=(FollowUpReason.CALL_WISHED,))
    save_turn(connection, "s1", "c2", wish, later(17))
    save_turn(connection, "s1", "c2", replace(turn(("oxygen", "88")), alerts=(LOW_OXYGEN,)), later(18))
    end_call(connection, "c2", Ending(None), Outcome.CUT_OFF, later(19))
    open_follow_up(connection, NewFollowUp(DAY, "broke_off", HANAKO.id), later(20))
    assert _of(connection) == PersonStatus(
        HANAKO.id,
        "見本 花子",
        "ミホン ハナコ",
        "morning",
        DayState.FOLLOW_UP,
        partial=True,
        attempts=2,
        last_outcome=Outcome.CUT_OFF,
        follow_ups=("broke_off", "call_wished"),
        alerts=(Level.EMERGENCY, Level.URGENT),
    )
    for task in open_follow_ups(connection):
        close_follow_up(connection, task.id, later(21))
    assert (_of(connection).state, _of(connection).partial) == (DayState.PARTIAL, True)

    save_turn(connection, "s1", None, turn(("cough", "no"), status=DONE), later(30))
    assert (_of(connection).state, _of(connection).partial) == (DayState.REPORTED, False)
    assert _of(connection, TARO.id).state is DayState.WAITING
    assert [each.state for each in status_of_day(connection, NEXT_DAY)] == [DayState.WAITING] * 3


def test_an_inbound_call_counts_as_in_call_once_it_is_known_whose(connection: Connection) -> None:
    ring_in(connection, "c1", "0310000001")
    assert _of(connection).state is DayState.WAITING
    begin_session(connection, "s1")
    save_turn(connection, "s1", "c1", turn(), later(1))
    assert _of(connection).state is DayState.IN_CALL
    assert _of(connection, TARO.id).state is DayState.WAITING
    end_call(connection, "c1", Ending(None), Outcome.CUT_OFF, later(2))
    assert (_of(connection).state, _of(connection).attempts) == (DayState.WAITING, 0)


def test_a_planned_attempt_does_not_ring_yet(connection: Connection) -> None:
    plan_attempt(connection, attempt("a1"))
    assert _of(connection).state is DayState.WAITING


def test_the_day_is_one_query_however_many_persons(connection: Connection) -> None:
    statements = []
    event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
    status_of_day(connection, DAY)
    assert len(statements) == 1


def test_closed_persons_and_unknown_callers_are_not_on_the_list(connection: Connection) -> None:
    close_person(connection, HANAKO.id, Signed("見本", "終了", NOW))
    begin_session(connection, "s1", None)
    save_turn(connection, "s1", None, turn(("temperature", "36.5")), later(1))
    assert [each.person_id for each in status_of_day(connection, DAY)] == [TARO.id, SACHIKO.id]
    assert len(reports_of_day(connection, DAY)) == 1


def test_a_report_from_outside_counts(connection: Connection) -> None:
    outside = {"id": "r1", "person_id": TARO.id, "day": DAY, "completeness": "complete", "source": "health_call"}
    connection.execute(insert(reports), outside | {"auth": "outbound", "created_at": NOW, "updated_at": NOW})
    assert _of(connection, TARO.id).state is DayState.REPORTED
    assert report_exists(connection, TARO.id, DAY)
    assert not report_exists(connection, TARO.id, NEXT_DAY)
    (row,) = export_rows(connection, DAY, DAY)
    assert (row.source, row.answers, row.version) == ("health_call", {}, None)


def test_rows_for_export(connection: Connection) -> None:
    begin_session(connection, "s1")
    save_turn(connection, "s1", None, replace(turn(("temperature", "38.5")), alerts=(FEVER,)), later(1))
    save_turn(connection, "s1", None, turn(("temperature", "36.5"), ("oxygen", "98"), status=DONE), later(2))
    open_follow_up(connection, NewFollowUp(DAY, "call_wished", HANAKO.id, session_id="s1"), later(2))
    open_follow_up(connection, NewFollowUp(DAY, "not_reached", HANAKO.id), later(3))
    open_follow_up(connection, NewFollowUp(NEXT_DAY, "not_reached", HANAKO.id), later(3))
    begin_session(connection, "s2", None)
    strange = replace(turn(("temperature", "35.0")), follow_ups=(FollowUpReason.COULD_NOT_ENTER,))
    save_turn(connection, "s2", None, strange, later(4))
    begin_session(connection, "s3", TARO, NEXT_DAY)
    save_turn(connection, "s3", None, turn(("temperature", "36.0")), later(1500))

    first, second = export_rows(connection, DAY, DAY)
    assert first == ReportRow(
        "s1",
        DAY,
        HANAKO.id,
        None,
        "complete",
        "automatic_call",
        "outbound",
        later(1),
        later(2),
        {"temperature": "36.5", "oxygen": "98"},
        ("fever",),
        ("call_wished", "not_reached"),
        get_session(connection, "s1").state.questionnaire,
    )
    assert (second.person_id, second.claimed_id, second.completeness) == (None, "999999", "partial")
    assert second.follow_ups == ("could_not_enter",)
    assert [each.report_id for each in export_rows(connection, DAY, NEXT_DAY)] == ["s1", "s2", "s3"]
    assert export_rows(connection, NEXT_DAY + timedelta(days=1), NEXT_DAY + timedelta(days=9)) == ()


def test_whose_period_is_over_is_still_called_and_that_is_said(connection: Connection) -> None:
    over = replace(HANAKO, ends=DAY - timedelta(days=1))
    upsert_people(connection, [over, replace(TARO, ends=DAY)], later(0))
    open_follow_up(connection, NewFollowUp(DAY, PERIOD_OVER, HANAKO.id), later(1))
    assert (_of(connection).state, _of(connection).period_over) == (DayState.WAITING, True)
    assert _of(connection).follow_ups == (PERIOD_OVER,)
    assert not _of(connection, TARO.id).period_over
    open_follow_up(connection, NewFollowUp(DAY, "not_reached", HANAKO.id), later(2))
    assert (_of(connection).state, _of(connection).period_over) == (DayState.FOLLOW_UP, True)


@pytest.mark.parametrize("reason", [*CALLING_GOES_ON, *HandOver, *FollowUpReason])
def test_status_and_plan_see_a_task_as_the_next_call_does(connection: Connection, reason: str) -> None:
    open_follow_up(connection, NewFollowUp(DAY, reason, HANAKO.id), later(1))
    goes_on = reason in CALLING_GOES_ON
    assert _of(connection).state is (DayState.WAITING if goes_on else DayState.FOLLOW_UP)
    no_more_calls = facts_of(connection, HANAKO.id, DAY).handed_over
    assert (HANAKO.id in so_far(connection, DAY).with_staff) is no_more_calls
    # What the dialler itself handed over ends one slot of the day only.
    assert no_more_calls is not (goes_on or reason in tuple(HandOver))
