"""One write or read that fails once: everybody is rung and has an end, without a restart and within a minute."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, update

from ivr.call import Outcome
from ivr.errors import StorageError, problem
from ivr.storage import agenda
from ivr.storage.alarms import standing_alarms
from ivr.storage.calls import Attempt
from ivr.storage.database import Database
from ivr.storage.schema import agenda as agenda_table
from scheduler.dialer import POLL, tick
from scheduler.jobs import guarded, jobs_of
from tests.fakes.site import Clock, settings
from tests.faults.storage import Fault, FaultyStorage, Kind
from tests.rows import attempt_ends
from tests.scheduler.desk import Desk, enter, handed, report
from tests.storage.records import DAY

MANY_LINES = {"total": 70, "reserved_for_inbound": 1, "calls_per_second": 20}


@pytest.fixture
def desk(database: Database, clock: Clock) -> Desk:
    return Desk(settings(lines=MANY_LINES), database, clock)


class Failing:
    """Lets what is asked of a desk's database fail for which `when` is true, given its name."""

    def __init__(self, desk: Desk) -> None:
        self.when: Callable[[str], bool] = lambda name: False
        for way in ("read", "write"):
            setattr(desk.database, way, self._maybe(getattr(desk.database, way)))

    def _maybe(self, real: Callable[..., object]) -> Callable[..., object]:
        async def maybe(function: Callable[..., object], /, *args: object, **kwargs: object) -> object:
            if self.when(function.__name__):
                raise StorageError(problem("storage.full", "kenko-call.db", reason="database or disk is full"))
            return await real(function, *args, **kwargs)  # type: ignore[misc]

        return maybe


async def pass_a_minute(desk: Desk) -> None:
    """As the jobs do it, whatever fails: a tick every second, which begins one call, and the others twice."""
    for second in range(60):
        desk.clock.advance(1 / 60)
        for job in jobs_of(desk.dialer):
            if job.id == "tick" or second % 30 == 29 or not desk.dialer.loaded:
                await guarded(desk.dialer, job)
        await desk.database.pending.flush()
        await desk.all_ringing()


@pytest.mark.parametrize("name", ["begin_attempt", "facts_of", "get_person", "start_call"])
async def test_one_that_fails_once_costs_nobody_their_call(desk: Desk, name: str) -> None:
    """C1: 41 of 60 were never rung and never handed over, because one `begin_attempt` failed once."""
    people = await enter(desk, 60)
    desk.clock.advance(24 * 60)
    failing = Failing(desk)
    left = 1

    def once(asked: str) -> bool:
        nonlocal left
        left -= asked == name
        return asked == name and left == 0

    failing.when = once
    await pass_a_minute(desk)
    await pass_a_minute(desk)
    assert len(desk.rung) == len(desk.live)
    assert len(desk.rung) >= 59
    desk.clock.advance(16)  # for the one whose attempt failed before anything was dialled
    await pass_a_minute(desk)
    assert sorted(person for person, _ in desk.rung) == sorted(people)


async def test_while_the_storage_fails_nobody_is_rung_and_then_everybody(desk: Desk) -> None:
    people = await enter(desk, 20)
    desk.clock.advance(24 * 60)
    failing = Failing(desk)
    await guarded(desk.dialer, next(each for each in jobs_of(desk.dialer) if each.id == "plan"))
    failing.when = lambda name: name not in ("to_plan", "get_fact")
    await pass_a_minute(desk)
    assert desk.rung == []
    failing.when = lambda name: False
    await pass_a_minute(desk)
    assert sorted(person for person, _ in desk.rung) == sorted(people)
    await desk.database.pending.tell(desk.clock.now())
    assert ("storage_failed", "") in await desk.database.read(standing_alarms)


async def test_the_window_ends_while_the_storage_fails(desk: Desk) -> None:
    people = await enter(desk, 5)
    desk.clock.advance(24 * 60)
    desk.is_open = False
    await desk.look()
    failing = Failing(desk)
    failing.when = lambda name: name == "hand_over"
    desk.clock.advance(149)
    await pass_a_minute(desk)
    await pass_a_minute(desk)
    failing.when = lambda name: False
    await pass_a_minute(desk)
    assert {person for day, person, _ in await handed(desk) if day == DAY + timedelta(days=1)} == set(people)


@pytest.mark.parametrize(("outcome", "minutes"), [(Outcome.BUSY, 15), (Outcome.CUT_OFF, 5), (Outcome.NO_ANSWER, 30)])
async def test_what_a_call_came_to_is_known_when_it_can_be_written(
    desk: Desk, outcome: Outcome, minutes: float
) -> None:
    """C2: its person was neither rung nor handed over for up to an hour."""
    (person,) = await enter(desk, 1)
    desk.clock.advance(24 * 60)
    assert await desk.look() == [person]
    failing = Failing(desk)
    failing.when = lambda name: name in ("end_call", "end_of_attempt")
    await desk.end(outcome)
    assert await desk.database.read(attempt_ends) == [("dialing", None)]
    await pass_a_minute(desk)
    failing.when = lambda name: False
    await pass_a_minute(desk)
    assert await desk.database.read(attempt_ends) == [("ended", outcome)]
    assert await desk.look(minutes - 3) == []
    assert await desk.look(1.1) == [person]


