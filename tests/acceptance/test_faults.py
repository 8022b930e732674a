"""A slot with callers while disk, way and processes fail, judged by the carrier, the far ends and the rows.

Small by default; in the night (`scripts/test --long`) with sixty people and twenty callers, five times full, and
`KENKO_LONG_KILLS` (200) faults of all kinds in any order.
"""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox.journal import CallRecord
from sandbox.network import Network
from sandbox.script import Person
from sandbox.service import running_service, set_clock
from tests.acceptance.faults import Disk, Road, Way, at_once, longest_silence, small_disk, standing_still
from tests.acceptance.scene import WELL, Scene, does, person, set_scene, until
from tests.night import LONG, for_the_night

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

#: Nobody hears more than this, but what Asterisk itself stood still.
MOST_SILENCE = 10.0
GIVEN = {"temperature": "36.5", "cough": "no", "breathless": "no"}
#: Everything is tried again soon: a morning in a minute.
RETRIES = {each: [2, 3, 5, 5, 5, 5, 5, 5] for each in ("failed", "unknown", "cut_off", "congestion", "busy", "no_key")}
DIALLING = {
    "ring_seconds": 12,
    "attempts": 9,
    "rest_seconds": 1,
    "retry_seconds": RETRIES | {"no_answer": [2]},
}


def cast(scene: int, many: int) -> list[Person]:
    """People who answer and report, and one who never answers."""
    answering = [
        person(f"36{scene:02}{each:04}", f"09000{36:02}{scene % 10}{each:03}", does("answers", *WELL))
        for each in range(many)
    ]
    return [*answering, person(f"36{scene:02}9999", f"09000{36:02}{scene % 10}999", does("rings"))]


