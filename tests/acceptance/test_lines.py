"""What real lines do to callers, all at once: only PCMA, sound that we cannot play, a hold, sound from a new port."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from sandbox.farend.leg import Ended, Leg
from sandbox.network import Network
from sandbox.service import PRACTICE_DAY, running_service
from tests.acceptance.cast import ANSWERS_WELL
from tests.acceptance.scene import QUESTIONNAIRE, WELL, Scene, does, person, set_scene, told_by_logs, until

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

#: Seconds that a question waits, three times: so that giving up takes a quarter of a minute, and not one.
WAIT = 5
#: Longer than all of them, with their prompts.
HOLD_SECONDS = 30.0

Caller = Callable[[Network, str], Awaitable[list[Leg]]]


async def only_pcma(network: Network, number: str) -> list[Leg]:
    leg = await ring(network, number, codecs=["PCMA"])
    await report(leg)
    return [leg]


async def nothing_we_can_play(network: Network, number: str) -> list[Leg]:
    return [await ring(network, number, codecs=["opus", "G729"])]


async def long_hold(network: Network, number: str) -> list[Leg]:
    leg = await ring(network, number)
    await leg.listen()
    assert await leg.hold() == 200
    await leg.pause(HOLD_SECONDS)
    assert await leg.resume() == 200
    await report(leg)
    return [leg]


async def new_port(network: Network, number: str) -> list[Leg]:
    """A router forgot us after the temperature; nothing is heard of them any more, and they ring again."""
    first = await ring(network, number)
    await first.walk(WELL[1:3])
    await first.stream.open()
    with contextlib.suppress(Ended):
        while True:
            await first.listen(30)
            await first.press("2")
    second = await ring(network, number)
    await second.walk(WELL[3:])
    await second.until_over()
    return [first, second]


CALLERS: dict[str, Caller] = {each.__name__: each for each in (only_pcma, nothing_we_can_play, long_hold, new_port)}
PEOPLE = {
    name: person(f"3800000{at}", f"0900038000{at}", does("busy")) for at, name in enumerate(CALLERS)
}  #: whom nobody rings: their slot has not begun


async def ring(network: Network, number: str, codecs: list[str] | None = None) -> Leg:
    return await network.far.call(network.pbx.inbound_number, number, codecs=codecs or ["PCMU"])


async def report(leg: Leg) -> None:
    assert leg.final
    assert leg.final.code == 200
    await leg.walk(WELL[1:])
    await leg.until_over()


@dataclass(frozen=True)
class Told:
    """What is left of the calls."""

    scene: Scene
    legs: dict[str, list[Leg]]

    def calls(self, name: str) -> list[str | None]:
        """The outcomes of somebody's calls."""
        return [each["outcome"] for each in self.scene.table("calls") if each["number"] == PEOPLE[name].number]

    def answers(self, name: str) -> dict[str, str]:
        """Those of somebody's one report."""
        (report,) = [each for each in self.scene.table("reports") if each["person_id"] == PEOPLE[name].id]
        assert report["completeness"] == "complete"
        rows = [each for each in self.scene.table("answers") if each["session_id"] == report["session_id"]]
        return {each["question_id"]: each["value"] for each in rows}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("lines")
    asked = yaml.safe_load(QUESTIONNAIRE.read_text(encoding="utf-8"))
    asked["times"] |= {"first_key": WAIT, "inter_key": WAIT}
    (folder / "asked.yaml").write_text(yaml.safe_dump(asked, allow_unicode=True, sort_keys=False), encoding="utf-8")
    changes = {"practice_clock": f"{PRACTICE_DAY} 07:00", "questionnaire": str(folder / "asked.yaml")}
    over_far = network.over("trunk-far")
    scene = await set_scene(over_far, PEOPLE.values(), folder / "service", changes)
    async with running_service(scene.service):
        await until(lambda: "pbx_ready" in scene.service.log.read_text(encoding="utf-8"), 60, "the service is ready")
        found = await asyncio.gather(*(led(over_far, PEOPLE[name].number) for name, led in CALLERS.items()))
        await until(lambda: len(scene.table("alarms")) == 2, 60, "the alarms")
    return Told(scene, dict(zip(CALLERS, found, strict=True)))


async def test_an_offer_of_pcma_alone_is_taken(told: Told) -> None:
    assert told.answers("only_pcma") == ANSWERS_WELL
    (leg,) = told.legs["only_pcma"]
    assert {kind for _, kind in leg.stream.received} == {8}


async def test_sound_that_we_cannot_play_is_refused_and_told(told: Told) -> None:
    (leg,) = told.legs["nothing_we_can_play"]
    assert leg.final
    assert leg.final.code == 488
    assert told.calls("nothing_we_can_play") == ["failed"]
    id = PEOPLE["nothing_we_can_play"].id
    assert [each["reason"] for each in told.scene.table("follow_ups") if each["person_id"] == id] == ["service_down"]
    # The provider must change that, and staff must ring whom we could not take.
    assert [each["kind"] for each in told.scene.table("alarms")] == ["no_codec", "calls_not_taken"]


async def test_a_long_hold_waits(told: Told) -> None:
    assert told.calls("long_hold") == ["answered"]
    assert told.answers("long_hold") == ANSWERS_WELL


async def test_sound_from_a_new_port_ends_the_call_and_the_next_goes_on(told: Told, tmp_path: Path) -> None:
    assert told.calls("new_port") == ["cut_off", "answered"]
    assert told.answers("new_port") == ANSWERS_WELL
    first, _ = told.legs["new_port"]
    assert first.ended_by == "them"
    id = PEOPLE["new_port"].id
    assert [each["reason"] for each in told.scene.table("follow_ups") if each["person_id"] == id] == []


async def test_no_log_tells_who_they_are_or_what_they_pressed(told: Told) -> None:
    assert told_by_logs(told.scene) == []
