"""While the service runs both directions go on, each by itself, until it ends."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from ivr.errors import problem
from ivr.storage import pulled
from ivr.storage.alarms import standing_alarms
from ivr.storage.database import Database
from ivr.storage.outbox import backlog
from ivr.storage.people import list_people
from ivr.sync.delivery import Link
from ivr.sync.exchange import serve
from sandbox.centre import Centre
from sandbox.certificates import Certificates
from tests.fakes.site import Clock, settings
from tests.storage.records import NOW, SACHIKO
from tests.sync.changes import said
from tests.sync.conftest import file, settings_of

NEW = replace(SACHIKO, id="200002")


async def short(_: float) -> None:
    await asyncio.sleep(0.01)


async def until(happened: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await happened():  # noqa: ASYNC110 - rows tell nobody
            await asyncio.sleep(0.01)


async def is_here(database: Database) -> bool:
    return NEW.id in {each.id for each in await database.read(list_people)}


async def test_reports_leave_and_people_come_in(
    database: Database, centre: Centre, certificates: Certificates, clock: Clock
) -> None:
    await file(database, 0)
    centre.changes.put(said(NEW))
    config = settings(sync=settings_of(centre.url, certificates, pull_seconds=1))
    serving = asyncio.create_task(serve(config, database, clock.now, lambda: 1.0, short))
    await until(lambda: is_here(database))

    async def all_left() -> bool:
        return not (await database.read(backlog)).unsent

    await until(all_left)
    assert len(centre.documents()) == 1
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving


async def test_what_goes_wrong_ends_neither(
    database: Database,
    centre: Centre,
    certificates: Certificates,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fault of ours, such as a full disk brings about: the next look goes well."""
    left = 2
    original = pulled.get_pulled

    def failing(*arguments: object) -> object:
        nonlocal left
        left -= 1
        if left >= 0:
            raise RuntimeError("a fault")
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(pulled, "get_pulled", failing)
    centre.changes.put(said(NEW))
    config = settings(sync=settings_of(centre.url, certificates))
    serving = asyncio.create_task(serve(config, database, clock.now, lambda: 1.0, short))
    await until(lambda: is_here(database))
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    assert [each.getMessage() for each in caplog.records].count("fetching failed") == 2


async def test_where_the_centre_is_not_asked_nothing_of_it_stands(
    database: Database, certificates: Certificates, clock: Clock
) -> None:
    refused = Link(problem=pulled.BAD_PAGE, stopped=True)
    await database.write(pulled.stand, refused, [problem("changes.kind", "f", 1)], NOW)
    assert await database.read(standing_alarms) == ((pulled.REFUSED, ""),)
    given = settings_of("https://127.0.0.1:1", certificates, pull_seconds=0)
    serving = asyncio.create_task(serve(settings(sync=given), database, clock.now, lambda: 1.0, short))

    async def nothing_stands() -> bool:
        return await database.read(standing_alarms) == ()

    await until(nothing_stands)
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
