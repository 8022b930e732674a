"""The agenda: the next step is written down first, the database itself holds the limits, and a row ends once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from ivr.call import Outcome
from ivr.handover import HandOver, Settled
from ivr.storage import agenda
from ivr.storage.agenda import Row, TooManyTries
from ivr.storage.calls import AlreadyCalling, end_attempt
from ivr.storage.decisions import Signed, close_person, reopen_person
from ivr.storage.followups import NewFollowUp, open_follow_up, open_follow_ups
from ivr.storage.people import upsert_people
from ivr.storage.schema import MOST_ATTEMPTS_A_SLOT
from tests.storage.records import DAY, HANAKO, NOW, ROSTER, SACHIKO, TARO, attempt, later

ROW = Row(HANAKO.id, DAY, "morning", 1, later(150), NOW)


def rows(connection: Connection) -> dict[str, Row]:
    return {each.person_id: each for each in agenda.rows_of_day(connection, DAY)}


def test_the_next_step_is_written_with_the_attempt(connection: Connection) -> None:
    agenda.plan_all(connection, DAY, [ROW])
    agenda.begin_attempt(connection, attempt("a-1"), later(15))
    assert rows(connection)[HANAKO.id] == replace(ROW, tries=1, next_at=later(15))
    agenda.plan_all(connection, DAY, [replace(ROW, person_id=TARO.id)])
    with pytest.raises(AlreadyCalling):  # the same landline
        agenda.begin_attempt(connection, attempt("a-2", TARO), later(15))


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
    agenda.begin_attempt(connection, attempt("a-1"), later(15))
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
