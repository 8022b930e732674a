"""What the centre says is stored as one, beside what staff here did: nobody goes, nothing is overwritten unseen."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, select

from ivr.errors import BadInput
from ivr.person import Person
from ivr.storage.alarms import list_alarms, standing_alarms
from ivr.storage.arriving import ERASED, Arrived, take_changes
from ivr.storage.conflicts import CONFLICTS, Found, open_conflicts, settle
from ivr.storage.decisions import Signed, close_person, decisions_about, pause_person, reopen_person
from ivr.storage.erasure import erase_person
from ivr.storage.people import get_person, list_people, upsert_people
from ivr.storage.reports import reports_of_day
from ivr.storage.schema import touched
from ivr.storage.words import Decided
from ivr.sync.changes import parse_page
from ivr.sync.merging import Kept
from tests.fakes.site import settings
from tests.storage.records import DAY, HANAKO, NOW, ROSTER, SACHIKO, TARO, later
from tests.sync.changes import closing, reported, said

CONFIG = settings()
RULES, ZONE = CONFIG.roster_rules, CONFIG.centre.zone
STAFF = Signed("佐藤", "本人から", later(60))
OLD_NUMBER, NEW_NUMBER, THEIR_NUMBER = ("0310000001",), ("0310000007",), ("0310000008",)


def take(connection: Connection, *changes: dict[str, Any], at: datetime = NOW) -> Arrived:
    body = {"format": 1, "cursor": "c", "more": False, "changes": list(changes)}
    return take_changes(connection, parse_page(body, "", "centre", RULES, DAY).changes, "centre", ZONE, at)


def person(connection: Connection, like: Person = TARO) -> Person:
    found = get_person(connection, like.id)
    assert found is not None
    return found


def conflicts(connection: Connection) -> list[tuple[str, Kept]]:
    return [(each.field, each.kept) for each in open_conflicts(connection)]


def decided(connection: Connection, like: Person = TARO) -> list[tuple[Decided, str]]:
    return [(each.kind, each.by) for each in decisions_about(connection, like.id)]


def test_new_changed_and_those_of_whom_nothing_is_said(connection: Connection) -> None:
    new = replace(SACHIKO, id="200002", numbers=("07000000004",))
    connection.execute(touched.delete())
    found = take(connection, said(new), said(HANAKO), reported(new, "r-1"))
    assert found == Arrived(added=1, reports=1)
    assert take(connection, said(replace(HANAKO, name="見本 はな子"), 2)) == Arrived(changed=1)
    assert {each.id for each in list_people(connection)} == {each.id for each in (*ROSTER, new)}
    assert person(connection, HANAKO).name == "見本 はな子"
    # The dialler is told of those only.
    assert set(connection.execute(select(touched.c.person_id)).scalars()) == {new.id, HANAKO.id}
    assert open_conflicts(connection) == ()


def test_somebody_new_who_is_closed_is_kept_and_closed(connection: Connection) -> None:
    new = replace(SACHIKO, id="200002")
    assert take(connection, said(new, 3, closing(by="鈴木", reason="転院"))) == Arrived(added=1, closed=1)
    assert decided(connection, new) == [(Decided.CLOSE, "鈴木（中央システム）")]
    assert new.id not in {each.id for each in list_people(connection)}


def test_of_whom_was_erased_nothing_is_taken(connection: Connection) -> None:
    """And that nobody rings them stays to be seen as long as the centre has them under observation."""
    take(connection, said(TARO), said(HANAKO))
    close_person(connection, TARO.id, STAFF)
    erase_person(connection, TARO.id, STAFF, DAY, lambda _: None, unsent_too=True)
    found = take(connection, said(TARO, 2), said(HANAKO, 2), reported(TARO, "r-1"), reported(HANAKO, "r-2"))
    assert found == Arrived(reports=1, erased=2)
    assert get_person(connection, TARO.id) is None
    assert (ERASED, TARO.id) in standing_alarms(connection)
    assert take(connection, said(TARO, 3, closing())) == Arrived(erased=1)
    assert ERASED not in dict(standing_alarms(connection))


def test_an_older_word_changes_nothing(connection: Connection) -> None:
    """A stick that was forgotten in a drawer."""
    take(connection, said(TARO, 4))
    take(connection, said(replace(TARO, numbers=NEW_NUMBER), 5))
    assert take(connection, said(TARO, 4)) == Arrived(known=1)
    assert take(connection, said(TARO, 4, closing())) == Arrived(known=1)
    assert person(connection).numbers == NEW_NUMBER
    assert person(connection).closing is None


def test_one_revision_cannot_say_two_things(connection: Connection) -> None:
    take(connection, said(TARO, 5))
    for other in (said(replace(TARO, numbers=NEW_NUMBER), 5), said(TARO, 5, closing())):
        with pytest.raises(BadInput) as caught:
            take(connection, said(HANAKO), other, reported(replace(TARO, id="999999"), "r-1"))
        found = [(each.line, each.message) for each in caught.value.problems]
        assert found == [(2, "changes.other_content"), (3, "reported.nobody")]


def edited_on_both_sides(connection: Connection) -> Found:
    """The centre knew the old number, staff here entered another, and the centre a third."""
    take(connection, said(TARO, 1))
    upsert_people(connection, [replace(TARO, numbers=NEW_NUMBER)], later(10))
    assert take(connection, said(replace(TARO, numbers=THEIR_NUMBER), 2), at=later(20)) == Arrived(conflicts=1)
    (found,) = open_conflicts(connection)
    return found


def test_a_number_changed_on_both_sides_is_kept_and_shown(connection: Connection) -> None:
    found = edited_on_both_sides(connection)
    assert (found.field, found.kept, found.here["number1"], found.centre["number1"]) == (
        *("numbers", Kept.HERE),
        *(NEW_NUMBER[0], THEIR_NUMBER[0]),
    )
    assert person(connection).numbers == NEW_NUMBER
    (alarm,) = list_alarms(connection)
    assert (alarm.kind, alarm.details) == (CONFLICTS, "1")
    # A later word about something else settles nothing; one about the number shows the newest.
    take(connection, said(replace(TARO, numbers=THEIR_NUMBER, name="新"), 3))
    take(connection, said(replace(TARO, numbers=OLD_NUMBER, name="新"), 4))
    (found,) = open_conflicts(connection)
    assert found.centre["number1"] == OLD_NUMBER[0]
    assert (person(connection).numbers, person(connection).name) == (NEW_NUMBER, "新")
    # Both say the same: nothing is left to tell.
    take(connection, said(replace(TARO, numbers=NEW_NUMBER, name="新"), 5))
    assert open_conflicts(connection) == ()
    assert standing_alarms(connection) == ()


@pytest.mark.parametrize(("kept", "numbers"), [(Kept.HERE, NEW_NUMBER), (Kept.CENTRE, THEIR_NUMBER)])
def test_staff_decide_whose_number_holds(connection: Connection, kept: Kept, numbers: tuple[str, ...]) -> None:
    found = edited_on_both_sides(connection)
    settle(connection, [found.id], kept, RULES, STAFF)
    assert person(connection).numbers == numbers
    assert (open_conflicts(connection), standing_alarms(connection)) == ((), ())
    # And it stays so, as long as the centre says nothing new about it.
    take(connection, said(replace(TARO, numbers=THEIR_NUMBER, name="新"), 3))
    assert (person(connection).numbers, open_conflicts(connection)) == (numbers, ())


def test_a_name_changed_on_both_sides_is_the_centres_and_can_be_taken_back(connection: Connection) -> None:
    take(connection, said(TARO, 1))
    upsert_people(connection, [replace(TARO, name="こちら")], later(10))
    take(connection, said(replace(TARO, name="中央"), 2))
    assert person(connection).name == "中央"
    (found,) = open_conflicts(connection)
    assert (found.field, found.kept) == ("name", Kept.CENTRE)
    settle(connection, [found.id], Kept.HERE, RULES, STAFF)
    assert person(connection).name == "こちら"


def test_the_first_word_of_somebody_who_is_here_is_compared(connection: Connection) -> None:
    take(connection, said(replace(TARO, name="中央", numbers=THEIR_NUMBER)))
    assert conflicts(connection) == [("name", Kept.CENTRE), ("numbers", Kept.HERE)]
    assert (person(connection).name, person(connection).numbers) == ("中央", TARO.numbers)


def test_what_no_setting_allows_any_more_is_not_settled(connection: Connection) -> None:
    found = edited_on_both_sides(connection)
    narrow = replace(RULES, slots=("night",))
    with pytest.raises(BadInput) as caught:
        settle(connection, [found.id, 77], Kept.CENTRE, narrow, STAFF)
    assert {each.message for each in caught.value.problems} == {"cli.sync.settle.unknown", "roster.not_allowed"}


def test_pauses_are_no_matter_of_the_centre(connection: Connection) -> None:
    pause_person(connection, TARO.id, later(999), STAFF)
    take(connection, said(TARO, 1))
    take(connection, said(replace(TARO, numbers=NEW_NUMBER), 2))
    pause = person(connection).pause
    assert pause is not None
    assert (pause.until, pause.by) == (later(999), "佐藤")


def test_closed_here_stays_closed_and_is_shown_until_staff_know(connection: Connection) -> None:
    take(connection, said(TARO, 1))
    close_person(connection, TARO.id, STAFF)
    take(connection, said(replace(TARO, name="新"), 2), at=later(70))
    assert person(connection).closing is not None
    assert conflicts(connection) == [("standing", Kept.HERE)]
    (found,) = open_conflicts(connection)
    settle(connection, [found.id], Kept.HERE, RULES, replace(STAFF, at=later(80)))
    take(connection, said(TARO, 3), at=later(90))
    assert conflicts(connection) == []
    assert decided(connection) == [(Decided.CLOSE, "佐藤")]


def test_closed_here_and_the_centre_is_right(connection: Connection) -> None:
    close_person(connection, TARO.id, STAFF)
    take(connection, said(TARO, 1), at=later(70))
    (found,) = open_conflicts(connection)
    settle(connection, [found.id], Kept.CENTRE, RULES, STAFF)
    assert person(connection).closing is None
    assert decided(connection) == [(Decided.CLOSE, "佐藤"), (Decided.REOPEN, "佐藤")]


def test_closed_there_and_taken_up_again_here_stays_so(connection: Connection) -> None:
    take(connection, said(TARO, 1, closing("2025-01-06T00:00:00Z")))
    reopen_person(connection, TARO.id, STAFF)
    take(connection, said(replace(TARO, name="新"), 2, closing("2025-01-06T09:00:00+09:00")), at=later(70))
    assert person(connection).closing is None
    # ... until somebody there closes once more, and knows what we do.
    take(connection, said(TARO, 3, closing("2025-01-06T02:00:00Z")), at=later(130))
    assert person(connection).closing is not None


def test_a_closing_that_is_older_than_what_staff_here_decided_is_shown(connection: Connection) -> None:
    close_person(connection, TARO.id, replace(STAFF, at=NOW))
    reopen_person(connection, TARO.id, STAFF)
    take(connection, said(TARO, 1, closing("2025-01-06T00:30:00Z")), at=later(70))
    assert person(connection).closing is None
    assert conflicts(connection) == [("standing", Kept.HERE)]
    (found,) = open_conflicts(connection)
    settle(connection, [found.id], Kept.CENTRE, RULES, STAFF)
    assert person(connection).closing is not None


def test_a_closing_that_the_centre_takes_back_is_taken_back(connection: Connection) -> None:
    take(connection, said(TARO, 1, closing()))
    assert take(connection, said(TARO, 2), at=later(5)) == Arrived(reopened=1)
    assert decided(connection)[-1] == (Decided.REOPEN, "中央システム")
    assert conflicts(connection) == []


def test_a_new_period_takes_up_again_whom_staff_closed_and_says_so(connection: Connection) -> None:
    take(connection, said(TARO, 1))
    close_person(connection, TARO.id, STAFF)
    found = take(connection, said(replace(TARO, begins=date(2025, 2, 1)), 2), at=later(70))
    assert found == Arrived(changed=1, reopened=1, conflicts=1)
    assert person(connection).closing is None
    assert conflicts(connection) == [("standing", Kept.CENTRE)]
    # The same period once more is no new one.
    close_person(connection, TARO.id, STAFF)
    take(connection, said(replace(TARO, begins=date(2025, 2, 1), name="新"), 3), at=later(80))
    assert person(connection).closing is not None


def test_the_same_once_more_changes_nothing(connection: Connection) -> None:
    page = (said(TARO, 1, closing()), said(HANAKO), reported(SACHIKO, "r-1"))
    take(connection, *page)
    before = (list_people(connection, closed=True), reports_of_day(connection, DAY), decided(connection))
    connection.execute(touched.delete())
    assert take(connection, *page, at=later(99)) == Arrived(known=2)
    assert (list_people(connection, closed=True), reports_of_day(connection, DAY), decided(connection)) == before
    assert connection.execute(select(touched)).all() == []


def test_moments_are_compared_whatever_zone_they_are_written_in(connection: Connection) -> None:
    take(connection, said(TARO, 1, closing("2025-01-06T09:00:00+09:00")))
    assert take(connection, said(TARO, 1, closing("2025-01-06T00:00:00Z"))) == Arrived(known=1)
    assert person(connection).closed_at == NOW == datetime(2025, 1, 6, tzinfo=UTC)
