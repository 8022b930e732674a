"""Attempts and calls: never two at once, ended once."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from ivr.call import CallState, Ending, IllegalTransition, Outcome
from ivr.storage.calls import (
    AlreadyCalling,
    answer_call,
    attempts_of_day,
    close_lost_calls,
    end_attempt,
    end_call,
    get_call,
    open_calls,
    plan_attempt,
    start_call,
)
from ivr.storage.database import Database
from tests.storage.records import DAY, HANAKO, SACHIKO, TARO, attempt, dial, later, ring_in

BUSY = Ending(Outcome.BUSY, cause=17, tech_cause=486, note="Busy Here")
CLEARED = Ending(None, cause=16)


def test_a_call_from_plan_to_end(connection: Connection) -> None:
    call = dial(connection, "c1")
    assert open_calls(connection) == (call,)
    assert attempts_of_day(connection, DAY) == (replace(attempt("a-c1"), state=CallState.DIALING),)

    answer_call(connection, "c1", later(1))
    answer_call(connection, "c1", later(2))
    talking = replace(call, state=CallState.TALKING, answered_at=later(1))
    assert open_calls(connection) == (talking,)
    assert [each.state for each in attempts_of_day(connection, DAY)] == [CallState.TALKING]

    assert end_call(connection, "c1", CLEARED, Outcome.ANSWERED, later(5))
    over = replace(talking, state=CallState.ENDED, ended_at=later(5), outcome=Outcome.ANSWERED, cause=16)
    assert get_call(connection, "c1") == over
    assert open_calls(connection) == ()
    ended = replace(attempt("a-c1"), state=CallState.ENDED, outcome=Outcome.ANSWERED, ended_at=later(5))
    assert attempts_of_day(connection, DAY) == (ended,)


def test_a_late_second_end_changes_nothing(connection: Connection) -> None:
    dial(connection, "c1")
    assert end_call(connection, "c1", BUSY, Outcome.BUSY, later(1))
    before = (get_call(connection, "c1"), attempts_of_day(connection, DAY))
    assert not end_call(connection, "c1", CLEARED, Outcome.CUT_OFF, later(2))
    assert not end_attempt(connection, "a-c1", Outcome.FAILED, later(3))
    assert (get_call(connection, "c1"), attempts_of_day(connection, DAY)) == before
    assert before[0].note == "Busy Here"


def test_what_cannot_follow_is_refused(connection: Connection) -> None:
    dial(connection, "c1")
    end_call(connection, "c1", BUSY, Outcome.BUSY, later(1))
    # C11: given up as lost, and there after all. It stays over.
    assert not answer_call(connection, "c1", later(2))
    assert get_call(connection, "c1").answered_at is None
    # The same attempt is never dialled twice, neither under way nor over.
    again = replace(get_call(connection, "c1"), id="c2", state=CallState.DIALING, ended_at=None, outcome=None)
    with pytest.raises(IllegalTransition):
        start_call(connection, again)
    for unknown in (
        lambda: answer_call(connection, "c9", later(2)),
        lambda: end_call(connection, "c9", BUSY, Outcome.BUSY, later(2)),
        lambda: end_attempt(connection, "a9", Outcome.FAILED, later(2)),
        lambda: start_call(connection, replace(again, attempt_id="a9")),
        lambda: get_call(connection, "c9"),
    ):
        with pytest.raises(LookupError):
            unknown()


def test_a_call_id_is_never_used_twice(connection: Connection) -> None:
    ring_in(connection, "c1")
    with pytest.raises(IntegrityError):
        ring_in(connection, "c1")


def test_an_inbound_call_has_no_attempt(connection: Connection) -> None:
    withheld = ring_in(connection, "c1")
    known = ring_in(connection, "c2", "0310000001")
    assert open_calls(connection) == (withheld, known)
    answer_call(connection, "c2", later(1))
    assert end_call(connection, "c2", CLEARED, Outcome.ANSWERED, later(2))
    assert get_call(connection, "c2").answered_at == later(1)
    assert attempts_of_day(connection, DAY) == ()


# --- two at once ---


def test_one_attempt_per_person_at_a_time(connection: Connection) -> None:
    plan_attempt(connection, attempt("a1", HANAKO, "0310000001"))
    with pytest.raises(AlreadyCalling):
        plan_attempt(connection, attempt("a2", HANAKO, "09000000001"))
    end_attempt(connection, "a1", Outcome.FAILED, later(1))
    plan_attempt(connection, attempt("a2", HANAKO, "09000000001"))


def test_one_attempt_per_number_at_a_time(connection: Connection) -> None:
    plan_attempt(connection, attempt("a1", HANAKO, TARO.numbers[0]))
    with pytest.raises(AlreadyCalling):
        plan_attempt(connection, attempt("a2", TARO))
    plan_attempt(connection, attempt("a3", SACHIKO))
    end_attempt(connection, "a1", Outcome.BUSY, later(1))
    plan_attempt(connection, attempt("a2", TARO))
    assert [each.id for each in attempts_of_day(connection, DAY)] == ["a1", "a2", "a3"]


def test_an_attempt_on_nobody_is_a_mistake_not_a_busy_line(connection: Connection) -> None:
    with pytest.raises(IntegrityError):
        plan_attempt(connection, replace(attempt("a1"), person_id="999999"))
    plan_attempt(connection, attempt("a1"))
    assert len(attempts_of_day(connection, DAY)) == 1


async def test_two_who_plan_the_same_number_at_the_same_moment(database: Database) -> None:
    plans = [attempt("a1", HANAKO, TARO.numbers[0]), attempt("a2", TARO), attempt("a3", HANAKO, "09000000001")]
    results = await asyncio.gather(*(database.write(plan_attempt, each) for each in plans), return_exceptions=True)
    assert [type(each) for each in results] == [type(None), AlreadyCalling, AlreadyCalling]
    assert [each.id for each in await database.read(attempts_of_day, DAY)] == ["a1"]


# --- recovery ---


def test_calls_that_no_longer_live_end_as_unknown(connection: Connection) -> None:
    alive = dial(connection, "c1", HANAKO)
    gone = dial(connection, "c2", SACHIKO)
    ring_in(connection, "c3")
    ring_in(connection, "c4")
    assert [each.id for each in close_lost_calls(connection, {"c1", "c4", "c9"}, later(1), {})] == ["c2", "c3"]
    assert [each.id for each in open_calls(connection)] == ["c1", "c4"]
    assert get_call(connection, "c1") == alive
    lost = get_call(connection, "c2")
    assert (lost.outcome, lost.ended_at) == (Outcome.UNKNOWN, later(1))
    outcomes = {each.id: each.outcome for each in attempts_of_day(connection, DAY)}
    assert outcomes == {alive.attempt_id: None, gone.attempt_id: Outcome.UNKNOWN}
    assert close_lost_calls(connection, {"c1", "c4"}, later(2), {}) == ()


def test_an_attempt_that_came_to_no_call_is_closed_and_can_not_be_dialled_any_more(connection: Connection) -> None:
    plan_attempt(connection, attempt("a1"))
    assert close_lost_calls(connection, (), later(1), {}) == ()
    assert [each.outcome for each in attempts_of_day(connection, DAY)] == [Outcome.UNKNOWN]
    with pytest.raises(IllegalTransition):
        start_call(connection, replace(ring_in(connection, "c1"), id="c2", attempt_id="a1"))


def test_a_lost_call_ends_as_the_call_records_say(connection: Connection) -> None:
    ring_in(connection, "c1")
    close_lost_calls(connection, (), later(1), {"c1": Outcome.NO_ANSWER, "c9": Outcome.BUSY})
    assert get_call(connection, "c1").outcome is Outcome.NO_ANSWER
