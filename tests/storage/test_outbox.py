"""The outbox: written with what it tells, frozen, in order, and never stuck."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, update
from sqlalchemy.exc import IntegrityError

from ivr.call import Ending, Outcome
from ivr.questionnaire.model import AlertRule, Level, SessionStatus, Turn
from ivr.storage.alarms import standing_alarms
from ivr.storage.calls import close_lost_calls, end_call, start_call
from ivr.storage.leaving import queue_missing, queue_report
from ivr.storage.link import close_round, get_link, grant, set_link, watch, wish_now, wished
from ivr.storage.outbox import Row, all_rows, backlog, is_due, parked_rows, put_back, release, retry, settle, take
from ivr.storage.schema_outbox import outbox
from ivr.storage.sessions import save_turn
from ivr.sync.delivery import LONGEST_ASKED, Link, Settlement, State
from ivr.sync.documents import AlertDocument, CallDocument, Kind, ReportDocument, document_from, freeze
from tests.storage.records import HANAKO, NOW, SACHIKO, TARO, begin_session, dial, later, ring_in, turn

ENDED = Ending(None, 16)
FEVER = AlertRule("fever", Level.URGENT, {"ja": "高い熱", "en": "high fever"})


def rows(connection: Connection) -> tuple[Row, ...]:
    return all_rows(connection)


def told(connection: Connection) -> list[tuple[str, str | None, int, int]]:
    """Kind, person, revision and sequence of everything."""
    documents = [document_from(each.payload) for each in rows(connection)]
    return [(str(each.kind), each.person_id, each.revision, each.sequence) for each in documents]


def reports(connection: Connection) -> list[ReportDocument]:
    documents = [document_from(each.payload) for each in rows(connection)]
    return [each for each in documents if isinstance(each, ReportDocument)]


def complete(*answered: tuple[str, str]) -> Turn:
    return turn(*answered, status=SessionStatus.COMPLETED)


def test_a_whole_call_leaves_its_alert_its_report_and_its_attempt(connection: Connection) -> None:
    call = dial(connection, "c-1")
    begin_session(connection, "s-1")
    feverish = replace(turn(("temperature", "39.0")), alerts=(FEVER,))
    save_turn(connection, "s-1", call.id, feverish, later(1))
    # The alert is there before the person has said another word; the report is not finished.
    assert told(connection) == [("alert", HANAKO.id, 1, 1)]
    save_turn(connection, "s-1", call.id, turn(("temperature", "38.5"), ("cough", "no")), later(2))
    save_turn(connection, "s-1", call.id, complete(), later(3))
    end_call(connection, call.id, ENDED, Outcome.ANSWERED, later(4))
    assert told(connection) == [("alert", HANAKO.id, 1, 1), ("report", HANAKO.id, 1, 2), ("call", HANAKO.id, 1, 3)]
    alert, report, attempt = (document_from(each.payload) for each in rows(connection))
    assert isinstance(alert, AlertDocument)
    assert (alert.alert.rule, alert.alert.reason["en"]) == ("fever", "high fever")
    assert [(each.question, each.value) for each in alert.answers] == [("temperature", "39.0")]
    assert isinstance(report, ReportDocument)
    assert [(each.question, each.value, each.unit) for each in report.answers] == [
        ("temperature", "38.5", "Cel"),
        ("cough", "no", None),
    ]
    assert (report.completeness, report.slot, report.questionnaire, report.version) == (
        "complete",
        "morning",
        "daily",
        "hash-1",
    )
    assert (report.source, report.auth, report.language) == ("automatic_call", "outbound", "ja")
    assert [each.rule for each in report.alerts] == ["fever"]
    assert (report.began_at, report.changed_at, report.frozen_at) == (later(1), later(3), later(3))
    assert isinstance(attempt, CallDocument)
    assert (attempt.outcome, attempt.report_id, attempt.ended_at) == ("answered", "s-1", later(4))


def test_what_was_frozen_is_what_lies_there(connection: Connection) -> None:
    call = dial(connection, "c-1")
    end_call(connection, call.id, ENDED, Outcome.BUSY, later(1))
    (row,) = rows(connection)
    frozen = freeze(document_from(row.payload))
    assert (row.key, row.payload, row.sha256) == (frozen.key, frozen.payload, frozen.sha256)


@pytest.mark.parametrize("column", ["payload", "sha256", "key"])
def test_nobody_changes_it(connection: Connection, column: str) -> None:
    end_call(connection, dial(connection, "c-1").id, ENDED, Outcome.BUSY, later(1))
    value: object = b"{}" if column == "payload" else "0" * 64
    with pytest.raises(IntegrityError, match="never changes"):
        connection.execute(update(outbox).values({column: value}))


def test_a_call_that_breaks_off_leaves_what_there_is(connection: Connection) -> None:
    call = dial(connection, "c-1")
    begin_session(connection, "s-1")
    save_turn(connection, "s-1", call.id, turn(("temperature", "36.5")), later(1))
    assert reports(connection) == []
    end_call(connection, call.id, ENDED, Outcome.CUT_OFF, later(2))
    assert [(each.revision, each.completeness) for each in reports(connection)] == [(1, "partial")]
    # They ring back and go on: a revision of the same report, after the first.
    back = ring_in(connection, "c-2", HANAKO.numbers[1])
    save_turn(connection, "s-1", back.id, turn(), later(3))
    save_turn(connection, "s-1", back.id, complete(("cough", "no")), later(4))
    end_call(connection, back.id, ENDED, Outcome.ANSWERED, later(5))
    first, second = reports(connection)
    assert (second.revision, second.completeness, second.report_id) == (2, "complete", first.report_id)
    assert second.sequence > first.sequence
    assert [each.question for each in second.answers] == ["temperature", "cough"]


def test_what_a_crash_left_leaves_when_the_call_is_found_to_be_lost(connection: Connection) -> None:
    call = dial(connection, "c-1")
    begin_session(connection, "s-1")
    save_turn(connection, "s-1", call.id, turn(("temperature", "36.5")), later(1))
    close_lost_calls(connection, [], later(9), {})
    assert told(connection) == [("call", HANAKO.id, 1, 1), ("report", HANAKO.id, 1, 2)]


def test_a_correction_after_the_end_is_another_revision(connection: Connection) -> None:
    begin_session(connection, "s-1")
    save_turn(connection, "s-1", None, complete(("temperature", "36.5")), later(1))
    save_turn(connection, "s-1", None, turn(("temperature", "37.5")), later(2))
    assert [(each.revision, each.answers[0].value) for each in reports(connection)] == [(1, "36.5"), (2, "37.5")]


def test_the_same_is_never_frozen_twice(connection: Connection) -> None:
    begin_session(connection, "s-1")
    save_turn(connection, "s-1", None, complete(("temperature", "36.5")), later(1))
    assert not queue_report(connection, "s-1", later(2))
    # A second call in whose course nothing was answered.
    call = ring_in(connection, "c-1")
    save_turn(connection, "s-1", call.id, turn(), later(3))
    end_call(connection, call.id, ENDED, Outcome.ANSWERED, later(4))
    assert len(reports(connection)) == 1


def test_who_is_not_known_leaves_too(connection: Connection) -> None:
    begin_session(connection, "s-1", None)
    save_turn(connection, "s-1", None, complete(("temperature", "36.5")), later(1))
    (report,) = reports(connection)
    assert (report.person_id, report.claimed_id, report.sequence) == (None, "999999", 1)


def test_a_session_without_an_answer_leaves_nothing(connection: Connection) -> None:
    call = ring_in(connection, "c-1")
    begin_session(connection, "s-1")
    save_turn(connection, "s-1", call.id, turn(status=SessionStatus.GAVE_UP), later(1))
    end_call(connection, call.id, ENDED, Outcome.ANSWERED, later(2))
    assert rows(connection) == ()


def test_reports_of_before_there_was_an_outbox(connection: Connection) -> None:
    for number, person in enumerate((HANAKO, TARO, SACHIKO)):
        begin_session(connection, f"s-{number}", person)
        save_turn(connection, f"s-{number}", None, complete(("temperature", "36.5")), later(number))
    connection.execute(outbox.delete())
    assert queue_missing(connection, 2, later(9)) == 2
    assert queue_missing(connection, 2, later(9)) == 1
    assert queue_missing(connection, 2, later(9)) == 0
    assert [each.report_id for each in reports(connection)] == ["s-0", "s-1", "s-2"]


# --- what is sent when ---


def report_of(connection: Connection, id: str, person: object = HANAKO, minutes: float = 0) -> None:
    begin_session(connection, id, person)  # type: ignore[arg-type]
    save_turn(connection, id, None, complete(("temperature", "36.5")), later(minutes))


def subjects(taken: tuple[Row, ...]) -> list[str]:
    return [each.subject for each in taken]


def done(row: Row, record: str = "R-1") -> Settlement:
    return Settlement(row.id, State.ACKNOWLEDGED, None, row.tries, None, "", record)


def test_one_of_a_person_at_a_time_and_alerts_first(connection: Connection) -> None:
    report_of(connection, "s-1")
    save_turn(connection, "s-1", None, turn(("temperature", "37.5")), later(1))
    report_of(connection, "s-2", TARO)
    begin_session(connection, "s-3", SACHIKO)
    save_turn(connection, "s-3", None, replace(turn(("temperature", "39")), alerts=(FEVER,)), later(2))
    assert is_due(connection, later(3))
    taken = take(connection, 100, later(3), 60)
    assert subjects(taken) == ["s-3/fever", "s-1", "s-2"]
    # Taken is taken, and the second of Hanako waits for the first.
    assert take(connection, 100, later(3), 60) == ()
    assert not is_due(connection, later(3))
    settle(connection, [done(each) for each in taken], later(3))
    (second,) = take(connection, 100, later(3), 60)
    assert (second.subject, second.revision) == ("s-1", 2)


def test_who_waits_holds_up_nobody_else(connection: Connection) -> None:
    report_of(connection, "s-1")
    save_turn(connection, "s-1", None, turn(("temperature", "37.5")), later(1))
    report_of(connection, "s-2", TARO, 1)
    first, second = take(connection, 100, later(2), 60)
    settle(connection, [Settlement(first.id, State.WAITING, later(9), 1, NOW, "http_500"), done(second)], later(2))
    assert take(connection, 100, later(8), 60) == ()
    assert subjects(take(connection, 100, later(9), 60)) == ["s-1"]


def test_what_is_parked_holds_up_nobody(connection: Connection) -> None:
    report_of(connection, "s-1")
    save_turn(connection, "s-1", None, turn(("temperature", "37.5")), later(1))
    (first,) = take(connection, 100, later(2), 60)
    settle(connection, [Settlement(first.id, State.PARKED, None, 1, NOW, "http_400")], later(2))
    assert [(each.id, each.problem) for each in parked_rows(connection)] == [(first.id, "http_400")]
    (second,) = take(connection, 100, later(2), 60)
    assert second.revision == 2
    settle(connection, [done(second)], later(2))
    assert retry(connection, [first.id + 100], later(3)) == 0
    assert retry(connection, None, later(3)) == 1
    (again,) = take(connection, 100, later(3), 60)
    assert (again.id, again.tries, again.payload) == (first.id, 0, first.payload)


def test_what_is_in_flight_for_too_long_waits_again(connection: Connection) -> None:
    report_of(connection, "s-1")
    (first,) = take(connection, 100, NOW, 60)
    assert release(connection, NOW + timedelta(seconds=59)) == 0
    assert is_due(connection, NOW + timedelta(seconds=60))
    assert subjects(take(connection, 100, NOW + timedelta(seconds=60), 60)) == ["s-1"]
    assert release(connection, NOW, every=True) == 1
    # An answer that comes late counts all the same, and no later failure takes it back.
    settle(connection, [done(first, "R-9")], later(5))
    settle(connection, [Settlement(first.id, State.WAITING, later(9), 1, NOW, "cut")], later(6))
    put_back(connection, [first.id], later(7))
    (row,) = rows(connection)
    assert (row.state, row.record_id) == (State.ACKNOWLEDGED, "R-9")


@pytest.mark.parametrize("wrong", [NOW + timedelta(days=3650), NOW + timedelta(seconds=3 * LONGEST_ASKED)])
def test_a_clock_that_was_wrong_holds_up_nothing(connection: Connection, wrong: datetime) -> None:
    report_of(connection, "s-1")
    report_of(connection, "s-2", TARO)
    first, second = take(connection, 100, NOW, 60)
    settle(connection, [Settlement(first.id, State.WAITING, wrong, 1, NOW, "cut")], NOW)
    settle(connection, [Settlement(second.id, State.IN_FLIGHT, wrong, 1, NOW, "")], NOW)
    assert len(take(connection, 100, NOW, 60)) == 2


def test_how_it_stands(connection: Connection) -> None:
    assert backlog(connection).oldest is None
    report_of(connection, "s-1", minutes=1)
    report_of(connection, "s-2", TARO, 2)
    report_of(connection, "s-3", SACHIKO, 3)
    first, second, _ = take(connection, 100, later(3), 60)
    settle(connection, [Settlement(first.id, State.PARKED, None, 1, NOW, "http_400"), done(second)], later(3))
    found = backlog(connection)
    assert (found.unsent, found.parked, found.acknowledged, found.oldest) == (1, 1, 1, later(3))
    assert found.age(later(5)) == 120.0
    assert found.age(NOW) == 0.0


def test_an_inbound_call_is_no_attempt(connection: Connection) -> None:
    call = ring_in(connection, "c-1")
    end_call(connection, call.id, ENDED, Outcome.ANSWERED, later(1))
    assert rows(connection) == ()
    with pytest.raises(LookupError):
        queue_report(connection, "nobody", NOW)
    with pytest.raises(IntegrityError):
        start_call(connection, call)


# --- the way there ---


def test_a_round_is_written_down_with_its_alarms(connection: Connection) -> None:
    assert get_link(connection) == Link()
    report_of(connection, "s-1")
    report_of(connection, "s-2", TARO)
    first, second = take(connection, 100, NOW, 60)
    stopped = Link(1, later(15), "tls", stopped=True)
    parked = Settlement(first.id, State.PARKED, None, 1, NOW, "http_400")
    close_round(connection, [parked], [second.id], stopped, NOW)
    assert get_link(connection) == stopped
    assert standing_alarms(connection) == (("sync_stopped", ""), ("sync_parked", ""))
    assert subjects(take(connection, 100, NOW, 60)) == ["s-2"]
    retry(connection, None, later(1))
    works = Link(last_success=later(1))
    close_round(connection, [done(second)], [], works, later(1))
    assert get_link(connection) == works
    assert standing_alarms(connection) == ()


def test_staff_need_not_wait(connection: Connection) -> None:
    report_of(connection, "s-1")
    (first,) = take(connection, 100, NOW, 60)
    settle(connection, [Settlement(first.id, State.WAITING, later(15), 5, NOW, "cut")], NOW)
    set_link(connection, Link(5, later(15), "cut"))
    assert not wished(connection)
    wish_now(connection, later(1))
    assert wished(connection)
    grant(connection, later(1))
    assert not wished(connection)
    assert get_link(connection) == Link(5, None, "cut")
    assert is_due(connection, later(1))


def test_an_alarm_while_something_is_old(connection: Connection) -> None:
    report_of(connection, "s-1")
    watch(connection, later(120), 2)
    assert standing_alarms(connection) == ()
    watch(connection, later(121), 2)
    assert standing_alarms(connection) == (("sync_old", ""),)
    settle(connection, [done(rows(connection)[0])], later(122))
    watch(connection, later(123), 2)
    assert standing_alarms(connection) == ()
    assert Kind.REPORT in {each.kind for each in rows(connection)}
