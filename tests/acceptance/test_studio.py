"""Staff record a prompt by telephone, judged by what their telephone heard and by what lies in the prompt folder."""

import asyncio
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from ivr.voice.review import read_script
from sandbox.journal import CallRecord
from sandbox.network import Network
from sandbox.script import CallScript
from sandbox.service import running_service
from sandbox.settings import PROMPTS, STUDIO_EXTENSION
from tests.acceptance import audio
from tests.acceptance.scene import Scene, does, person, set_scene, told_by_logs, until
from tests.cases_runner import PROGRAM

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(400)]

PIN = "24682"
PROMPT = "daily/breathless"
LINES = read_script(PROMPTS, "ja").lines
NUMBER = 1 + [each.prompt for each in LINES].index(PROMPT)
TEXT = LINES[NUMBER - 1].text
#: Between the voice that announces the take and the take is the silence in which the speaker took breath: "".
RECORDS = CallScript(ring=0, think=1.2, keys=(f"{PIN}#", f"{NUMBER}#", "say_4#", "", "1", "#"))
GUESSES = CallScript(ring=0, keys=("1111#", "2222#", "3333#", f"{PIN}#"))
#: Asks one question, in the voice that was recorded.
QUESTIONNAIRE = f"""id: one
title: {{ja: 一つの質問, en: One question}}
language: ja
opening: [daily/opening]
questions:
  - {{id: breathless, kind: yes_no_unknown, ask: [{PROMPT}]}}
closing: [daily/closing]
"""
#: Their own call is not answered: they ring us.
LISTENER = person("39000001", "09000390001", does("busy"))


@dataclass(frozen=True)
class Told:
    """What came of it."""

    scene: Scene
    recorded: CallRecord
    guessed: CallRecord
    outside: tuple[CallRecord, ...]
    patient: CallRecord
    links: Path


async def prompts(folder: Path, *arguments: str) -> tuple[int, Any]:
    """`kenko-call prompts …`: exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "prompts", *arguments, "--prompts", str(folder), "--json"),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, json.loads(said)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One who knows the PIN, one who guesses, two outside who try the extension, and a patient after all that."""
    folder = tmp_path_factory.mktemp("studio")
    shutil.copytree(PROMPTS, folder / "prompts")
    (folder / "pin").write_text(PIN + "\n", encoding="utf-8")
    (folder / "one.yaml").write_text(QUESTIONNAIRE, encoding="utf-8")
    changes = {
        "questionnaire": str(folder / "one.yaml"),
        "prompts": str(folder / "prompts"),
        "studio": {"extension": STUDIO_EXTENSION, "pin_file": str(folder / "pin")},
        "dialling": {"attempts": 1},
    }
    scene = await set_scene(network, (LISTENER,), folder / "service", changes)
    carrier = network.carrier
    async with running_service(scene.service):
        await until(lambda: "pbx_ready" in scene.service.log.read_text(), 60, "the service is ready")
        recorded = await carrier.call_from_house(RECORDS, STUDIO_EXTENSION)
        guessed = await carrier.call_from_house(GUESSES, STUDIO_EXTENSION)
        outside = [await carrier.call_in(RECORDS, each, STUDIO_EXTENSION) for each in (LISTENER.number, None)]
        # By the name of the telephone in the house, without its password.
        outside.append(await carrier.call_in(RECORDS, "<studio>", STUDIO_EXTENSION))
        patient = await carrier.call_in(does("answers", "2").script, LISTENER.number)
    return Told(scene, recorded, guessed, tuple(outside), patient, folder / "service" / "sounds")


def heard(record: CallRecord, *sounds: Path) -> list[str]:
    """Which of these files a telephone heard, in order."""
    assert record.recording
    recording = audio.read(record.recording)
    found = [(place.at, path.stem) for path in sounds for place in audio.find_all(audio.read(path), recording)]
    return [name for _, name in sorted(found)]


def said(*names: str) -> list[Path]:
    return [PROMPTS / "ja" / "studio" / f"{name}.wav" for name in names]


async def test_what_was_spoken_is_a_recording_that_passes_all_checks(told: Told) -> None:
    folder = told.scene.prompts
    assert (folder / "recordings" / "ja" / f"{PROMPT}.wav").is_file()
    code, found = await prompts(folder, "check")
    assert (code, found) == (0, {"problems": []})


async def test_the_list_names_a_person_and_the_words(told: Told) -> None:
    _, found = await prompts(told.scene.prompts, "list")
    people = [each for each in found if each["recorded_by_a_person"]]
    assert [(each["number"], each["prompt"], each["made_for"]) for each in people] == [(NUMBER, PROMPT, TEXT)]
    assert 3 < people[0]["seconds"] < 5


async def test_the_speaker_heard_the_prompt_as_it_was_and_then_themselves(told: Told) -> None:
    record = told.recorded
    assert heard(record, PROMPTS / "ja" / f"{PROMPT}.wav", *said("enter_pin", "now", "speak", "listen", "kept")) == [
        *("enter_pin", "now", "breathless", "speak", "listen", "kept")
    ]
    take = audio.read(told.scene.prompts / "recordings" / "ja" / f"{PROMPT}.wav")
    assert record.recording
    place = audio.find(take, audio.read(record.recording))
    assert place.score > audio.PLAYED
    assert (record.ended_by, record.pressed) == ("pbx", f"{PIN}#{NUMBER}##1#")


async def test_three_wrong_pins_end_the_call_kindly(told: Told) -> None:
    names = said("enter_pin", "wrong_pin", "enter_number", "goodbye")
    assert heard(told.guessed, *names) == [*("enter_pin", "wrong_pin") * 3, "goodbye"]
    assert (told.guessed.ended_by, told.guessed.pressed) == ("pbx", "1111#2222#3333#")


async def test_nobody_outside_reaches_it(told: Told) -> None:
    assert [each.answered for each in told.outside] == [None] * 3


async def test_the_next_patient_hears_the_new_voice(told: Told) -> None:
    assert PROMPT in [each.prompt for each in told.scene.heard(told.patient)]
    assert not heard(told.patient, PROMPTS / "ja" / f"{PROMPT}.wav")


async def test_no_take_stays_behind_and_no_log_tells_a_key(told: Told) -> None:
    assert list(told.links.glob("take-*")) == []
    assert told_by_logs(told.scene) == []
    log = told.scene.service.log.read_text()
    assert log.count("a wrong PIN for the studio") == 3
    assert not [each for each in (PIN, "1111", "2222", "3333") if each in log]
