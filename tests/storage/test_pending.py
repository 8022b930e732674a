"""What must be written although the storage fails: in order, until it is written; and staff are told of the faults."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from ivr.errors import StorageError, problem
from ivr.storage import pending
from ivr.storage.database import Database
from ivr.storage.facts import get_fact, set_fact
from ivr.storage.pending import FAULT, QUIET, STORAGE, PendingWrites
from ivr.storage.schema_house import alarms
from tests.storage.records import NOW

FULL = StorageError(problem("storage.full", "kenko-call.db", reason="database or disk is full"))


class Failing:
    """A database whose writes fail while `fails`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.fails = False
        self.tries = 0
        self.pending = PendingWrites(self.write)

    async def write(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        self.tries += 1
        if self.fails:
            await asyncio.sleep(0)
            raise FULL
        return await self.database.write(function, *args, **kwargs)


@pytest.fixture
def failing(database: Database) -> Failing:
    return Failing(database)


async def told(failing: Failing) -> list[tuple[str, str, str, bool]]:
    def read(connection: Connection) -> list[tuple[str, str, str, bool]]:
        found = connection.execute(select(alarms).order_by(alarms.c.id))
        return [(row.kind, row.subject, row.details, row.ended_at is None) for row in found]

    return await failing.database.read(read)


async def test_what_can_be_written_is_written_at_once(failing: Failing) -> None:
    await failing.pending.write(set_fact, "a", "1")
    assert await failing.pending.write(get_fact, "a") == "1"
    assert len(failing.pending) == 0


async def test_what_cannot_is_kept_in_its_order(failing: Failing) -> None:
    failing.fails = True
    for value in ("1", "2", "3"):
        await failing.pending.write(set_fact, "a", value)
    assert not await failing.pending.flush()
    failing.fails = False
    await failing.pending.write(set_fact, "b", "4")
    assert await failing.database.read(get_fact, "a") == "3"
    assert await failing.database.read(get_fact, "b") == "4"
    assert len(failing.pending) == 0


async def test_many_at_once_meet_one_failure_and_not_one_each(failing: Failing) -> None:
    """A lock takes five seconds to fail: twenty calls that end meanwhile must not wait for it one after another."""
    failing.fails = True
    await asyncio.gather(*(failing.pending.write(set_fact, "a", str(each)) for each in range(20)))
    assert failing.tries == 1
    failing.fails = False
    assert await failing.pending.flush()
    assert await failing.database.read(get_fact, "a") == "19"


async def test_one_that_is_cancelled_is_written_all_the_same(failing: Failing) -> None:
    failing.fails = True
    writing = asyncio.create_task(failing.pending.write(set_fact, "a", "1"))
    await asyncio.sleep(0)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    failing.fails = False
    assert await failing.pending.flush()
    assert await failing.database.read(get_fact, "a") == "1"


async def test_one_that_never_succeeds_keeps_back_no_other(failing: Failing) -> None:
    def impossible(connection: Connection) -> None:
        raise LookupError

    failing.fails = True
    await failing.pending.write(impossible)
    await failing.pending.write(set_fact, "a", "1")
    failing.fails = False
    assert await failing.pending.flush()
    assert await failing.database.read(get_fact, "a") == "1"
    await failing.pending.tell(NOW)
    assert sorted(await told(failing)) == [
        (FAULT, "write_impossible", "1× LookupError", True),
        (STORAGE, "", "2× write_kept", True),
    ]


async def test_memory_has_an_end(failing: Failing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "MOST_KEPT", 2)
    failing.fails = True
    for each in range(3):
        await failing.pending.write(set_fact, "a", str(each))
    assert len(failing.pending) == 2


async def test_staff_are_told_as_soon_as_it_can_be_written_and_once(failing: Failing) -> None:
    for action in ("dialer_failed", "call_failed", "dialer_failed"):
        failing.pending.note(action, FULL)
    failing.pending.note("sync_failed", KeyError("a"))
    failing.fails = True
    with pytest.raises(StorageError):
        await failing.pending.tell(NOW)
    assert await told(failing) == []
    failing.fails = False
    await failing.pending.tell(NOW)
    both = [(FAULT, "sync_failed", "1× KeyError", True), (STORAGE, "", "3× call_failed, dialer_failed", True)]
    assert sorted(await told(failing)) == both
    tries = failing.tries
    await failing.pending.tell(NOW + QUIET - timedelta(seconds=1))
    assert failing.tries == tries
    failing.pending.note("call_failed", FULL)
    await failing.pending.tell(NOW + QUIET)
    assert sorted(await told(failing)) == [
        (FAULT, "sync_failed", "1× KeyError", False),
        (STORAGE, "", "4× call_failed, dialer_failed", True),
    ]


async def test_what_a_process_before_told_is_over_when_the_next_one_has_nothing(failing: Failing) -> None:
    failing.pending.note("call_failed", FULL)
    await failing.pending.tell(NOW)
    await PendingWrites(failing.write).tell(NOW)
    assert await told(failing) == [(STORAGE, "", "1× call_failed", False)]


async def test_it_goes_on_trying_until_it_is_cancelled(failing: Failing) -> None:
    failing.fails = True
    await failing.pending.write(set_fact, "a", "1")
    failing.pending.note("call_failed", FULL)
    pauses = 0

    async def sleep(seconds: float) -> None:
        nonlocal pauses
        pauses += 1
        failing.fails = pauses < 3
        if pauses == 5:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await failing.pending.run(lambda: NOW, sleep)
    assert await failing.database.read(get_fact, "a") == "1"
    assert await told(failing) == [(STORAGE, "", "5× call_failed, write_kept", True)]
