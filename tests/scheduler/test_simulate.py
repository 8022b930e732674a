"""The same loop on a virtual clock: nobody is dropped, every line is used, and time does not grow with the roster."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import count, cycle
from random import Random
from typing import Any

import pytest

from ivr.call import Outcome
from ivr.config import Config
from ivr.storage import agenda, calls
from ivr.storage.database import Database
from ivr.storage.decisions import Signed, close_person
from ivr.storage.people import upsert_people
from scheduler.clock import ClockGuard
from scheduler.dialer import Dialer, look
from scheduler.memory import MemoryRows
from scheduler.model import Model, made_up_people
from scheduler.rows import DatabaseRows, Rows
from scheduler.simulate import World
from scheduler.tally import Result
from tests.fakes.site import Clock, settings
from tests.scheduler.desk import Desk, report
from tests.storage.records import HANAKO, NOW, SACHIKO, TARO

DAY = date(2025, 1, 6)
WHOLE_DAY = {"day": {"from": "8:00", "until": "21:00"}}


def with_lines(lines: int, reserved: int = 0, **other: object) -> Config:
    pace = {"total": lines, "reserved_for_inbound": reserved, "calls_per_second": 20}
    return settings(**({"lines": pace, "slots": WHOLE_DAY} | other))


#: No telephone is rung again after these.
NEVER_AGAIN = (Outcome.ANSWERED, Outcome.BAD_NUMBER)


def simulated(config: Config, people: int, model: Model, seed: int = 1) -> tuple[World, Result]:
    world = World(config, made_up_people(people, tuple(config.slots)), DAY, model, Random(seed))
    return world, world.run()


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(Model(), id="an ordinary day"),
        pytest.param(Model(answered=0.0), id="nobody answers"),
        pytest.param(Model(faults=0.3), id="a bad network"),
        pytest.param(Model(crashes=5), id="killed five times"),
        pytest.param(Model(closed=0.2, reports_in=0.3), id="decisions and reports by other ways"),
    ],
)
def test_everybody_ends_in_exactly_one_way(model: Model) -> None:
    world, result = simulated(with_lines(12, 2), 400, model)
    assert result.dropped == 0
    assert result.reported + result.follow_up + result.excluded == result.people == 400
    assert 1 <= result.most_at_once <= 10
    assert all(row.settled for row in world.rows.rows.values())
    for (_, day), mine in world.rows.attempts.items():
        assert day == DAY
        assert sum(each.outcome is not Outcome.CONGESTION for each in mine) <= 3


def test_the_same_seed_is_the_same_day() -> None:
    one, other, third = (simulated(with_lines(5), 100, Model(), seed)[1] for seed in (1, 1, 2))
    assert one == other
    assert one != third


def test_the_lines_are_used_while_anybody_is_due() -> None:
    _, result = simulated(with_lines(20), 2000, Model())
    assert 0.97 <= result.utilisation <= 1.0


#: A bad number is rung again half an hour later, whatever the settings: near the end that is the last call, alone.
NO_BAD_NUMBER: dict[Outcome, float] = {
    each: part for each, part in Model().otherwise.items() if each is not Outcome.BAD_NUMBER
}


def retries_after(seconds: float) -> dict[str, Any]:
    """Settings with which every call in vain is made again so soon, twice."""
    again = {str(each): [seconds, seconds] for each in Outcome if each not in NEVER_AGAIN}
    return {"dialling": {"retry_seconds": again, "rest_seconds": 0, "attempts": 3}}


@pytest.mark.parametrize(
    ("people", "model", "other"),
    [
        pytest.param(1000, Model(answered=1.0, cut_off=0.0, reports_in=0.0), {}, id="all answer"),
        pytest.param(1000, Model(reports_in=0.0, otherwise=NO_BAD_NUMBER), retries_after(30), id="short retries"),
        pytest.param(1000, Model(answered=0.0, reports_in=0.0), retries_after(30), id="nobody answers"),
        pytest.param(
            1000,
            Model(faults=0.1, crashes=3, otherwise=NO_BAD_NUMBER),
            retries_after(30),
            id="killed three times",
        ),
    ],
)
def test_the_last_call_ends_when_it_must(people: int, model: Model, other: dict[str, Any]) -> None:
    """Longest-processing-time bound: all work on all lines, or the longest chain of calls; none ends earlier."""
    _, result = simulated(with_lines(10, **other), people, model)
    assert (result.attempts > people) is bool(other)
    assert result.lower_bound <= result.lower_bound_as_due <= result.makespan <= 1.05 * result.lower_bound
    assert 0.97 <= result.utilisation <= 1.0


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(Model(), id="an ordinary day"),
        pytest.param(Model(answered=0.0), id="nobody answers"),
        pytest.param(Model(faults=0.3, crashes=3), id="a bad network, killed three times"),
    ],
)
def test_retries_wait_for_nothing_but_what_the_settings_want(model: Model) -> None:
    """Half an hour and more between two tries: the end is theirs, and no line was idle while anybody was due."""
    _, result = simulated(with_lines(10), 600, model)
    assert result.lower_bound <= result.lower_bound_as_due <= result.makespan <= 1.05 * result.lower_bound_as_due
    assert 0.97 <= result.utilisation <= 1.0


def test_two_trunks_carry_what_both_can() -> None:
    trunks = [
        {"name": "one", "total": 6, "reserved_for_inbound": 1, "calls_per_second": 20},
        {"name": "two", "total": 5, "reserved_for_inbound": 0, "calls_per_second": 20},
    ]
    _, result = simulated(with_lines(4, trunks=trunks), 500, Model())
    assert result.most_at_once == 10
    assert result.utilisation >= 0.97


def test_calls_spread_over_the_hour_when_wished() -> None:
    fast = simulated(with_lines(50), 300, Model(answered=1.0, reports_in=0.0))[0]
    slow = simulated(with_lines(50, dialling={"spread_minutes": 60}), 300, Model(answered=1.0, reports_in=0.0))[0]
    spans = [max(each.first_calls.values()) - min(each.first_calls.values()) for each in (fast, slow)]
    assert spans[0] < timedelta(minutes=15)
    assert timedelta(minutes=55) < spans[1] < timedelta(minutes=65)


def test_time_per_decision_does_not_grow_with_the_roster(capsys: pytest.CaptureFixture[str]) -> None:
    spent = {}
    for people in (1000, 10_000):
        world = World(with_lines(200), made_up_people(people, ("day",)), DAY, Model(), Random(1))
        began = time.process_time()
        result = world.run()
        spent[people] = (time.process_time() - began) / result.decisions
    with capsys.disabled():
        print({people: f"{1e6 * each:.0f} µs a decision" for people, each in spent.items()})  # noqa: T201
    # The day itself costs something, so a small roster pays more for each; ten times the people must not pay more.
    assert spent[10_000] < 1.2 * spent[1000]


ENDS = (
    Outcome.NO_ANSWER,
    Outcome.BUSY,
    Outcome.ANSWERED,
    Outcome.CUT_OFF,
    Outcome.CONGESTION,
    Outcome.NO_KEY,
    Outcome.BAD_NUMBER,
    Outcome.ANSWERED,
    Outcome.UNREACHABLE,
)


async def play(rows: Rows, finish: Callable[[calls.Attempt, Outcome, datetime], Awaitable[None]]) -> list[object]:
    """A day in steps of five minutes: every call with its moment, and how each row of the agenda ended."""
    clock, ends = Clock(NOW - timedelta(hours=1)), cycle(ENDS)
    rung: list[object] = []
    numbers = count(1)

    async def ring(attempt: calls.Attempt, trunk: str) -> None:
        rung.append((clock.now(), attempt.person_id, attempt.number))
        await asyncio.sleep(0)
        await finish(attempt, next(ends), clock.now())

    dialer = Dialer(
        with_lines(2, 1),
        rows,
        ring,
        is_open=lambda: True,
        inbound_now=lambda: 0,
        now=clock.now,
        new_id=lambda: f"a-{next(numbers):04}",
        clock=ClockGuard(clock.now, lambda: clock.now().timestamp(), lambda: True),
    )
    for _ in range(14 * 12):
        await look(dialer)
        while dialer.under_way:
            await asyncio.gather(*dialer.under_way)
        clock.advance(5)
    return rung


async def test_the_record_in_memory_decides_as_the_database_does(database: Database, clock: Clock) -> None:
    """The same people and the same ends of calls: whom each rings, when and where, and whom staff get."""
    people = [replace(each, name="見本", kana="ミホン") for each in made_up_people(15, ("day",), household=3)]
    entered = NOW - timedelta(days=1)
    memory = MemoryRows()
    for each in people:
        memory.enter(each, entered)
    for each in (HANAKO, TARO, SACHIKO):
        await database.write(close_person, each.id, Signed("見本", "終了", NOW - timedelta(days=9)))
    await database.write(upsert_people, people, entered)
    desk = Desk(with_lines(2, 1), database, clock)

    async def in_memory(attempt: calls.Attempt, outcome: Outcome, at: datetime) -> None:
        if outcome is Outcome.ANSWERED:
            memory.report(attempt.person_id, attempt.day)
        memory.end(attempt.id, attempt.person_id, attempt.day, outcome, at)

    async def in_database(attempt: calls.Attempt, outcome: Outcome, at: datetime) -> None:
        if outcome is Outcome.ANSWERED:
            await report(desk, attempt.person_id)
        await database.write(calls.end_attempt, attempt.id, outcome, at)

    one, other = await play(memory, in_memory), await play(DatabaseRows(database), in_database)
    assert one == other
    assert len(one) > 20
    stored = {each.person_id: each.settled for each in await database.read(agenda.rows_of_day, DAY)}
    assert {key: stored[key] for key, day, _ in memory.rows if day == DAY} == {
        key: row.settled for (key, day, _), row in memory.rows.items() if day == DAY
    }
