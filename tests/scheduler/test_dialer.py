"""The dialler's look at real rows: whom it rings, whom it leaves alone, whom it hands to staff."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from ivr.call import CallState, Direction, Ending, Outcome
from ivr.questionnaire.model import SessionStatus
from ivr.storage import calls
from ivr.storage.database import Database
from ivr.storage.decisions import Signed, close_person, pause_person
from ivr.storage.erasure import erase_person
from ivr.storage.people import upsert_people
from ivr.storage.sessions import open_session, save_turn
from scheduler.dialer import look
from scheduler.jobs import TICK, jobs_of, run_jobs
from tests.fakes.site import Clock, settings
from tests.rows import attempt_ends
from tests.scheduler.desk import Desk, enter, handed, report
from tests.storage.records import DAY, HANAKO, NOW, TARO, session, turn

#: Hanako and Taro are called in the morning, on one telephone; Sachiko in the afternoon.
SHARED, OWN = HANAKO.numbers


@pytest.fixture
def desk(database: Database, clock: Clock) -> Desk:
    return Desk(settings(), database, clock)


async def test_before_the_slot_nobody_is_rung(desk: Desk) -> None:
    assert await desk.look(-1) == []
    assert await desk.database.read(attempt_ends) == []


async def test_one_call_is_for_everybody_of_a_household_who_is_due(desk: Desk) -> None:
    assert await desk.look() == [HANAKO.id]
    assert await desk.look(0.1) == []
    assert await desk.database.read(whose) == {HANAKO.id: (SHARED, None), TARO.id: (SHARED, "a-0001")}
    await report(desk, HANAKO.id)
    # Only she reported on it: Taro's next call comes as after one that nobody took.
    await desk.end(Outcome.ANSWERED, of={TARO.id: Outcome.NO_KEY})
    assert await desk.look(29.8) == []
    assert await desk.look(0.2) == [TARO.id]
    assert desk.rung == [(HANAKO.id, SHARED), (TARO.id, SHARED)]


def whose(connection: Connection) -> dict[str, tuple[str, str | None]]:
    """Person -> number and call of their attempt."""
    found = calls.attempts_of_day(connection, DAY)
    return {each.person_id: (each.number, each.together_with) for each in found}


async def test_both_report_on_one_call_and_the_telephone_rings_no_more(desk: Desk) -> None:
    assert await desk.look() == [HANAKO.id]
    for person in (HANAKO, TARO):
        await report(desk, person.id)
    await desk.end(Outcome.ANSWERED)
    assert await desk.look(31) == []
    assert await desk.look(130) == []
    assert await handed(desk) == set()


def say_on(number: str, person_id: str) -> Callable[[Connection], None]:
    """Somebody rings us from this number, and reports at the place of this person."""

    def store(connection: Connection) -> None:
        arrived = calls.Call(f"in-{person_id}", Direction.INBOUND, NOW, number=number, state=CallState.TALKING)
        calls.start_call(connection, arrived)
        begun = replace(session(f"s-{person_id}"), person_id=person_id)
        open_session(connection, begun)
        said = turn(("temperature", "36.5"), status=SessionStatus.COMPLETED)
        save_turn(connection, begun.id, arrived.id, said, NOW)
        calls.end_call(connection, arrived.id, Ending(None), Outcome.ANSWERED, NOW)

    return store


async def test_the_wrong_place_does_not_end_the_calls_of_the_other(desk: Desk) -> None:
    """Taro, whose call is in the afternoon, reported at Hanako's place: she is rung, and can still report."""
    await desk.database.write(upsert_people, [replace(TARO, slots=("afternoon",))], NOW)
    await desk.database.write(say_on(SHARED, HANAKO.id))
    assert await desk.look() == [HANAKO.id]
    await desk.end(Outcome.ANSWERED)
    assert await desk.look(31) == []
    assert await handed(desk) == set()