async def test_who_is_due_in_the_rows_alone_is_found_within_a_minute(desk: Desk) -> None:
    people = await enter(desk, 3)
    desk.clock.advance(24 * 60 - 1)
    await desk.look()
    desk.dialer.queue.drop((people[1], (DAY + timedelta(days=1)).isoformat(), "morning"))
    desk.clock.advance(1)
    await pass_a_minute(desk)
    assert sorted(person for person, _ in desk.rung) == people
    await desk.database.pending.tell(desk.clock.now())
    assert ("fault", "people_forgotten") in await desk.database.read(standing_alarms)


async def test_a_row_that_is_due_before_memory_thinks_so_is_found_too(desk: Desk) -> None:
    (person,) = await enter(desk, 1)
    desk.clock.advance(24 * 60)
    assert await desk.look() == [person]
    await desk.end(Outcome.BUSY)

    def earlier(connection: Connection) -> None:
        soon = desk.clock.now() + timedelta(minutes=1)
        mine = (agenda_table.c.person_id == person, agenda_table.c.settled.is_(None))
        connection.execute(update(agenda_table).where(*mine).values(next_at=soon))

    await desk.database.write(earlier)
    before = desk.dialer.decisions
    desk.clock.advance(1)
    await pass_a_minute(desk)
    assert desk.dialer.decisions > before
    rows = await desk.database.read(agenda.rows_of_day, DAY + timedelta(days=1))
    (next_at,) = [each.next_at for each in rows if each.person_id == person]
    assert next_at is not None
    assert next_at > desk.clock.now() + POLL


async def test_one_person_who_cannot_be_decided_about_keeps_back_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = await enter(desk, 10)
    desk.clock.advance(24 * 60)
    facts_of = desk.dialer.rows.facts_of

    async def broken(person_id: str, day: object) -> object:
        if person_id == people[2]:
            raise KeyError("a mistake of ours")
        return await facts_of(person_id, day)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.dialer.rows, "facts_of", broken)
    await pass_a_minute(desk)
    assert sorted(person for person, _ in desk.rung) == [each for each in people if each != people[2]]
    await desk.database.pending.tell(desk.clock.now())
    assert ("fault", "person_failed") in await desk.database.read(standing_alarms)
    monkeypatch.undo()
    await pass_a_minute(desk)
    assert sorted(person for person, _ in desk.rung) == people


async def test_a_call_of_somebody_who_was_erased_keeps_back_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = await enter(desk, 3)
    desk.clock.advance(24 * 60)
    assert await desk.look() == people[:1]
    end_of = desk.dialer.rows.end_of

    async def gone(attempt: Attempt) -> object:
        if attempt.person_id == people[0]:
            raise LookupError(attempt.id)
        return await end_of(attempt)

    monkeypatch.setattr(desk.dialer.rows, "end_of", gone)
    await desk.end(Outcome.BUSY)
    await pass_a_minute(desk)
    assert [person for person, _ in desk.rung] == people
    assert desk.dialer.over == []


async def test_a_mistake_of_ours_at_the_end_of_a_call_keeps_back_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = await enter(desk, 3)
    desk.clock.advance(24 * 60)
    assert await desk.look() == people[:1]

    async def broken(attempt: Attempt) -> object:
        raise ValueError("a mistake of ours")

    monkeypatch.setattr(desk.dialer.rows, "end_of", broken)
    await desk.end(Outcome.BUSY)
    monkeypatch.undo()
    await pass_a_minute(desk)
    assert [person for person, _ in desk.rung] == people
    await desk.look(15)
    assert desk.rung[-1][0] == people[0]


async def test_a_task_that_dies_in_the_middle_of_a_look_takes_nobody_with_it(desk: Desk) -> None:
    people = await enter(desk, 4)
    desk.clock.advance(24 * 60)
    await guarded(desk.dialer, next(each for each in jobs_of(desk.dialer) if each.id == "plan"))
    FaultyStorage(Fault(Kind.CANCELLED, 3)).install(desk.database)
    await asyncio.gather(asyncio.ensure_future(tick(desk.dialer)), return_exceptions=True)
    desk.dialer.alive = lambda: frozenset(f"c-{each.attempt.id}" for each in desk.live)
    for _ in range(2):
        await pass_a_minute(desk)
    await report(desk, people[0])
    desk.clock.advance(16)
    await pass_a_minute(desk)
    assert {person for person, _ in desk.rung} >= set(people[1:])
    assert not [row for row in await desk.database.read(attempt_ends) if row[0] == "planned"]
