"""Nobody is silently dropped: whom the dialler hands to staff, for which day, and how often."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from ivr.call import CallState, Direction, Ending, Outcome
from ivr.handover import PERIOD_OVER, HandOver
from ivr.reported import Reported
from ivr.storage import calls, facts
from ivr.storage.database import Database
from ivr.storage.decisions import Signed, close_person
from ivr.storage.elsewhere import take_reported
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.storage.people import upsert_people
from ivr.storage.sessions import open_session, save_turn
from scheduler.dialer import look
from scheduler.rows import SETTLED
from tests.fakes.site import Clock, settings
from tests.rows import attempt_ends, call_ends, tasks
from tests.scheduler.desk import Desk, enter, handed, report
from tests.storage.records import DAY, HANAKO, NOW, SACHIKO, TARO, attempt, session, turn

#: Hanako and Taro are called in the morning, on one telephone; Sachiko in the afternoon.
SHARED, OWN = HANAKO.numbers


@pytest.fixture
def desk(database: Database, clock: Clock) -> Desk:
    return Desk(settings(), database, clock)


async def test_who_is_done_is_left_alone(desk: Desk) -> None:
    await report(desk, HANAKO.id)
    wish = NewFollowUp(DAY, "call_wished", TARO.id)
    await desk.database.write(open_follow_up, wish, NOW)
    assert await desk.look() == []
    await desk.database.write(close_person, SACHIKO.id, Signed("見本", "終了", NOW))
    assert await desk.look(300) == []
    assert await handed(desk) == {(DAY, TARO.id, "call_wished")}


async def test_whoever_reported_elsewhere_is_rung_no_more(desk: Desk) -> None:
    assert await desk.look() == [HANAKO.id]
    await desk.end(Outcome.NO_ANSWER)
    theirs = [Reported(f"c-{each.id}", each.id, DAY, 2) for each in (HANAKO, TARO)]
    await desk.database.write(take_reported, theirs, "r.csv", desk.clock.now())
    assert await desk.look(60) == []
    assert await desk.look(100) == []
    assert await handed(desk) == set()


async def test_a_person_is_tried_as_often_as_allowed_and_then_handed_over(desk: Desk) -> None:
    await desk.database.write(close_person, TARO.id, Signed("見本", "終了", NOW))
    numbers = []
    for minutes in (0, 30, 60):
        assert await desk.look(minutes) == [HANAKO.id]
        numbers.append(desk.rung[-1][1])
        await desk.end(Outcome.NO_ANSWER)
    assert numbers == [SHARED, OWN, SHARED]
    assert await desk.look() == []
    assert await handed(desk) == {(DAY, HANAKO.id, HandOver.NOT_REACHED)}
    assert await desk.look(5) == []
    assert len(await handed(desk)) == 1


async def test_with_the_gate_closed_nobody_is_rung_and_nobody_forgotten(desk: Desk) -> None:
    desk.is_open = False
    assert await desk.look() == []
    assert await desk.look(140) == []
    assert await handed(desk) == set()
    assert await desk.look(10) == []
    assert await handed(desk) == {
        (DAY, HANAKO.id, HandOver.WINDOW_OVER),
        (DAY, TARO.id, HandOver.WINDOW_OVER),
    }
    assert await desk.database.read(attempt_ends) == []
    desk.is_open = True
    assert await desk.look(150) == [SACHIKO.id]


async def test_a_period_that_ran_out_ends_no_calls_and_is_a_task_of_its_own(desk: Desk) -> None:
    over = replace(HANAKO, ends=DAY - timedelta(days=1))
    await desk.database.write(upsert_people, [over], NOW)
    await desk.database.write(close_person, TARO.id, Signed("見本", "終了", NOW))
    for minutes in (0, 30, 60):
        assert await desk.look(minutes) == [HANAKO.id]
        assert await handed(desk) == {(DAY, HANAKO.id, PERIOD_OVER)}
        await desk.end(Outcome.NO_ANSWER)
    assert await desk.look() == []
    # Not reached is a task as for everybody else, whatever a date says.
    assert await handed(desk) == {(DAY, HANAKO.id, PERIOD_OVER), (DAY, HANAKO.id, HandOver.NOT_REACHED)}


async def test_days_on_which_the_service_was_down_are_settled(desk: Desk) -> None:
    everybody = {HANAKO.id, TARO.id, SACHIKO.id}
    desk.is_open = False
    await desk.look(9 * 60)  # Monday evening
    assert {person for _, person, _ in await handed(desk)} == everybody
    await desk.look(12 * 60)  # Tuesday: that Monday is settled is known now
    assert await desk.database.read(facts.get_fact, SETTLED) == DAY.isoformat()
    desk.start()
    await desk.look(4 * 24 * 60 - 12 * 60)  # Friday evening
    days = [DAY + timedelta(days=each) for each in range(5)]
    assert await handed(desk) == {(day, person, HandOver.WINDOW_OVER) for day in days for person in everybody}
    assert await desk.database.read(facts.get_fact, SETTLED) == days[3].isoformat()


async def test_a_day_is_not_settled_while_somebody_still_talks(desk: Desk) -> None:
    """The service was down all day; Hanako rings shortly before midnight."""
    desk.clock.advance(14 * 60 + 50)
    began = desk.clock.now()

    def begin(connection: Connection) -> None:
        calls.start_call(connection, calls.Call("in", Direction.INBOUND, began, state=CallState.TALKING))
        open_session(connection, session("s-1"))
        save_turn(connection, "s-1", "in", turn(("temperature", "36.5")), began)

    await desk.database.write(begin)
    await desk.look(20)
    assert await handed(desk) == {(DAY, each.id, HandOver.WINDOW_OVER) for each in (TARO, SACHIKO)}
    assert await desk.database.read(facts.get_fact, SETTLED) is None
    await desk.database.write(calls.end_call, "in", Ending(None), Outcome.CUT_OFF, desk.clock.now())
    await desk.look(1)
    assert (DAY, HANAKO.id, HandOver.WINDOW_OVER) in await handed(desk)
    assert await desk.database.read(facts.get_fact, SETTLED) == DAY.isoformat()


async def test_the_day_before_the_first_start_is_settled_too(desk: Desk) -> None:
    desk.is_open = False
    await desk.look(24 * 60 - 60)
    assert {each for each in await handed(desk) if each[0] == DAY} == {
        (DAY, person.id, HandOver.WINDOW_OVER) for person in (HANAKO, TARO, SACHIKO)
    }


async def test_who_was_entered_after_the_slot_begins_tomorrow(desk: Desk) -> None:
    people = await enter(desk, 1)
    desk.clock.advance(180)  # 12:00; the roster says 9:00
    await desk.database.write(upsert_people, [replace(HANAKO, id="777777", numbers=("09000007777",))], desk.clock.now())
    await desk.look()
    assert await handed(desk) == {(DAY, people[0], HandOver.WINDOW_OVER)}
    assert await desk.look(21 * 60) == [people[0]]
    assert await desk.look(0.1) == ["777777"]


async def test_a_slot_that_the_settings_lack_is_a_follow_up_from_the_day_of_entry(desk: Desk) -> None:
    await enter(desk, 1, slots=("noon",))
    await desk.look(60)
    assert await handed(desk) == {(DAY, "000001", HandOver.NO_SLOT)}


async def test_who_has_no_number_or_a_dead_one_is_a_follow_up(desk: Desk) -> None:
    await desk.database.write(upsert_people, [replace(HANAKO, numbers=())], NOW)
    await desk.database.write(upsert_people, [replace(TARO, numbers=(SHARED, OWN))], NOW)
    assert await desk.look() == [TARO.id]
    await desk.end(Outcome.BAD_NUMBER)
    assert await desk.look(0.1) == [TARO.id]
    assert desk.rung == [(TARO.id, SHARED), (TARO.id, OWN)]
    await desk.end(Outcome.BAD_NUMBER)
    assert await desk.look(0.1) == []
    assert await handed(desk) == {(DAY, HANAKO.id, HandOver.NO_NUMBER), (DAY, TARO.id, HandOver.BAD_NUMBER)}


def forget_two_calls(connection: Connection) -> None:
    """One of ours to Hanako that nobody dialled, and one in which Taro rang: nobody holds either."""
    calls.plan_attempt(connection, attempt("a-1", number=SHARED))
    calls.start_call(connection, calls.Call("in", Direction.INBOUND, NOW, state=CallState.TALKING))
    open_session(connection, session("s-1", TARO))
    save_turn(connection, "s-1", "in", turn(("temperature", "36.5")), NOW)


async def test_what_never_ends_is_ended(desk: Desk) -> None:
    """A call whose end could not be stored must not keep its person from everybody for ever."""
    await desk.database.write(forget_two_calls)
    assert await desk.look(59) == []
    assert await desk.database.read(attempt_ends) == [("planned", None)]
    assert await desk.look(1.1) == []  # ended just now: the rows rest as after any such call
    assert await desk.database.read(attempt_ends) == [("ended", Outcome.UNKNOWN)]
    assert await desk.database.read(call_ends) == [("ended", Outcome.UNKNOWN)]
    assert await desk.look(3) == [TARO.id]


async def test_what_nobody_holds_is_ended_within_a_minute(desk: Desk) -> None:
    """Where memory can say which calls live, a row that says otherwise does not stand for an hour."""
    held = {"in"}
    desk.dialer.alive = lambda: frozenset(held)
    await desk.database.write(forget_two_calls)
    assert await desk.look(0.5) == []
    assert await desk.look(0.5) == []
    assert await desk.database.read(attempt_ends) == [("ended", Outcome.UNKNOWN)]
    assert await desk.database.read(call_ends) == [("talking", None)]
    held.clear()
    await desk.look(0.5)
    await desk.look(0.5)
    assert await desk.database.read(call_ends) == [("ended", Outcome.UNKNOWN)]


async def test_a_call_that_fails_before_it_is_dialled_has_failed(desk: Desk) -> None:
    desk.broken = True
    await look(desk.dialer)
    await asyncio.gather(*desk.dialer.under_way)
    assert await desk.database.read(attempt_ends) == [("ended", Outcome.FAILED)] * 2


async def test_a_report_after_the_hand_over_takes_the_task_back(desk: Desk) -> None:
    desk.is_open = False
    await desk.look(150)
    await report(desk, HANAKO.id)
    assert await handed(desk) == {(DAY, TARO.id, HandOver.WINDOW_OVER)}
    await desk.look(1)
    assert await handed(desk) == {(DAY, TARO.id, HandOver.WINDOW_OVER)}
    assert len(await desk.database.read(tasks)) == 2
