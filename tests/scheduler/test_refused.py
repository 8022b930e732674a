"""Calls that are turned down: whose matter it is by who else got through, and what becomes of those who were rung."""

from dataclasses import replace

import pytest

from ivr.call import Fault, Outcome
from ivr.core.sip_statuses import Rang, row_of
from ivr.handover import HandOver, Settled
from ivr.person import Risk
from ivr.storage.agenda import facts_of, rows_of_day
from ivr.storage.alarms import list_alarms
from ivr.storage.database import Database
from ivr.storage.people import upsert_people
from ivr.storage.telephones import note_keys
from scheduler.dayplan import judge
from scheduler.gates import Reason
from scheduler.watch import watch
from tests.fakes.site import Clock, settings
from tests.scheduler.desk import Desk, enter, handed, report
from tests.storage.records import TARO

TWO = {
    "trunks": [
        {"name": "east", "total": 3, "reserved_for_inbound": 1, "calls_per_second": 20},
        {"name": "west", "total": 2, "reserved_for_inbound": 1, "calls_per_second": 20},
    ]
}
SECOND = 1 / 60


@pytest.fixture
def desk(database: Database, clock: Clock) -> Desk:
    return Desk(settings(lines={"total": 6, "reserved_for_inbound": 1, "calls_per_second": 20}), database, clock)


async def alarms(desk: Desk) -> list[tuple[str, str, str, bool]]:
    """Kind, subject, details of each, the newest first, and whether it stands."""
    found = await desk.database.read(list_alarms, every=True)
    return [(each.kind, each.subject, each.details, each.ended_at is None) for each in found]


async def refuse(desk: Desk, number: str = "", status: int = 403) -> str:
    """The oldest call (to `number`) is turned down."""
    return await desk.end(row_of(status, 21, Rang.NEVER).outcome, number, status)


async def fill(desk: Desk) -> int:
    """Look until nobody more is rung; how many were."""
    rung = 0
    while found := await desk.look(SECOND):
        rung += len(found)
    return rung


async def close(desk: Desk, status: int = 403) -> None:
    """Two people in a row are turned down."""
    for _ in range(2):
        await desk.look(SECOND)
        await refuse(desk, status=status)


@pytest.mark.parametrize("status", [401, 402, 403, 407, 433, 608, 400, 416, 488, 606])
async def test_one_refusal_closes_nothing_and_tells_nobody(desk: Desk, status: int) -> None:
    await enter(desk, 9)
    await desk.look(1)
    await refuse(desk, status=status)
    assert await fill(desk) == 5
    assert await alarms(desk) == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, "trunk_refused") for status in (401, 402, 403, 407)),
        *((status, "identity_refused") for status in (428, 433, 438, 608)),
        *((status, "calls_failed") for status in (400, 416, 488, 606)),
    ],
)
async def test_two_people_in_a_row_close_the_gate_at_once_and_tell_staff(desk: Desk, status: int, kind: str) -> None:
    await enter(desk, 9)
    await close(desk, status)
    assert await fill(desk) == 0
    assert not desk.dialer.gates.is_open("trunk")
    # Before any look of the watchdog.
    assert await alarms(desk) == [(kind, "trunk", f"SIP {status} ×2", True)]


async def test_one_who_talks_since_the_first_refusal_keeps_the_gate_open(desk: Desk) -> None:
    """Nobody waits for the end of their conversation to know that the trunk takes calls."""
    await enter(desk, 9)
    await desk.look(1)
    await refuse(desk)
    await desk.look(SECOND)
    await desk.answer()
    await desk.look(SECOND)
    await refuse(desk, desk.live[-1].attempt.number)
    assert desk.dialer.gates.is_open("trunk")
    await fill(desk)
    assert await alarms(desk) == []