async def test_once_everybody_of_a_household_has_reported_nobody_is_rung(desk: Desk) -> None:
    for person in (HANAKO, TARO):
        await desk.database.write(say_on(SHARED, person.id))
    assert await desk.look() == []


async def test_who_reported_on_a_telephone_of_their_own_is_not_doubted(desk: Desk) -> None:
    await desk.database.write(upsert_people, [replace(TARO, slots=("afternoon",))], NOW)
    await desk.database.write(say_on(OWN, HANAKO.id))
    assert await desk.look() == []


async def test_of_a_household_one_who_is_not_called_raises_no_doubt(desk: Desk) -> None:
    await desk.database.write(pause_person, TARO.id, NOW + timedelta(days=1), Signed("見本", "入院", NOW))
    await desk.database.write(say_on(SHARED, HANAKO.id))
    assert await desk.look() == []


async def test_who_has_reported_or_is_paused_has_no_part_in_the_call(desk: Desk) -> None:
    third = replace(TARO, id="300003")
    await desk.database.write(upsert_people, [third], NOW)
    await desk.database.write(pause_person, TARO.id, NOW + timedelta(days=1), Signed("見本", "入院", NOW))
    await report(desk, HANAKO.id)
    assert await desk.look() == [third.id]
    assert await desk.database.read(whose) == {third.id: (SHARED, None)}


