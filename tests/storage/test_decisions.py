"""Decisions of staff: written down with who and why, never changed, and the only thing that ends calls."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from ivr.handover import PERIOD_OVER
from ivr.person import Pause, Person, is_paused
from ivr.storage.agenda import to_plan
from ivr.storage.database import Database
from ivr.storage.decisions import (
    Decision,
    NotPossible,
    Signed,
    close_person,
    decisions_about,
    for_all,
    pause_person,
    reopen_person,
    resume_person,
    take_up,
)
from ivr.storage.followups import NewFollowUp, close_follow_up, open_follow_up, open_follow_ups
from ivr.storage.people import get_person, list_people, take_in, upsert_people
from ivr.storage.periods import periods_over
from ivr.storage.words import Decided
from tests.fakes.site import settings
from tests.storage.records import DAY, HANAKO, NOW, ROSTER, SACHIKO, TARO, later

ZONE = settings().centre.zone


def by(minutes: float, reason: str = "入院") -> Signed:
    return Signed("担当 一", reason, later(minutes))


def hanako(connection: Connection) -> Person:
    found = get_person(connection, HANAKO.id)
    assert found is not None
    return found


def test_a_pause_is_kept_with_who_and_why_and_may_be_replaced(connection: Connection) -> None:
    assert pause_person(connection, HANAKO.id, later(60), by(1))
    assert hanako(connection) == replace(HANAKO, pause=Pause(later(1), later(60), "担当 一", "入院"))
    assert pause_person(connection, HANAKO.id, later(90), by(2, "延長"))
    assert hanako(connection).pause == Pause(later(2), later(90), "担当 一", "延長")
    assert not pause_person(connection, "999999", later(60), by(1))
    assert decisions_about(connection, HANAKO.id) == (
        Decision(HANAKO.id, Decided.PAUSE, later(1), "担当 一", "入院", later(60)),
        Decision(HANAKO.id, Decided.PAUSE, later(2), "担当 一", "延長", later(90)),
    )


def test_whoever_is_paused_is_planned_so_that_the_policy_says_why_nobody_rings(connection: Connection) -> None:
    pause_person(connection, HANAKO.id, later(60), by(1))
    planned = [person for person, _ in to_plan(connection, changed=False)]
    assert [each.id for each in planned] == [HANAKO.id, TARO.id, SACHIKO.id]
    assert [is_paused(each, later(30)) for each in planned] == [True, False, False]


def test_a_pause_ends_when_staff_say_so_but_is_remembered(connection: Connection) -> None:
    pause_person(connection, HANAKO.id, later(60), by(1))
    assert resume_person(connection, HANAKO.id, by(5, "退院"))
    assert not resume_person(connection, HANAKO.id, by(6))
    assert is_paused(hanako(connection), later(4.9))
    assert not is_paused(hanako(connection), later(5))
    assert [each.kind for each in decisions_about(connection, HANAKO.id)] == [Decided.PAUSE, Decided.RESUME]


def test_a_closing_is_taken_back_as_if_newly_entered(connection: Connection) -> None:
    assert not reopen_person(connection, HANAKO.id, by(1))
    close_person(connection, HANAKO.id, by(1, "回復"))
    assert not pause_person(connection, HANAKO.id, later(60), by(2))
    assert take_up(connection, HANAKO.id, by(3, "誤り"))
    assert hanako(connection) == HANAKO
    # The days between are nobody's: staff had decided.
    assert dict((each.id, since) for each, since in to_plan(connection, changed=False))[HANAKO.id] == later(3)
    assert [each.kind for each in decisions_about(connection, HANAKO.id)] == [Decided.CLOSE, Decided.REOPEN]


@pytest.mark.parametrize("signed", [Signed("", "理由", NOW), Signed("担当", "", NOW)])
def test_nobody_decides_without_a_name_and_a_reason(connection: Connection, signed: Signed) -> None:
    with pytest.raises(IntegrityError):
        close_person(connection, HANAKO.id, signed)


@pytest.mark.parametrize("statement", ["UPDATE decisions SET reason = 'x'", "DELETE FROM decisions"])
def test_what_was_decided_cannot_be_changed(connection: Connection, statement: str) -> None:
    close_person(connection, HANAKO.id, by(1))
    with pytest.raises(IntegrityError, match="only ever added"):
        connection.execute(text(statement))


async def test_a_decision_for_several_is_all_or_nothing(database: Database) -> None:
    with pytest.raises(NotPossible) as refused:
        await database.write(for_all, [HANAKO.id, "999999", "888888"], close_person, by(1))
    assert refused.value.ids == ["999999", "888888"]
    assert await database.read(list_people) == ROSTER
    assert await database.read(decisions_about, HANAKO.id) == ()
    await database.write(for_all, [HANAKO.id, TARO.id], close_person, by(1))
    assert await database.read(list_people) == (SACHIKO,)


def test_a_new_period_of_a_closed_person_is_a_decision_too(connection: Connection) -> None:
    close_person(connection, HANAKO.id, by(1))
    close_person(connection, TARO.id, by(1))
    anew = replace(HANAKO, begins=DAY + timedelta(days=1))
    stored = take_in(connection, [anew, TARO, SACHIKO], by(2, "名簿"), ZONE)
    assert (stored.added, stored.changed, stored.closed) == (0, 1, (TARO.id,))
    assert list_people(connection) == (anew, SACHIKO)
    last = decisions_about(connection, HANAKO.id)[-1]
    assert (last.kind, last.by, last.reason) == (Decided.REOPEN, "担当 一", "名簿")


def over(connection: Connection, days: int) -> list[str]:
    return [each.id for each in periods_over(connection, DAY + timedelta(days=days))]


def open_task(connection: Connection, days: int) -> None:
    day = DAY + timedelta(days=days)
    assert open_follow_up(connection, NewFollowUp(day, PERIOD_OVER, HANAKO.id), later(24 * 60 * days))


def test_a_period_that_ran_out_is_a_task_once_and_never_the_end(connection: Connection) -> None:
    upsert_people(connection, [replace(HANAKO, ends=DAY), replace(TARO, ends=DAY + timedelta(days=9))], later(1))
    assert over(connection, 0) == []
    assert over(connection, 1) == [HANAKO.id]
    open_task(connection, 1)
    assert over(connection, 1) == over(connection, 5) == []
    # Staff ticked it off and did nothing else: asked again tomorrow.
    (task,) = open_follow_ups(connection)
    close_follow_up(connection, task.id, later(24 * 60 + 5))
    assert over(connection, 1) == []
    assert over(connection, 2) == [HANAKO.id]


def test_closing_settles_the_task(connection: Connection) -> None:
    upsert_people(connection, [replace(HANAKO, ends=DAY)], later(1))
    open_task(connection, 1)
    close_person(connection, HANAKO.id, by(24 * 60 + 1))
    assert open_follow_ups(connection) == ()
    assert over(connection, 2) == []


@pytest.mark.parametrize(("ends", "left"), [(5, 0), (None, 0), (0, 1), (-1, 1)])
def test_a_longer_period_settles_the_task(connection: Connection, ends: int | None, left: int) -> None:
    upsert_people(connection, [replace(HANAKO, ends=DAY)], later(1))
    open_task(connection, 1)
    longer = replace(HANAKO, ends=None if ends is None else DAY + timedelta(days=ends))
    upsert_people(connection, [longer], later(24 * 60 + 1))
    assert len(open_follow_ups(connection)) == left
