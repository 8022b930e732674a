"""Reports that came in by another way: what they cancel, and what they never do."""

from dataclasses import replace

import pytest
from sqlalchemy import Connection, select

from ivr.errors import BadInput
from ivr.handover import HandOver
from ivr.questionnaire.model import FollowUpReason
from ivr.reported import Reported
from ivr.storage.elsewhere import take_reported
from ivr.storage.followups import NewFollowUp, open_follow_up, open_follow_ups
from ivr.storage.leaving import queue_missing
from ivr.storage.reports import report_exists, reports_of_day
from ivr.storage.schema import touched
from ivr.storage.words import Auth, Source
from tests.storage.records import DAY, HANAKO, NOW, TARO, later

HERS = Reported("c-1", HANAKO.id, DAY, 2)


def test_it_cancels_what_is_pending_and_tells_the_dialler(connection: Connection) -> None:
    for reason in (HandOver.NOT_REACHED, FollowUpReason.CALL_WISHED):
        open_follow_up(connection, NewFollowUp(DAY, reason, HANAKO.id), NOW)
    open_follow_up(connection, NewFollowUp(DAY, HandOver.NOT_REACHED, TARO.id), NOW)
    connection.execute(touched.delete())
    assert take_reported(connection, [HERS], "r.csv", later(1)) == 1
    assert report_exists(connection, HANAKO.id, DAY)
    assert not report_exists(connection, TARO.id, DAY)
    # A wish for a call is not answered by a report.
    left = {(each.person_id, each.reason) for each in open_follow_ups(connection)}
    assert left == {(HANAKO.id, "call_wished"), (TARO.id, "not_reached")}
    assert connection.execute(select(touched.c.person_id)).scalars().all() == [HANAKO.id]
    (found,) = reports_of_day(connection, DAY)
    assert (found.id, found.session_id, found.source, found.auth) == ("c-1", None, Source.SELF_ENTRY, Auth.ELSEWHERE)


def test_the_same_once_more_changes_nothing(connection: Connection) -> None:
    take_reported(connection, [HERS], "r.csv", NOW)
    connection.execute(touched.delete())
    assert take_reported(connection, [HERS], "r.csv", later(9)) == 0
    assert [each.created_at for each in reports_of_day(connection, DAY)] == [NOW]
    assert connection.execute(select(touched)).all() == []


def test_what_cannot_be_taken_takes_the_whole_file_with_it(connection: Connection) -> None:
    take_reported(connection, [HERS], "r.csv", NOW)
    given = [replace(HERS, person_id=TARO.id), Reported("c-2", "999999", DAY, 3), Reported("c-3", TARO.id, DAY, 4)]
    with pytest.raises(BadInput) as caught:
        take_reported(connection, given, "r.csv", NOW)
    assert [(each.line, each.message) for each in caught.value.problems] == [
        (2, "reported.other_report"),
        (3, "reported.nobody"),
    ]
    assert [each.id for each in reports_of_day(connection, DAY)] == ["c-1"]


def test_it_never_goes_back_to_where_it_came_from(connection: Connection) -> None:
    take_reported(connection, [HERS], "r.csv", NOW)
    assert queue_missing(connection, 10, NOW) == 0