async def test_whoever_is_erased_while_they_wait_in_the_queue_is_gone(
    database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(settings(lines={"total": 2, "reserved_for_inbound": 1}), database, clock)
    await database.write(upsert_people, [replace(TARO, numbers=("0310000009",))], NOW)
    assert await desk.look() == [HANAKO.id]

    def erase(connection: Connection) -> None:
        signed = Signed("tanaka", "申し出", NOW)
        close_person(connection, TARO.id, signed)
        erase_person(connection, TARO.id, signed, DAY, lambda ids: None, unsent_too=False)

    await desk.database.write(erase)
    await desk.end(Outcome.ANSWERED)
    await report(desk, HANAKO.id)
    for _ in range(3):
        assert await desk.look(5) == []
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


@pytest.mark.parametrize("outcome", [Outcome.NO_ANSWER, Outcome.BUSY, Outcome.NO_KEY, Outcome.UNKNOWN])
async def test_a_telephone_that_rang_in_vain_rests_for_all_of_the_household(desk: Desk, outcome: Outcome) -> None:
    await report(desk, HANAKO.id)
    late = replace(TARO, id="300003")
    assert await desk.look() == [TARO.id]
    await desk.database.write(upsert_people, [late], NOW)
    await desk.end(outcome)
    assert await desk.look(2.9) == []
    assert await desk.look(0.1) == [late.id]


async def test_a_full_network_rings_nowhere_and_needs_no_rest(desk: Desk) -> None:
    await report(desk, HANAKO.id)
    late = replace(TARO, id="300003")
    assert await desk.look() == [TARO.id]
    await desk.database.write(upsert_people, [late], NOW)
    await desk.end(Outcome.CONGESTION)
    assert await desk.look(0.1) == [late.id]


async def test_the_attempt_is_written_down_before_it_is_rung(desk: Desk) -> None:
    seen: list[list[tuple[str, Outcome | None]]] = []
    done = asyncio.Event()

    async def ring(attempt: calls.Attempt, trunk: str) -> None:
        seen.append(await desk.database.read(attempt_ends))
        done.set()

    desk.dialer.ring = ring
    await look(desk.dialer)
    await done.wait()
    assert seen == [[("planned", None)] * 2]


async def test_lines_and_pace(database: Database, clock: Clock) -> None:
    lines = {"total": 4, "reserved_for_inbound": 1, "calls_per_second": 0.5}
    desk = Desk(settings(lines=lines), database, clock)
    people = await enter(desk, 6)
    clock.advance(24 * 60)
    second = 1 / 60
    assert await desk.look() == people[:1]
    assert await desk.look(second) == []
    assert await desk.look(second) == people[1:2]
    desk.inbound = 2
    assert await desk.look(2 * second) == []
    desk.inbound = 1
    assert await desk.look(0) == people[2:3]
    assert await desk.look(2 * second) == []
    await desk.end(Outcome.BUSY)
    assert await desk.look(0) == people[3:4]


async def test_first_calls_come_before_second_ones(database: Database, clock: Clock) -> None:
    lines = {"total": 2, "reserved_for_inbound": 1}
    retries = {"busy": [180, 180]}
    desk = Desk(settings(lines=lines, dialling={"retry_seconds": retries}), database, clock)
    people = await enter(desk, 4)
    clock.advance(24 * 60)
    order = []
    for _ in range(8):
        order += await desk.look(2)
        await desk.end(Outcome.BUSY)
    assert order == people * 2


async def test_who_is_ringing_us_is_not_rung(desk: Desk) -> None:
    def begin(connection: Connection) -> None:
        calls.start_call(connection, calls.Call("in", Direction.INBOUND, NOW, state=CallState.TALKING))
        open_session(connection, session("s-1"))
        save_turn(connection, "s-1", "in", turn(("temperature", "36.5")), NOW)

    await desk.database.write(begin)
    assert await desk.look() == [TARO.id]
    await desk.end(Outcome.NO_ANSWER)
    assert await desk.look(4) == []
    await desk.database.write(calls.end_call, "in", Ending(None), Outcome.CUT_OFF, desk.clock.now())
    assert await desk.look(0.5) == [HANAKO.id]


async def test_the_loop_looks_as_often_as_the_pace_of_the_settings(database: Database, clock: Clock) -> None:
    for pace, pause in ((4, 0.25), (0.5, TICK)):
        lines = {"total": 4, "reserved_for_inbound": 1, "calls_per_second": pace}
        desk = Desk(settings(lines=lines), database, clock, is_open=False)
        assert {each.id: each.seconds for each in jobs_of(desk.dialer)}["tick"] == pause


async def test_a_call_that_fails_hurts_no_other(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    people = await enter(desk, 3)
    desk.clock.advance(24 * 60)
    assert await desk.look() == people[:1]
    desk.broken = True
    desk.clock.advance(0.1)
    await look(desk.dialer)
    (failed,) = desk.dialer.under_way - {each.task for each in desk.live}
    await failed
    assert [vars(each)["action"] for each in caplog.records if each.exc_info] == ["attempt_failed"]
    desk.broken = False
    assert await desk.look(0.1) == people[2:]
    assert await desk.end(Outcome.ANSWERED) == people[0]


async def test_a_call_in_progress_is_not_taken_for_a_lost_one(desk: Desk) -> None:
    await desk.look()
    await desk.look(59.9)
    assert await desk.database.read(attempt_ends) == [("dialing", None)] * 2


async def test_the_loop_goes_on_after_a_bad_look(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    read = desk.database.read
    failed = 0

    async def fails_at_first(function: object, *args: object, **more: object) -> object:
        nonlocal failed
        if failed < 2:
            failed += 1
            raise OSError("disk")
        return await read(function, *args, **more)  # type: ignore[arg-type]

    desk.database.read = fails_at_first  # type: ignore[assignment, method-assign]
    running = asyncio.create_task(run_jobs(desk.dialer))
    await desk.began.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert {vars(each).get("action") for each in caplog.records if each.exc_info} == {"dialer_failed"}
    assert desk.rung == [(HANAKO.id, SHARED)]


async def test_after_a_crash_nobody_is_rung_twice_at_once_or_forgotten(desk: Desk) -> None:
    assert await desk.look() == [HANAKO.id]
    await desk.crash()
    assert await desk.database.read(attempt_ends) == [("ended", Outcome.UNKNOWN)] * 2
    assert await desk.look(14.9) == []
    assert await desk.look(0.1) + await desk.look(0.1) == [HANAKO.id, TARO.id]
    assert desk.rung[-2:] == [(HANAKO.id, OWN), (TARO.id, SHARED)]
