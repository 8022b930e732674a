"""Days without a centre: calls notice nothing, nothing is lost, and what has piled up leaves in few and small steps.

With KENKO_LONG set there are 50,000 reports.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from ivr.person import Person
from ivr.questionnaire.model import SessionStatus
from ivr.storage import link as links
from ivr.storage import outbox
from ivr.storage.alarms import standing_alarms
from ivr.storage.database import Database
from ivr.storage.outbox import all_rows, backlog
from ivr.storage.people import upsert_people
from ivr.storage.sessions import save_turn
from ivr.sync.delivery import LONGEST_WAIT, PROBE, ROUND, State
from ivr.sync.http_carrier import HttpCarrier
from ivr.sync.push import Push
from sandbox.centre import Centre
from sandbox.certificates import Certificates
from tests.fakes.site import Clock
from tests.storage.records import NOW, begin_session, turn
from tests.sync.conftest import Make, settings_of
from tests.sync.test_push import stored_exactly

LONG = bool(os.environ.get("KENKO_LONG"))
DAYS, SLOTS = 7, 2
PEOPLE = [
    Person(f"{index:08d}", "見本", "ミホン", (f"0900{index:07d}",), ("morning",))
    for index in range(3572 if LONG else 12)
]
REPORTS = len(PEOPLE) * DAYS * SLOTS
#: Minutes from one look of the virtual clock to the next.
STEP = 20


class Watched(Database):
    """Writes down what is written, and by whom."""

    done: list[tuple[str, int]]  #: name of the function, rows that it took or settled
    going: dict[str, int]  #: task -> transactions that it has asked for and that are not over
    ahead: list[int]  #: for each write of a call: the sender's transactions before it

    async def write(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        task = asyncio.current_task()
        assert task is not None
        if task.get_name() == "call":
            self.ahead.append(sum(count for name, count in self.going.items() if name != "call"))
        self.going[task.get_name()] = self.going.get(task.get_name(), 0) + 1
        try:
            found = await super().write(function, *args, **kwargs)
        finally:
            self.going[task.get_name()] -= 1
        rows = len(found) if function is outbox.take else len(args[0]) if function is links.close_round else 0
        self.done.append((function.__name__, rows))
        return found


@pytest.fixture
def watched(database: Database) -> Watched:
    database.__class__ = Watched
    assert isinstance(database, Watched)
    database.done, database.going, database.ahead = [], {}, []
    return database


def report(connection: Connection, number: int, clock: Clock) -> None:
    """As a call leaves it."""
    person = PEOPLE[number % len(PEOPLE)]
    begin_session(connection, f"s-{number}", person, clock.now().date() + timedelta(days=number))
    given = turn(("temperature", "36.5"), ("cough", "no"), status=SessionStatus.COMPLETED)
    save_turn(connection, f"s-{number}", None, given, clock.now())


def reports(connection: Connection, numbers: range, clock: Clock) -> None:
    for number in numbers:
        report(connection, number, clock)


@pytest.mark.timeout(1800 if LONG else 120)
async def test_seven_days_without_a_centre(
    watched: Watched, centre: Centre, certificates: Certificates, make: Make, clock: Clock
) -> None:
    await watched.write(upsert_people, PEOPLE, NOW)
    push = make(settings_of(centre.url, certificates))
    await centre.stop()
    await push.begin()
    looks = 0
    for slot in range(DAYS * SLOTS):
        for first in range(slot * len(PEOPLE), (slot + 1) * len(PEOPLE), 100):
            await watched.write(reports, range(first, min(first + 100, (slot + 1) * len(PEOPLE))), clock)
        for _ in range(24 * 60 // SLOTS // STEP):
            await push.turn()
            clock.advance(STEP)
            looks += 1
    # It never gave up, and tried a few documents each time: how often, tests/sync/test_push.py says.
    rounds = [size for name, size in watched.done if name == "take"]
    assert len(rounds) == looks
    assert max(rounds[1:]) <= PROBE
    found = await watched.read(backlog)
    assert (found.unsent, found.parked, found.acknowledged) == (REPORTS, 0, 0)
    assert found.age(clock.now()) == DAYS * 24 * 3600
    assert ("sync_old", "") in await watched.read(standing_alarms)

    watched.done.clear()
    await centre.start()
    back = clock.now()
    turns = 0
    while (await watched.read(backlog)).unsent:
        more = await push.turn()
        turns += 1
        if not more:
            clock.advance(0.5)
    # Found at the latest after the longest wait, and what was tried last waits once more for as long; the rest of the
    # time it sent. One of a person in a round, so there is a round for every slot at least.
    assert clock.now() - back <= timedelta(seconds=2 * LONGEST_WAIT + 60)
    rounds = [size for name, size in watched.done if name == "take"]
    assert len(rounds) <= REPORTS / min(ROUND, len(PEOPLE)) + 10
    assert max(size for _, size in watched.done) <= ROUND
    assert {name for name, _ in watched.done} == {"take", "close_round", "watch"}
    # Each document was sent once: nothing of the seven days made work twice.
    assert centre.requests == REPORTS
    frozen = await watched.read(all_rows, 10**6)
    stored_exactly(centre, frozen)
    assert {each.state for each in frozen} == {State.ACKNOWLEDGED}
    arrived = {key: at for at, (key, _) in enumerate(centre.documents())}
    order: dict[str, list[int]] = {}
    for each in frozen:
        order.setdefault(each.about, []).append(arrived[each.key])
    assert len(order) == len(PEOPLE)
    assert all(came == sorted(came) for came in order.values())
    clock.advance(1)
    await push.turn()
    assert await watched.read(standing_alarms) == ()


async def test_a_call_waits_for_one_transaction_of_the_sender_at_most(
    watched: Watched, centre: Centre, certificates: Certificates, clock: Clock
) -> None:
    await watched.write(upsert_people, PEOPLE, NOW)
    await watched.write(reports, range(120), clock)
    settings = settings_of(centre.url, certificates)

    async def sleep(_: float) -> None:
        clock.advance(1)
        await asyncio.sleep(0)

    async def call() -> None:
        for number in range(120, 240):
            await watched.write(report, number, clock)

    push = Push(watched, HttpCarrier(settings), settings, clock.now, lambda: 1.0, sleep)
    sending = asyncio.create_task(push.run(), name="sync")
    await asyncio.create_task(call(), name="call")
    async with asyncio.timeout(30):
        while (await watched.read(backlog)).unsent:  # noqa: ASYNC110, a row has no event
            await asyncio.sleep(0.01)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert len(watched.ahead) == 120
    assert set(watched.ahead) == {0, 1}
    stored_exactly(centre, await watched.read(all_rows))


# --- what one transaction of the sender costs, in steps of SQLite's machine: the same on every computer ---


@contextmanager
def counting(connection: Connection) -> Iterator[list[int]]:
    """How often SQLite has done a hundred steps."""
    counted = [0]

    def step() -> int:
        counted[0] += 1
        return 0

    raw = connection.connection.driver_connection
    assert raw is not None
    raw.set_progress_handler(step, 100)
    try:
        yield counted
    finally:
        raw.set_progress_handler(None, 0)


def cost(connection: Connection, function: Callable[..., Any], *args: Any) -> tuple[int, Any]:
    with counting(connection) as counted:
        found = function(connection, *args)
    return counted[0], found


async def test_a_round_costs_the_same_however_much_waits(database: Database, clock: Clock) -> None:
    await database.write(upsert_people, PEOPLE, NOW)
    costs = []
    link = await database.read(links.get_link)
    for first, last in ((0, 60), (60, 960)):
        await database.write(reports, range(first, last), clock)
        taking, taken = await database.write(cost, outbox.take, PROBE, clock.now(), 60.0)
        closing, _ = await database.write(cost, links.close_round, (), [each.id for each in taken], link, clock.now())
        watching, _ = await database.write(cost, links.watch, clock.now(), 4.0)
        costs.append((taking, closing, watching))
    (taking, closing, watching), (later_taking, later_closing, later_watching) = costs
    assert taking > 0
    assert later_taking <= 1.5 * taking + 1
    assert later_closing <= 1.5 * closing + 1
    assert later_watching <= 1.5 * watching + 1
