"""SIPp and baresip ring in and report, each with RFC 4733 keys and with SIP INFO, all at once."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from sandbox.network import Network
from sandbox.service import PRACTICE_DAY, running_service
from sandbox.settings import INFO_ADDRESS
from sandbox.strangers import PORTS, Errand, Failed, Keys, ring_with_baresip, ring_with_sipp
from tests.acceptance import audio
from tests.acceptance.cast import ANSWERS_WELL
from tests.acceptance.scene import WELL, Scene, does, person, set_scene, told_by_logs, until

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(200)]

#: Who rings with what, and from which address: our PBX takes it for a trunk with these keys.
STRANGERS = {
    "sipp-rfc4733": (ring_with_sipp, Keys.RFC4733, "127.0.0.1"),
    "sipp-info": (ring_with_sipp, Keys.INFO, INFO_ADDRESS),
    "baresip-rfc4733": (ring_with_baresip, Keys.RFC4733, "127.0.0.1"),
    "baresip-info": (ring_with_baresip, Keys.INFO, INFO_ADDRESS),
}
PEOPLE = {
    name: person(f"3900000{at}", f"0900039000{at}", does("busy")) for at, name in enumerate(STRANGERS)
}  #: whom nobody rings: their slot has not begun
#: The first port that neither side of a network uses.
FIRST_PORT = 10
#: What somebody whom we know by the number hears.
HEARD = (
    "frame/inbound_greeting",
    *("daily/opening", "daily/temperature"),
    *("daily/temperature_is", "value/temperature_365", "frame/confirm"),
    *("daily/cough", "daily/breathless", "daily/closing"),
)


@dataclass(frozen=True)
class Rung:
    """What is left of the calls."""

    scene: Scene
    ended: dict[str, Path | BaseException | None]  #: the recording, if one was made, or what went wrong


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rung(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Rung:
    """All at once."""
    folder = tmp_path_factory.mktemp("strangers")
    changes = {"practice_clock": f"{PRACTICE_DAY} 07:00"}
    scene = await set_scene(network, PEOPLE.values(), folder / "service", changes)
    site = network.pbx.site
    async with running_service(scene.service):
        await until(lambda: "pbx_ready" in scene.service.log.read_text(encoding="utf-8"), 60, "the service is ready")
        ringing = []
        for at, (name, (ring, keys, address)) in enumerate(STRANGERS.items()):
            port = network.settings.base_port + FIRST_PORT + PORTS * at
            caller = PEOPLE[name].number
            number = network.pbx.inbound_number
            errand = Errand(folder / name, site.sip_port, address, port, caller, number, WELL[1:], keys)
            ringing.append(ring(errand))
        ended = await asyncio.gather(*ringing, return_exceptions=True)
        await until(lambda: all(each["state"] == "ended" for each in scene.table("calls")), 30, "the ends of the calls")
    return Rung(scene, dict(zip(STRANGERS, ended, strict=True)))


@pytest.mark.parametrize("name", STRANGERS)
async def test_the_report_is_in(rung: Rung, name: str) -> None:
    ended = rung.ended[name]
    assert not isinstance(ended, BaseException), str(ended)
    scene, who = rung.scene, PEOPLE[name]
    (call,) = [each for each in scene.table("calls") if each["number"] == who.number]
    assert (call["direction"], call["outcome"]) == ("inbound", "answered")
    (report,) = [each for each in scene.table("reports") if each["person_id"] == who.id]
    assert (report["completeness"], report["source"]) == ("complete", "health_call")
    answers = [each for each in scene.table("answers") if each["session_id"] == report["session_id"]]
    assert {each["question_id"]: each["value"] for each in answers} == ANSWERS_WELL


@pytest.mark.parametrize("name", ["baresip-rfc4733", "baresip-info"])
async def test_they_heard_every_prompt_once_and_in_order(rung: Rung, name: str, tmp_path: Path) -> None:
    recording = rung.ended[name]
    assert isinstance(recording, Path), str(recording)
    # The last 0.1 s, the quiet end of a prompt, are still in baresip's jitter buffer when we hang up.
    whole = tmp_path / "whole.wav"
    audio.write(whole, audio.call(audio.read(recording), np.zeros(audio.RATE // 5)))
    heard = rung.scene.heard_in(whole, "temperature_36*")
    # Cut to its first words, `frame/thanks` is the same as the closing.
    assert [each.prompt for each in heard if each.prompt != "frame/thanks"] == list(HEARD)


async def test_no_log_tells_who_they_are_or_what_they_pressed(rung: Rung) -> None:
    assert told_by_logs(rung.scene) == []


async def test_a_call_to_a_number_that_is_not_ours_fails_with_the_reason(network: Network, tmp_path: Path) -> None:
    errand = Errand(
        tmp_path / "nowhere",
        network.pbx.site.sip_port,
        INFO_ADDRESS,
        network.settings.base_port + FIRST_PORT,
        PEOPLE["baresip-rfc4733"].number,
        "05000000999",
        ("1",),
        Keys.RFC4733,
    )
    with pytest.raises(Failed, match="404"):
        await ring_with_baresip(errand)
