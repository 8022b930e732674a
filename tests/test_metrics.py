"""Figures for monitoring: what is counted, that it is told on loopback only, and nothing of anybody in it."""

import asyncio
import socket

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ivr.call import Ending, Outcome
from ivr.errors import BadInput
from ivr.metrics import ADDRESS, Figures, exposition, serve
from ivr.storage.alarms import end_alarm, raise_alarm
from ivr.storage.calls import end_call
from ivr.storage.database import Database
from ivr.storage.figures import Open, count_rows
from ivr.storage.followups import NewFollowUp, open_follow_up
from tests.storage.records import DAY, NOW, dial, later, ring_in

FIGURES = Figures(
    connected=True,
    calls={"inbound": 1, "outbound": 2},
    attempts={"answered": 7, "busy": 1},
    due=3,
    due_age=12.5,
    follow_ups=4,
    follow_up_age=60.0,
    alerts=0,
    alert_age=0.0,
    alarms=1,
    unsent=5,
    unsent_age=90.0,
    parked=1,
    pull_age=12.0,
    conflicts=2,
    trunks={"east": 1, "west": 0},
    trunk_channels={"east": 2},
)


def read(text: str) -> dict[str, float]:
    """Sample (with its label) -> value."""
    return {
        "".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_prometheus_can_read_it() -> None:
    assert read(exposition(FIGURES).decode()) == {
        "kenko_calls_in_progressinbound": 1.0,
        "kenko_calls_in_progressoutbound": 2.0,
        "kenko_trunk_upeast": 1.0,
        "kenko_trunk_upwest": 0.0,
        "kenko_trunk_channelseast": 2.0,
        "kenko_attempts_totalanswered": 7.0,
        "kenko_attempts_totalbusy": 1.0,
        "kenko_connected": 1.0,
        "kenko_due": 3.0,
        "kenko_due_age_seconds": 12.5,
        "kenko_follow_ups_open": 4.0,
        "kenko_follow_up_age_seconds": 60.0,
        "kenko_alerts_unacknowledged": 0.0,
        "kenko_alert_age_seconds": 0.0,
        "kenko_alarms_standing": 1.0,
        "kenko_unsent": 5.0,
        "kenko_unsent_age_seconds": 90.0,
        "kenko_parked": 1.0,
        "kenko_pull_age_seconds": 12.0,
        "kenko_conflicts": 2.0,
    }


async def test_what_is_counted(database: Database) -> None:
    empty = await database.read(count_rows, DAY, NOW)
    assert (empty.calls, empty.attempts, empty.due) == ({"inbound": 0, "outbound": 0}, {}, Open(0, None))
    call = await database.write(dial, "c-1")
    await database.write(end_call, call.id, Ending(None, 17), Outcome.BUSY, later(1))
    await database.write(ring_in, "c-2", "07000000099")
    await database.write(open_follow_up, NewFollowUp(DAY, "not_reached", "00123457"), NOW)
    await database.write(raise_alarm, "behind", "", "", NOW)
    await database.write(raise_alarm, "clock", "", "", later(1))
    await database.write(end_alarm, "behind", "", later(2))
    found = await database.read(count_rows, DAY, NOW)
    assert found.calls == {"inbound": 1, "outbound": 0}
    assert found.attempts == {"busy": 1}
    assert found.follow_ups == Open(1, NOW)
    assert found.alarms == Open(1, later(1))
    assert found.alerts == Open(0, None)


@pytest.fixture
def port() -> int:
    """One that is free."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        free: int = probe.getsockname()[1]
    return free


async def figures() -> Figures:
    return FIGURES


async def test_it_is_served_until_the_end(port: int) -> None:
    task = asyncio.create_task(serve(port, figures))
    async with aiohttp.ClientSession() as session:
        for _ in range(100):
            try:
                async with session.get(f"http://{ADDRESS}:{port}/metrics") as reply:
                    said, kind = await reply.text(), reply.headers["Content-Type"]
                break
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.01)
        async with session.get(f"http://{ADDRESS}:{port}/") as other:
            assert other.status == 404
    assert read(said)["kenko_due"] == 3.0
    assert kind.startswith("text/plain")
    with pytest.raises(BadInput, match=str(port)):
        await serve(port, figures)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_without_a_port_nothing_is_served() -> None:
    task = asyncio.create_task(serve(None, figures))
    await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
