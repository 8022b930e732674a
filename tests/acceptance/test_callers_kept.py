"""People ring us while storage fails, requests to Asterisk are silent, the connection breaks, or the service dies.

What they heard is what the far end recorded; what staff see are the rows. Before nine nobody is rung by us.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from pysqlite3 import dbapi2 as sqlite3

from sandbox.journal import CallRecord
from sandbox.network import Network
from sandbox.script import Call
from sandbox.service import running_service, set_clock
from tests.acceptance import audio
from tests.acceptance.relay import Relay
from tests.acceptance.scene import Scene, does, person, set_scene, told_by_logs, until

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(400)]

APOLOGY = "frame/apology"
#: Nobody hears more seconds of silence than this, while the service is there.
LONGEST_SILENCE = 10.0
#: Somebody who rings and cannot be taken hears that within so many seconds.
SOON_SECONDS = 6.0
QUIET = does("busy")
TALKS_IN_LOCK, RINGS_IN_LOCK, RINGS_IN_SILENCE, TALKS_IN_GAP, TALKS_IN_KILL = people = tuple(
    person(f"4300000{each}", f"0900430000{each}", QUIET) for each in range(1, 6)
)
#: Nobody's: who rings from there is asked for an ID.
STRANGERS = {"lock": "0310430001", "kill": "0310430002"}
WELL = ("365", "1", "2", "2")


@dataclass
class Told:
    """What came of it."""

    scene: Scene
    calls: dict[str, CallRecord] = field(default_factory=dict)
    away: float = 0.0  #: seconds from the kill until the service was there again

    def heard(self, who: str) -> list[audio.Found]:
        return self.scene.heard(self.calls[who])

    def prompts(self, who: str) -> list[str]:
        return [each.prompt for each in self.heard(who)]

    def tasks(self, reason: str = "service_down") -> set[str]:
        """Whom staff have to ring: the person, or the number of a stranger."""
        found = (each for each in self.scene.table("follow_ups") if each["reason"] == reason)
        return {each["person_id"] or each["number"] for each in found}

    def talking(self, number: str) -> CallRecord | None:
        """The call in of this number, as far as it came."""
        calls = self.scene.calls_of(number, inbound=True)
        return calls[-1] if calls else None

    def pressed(self, number: str, keys: str, speeches: int) -> bool:
        """Whether somebody has pressed these keys, and then heard a question of so many to its end."""
        call = self.talking(number)
        return (
            call is not None
            and call.pressed == keys
            and len(call.speeches) == speeches
            and call.speeches[-1].ended is not None
        )


@contextlib.contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another program keeps the database for itself: nothing can be written."""
    holder = sqlite3.connect(database, isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")
    finally:
        holder.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(network: Network, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    folder = tmp_path_factory.mktemp("kept") / "service"
    port = int(network.pbx.ari_url.rpartition(":")[2].partition("/")[0])
    async with Relay(port).running() as relay:
        pbx = {"url": f"http://127.0.0.1:{relay.port}"}
        scene = await set_scene(network, people, folder, {"practice_clock": "2026-11-04 07:00", "pbx": pbx})
        told = Told(scene)
        async with running_service(scene.service) as process:
            await _ready(scene, 1)
            await _while_storage_fails(told)
            await _while_requests_are_silent(told, relay)
            await _through_a_gap(told, relay)
            killed = await _talking_to_be_killed(told)
            process.kill()
            await process.wait()
        began = time.monotonic()
        set_clock(scene.service, "07:30")
        ready = _times_ready(scene)
        async with running_service(scene.service):
            await _ready(scene, ready + 1)
            told.away = time.monotonic() - began
            await asyncio.gather(*killed)
            # At the latest a minute after it can be written.
            await until(lambda: STRANGERS["kill"] in told.tasks(), 60, "the task of who was interrupted")
        yield told


def _times_ready(scene: Scene) -> int:
    return scene.service.log.read_text(encoding="utf-8").count("action=pbx_ready")


async def _ready(scene: Scene, times: int) -> None:
    await until(lambda: _times_ready(scene) >= times, 60, "the connection to Asterisk")


def _ring(told: Told, who: str, number: str, call: Call) -> "asyncio.Task[None]":
    async def ring() -> None:
        told.calls[who] = await told.scene.network.carrier.call_in(call.script, number)

    return asyncio.create_task(ring())


async def _while_storage_fails(told: Told) -> None:
    talks = _ring(told, "talks in lock", TALKS_IN_LOCK.number, does("answers", *WELL, think=2.0))
    await until(lambda: told.pressed(TALKS_IN_LOCK.number, "3651", 3), 60, "a caller in the middle")
    with locked(told.scene.service.database):
        rings = [
            _ring(told, "rings in lock", RINGS_IN_LOCK.number, does("answers", *WELL)),
            _ring(told, "stranger in lock", STRANGERS["lock"], does("answers", *WELL)),
        ]
        await asyncio.gather(talks, *rings)
    wanted = {TALKS_IN_LOCK.id, RINGS_IN_LOCK.id, STRANGERS["lock"]}
    await until(lambda: told.tasks() >= wanted, 60, "the tasks")


async def _while_requests_are_silent(told: Told, relay: Relay) -> None:
    relay.silent = True
    await _ring(told, "rings in silence", RINGS_IN_SILENCE.number, does("answers", *WELL))
    ready = _times_ready(told.scene)
    relay.silent = False
    relay.cut()
    await _ready(told.scene, ready + 1)
    await until(lambda: RINGS_IN_SILENCE.id in told.tasks(), 60, "the task")


async def _through_a_gap(told: Told, relay: Relay) -> None:
    """The connection is gone while a key is pressed."""
    talks = _ring(told, "talks in gap", TALKS_IN_GAP.number, does("answers", *WELL, "2", think=1.0))
    await until(lambda: told.pressed(TALKS_IN_GAP.number, "3651", 3), 60, "a caller at a question")
    ready = _times_ready(told.scene)
    relay.open.clear()
    relay.cut()
    await until(lambda: told.talking(TALKS_IN_GAP.number).pressed == "36512", 30, "the key")  # type: ignore[union-attr]
    relay.open.set()
    await _ready(told.scene, ready + 1)
    await talks


async def _talking_to_be_killed(told: Told) -> "list[asyncio.Task[None]]":
    """One in the middle of a report, one whom we do not know yet."""
    talks = _ring(told, "talks in kill", TALKS_IN_KILL.number, does("answers", "365", "1", "", "2", "2", think=0.6))
    await until(lambda: told.pressed(TALKS_IN_KILL.number, "3651", 3), 60, "a caller at a question")
    asked = _ring(told, "stranger in kill", STRANGERS["kill"], does("silent"))
    await until(lambda: told.pressed(STRANGERS["kill"], "", 1), 60, "a stranger who is asked for an ID")
    return [talks, asked]


REFUSED = ("rings in lock", "stranger in lock", "rings in silence")
INTERRUPTED = ("talks in lock", "stranger in kill")


@pytest.mark.parametrize("who", REFUSED)
async def test_who_cannot_be_taken_hears_it_soon_and_nothing_else(told: Told, who: str) -> None:
    call = told.calls[who]
    assert told.prompts(who) == [APOLOGY]
    assert call.answered is not None
    assert call.answered - call.began + told.heard(who)[0].at < SOON_SECONDS


@pytest.mark.parametrize("who", INTERRUPTED)
async def test_who_is_interrupted_hears_it(told: Told, who: str) -> None:
    assert told.prompts(who)[-1] == APOLOGY


async def test_each_of_them_is_a_task(told: Told) -> None:
    of = {TALKS_IN_LOCK.id, RINGS_IN_LOCK.id, RINGS_IN_SILENCE.id, *STRANGERS.values()}
    assert told.tasks() == of


async def test_every_call_to_us_is_accounted_for(told: Told) -> None:
    calls = {each["number"]: each for each in told.scene.table("calls") if each["direction"] == "inbound"}
    assert len(calls) == len(told.calls)
    steps = {number: call["next_step"] for number, call in calls.items()}
    reported = {TALKS_IN_GAP.number, TALKS_IN_KILL.number}
    assert {number for number, step in steps.items() if step == "report"} == reported
    assert {number for number, step in steps.items() if step == "task"} == steps.keys() - reported
    assert [each["kind"] for each in told.scene.table("alarms") if each["kind"] == "calls_not_taken"]


async def test_a_question_whose_key_was_lost_is_asked_again_at_once(told: Told) -> None:
    heard = told.heard("talks in gap")
    asked = [each for each in heard if each.prompt == "daily/cough"]
    assert len(asked) == 2
    lost = next(each for each in told.calls["talks in gap"].keys if each.offset_began > asked[0].at and each.key == "2")
    assert asked[1].at - lost.offset_ended < LONGEST_SILENCE
    assert heard[-1].prompt == "daily/closing"


async def test_who_talked_when_the_service_died_reports(told: Told) -> None:
    prompts = told.prompts("talks in kill")
    sorry = prompts.index("frame/interrupted")
    assert prompts[sorry + 1 : sorry + 3] == ["frame/resume", "daily/cough"]
    assert prompts[-1] == "daily/closing"


@pytest.mark.parametrize("who", [*REFUSED, *INTERRUPTED, "talks in gap", "talks in kill"])
async def test_nobody_hears_a_long_silence(told: Told, who: str) -> None:
    recording = told.calls[who].recording
    assert recording
    # Of one whose service is dead, as long as it is away more.
    away = told.away if who.endswith("in kill") else 0.0
    assert audio.longest_silence(audio.read(recording)) < LONGEST_SILENCE + away


async def test_no_log_tells_anything(told: Told) -> None:
    log = told.scene.service.log.read_text(encoding="utf-8")
    for number in STRANGERS.values():
        assert not re.search(number, log)
    assert told_by_logs(told.scene) == []
