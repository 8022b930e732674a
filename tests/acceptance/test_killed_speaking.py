"""Our process dies (SIGKILL) while somebody speaks: a new one stops the recording, says sorry and asks again."""

import asyncio

import pytest
import pytest_asyncio

from sandbox.journal import CallRecord
from sandbox.network import Network
from sandbox.service import running_service
from tests.acceptance import audio
from tests.acceptance.scene import Scene, does, person, set_scene, told_by_logs, until

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(200)]

#: Prompts whose first words nothing else begins with: what they say does not matter here.
QUESTIONNAIRE = """
id: message
title: {ja: 伝言, en: A message}
language: ja
questions:
  - {id: better, kind: yes_no_unknown, ask: [daily/cough]}
  - {id: message, kind: voice_message, ask: [daily/temperature], read_back: [frame/confirm]}
closing: [daily/closing]
"""

#: Their own call is not answered: they ring us.
SPEAKER = person("38000001", "09000380001", does("busy"))
#: They speak on while our process dies and comes back, and then once more.
CALLS = does("answers", "2", "say_14", "say_4#", "1").script
AGAIN_SECONDS = 4


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Killed a few seconds after the beep, and started again at once."""
    folder = tmp_path_factory.mktemp("speaking")
    (folder / "message.yaml").write_text(QUESTIONNAIRE, encoding="utf-8")
    changes = {"questionnaire": str(folder / "message.yaml"), "dialling": {"attempts": 1}}
    scene = await set_scene(network, (SPEAKER,), folder / "service", changes)
    async with running_service(scene.service) as process:
        await until(lambda: "action=pbx_ready" in scene.service.log.read_text(encoding="utf-8"), 20, "the service")
        calling = asyncio.create_task(network.carrier.call_in(CALLS, SPEAKER.number))
        await until(lambda: len(list((network.pbx.site.state / "recording").iterdir())) > 0, 60, "a recording")
        await asyncio.sleep(3)
        process.kill()
        await process.wait()
    assert not scene.table("voice_messages")
    async with running_service(scene.service):
        await calling
        await until(lambda: all(each["state"] == "ended" for each in scene.table("calls")), 30, "the end of the call")
    return scene


def the_call(scene: Scene) -> CallRecord:
    (record,) = scene.calls_of(SPEAKER.number, inbound=True)
    return record


async def test_they_were_asked_again_and_said_it_again(told: Scene) -> None:
    heard = [each.prompt for each in told.heard(the_call(told))]
    sorry = heard.index("frame/interrupted")
    asked_again = ["frame/interrupted", "frame/resume", "daily/temperature", "frame/confirm"]
    assert heard[sorry : sorry + 4] == asked_again
    # It begins as frame/thanks does: both fit.
    assert "daily/closing" in heard[sorry + 4 :]
    assert "frame/apology" not in heard


async def test_what_they_said_then_is_their_message(told: Scene) -> None:
    (message,) = told.table("voice_messages")
    assert [each["value"] for each in told.table("answers")] == ["no", message["id"]]
    assert [each["status"] for each in told.table("sessions")] == ["completed"]
    file = told.service.folder / "voice-messages" / f"{message['id']}.wav"
    assert len(audio.read(file)) / audio.RATE == pytest.approx(message["seconds"])
    assert message["seconds"] > AGAIN_SECONDS - 1


async def test_nothing_of_either_stays_with_asterisk(told: Scene) -> None:
    assert list((told.network.pbx.site.state / "recording").iterdir()) == []


async def test_no_log_tells_anything(told: Scene) -> None:
    assert told_by_logs(told) == []
