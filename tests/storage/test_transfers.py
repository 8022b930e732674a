"""Taking somebody over: what stops a call, what becomes a task, and what does not."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from ivr.handover import TAKEN_OVER
from ivr.person import Person
from ivr.reported import Reported
from ivr.storage.agenda import facts_of
from ivr.storage.decisions import NotPossible, Signed, close_person
from ivr.storage.followups import open_follow_ups
from ivr.storage.people import get_person
from ivr.storage.reports import report_exists
from ivr.storage.transfers import IdTaken, Other, TakenBefore, history_of, note_handed_over, take_over
from ivr.transferred import OpenTask, Transferred
from tests.storage.planted import MARKED, plant
from tests.storage.records import DAY, HANAKO, NOW, later

NEW = Person("272727", "新しい 人", "アタラシイ ヒト", ("09000000055",), ("morning",))
OTHER = Other("t-1", "例文町保健所", "12345")
SIGNED = Signed("suzuki", "引き継ぎ", later(60))
DUE = later(120)
ZONE = ZoneInfo("Asia/Tokyo")
NOTHING = Transferred({}, (), (), ())


def take(connection: Connection, told: Transferred = NOTHING, other: Other = OTHER, person: Person = NEW) -> int:
    return take_over(connection, person, told, "{}", other, SIGNED, DUE, ZONE)


def test_a_report_stops_the_calls_of_its_day_and_none_of_a_day_to_come(connection: Connection) -> None:
    tomorrow = DAY + timedelta(days=1)
    given = tuple(Reported(f"r-{at}", "999999", day, 0) for at, day in enumerate((DAY, tomorrow)))
    assert take(connection, replace(NOTHING, reports=given)) == 1
    assert report_exists(connection, NEW.id, DAY)
    assert not report_exists(connection, NEW.id, tomorrow)
    assert get_person(connection, NEW.id) == NEW


@pytest.mark.parametrize(
    ("alerts", "due"),
    [((), DUE), ((OpenTask(DAY, "urgent"),), DUE), ((OpenTask(DAY, "emergency"),), SIGNED.at)],
)
def test_staff_are_to_read_it_and_at_once_if_it_was_an_emergency(
    connection: Connection, alerts: tuple[OpenTask, ...], due: object
) -> None:
    take(connection, replace(NOTHING, open_alerts=alerts))
    (task,) = open_follow_ups(connection)
    assert (task.reason, task.person_id, task.day, task.due_at) == (TAKEN_OVER, NEW.id, DAY, due)
    # Nobody rings instead of us because of it.
    assert not facts_of(connection, NEW.id, DAY).handed_over


def test_open_tasks_go_on_and_words_that_mean_nothing_here_do_not(connection: Connection) -> None:
    tasks = tuple(OpenTask(DAY, each) for each in ("call_wished", "of a later version", TAKEN_OVER))
    take(connection, replace(NOTHING, tasks=tasks))
    assert sorted(each.reason for each in open_follow_ups(connection)) == ["call_wished", TAKEN_OVER]


def test_a_file_counts_once_and_an_id_is_one_persons(connection: Connection) -> None:
    take(connection)
    with pytest.raises(TakenBefore) as before:
        take(connection, person=replace(NEW, id="282828"))
    assert before.value.at == SIGNED.at
    with pytest.raises(IdTaken):
        take(connection, other=replace(OTHER, id="t-2"))
    # Closed, too: it may be another person, unless they went there from here.
    close_person(connection, NEW.id, SIGNED)
    with pytest.raises(IdTaken):
        take(connection, other=replace(OTHER, id="t-2"))
    note_handed_over(connection, NEW.id, replace(OTHER, id="t-3"), SIGNED, close=False)
    with pytest.raises(IdTaken):
        take(connection, other=replace(OTHER, id="t-2", centre="another"))
    take(connection, other=replace(OTHER, id="t-2"))
    assert get_person(connection, NEW.id) == NEW


def test_to_close_who_is_closed_is_refused_whole(connection: Connection) -> None:
    close_person(connection, HANAKO.id, SIGNED)
    with pytest.raises(NotPossible), connection.begin_nested():
        note_handed_over(connection, HANAKO.id, OTHER, SIGNED, close=True)
    take(connection, other=OTHER)  # nothing of it stands


def test_the_history_holds_what_is_theirs_and_sure(connection: Connection) -> None:
    """Not what a caller said who only claimed to be them."""
    plant(connection)
    told = history_of(connection, MARKED.id)
    assert [(each["id"], [one["value"] for one in each["answers"]]) for each in told["reports"]] == [
        ("qqreport-1", ["qqanswer"])
    ]
    assert [(each["rule"], each["open"]) for each in told["alerts"]] == [("qqalert", False)]
    assert told["follow_ups"] == []
    assert [(each["kind"], each["reason"]) for each in told["decisions"]] == [("close", "qqdecision")]
    assert told["reports"][0]["created_at"] == NOW.isoformat()