class Service:
    """A service that is started again whenever it dies, as systemd does; its practice clock goes on."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.process: asyncio.subprocess.Process | None = None
        self.starts = 0
        self._began = time.time()

    @property
    def pid(self) -> int:
        """Of the process that runs."""
        assert self.process is not None
        return self.process.pid

    async def keep(self) -> None:
        """Until cancelled."""
        while True:
            if self.starts:
                passed = timedelta(seconds=time.time() - self._began + 2)
                set_clock(self.scene.service, f"{datetime(2026, 11, 4, 9) + passed:%H:%M:%S}")
            self.starts += 1
            async with running_service(self.scene.service) as process:
                self.process = process
                await process.wait()


@asynccontextmanager
async def kept_alive(scene: Scene) -> AsyncIterator[Service]:
    """The service of a scene, until the end of the block."""
    service = Service(scene)
    keeping = asyncio.create_task(service.keep())
    try:
        await until(lambda: "action=pbx_ready" in _log_of(scene), 60, "the service")
        yield service
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


def _log_of(scene: Scene) -> str:
    return scene.service.log.read_text(encoding="utf-8", errors="replace") if scene.service.log.exists() else ""


def open_ones(scene: Scene) -> list[str]:
    return [str(each["id"]) for name in ("calls", "attempts") for each in scene.table(name) if each["state"] != "ended"]


def all_settled(scene: Scene) -> bool:
    status = scene.status()
    settled = {each.state for each in status.values()} <= {"reported", "follow_up"}
    return len(status) == len(scene.people) and settled and not open_ones(scene)


def judge(scene: Scene, most_silence: float = MOST_SILENCE, *, all_report: bool = True) -> None:
    """What must hold whatever failed. Not `all_report`: who heard nothing for long may be with staff instead."""
    assert at_once(scene.calls()) == []
    assert open_ones(scene) == []
    *answering, nobody = scene.people
    states = {each.person_id: each.state for each in scene.status().values()}
    assert states.keys() == {each.id for each in scene.people}
    assert set(states.values()) <= {"reported", "follow_up"}
    assert states[nobody.id] == "follow_up"
    if all_report:
        assert {states[each.id] for each in answering} == {"reported"}
    rung = [each.called for each in scene.invites()]
    assert set(rung) == {each.number for each in scene.people}
    for report in scene.table("reports"):
        if report["completeness"] == "complete":
            answers = [each for each in scene.table("answers") if each["session_id"] == report["session_id"]]
            assert {each["question_id"]: each["value"] for each in answers} == GIVEN
    quiet = [(each.number, round(longest_silence(each), 1)) for each in scene.calls()]
    assert [each for each in quiet if each[1] > most_silence] == []


async def callers_in(scene: Scene, count: int) -> list[CallRecord]:
    """People of the roster ring us, one every second; each gives the call as it was."""
    tasks = []
    for each in scene.people[:count]:
        script = does("answers", "1", "365", "1", "2", "2").script
        tasks.append(asyncio.create_task(scene.network.carrier.call_in(script, each.number)))
        await asyncio.sleep(1.0)
    return list(await asyncio.gather(*tasks))


@pytest.mark.measures
async def test_the_disk_is_full_for_some_seconds(network: Network, tmp_path: Path) -> None:
    many, callers, times, seconds = (60, 20, 5, 10.0) if LONG else (4, 1, 1, 6.0)
    with small_disk(tmp_path / "service") as disk:
        scene = await set_scene(network, cast(1, many), disk.folder, {"dialling": DIALLING})
        async with kept_alive(scene) as service:
            calling: list[asyncio.Task[list[CallRecord]]] = []
            for _ in range(times):
                calls = len(scene.calls())
                await until(partial(_more_calls_than, scene, calls), 60, "a call")
                await _full_for(disk, service, seconds, lambda: calling.append(_calls_in(scene, callers)))
            await asyncio.gather(*calling)
            await until(lambda: all_settled(scene), 240, "the end of the day")
            assert service.starts == 1
        judge(scene)
        assert "storage_failed" in {each["kind"] for each in scene.table("alarms")}


def _more_calls_than(scene: Scene, before: int) -> bool:
    return len(scene.calls()) > before or all_settled(scene)


def _calls_in(scene: Scene, count: int) -> asyncio.Task[list[CallRecord]]:
    return asyncio.create_task(callers_in(scene, count))


async def _full_for(disk: Disk, service: Service, seconds: float, act: Callable[[], None]) -> None:
    pid = service.pid
    disk.fill(pid)
    try:
        act()
        await asyncio.sleep(seconds)
    finally:
        disk.free(pid)


@asynccontextmanager
async def on_a_road(
    network: Network, people: list[Person], folder: Path, **changes: Any
) -> AsyncIterator[tuple[Scene, Service, Road]]:
    """A service whose way to Asterisk can be cut."""
    where = urlsplit(network.pbx.ari_url)
    assert where.hostname is not None
    assert where.port is not None
    async with Road(where.hostname, where.port).serving() as road:
        settings = {"dialling": DIALLING, "pbx": {"url": road.address}, **changes}
        scene = await set_scene(network, people, folder, settings)
        async with kept_alive(scene) as service:
            yield scene, service, road


async def test_asterisk_and_the_service_stand_still_and_the_way_breaks(network: Network, tmp_path: Path) -> None:
    async with on_a_road(network, cast(2, 3), tmp_path / "service") as (scene, service, road):
        await until(lambda: any(each.prompts_heard for each in scene.calls()), 60, "a call")
        road.cut()
        await asyncio.sleep(2.0)
        # Longer than a handshake is waited for: what is tried meanwhile is carried out afterwards.
        async with standing_still(network.pbx.pid):
            road.cut()
            await asyncio.sleep(7.0)
        await until(lambda: len([each for each in scene.calls() if each.prompts_heard]) > 1, 60, "calls go on")
        async with standing_still(service.pid):
            await asyncio.sleep(4.0)
        road.way = Way.SLOW
        await asyncio.sleep(2.0)
        road.way = Way.BLACKHOLE
        await asyncio.sleep(6.0)
        road.way = Way.OPEN
        await until(lambda: all_settled(scene), 200, "the end of the day")
        assert service.starts == 1, "driven out by itself"
    # Asterisk itself stood still for 7 s; and a key that is pressed in such a moment is waited for in vain, for 15 s.
    judge(scene, MOST_SILENCE + 15.0, all_report=False)


async def test_nothing_rings_when_the_window_is_over(network: Network, tmp_path: Path) -> None:
    """C7: Asterisk stands still around the end of the window, with requests to dial in its socket."""
    people = [person(f"3603{each:04}", f"09000363{each:03}", does("rings")) for each in range(6)]
    slots = {"slots": {"morning": {"from": "9:00", "until": "9:01"}}, "practice_clock": "2026-11-04 09:00:30"}
    changes = {
        "dialling": DIALLING,
        "lines": {"total": 10, "reserved_for_inbound": 1, "calls_per_second": 0.5},
        **slots,
    }
    scene = await set_scene(network, people, tmp_path / "service", changes)
    async with running_service(scene.service):
        await until(lambda: len(scene.calls()) >= 3, 60, "three calls")
        async with standing_still(network.pbx.pid):
            began = scene.calls()[0]
            (first,) = [each for each in scene.table("calls") if each["number"] == began.number]
            shift = began.began - datetime.fromisoformat(first["started_at"]).timestamp()
            window_over = datetime.fromisoformat("2026-11-04T09:01:00+09:00").timestamp() + shift
            await asyncio.sleep(max(0.0, window_over + 3.0 - time.time()))
        await until(lambda: all_settled(scene), 90, "the end of the day")
        await until(lambda: all(each.ended for each in scene.calls()), 30, "silence")
    late = [each for each in scene.calls() if each.began > window_over + 0.5]
    # What lay in the socket was placed when Asterisk went on, and taken back at once.
    assert [each for each in late if each.ended is None or each.ended - each.began > 2.0] == []
    rang_on = [each for each in scene.calls() if each.ended is not None and each.ended > window_over + 3.0 + 3.0]
    assert rang_on == []
    assert {each.state for each in scene.status().values()} == {"follow_up"}


@for_the_night
@pytest.mark.timeout(0)
async def test_any_faults_in_any_order(network: Network, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Slots of sixty people with faults until there were so many; Asterisk itself is stopped, not killed, here."""
    kills, many = int(os.environ.get("KENKO_LONG_KILLS", "200")), int(os.environ.get("KENKO_LONG_PEOPLE", "60"))
    chance, done, slot = random.Random(1), 0, 10
    while done < kills:
        slot += 1
        with small_disk(tmp_path / f"service{slot}") as disk:
            async with on_a_road(network, cast(slot, many), disk.folder / "files") as (scene, service, road):
                done += await _trouble(scene, service, road, disk, network.pbx.pid, chance, kills - done)
                await until(lambda: all_settled(scene), 900, "the end of the day")
            # Asterisk stood still for up to 15 s, and a key of that moment was waited for in vain for as long.
            judge(scene, MOST_SILENCE + 30.0, all_report=False)
            silences = sorted(longest_silence(each) for each in scene.calls())
            with capsys.disabled():
                said = f"{done} faults, {len(scene.calls())} calls, {len(scene.invites())} INVITEs"
                print(f"{said}, {service.starts} starts, longest silence {silences[-1]:.1f} s")  # noqa: T201


async def _trouble(
    scene: Scene, service: Service, road: Road, disk: Disk, asterisk: int, chance: random.Random, most: int
) -> int:
    """Faults until everybody has an end, at most so many; how many."""

    async def killed() -> None:
        assert service.process is not None
        service.process.kill()

    async def full() -> None:
        await _full_for(disk, service, chance.uniform(2, 12), lambda: None)

    async def stopped(pid: int) -> None:
        async with standing_still(pid):
            await asyncio.sleep(chance.uniform(2, 15))

    async def cut() -> None:
        road.cut()

    async def bad(way: Way) -> None:
        road.way = way
        await asyncio.sleep(chance.uniform(1, 12))
        road.way = Way.OPEN

    faults: list[Callable[[], Awaitable[None]]] = [
        killed,
        killed,
        full,
        cut,
        lambda: stopped(asterisk),
        lambda: stopped(service.pid),
        lambda: bad(Way.BLACKHOLE),
        lambda: bad(Way.SLOW),
    ]
    done = 0
    while done < most and not await asyncio.to_thread(all_settled, scene):
        await asyncio.sleep(chance.uniform(0.5, 6))
        await chance.choice(faults)()
        done += 1
    return done
