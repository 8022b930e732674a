"""What is deleted, and when."""

import asyncio
import contextlib

import pytest

from ivr.errors import StorageError, problem
from ivr.identity import Verdict
from ivr.site import Site
from ivr.storage.callers import Try, try_caller
from ivr.tidying import EVERY_SECONDS, KEPT, keep_tidy
from tests.storage.records import BORN, SACHIKO
from tests.storage.test_guessing import verdicts


async def test_every_day_what_is_old_is_deleted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Try(SACHIKO.id, BORN, None, site.today() - KEPT, site.now() - KEPT * 2)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            raise asyncio.CancelledError
        # The first look deleted what there was; before the second there is more.
        assert await site.database.read(verdicts) == []
        await site.database.write(try_caller, old, "key")

    await site.database.write(try_caller, old, "key")
    assert await site.database.read(verdicts) == [Verdict.PASSED]
    with contextlib.suppress(asyncio.CancelledError):
        await keep_tidy(lambda: site, sleep)
    assert slept == [EVERY_SECONDS] * 2
    assert await site.database.read(verdicts) == []


async def test_a_database_that_cannot_be_written_is_tried_again_tomorrow(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(*_: object) -> None:
        raise StorageError(problem("pbx.closed"))

    async def sleep(seconds: float) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(site.database, "write", refuse)
    with contextlib.suppress(asyncio.CancelledError):
        await keep_tidy(lambda: site, sleep)
    assert [each.__dict__["action"] for each in caplog.records] == ["not_tidied"]
