"""What systemd is told, heard at a real socket; and when silence is right."""

import asyncio
import configparser
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.errors import StorageError, problem
from ivr.service import GRACE
from ivr.systemd import LOOK_SECONDS, Notifier, Pulse, keep_alive, notifier, weakness
from tests.cases_runner import ROOT
from tests.fakes.ari import Clock, idle


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    """systemd's end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.setblocking(False)
        yield ear


def heard(ear: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(ear.recv(4096).decode())
        except BlockingIOError:
            return found


def test_what_is_told_arrives(ear: socket.socket) -> None:
    told = Notifier(ear.getsockname())
    assert told.tell("READY=1", "STATUS=x")
    assert heard(ear) == ["READY=1\nSTATUS=x"]


def test_an_abstract_name(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(f"\0{tmp_path}")
        ear.setblocking(False)
        assert Notifier(f"@{tmp_path}").tell("READY=1")
        assert heard(ear) == ["READY=1"]


def test_without_systemd_nothing_is_told(tmp_path: Path) -> None:
    assert not Notifier().tell("READY=1")
    assert not Notifier(str(tmp_path / "gone")).tell("READY=1")


@pytest.mark.parametrize(
    ("environment", "address", "watchdog"),
    [
        ({}, "", None),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000"}, "/x", 30.0),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, "/x", 30.0),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, "/x", None),
        ({"WATCHDOG_USEC": "soon"}, "", None),
        ({"WATCHDOG_USEC": "0"}, "", None),
    ],
)
def test_the_environment(environment: dict[str, str], address: str, watchdog: float | None) -> None:
    assert notifier(environment, 7) == Notifier(address, watchdog)


def test_one_missed_look_is_not_yet_a_death() -> None:
    assert Notifier("", 30.0).look_seconds * 2 < 30
    assert Notifier("", 6.0).look_seconds == 2.0
    assert Notifier().look_seconds == LOOK_SECONDS


@pytest.mark.parametrize(
    ("pulse", "weak"),
    [
        (Pulse(0.0, 0.0, 0.0), None),
        (Pulse(0.99, 9.9, 9.9), None),
        (Pulse(0.0, 0.0, None), None),  # knowingly not connected
        (Pulse(1.0, 0.0, 0.0), "lag"),
        (Pulse(0.0, 10.0, 0.0), "database"),
        (Pulse(0.0, None, 0.0), "database"),
        (Pulse(0.0, 0.0, 10.0), "asterisk"),
    ],
)
def test_when_it_lives(pulse: Pulse, weak: str | None) -> None:
    assert weakness(pulse) == weak


class Heart:
    """What keep_alive measures, set by the test."""

    def __init__(self) -> None:
        self.broken = False
        self.pong: float | None = 0.0
        self.late = 0.0
        self.clock = Clock()

    async def probe(self) -> None:
        if self.broken:
            raise StorageError(problem("storage.locked"))

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds + self.late)


async def test_it_tells_as_long_as_it_lives(ear: socket.socket) -> None:
    heart = Heart()
    told = Notifier(ear.getsockname(), 30.0)
    task = asyncio.create_task(keep_alive(told, heart.probe, lambda: heart.pong, heart.clock.now, heart.sleep))

    async def look() -> list[str]:
        await heart.clock.advance(told.look_seconds + heart.late)
        await idle()
        return heard(ear)

    await idle()
    assert heard(ear) == ["WATCHDOG=1"]
    assert await look() == ["WATCHDOG=1"]
    heart.pong = 12.0
    assert await look() == []
    heart.pong = None
    assert await look() == ["WATCHDOG=1"]
    heart.broken = True
    assert await look() == []
    heart.broken = False
    assert await look() == ["WATCHDOG=1"]
    heart.late = 1.5
    await look()  # this sleep began before
    assert await look() == []
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string((ROOT / "packaging" / "systemd" / name).read_text(encoding="utf-8"))
    return parser


def test_the_unit_fits_the_service() -> None:
    service, whole = unit("kenko-call.service")["Service"], unit("kenko-call.service")["Unit"]
    assert service["Type"] == "notify"
    assert float(service["TimeoutStopSec"]) > GRACE
    assert float(service["WatchdogSec"]) > 2 * LOOK_SECONDS
    assert (service["Restart"], whole["StartLimitIntervalSec"], service["LimitCORE"]) == ("always", "0", "0")
    assert "asterisk.service" in whole["After"]
    assert "BindsTo" not in whole
    assert "Requires" not in whole
    # ivr.clock asks adjtimex(2), which is not part of @system-service.
    assert {"adjtimex", "clock_adjtime"} <= set(service["SystemCallFilter"].split())
    assert "ProtectClock" not in service
    assert service["CapabilityBoundingSet"] == ""
