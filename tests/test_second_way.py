"""The service with FastAGI: callers are taken while ARI is away, and ARI's list of calls does not end theirs."""

import asyncio
import os
import signal
from pathlib import Path
from typing import cast

import pytest

from ivr.call import CallState, Outcome
from ivr.config import Config
from ivr.fastagi.server import AgiServer
from ivr.service import Desk, serve
from ivr.site import Site
from ivr.storage.calls import get_call
from ivr.storage.database import open_database, open_reader
from tests.fakes.ari import FakeAsterisk
from tests.fakes.site import as_it_is, settings
from tests.fastagi.conftest import port
from tests.fastagi.pbx import CALL, HEADER, Wire
from tests.storage.records import fill, ring_in
from tests.test_service import WORLD, Actions, actions, asterisk, config_for

__all__ = ["actions", "asterisk", "port"]


def with_fastagi(config: Config, port: int, folder: Path, *, only: bool = False) -> Config:
    fastagi = {"port": port, "only": only, "recordings": str(folder)}
    return config.model_copy(update={"fastagi": settings(fastagi=fastagi).fastagi})


async def ring(port: int) -> Wire:
    wire = Wire(*await asyncio.open_connection("127.0.0.1", port))
    wire.writer.write(HEADER.format(call=CALL, caller="anonymous").encode())
    return wire


async def test_a_caller_is_taken_while_ari_is_away(
    asterisk: FakeAsterisk, actions: Actions, tmp_path: Path, port: int
) -> None:
    config = config_for(asterisk, tmp_path)
    config = config.model_copy(update={"pbx": config.pbx.model_copy(update={"url": "http://127.0.0.1:1"})})
    running = asyncio.create_task(serve(with_fastagi(config, port, tmp_path), WORLD))
    await actions.event("agi_listening").wait()
    wire = await ring(port)
    assert await wire.command() == "ANSWER"
    wire.writer.close()
    await actions.event("call_ended").wait()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 0
    with open_reader(tmp_path / "kenko-call.db") as reader:
        assert reader.read(get_call, CALL).outcome is Outcome.UNKNOWN


async def test_a_pbx_without_ari_is_not_asked_for_it(
    asterisk: FakeAsterisk, actions: Actions, tmp_path: Path, port: int
) -> None:
    config = with_fastagi(config_for(asterisk, tmp_path), port, tmp_path, only=True)
    async with await open_database(config.database) as database:
        await database.write(fill)
        await database.write(ring_in, "of a process before us")
    running = asyncio.create_task(serve(config, WORLD))
    await actions.event("calls_lost").wait()
    await actions.event("agi_listening").wait()
    wire = await ring(port)
    assert await wire.command() == "ANSWER"
    os.kill(os.getpid(), signal.SIGTERM)
    wire.writer.close()
    assert await running == 0
    assert asterisk.requests == []
    with open_reader(config.database) as reader:
        assert reader.read(get_call, "of a process before us").outcome is Outcome.UNKNOWN


class Living:
    """A server with one call."""

    def live_ids(self) -> frozenset[str]:
        return frozenset({CALL})


@pytest.mark.parametrize("restarted", [False, True])
async def test_what_ari_does_not_list_may_live_here(site: Site, restarted: bool) -> None:
    desk = Desk(as_it_is(site), agi=cast(AgiServer, Living()))
    for each in (CALL, "gone"):
        await site.database.write(ring_in, each)
    await desk.reconciled(frozenset(), restarted)
    states = [(await site.database.read(get_call, each)).state for each in (CALL, "gone")]
    assert states == [CallState.TALKING, CallState.ENDED]