@pytest.mark.parametrize("status", [404, 480, 486, 603, 607, 302, 301])
async def test_what_is_the_persons_or_the_numbers_closes_nothing(desk: Desk, status: int) -> None:
    await enter(desk, 9)
    for _ in range(4):
        await desk.look(SECOND)
        await refuse(desk, status=status)
    assert await fill(desk) == 5
    assert await alarms(desk) == []


async def test_one_call_to_somebody_else_finds_out_and_any_other_answer_opens_the_gate(desk: Desk) -> None:
    people = await enter(desk, 9)
    await close(desk)
    assert await desk.look(0.1) == []
    assert await desk.look(0.1) == [people[2]]
    assert await fill(desk) == 0
    await desk.end(Outcome.BUSY, status=486)
    assert desk.dialer.gates.is_open("trunk")
    assert await fill(desk) > 1
    await watch(desk.dialer)
    assert [each[3] for each in await alarms(desk)] == [False]


async def test_when_those_who_were_refused_are_due_again_others_find_out(desk: Desk) -> None:
    """They are at high risk and first in every order; a minute later they are due again, and the trunk is closed."""
    people = await enter(desk, 9, risk=Risk.NORMAL)
    high = [replace(TARO, id=each, numbers=(f"0900000{int(each):04}",), risk=Risk.HIGH) for each in people[:2]]
    await desk.database.write(upsert_people, high, desk.clock.now())
    await close(desk)
    assert await desk.look(5) == [people[2]]
    await refuse(desk)
    assert await desk.look(5) == [people[3]]


async def test_who_was_refused_finds_out_if_there_is_nobody_else(desk: Desk) -> None:
    people = await enter(desk, 2)
    await close(desk)
    assert await desk.look(5) == [people[0]]


async def test_a_call_that_is_answered_opens_the_gate_before_its_end(desk: Desk) -> None:
    await enter(desk, 9)
    await close(desk)
    await desk.look(0.2)
    await desk.answer()
    assert await fill(desk) == 4
    # Refused anew: the end of the conversation that opened the gate before says nothing of that.
    await refuse(desk, desk.live[-1].attempt.number)
    await refuse(desk, desk.live[-1].attempt.number)
    await desk.end(Outcome.CUT_OFF)
    assert not desk.dialer.gates.is_open("trunk")


async def test_refused_again_it_waits_longer_and_tries_somebody_else(desk: Desk) -> None:
    await enter(desk, 9)
    await close(desk)
    assert await desk.look(0.2) == ["000003"]
    await refuse(desk)
    assert await desk.look(0.9) == []
    assert await desk.look(0.2) == ["000004"]
    await watch(desk.dialer)
    assert [each[:3] for each in await alarms(desk)] == [("trunk_refused", "trunk", "SIP 403 ×3")]


async def test_calls_that_were_under_way_neither_lengthen_the_wait_nor_open_the_gate(desk: Desk) -> None:
    await enter(desk, 9)
    assert await fill(desk) == 5
    for _ in range(3):
        await refuse(desk)
    await desk.end(Outcome.ANSWERED)
    assert await fill(desk) <= 1  # one who began when the first was refused
    assert len(await desk.look(0.2)) == 1
    await desk.end(Outcome.BUSY, desk.live[-1].attempt.number, status=486)
    assert desk.dialer.gates.is_open("trunk")


async def test_a_refusal_of_the_trunk_uses_up_no_try(desk: Desk) -> None:
    first, second = await enter(desk, 2)
    await close(desk)
    assert await desk.look(1.2) == [first]
    await desk.end(Outcome.NO_ANSWER, status=480)
    await desk.look(1)
    await report(desk, second)
    await desk.end(Outcome.ANSWERED)
    for wait in (30, 60):
        assert first in await desk.look(wait)
        await desk.end(Outcome.NO_ANSWER, "09000000001", status=480)
    assert {(person, reason) for _, person, reason in await handed(desk)} == {(first, HandOver.NOT_REACHED)}


