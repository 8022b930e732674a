"""The agenda: the next step is written down first, the database itself holds the limits, and a row ends once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from ivr.call import CallState, Direction, Ending, Outcome
from ivr.handover import HandOver, Settled
from ivr.person import Person
from ivr.storage import agenda
from ivr.storage.agenda import Row, TooManyTries
from ivr.storage.calls import (
    AlreadyCalling,
    Attempt,
    Call,
    answer_call,
    attempts_of_day,
    close_lost_calls,
    end_attempt,
    end_call,
    start_call,
)
from ivr.storage.decisions import Signed, close_person, reopen_person
from ivr.storage.followups import NewFollowUp, open_follow_up, open_follow_ups
from ivr.storage.people import upsert_people
from ivr.storage.schema import MOST_ATTEMPTS_A_SLOT
from tests.storage.records import DAY, HANAKO, NOW, ROSTER, SACHIKO, TARO, attempt, later

#: The landline of Hanako and Taro.
SHARED = TARO.numbers[0]
ROW = Row(HANAKO.id, DAY, "morning", 1, later(150), NOW)


def rows(connection: Connection) -> dict[str, Row]:
    return {each.person_id: each for each in agenda.rows_of_day(connection, DAY)}


def test_the_next_step_is_written_with_the_attempt(connection: Connection) -> None:
    agenda.plan_all(connection, DAY, [ROW])
    agenda.begin_attempt(connection, attempt("a-1", number=SHARED), later(15))
    assert rows(connection)[HANAKO.id] == replace(ROW, tries=1, next_at=later(15))
    agenda.plan_all(connection, DAY, [replace(ROW, person_id=TARO.id)])
    with pytest.raises(AlreadyCalling):  # the same landline
        agenda.begin_attempt(connection, attempt("a-2", TARO), later(15))


def together(id: str, person: Person = TARO, with_id: str = "a-1") -> Attempt:
    return replace(attempt(id, person, SHARED), together_with=with_id)


def test_one_call_serves_everybody_of_a_household_who_is_due(connection: Connection) -> None:
    agenda.plan_all(connection, DAY, [ROW, replace(ROW, person_id=TARO.id)])
    assert [each.person_id for each in agenda.open_rows_sharing(connection, SHARED, DAY)] == [HANAKO.id, TARO.id]
    other = together("a-2")
    begun = agenda.begin_attempts(connection, attempt("a-1", number=SHARED), later(15), [(other, later(20))])
    assert begun == (other,)
    assert [(each.tries, each.next_at) for each in rows(connection).values()] == [(1, later(15)), (1, later(20))]
    start_call(connection, Call("c-1", Direction.OUTBOUND, NOW, "a-1", SHARED))
    answer_call(connection, "c-1", NOW)
    assert {each.state for each in attempts_of_day(connection, DAY)} == {CallState.TALKING}
    uses = agenda.facts_of(connection, TARO.id, DAY).uses[SHARED]
    assert (uses.calls, uses.in_use) == (1, True)
    end_call(connection, "c-1", Ending(None), Outcome.ANSWERED, later(5), {TARO.id: Outcome.NO_KEY})
    assert [(each.outcome, each.ended_at) for each in attempts_of_day(connection, DAY)] == [
        (Outcome.ANSWERED, later(5)),
        (Outcome.NO_KEY, later(5)),
    ]
    (tried,) = agenda.facts_of(connection, TARO.id, DAY).attempts
    assert (tried.outcome, tried.number) == (Outcome.NO_KEY, SHARED)


def test_who_is_rung_elsewhere_or_is_done_shares_no_call(connection: Connection) -> None:
    agenda.plan_all(connection, DAY, [replace(ROW, person_id=each.id) for each in (HANAKO, TARO, SACHIKO)])
    # Hanako's own telephone rings already; Sachiko has reported.
    agenda.begin_attempt(connection, attempt("a-0", HANAKO, HANAKO.numbers[1]), later(15))
    agenda.settle(connection, SACHIKO.id, DAY, "morning", Settled.REPORTED)
    others = [(together(f"b-{each.id}", each), later(15)) for each in (HANAKO, SACHIKO)]
    assert agenda.begin_attempts(connection, attempt("a-1", TARO, SHARED), later(15), others) == ()
    assert rows(connection)[HANAKO.id].tries == 1


def test_while_a_shared_call_is_under_way_none_of_them_is_rung(connection: Connection) -> None:
    agenda.plan_all(connection, DAY, [ROW, replace(ROW, person_id=TARO.id)])
    agenda.begin_attempts(connection, attempt("a-1", TARO, SHARED), later(15), [(together("a-2", HANAKO), later(15))])
    with pytest.raises(AlreadyCalling):
        agenda.begin_attempt(connection, attempt("a-3", HANAKO, HANAKO.numbers[1]), later(15))


def test_a_shared_call_that_is_lost_is_lost_for_all_of_them(connection: Connection) -> None:
    agenda.plan_all(connection, DAY, [ROW, replace(ROW, person_id=TARO.id)])
    agenda.begin_attempts(connection, attempt("a-1", number=SHARED), later(15), [(together("a-2"), later(15))])
    start_call(connection, Call("c-1", Direction.OUTBOUND, NOW, "a-1", SHARED))
    close_lost_calls(connection, {"c-1"}, later(1), {})
    assert {each.outcome for each in attempts_of_day(connection, DAY)} == {None}
    close_lost_calls(connection, (), later(1), {})
    assert {each.outcome for each in attempts_of_day(connection, DAY)} == {Outcome.UNKNOWN}


def test_the_database_ends_a_loop_that_runs_away(connection: Connection) -> None:
    agenda.plan_all(connection, DAY, [ROW])
    for each in range(MOST_ATTEMPTS_A_SLOT):
        agenda.begin_attempt(connection, attempt(f"a-{each}"), later(15))
        end_attempt(connection, f"a-{each}", Outcome.CONGESTION, NOW)
    with pytest.raises(TooManyTries):
        agenda.begin_attempt(connection, attempt("one too many"), later(15))
    assert rows(connection)[HANAKO.id].tries == MOST_ATTEMPTS_A_SLOT


def test_a_settled_row_is_not_dialled_and_stays_settled(connection: Connection) -> None:
    agenda.plan_all(connection, DAY, [ROW])
    agenda.settle(connection, HANAKO.id, DAY, "morning", Settled.REPORTED)
    agenda.settle(connection, HANAKO.id, DAY, "morning", Settled.EXCLUDED)
    agenda.set_next(connection, HANAKO.id, DAY, "morning", later(1))
    assert agenda.plan_changed(connection, [ROW], [HANAKO.id]) == ()
    assert rows(connection)[HANAKO.id].settled is Settled.REPORTED
    assert agenda.open_rows(connection, DAY) == ()
    with pytest.raises(LookupError):
        agenda.begin_attempt(connection, attempt("a-1"), later(15))


def test_one_task_a_day_is_enough(connection: Connection) -> None:
    agenda.plan_all(connection, DAY, [ROW, replace(ROW, slot="afternoon")])
    for slot, reason in (("morning", HandOver.NOT_REACHED), ("afternoon", HandOver.WINDOW_OVER)):
        agenda.hand_over(connection, (HANAKO.id, DAY, slot), reason, later(60), NOW)
    assert [(each.reason, each.due_at) for each in open_follow_ups(connection)] == [("not_reached", later(60))]
    assert {each.settled for each in agenda.rows_of_day(connection, DAY)} == {Settled.HANDED_OVER}


def test_whose_entry_changes_is_planned_anew(connection: Connection) -> None:
    everybody = [person for person, _ in agenda.to_plan(connection, changed=False)]
    assert everybody == list(ROSTER)
    agenda.plan_changed(connection, (), [each.id for each in everybody])
    assert agenda.to_plan(connection, changed=True) == ()
    agenda.plan_all(connection, DAY, [ROW])
    upsert_people(connection, [replace(HANAKO, name="別名"), TARO], later(1))
    assert [person.id for person, _ in agenda.to_plan(connection, changed=True)] == [HANAKO.id]
    (again,) = agenda.plan_changed(connection, [replace(ROW, until=later(99), next_at=later(5))], [HANAKO.id])
    assert (again.until, again.next_at) == (later(99), later(5))
    assert agenda.to_plan(connection, changed=True) == ()


def test_who_comes_back_is_planned_again(connection: Connection) -> None:
    agenda.plan_all(connection, DAY, [ROW])
    close_person(connection, HANAKO.id, Signed("見本", "終了", NOW))
    agenda.settle(connection, HANAKO.id, DAY, "morning", Settled.EXCLUDED)
    reopen_person(connection, HANAKO.id, Signed("見本", "再開", later(1)))
    (again,) = agenda.plan_changed(connection, [ROW], [HANAKO.id])
    assert again.settled is None


def test_days_off_are_forgotten_when_the_settings_may_have_changed(connection: Connection) -> None:
    off = replace(ROW, next_at=None, settled=Settled.EXCLUDED)
    agenda.plan_all(connection, DAY, [off, replace(off, person_id=SACHIKO.id)])
    assert agenda.plan_all(connection, DAY, [ROW]) == (ROW,)
    assert rows(connection)[SACHIKO.id].settled is Settled.EXCLUDED  # not among those planned


def test_what_a_decision_needs_to_know(connection: Connection) -> None:
    agenda.plan_all(connection, DAY, [ROW])
    agenda.begin_attempt(connection, attempt("a-1", number=SHARED), later(15))
    found = agenda.facts_of(connection, TARO.id, DAY)
    assert found.attempts == ()
    assert found.uses[TARO.numbers[0]].in_use
    end_attempt(connection, "a-1", Outcome.NO_ANSWER, later(1))
    used = agenda.facts_of(connection, TARO.id, DAY).uses[TARO.numbers[0]]
    assert (used.calls, used.vain_until, used.in_use) == (1, later(1), False)
    assert agenda.facts_of(connection, TARO.id, DAY + timedelta(days=1)).uses == {}
    open_follow_up(connection, NewFollowUp(DAY, HandOver.NOT_REACHED, TARO.id), NOW)
    assert not agenda.facts_of(connection, TARO.id, DAY).handed_over  # of another slot: no reason to stop
    open_follow_up(connection, NewFollowUp(DAY, "call_wished", TARO.id), NOW)
    assert agenda.facts_of(connection, TARO.id, DAY).handed_over
