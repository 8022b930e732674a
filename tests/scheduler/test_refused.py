"""A trunk that refuses our calls is left alone until one call finds out; one that stays silent is told of."""

import pytest

from ivr.call import Outcome
from ivr.storage.alarms import list_alarms
from ivr.storage.database import Database
from scheduler.gates import Reason
from scheduler.watch import watch
from tests.fakes.site import Clock, settings
from tests.scheduler.desk import Desk, enter, handed

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


async def refuse(desk: Desk, status: int = 403) -> str:
    """The oldest call is turned down by the trunk."""
    return await desk.end(Outcome.CONGESTION, status=status)


async def fill(desk: Desk) -> int:
    """Look until nobody more is rung; how many were."""
    rung = 0
    while found := await desk.look(SECOND):
        rung += len(found)
    return rung


@pytest.mark.parametrize("status", [401, 403, 407])
async def test_a_refusal_closes_the_gate_at_once_and_tells_staff(desk: Desk, status: int) -> None:
    await enter(desk, 9)
    assert len(await desk.look(1)) == 1
    await refuse(desk, status)
    assert await fill(desk) == 0
    assert not desk.dialer.gates.is_open("trunk")
    # Before any look of the watchdog.
    assert await alarms(desk) == [("trunk_refused", "trunk", f"SIP {status} ×1", True)]


async def test_one_call_finds_out_and_any_other_answer_opens_the_gate(desk: Desk) -> None:
    await enter(desk, 9)
    await desk.look(1)
    await refuse(desk)
    assert await desk.look(0.9) == []
    assert len(await desk.look(0.2)) == 1
    assert await fill(desk) == 0
    await desk.end(Outcome.BUSY, status=486)
    assert desk.dialer.gates.is_open("trunk")
    assert await fill(desk) > 1
    await watch(desk.dialer)
    assert [each[3] for each in await alarms(desk)] == [False]


async def test_a_call_that_is_answered_opens_the_gate_before_its_end(desk: Desk) -> None:
    await enter(desk, 9)
    await desk.look(1)
    await refuse(desk)
    await desk.look(1.1)
    await desk.answer()
    assert await fill(desk) == 4
    # Refused anew: the end of the conversation that opened the gate before says nothing of that.
    await desk.end(Outcome.CONGESTION, desk.live[-1].attempt.number, status=403)
    await desk.end(Outcome.CUT_OFF)
    assert not desk.dialer.gates.is_open("trunk")


async def test_refused_again_it_waits_longer_and_tries_somebody_else(desk: Desk) -> None:
    await enter(desk, 9)
    await desk.look(1)
    first = await refuse(desk)
    await desk.look(1.1)
    second = await refuse(desk)
    assert second != first
    assert await desk.look(1.5) == []
    assert len(await desk.look(0.6)) == 1
    await watch(desk.dialer)
    assert [each[:3] for each in await alarms(desk)] == [("trunk_refused", "trunk", "SIP 403 ×2")]


async def test_calls_that_were_under_way_neither_lengthen_the_wait_nor_open_the_gate(desk: Desk) -> None:
    await enter(desk, 9)
    assert await fill(desk) == 5
    await refuse(desk)
    await refuse(desk)
    await desk.end(Outcome.ANSWERED)
    assert await fill(desk) == 0
    assert len(await desk.look(1)) == 1
    await desk.end(Outcome.BUSY, desk.live[-1].attempt.number, status=486)
    assert desk.dialer.gates.is_open("trunk")


async def test_a_refusal_uses_up_no_try(desk: Desk) -> None:
    (person,) = await enter(desk, 1)
    await desk.look(1)
    await refuse(desk)
    for wait in (1.1, 31, 61):
        assert await desk.look(wait) == [person]
        await desk.end(Outcome.NO_ANSWER, status=480)
    assert await handed(desk) != set()


async def test_after_a_restart_one_call_finds_out_before_any_other(desk: Desk) -> None:
    await enter(desk, 9)
    await desk.look(1)
    await refuse(desk)
    await desk.crash()
    assert await fill(desk) == 1
    assert not desk.dialer.gates.is_open("trunk")
    await watch(desk.dialer)
    assert [(each[0], each[3]) for each in await alarms(desk)] == [("trunk_refused", True)]
    await desk.end(Outcome.ANSWERED)
    assert await fill(desk) > 1


async def test_a_restart_after_the_gate_had_opened_holds_nothing_up(desk: Desk) -> None:
    await enter(desk, 9)
    await desk.look(1)
    await refuse(desk)
    await desk.look(1.1)
    await desk.end(Outcome.BUSY, status=486)
    await watch(desk.dialer)
    await desk.crash()
    assert await fill(desk) == 5


async def test_a_call_that_is_lost_finds_out_nothing(desk: Desk) -> None:
    await enter(desk, 9)
    await desk.look(1)
    await refuse(desk)
    await desk.look(1.1)
    await desk.end(Outcome.UNKNOWN)
    assert await fill(desk) == 0
    assert len(await desk.look(1.1)) == 1


async def test_the_other_trunk_goes_on(database: Database, clock: Clock) -> None:
    desk = Desk(settings(**TWO), database, clock)
    await enter(desk, 9)
    assert await fill(desk) == 3
    refused = next(each for each in desk.live if each.trunk == "east")
    await desk.end(Outcome.CONGESTION, refused.attempt.number, status=407)
    await desk.end(Outcome.BUSY, next(each for each in desk.live if each.trunk == "west").attempt.number, status=486)
    await fill(desk)
    assert sorted(each.trunk for each in desk.live) == ["east", "west"]  # the call of the east had begun before


async def test_a_trunk_that_is_closed_for_another_reason_is_not_tried(desk: Desk) -> None:
    await enter(desk, 9)
    await desk.look(1)
    await refuse(desk)
    desk.dialer.gates.close("trunk", Reason.UNREGISTERED, desk.clock.now())
    assert await desk.look(2) == []
    desk.dialer.gates.open("trunk", Reason.UNREGISTERED)
    assert await fill(desk) == 1


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