async def test_after_a_restart_one_call_finds_out_before_any_other(desk: Desk) -> None:
    await enter(desk, 9)
    await close(desk)
    await desk.crash()
    assert await fill(desk) == 1
    assert not desk.dialer.gates.is_open("trunk")
    await watch(desk.dialer)
    assert [(each[0], each[3]) for each in await alarms(desk)] == [("trunk_refused", True)]
    await desk.end(Outcome.ANSWERED)
    assert await fill(desk) > 1


async def test_a_restart_after_the_gate_had_opened_holds_nothing_up(desk: Desk) -> None:
    await enter(desk, 9)
    await close(desk)
    await desk.look(0.2)
    await desk.end(Outcome.BUSY, status=486)
    await watch(desk.dialer)
    await desk.crash()
    assert await fill(desk) == 5


async def test_a_call_that_is_lost_finds_out_nothing(desk: Desk) -> None:
    await enter(desk, 9)
    await close(desk)
    await desk.look(0.2)
    await desk.end(Outcome.UNKNOWN)
    assert await fill(desk) == 0
    assert len(await desk.look(0.2)) == 1


async def test_the_other_trunk_goes_on(database: Database, clock: Clock) -> None:
    desk = Desk(settings(**TWO), database, clock)
    await enter(desk, 9)
    assert await fill(desk) == 3
    for each in [each for each in desk.live if each.trunk == "east"]:
        await refuse(desk, each.attempt.number, 407)
    await desk.end(Outcome.BUSY, next(each for each in desk.live if each.trunk == "west").attempt.number, status=486)
    await fill(desk)
    # One call by the east had begun when the first was turned down.
    assert sorted(each.trunk for each in desk.live) == ["east", "west"]


async def test_a_trunk_that_is_closed_for_another_reason_is_not_tried(desk: Desk) -> None:
    await enter(desk, 9)
    await close(desk)
    desk.dialer.gates.close("trunk", Reason.UNREGISTERED, desk.clock.now())
    assert await desk.look(2) == []
    desk.dialer.gates.open("trunk", Reason.UNREGISTERED)
    assert await fill(desk) == 1


async def test_one_who_is_refused_while_others_get_through_is_rung_on_the_other_number(desk: Desk) -> None:
    """The first of nine: a minute later others talk, and it is a try; then the second number rings."""
    people = await enter(desk, 9)
    one = replace(TARO, id=people[0], numbers=("09000000001", "09000000101"), risk=Risk.HIGH)
    await desk.database.write(upsert_people, [one], desk.clock.now())
    await desk.look(1)
    assert await refuse(desk, "09000000001") == people[0]
    assert await fill(desk) == 5
    await desk.answer()
    desk.clock.advance(1)
    await desk.end(Outcome.BUSY, desk.live[-1].attempt.number, status=486)
    await desk.look()
    assert desk.rung[-1] == (people[0], "09000000101")
    await refuse(desk, "09000000101")
    before = [number for person, number in desk.rung if person == people[0]]
    await desk.look(29)  # both numbers are barred: not at once
    assert before == [number for person, number in desk.rung if person == people[0]]
    await desk.end(Outcome.ANSWERED)
    await desk.look(1)
    assert desk.rung[-1] == (people[0], "09000000001")
    await refuse(desk, "09000000001")
    found = [reason for _, person, reason in await handed(desk) if person == people[0]]
    assert found == [HandOver.REFUSED]
    assert await alarms(desk) == []


async def test_one_alone_who_is_refused_twice_is_not_the_trunks(desk: Desk) -> None:
    (person,) = await enter(desk, 1)
    for wait in (1, 1, 60):
        assert await desk.look(wait) == [person]
        await refuse(desk)
    assert {(who, reason) for _, who, reason in await handed(desk)} == {(person, HandOver.REFUSED)}
    assert desk.dialer.gates.is_open("trunk")
    assert await alarms(desk) == []


async def test_a_pbx_that_takes_no_request_is_told_at_once_and_uses_up_no_try(desk: Desk) -> None:
    """Asterisk answers nothing while its events come: each of the first round ends so after its ringing time."""
    people = await enter(desk, 8)
    assert await fill(desk) == 5
    for _ in range(5):
        await desk.end(Outcome.UNKNOWN, fault=Fault.US)
    assert await alarms(desk) == [("calls_failed", "trunk", "ARI ×2", True)]
    assert await fill(desk) <= 1  # one who began when the first had ended
    while desk.live:
        await desk.end(Outcome.UNKNOWN, fault=Fault.US)
    assert [each in people[5:] for each in await desk.look(0.2)] == [True]
    await desk.end(Outcome.ANSWERED)
    await fill(desk)
    await desk.look(1)
    day = desk.today()
    for each in people[:5]:
        facts = await desk.database.read(facts_of, each, day)
        assert judge(facts, facts.attempts[0]).is_free
    await watch(desk.dialer)
    assert [each[3] for each in await alarms(desk)] == [False]


async def test_a_number_that_nobody_has_is_a_task_at_once_and_called_once_more(desk: Desk) -> None:
    (person,) = await enter(desk, 1)
    await desk.look(1)
    await desk.end(Outcome.BAD_NUMBER, status=404)
    assert {(who, reason) for _, who, reason in await handed(desk)} == {(person, HandOver.BAD_NUMBER)}
    assert await desk.look(29) == []
    assert await desk.look(1) == [person]
    await report(desk, person)
    await desk.end(Outcome.ANSWERED)
    assert await handed(desk) == set()


async def test_and_then_no_more_and_no_second_task(desk: Desk) -> None:
    (person,) = await enter(desk, 1)
    for wait in (1, 30):
        assert await desk.look(wait) == [person]
        await desk.end(Outcome.BAD_NUMBER, status=404)
    assert {(who, reason) for _, who, reason in await handed(desk)} == {(person, HandOver.BAD_NUMBER)}
    assert await desk.look(60) == []
    rows = await desk.database.read(rows_of_day, desk.today())
    assert [each.settled for each in rows if each.person_id == person] == [Settled.HANDED_OVER]


async def test_a_number_that_was_answered_before_is_tried_in_its_turn(desk: Desk) -> None:
    (person,) = await enter(desk, 1)
    one = replace(TARO, id=person, numbers=("09000000001", "09000000101"))
    await desk.database.write(upsert_people, [one], desk.clock.now())
    await desk.database.write(note_keys, "09000000001", desk.clock.now())
    await desk.look(1)
    await desk.end(Outcome.BAD_NUMBER, status=404)
    await desk.look(0.1)
    await desk.end(Outcome.NO_ANSWER)
    await desk.look(30)
    assert [number for _, number in desk.rung] == ["09000000001", "09000000101", "09000000001"]
    assert await handed(desk) == set()


async def test_three_calls_in_a_row_without_an_answer_are_an_alarm(desk: Desk) -> None:
    await enter(desk, 9)
    assert await fill(desk) == 5
    for _ in range(2):
        await desk.end(Outcome.UNREACHABLE, status=408)
    assert await alarms(desk) == []
    await desk.end(Outcome.UNREACHABLE, status=408)
    assert await alarms(desk) == [("trunk_silent", "trunk", "3", True)]
    assert await fill(desk) > 0  # told, and not stopped: the far network may be at fault
    await watch(desk.dialer)
    await desk.end(Outcome.BUSY, status=486)
    await watch(desk.dialer)
    assert [each[3] for each in await alarms(desk)] == [False]


async def test_an_answer_between_two_is_no_row(desk: Desk) -> None:
    await enter(desk, 9)
    await fill(desk)
    for status in (408, 408, 486, 408, 408):
        await desk.end(Outcome.UNREACHABLE, status=status)
        await fill(desk)
    assert await alarms(desk) == []
