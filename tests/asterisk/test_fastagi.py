"""What 22.10.1 does when something goes wrong in the middle of a FastAGI call: the call goes on."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from ivr.digits import Entry, KeyRules
from ivr.fastagi.server import AgiServer
from ivr.fastagi.settings import AgiSettings
from ivr.numbers import Numbering, Plan
from ivr.phone import HungUp, Phone, Recording
from ivr.prompts import Sound
from ivr.questionnaire.model import RecordRules
from sandbox.journal import CallRecord
from sandbox.network import Network
from sandbox.script import CallScript
from tests.acceptance import audio
from tests.contract.test_drivers import listening

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

CALLER = "09001009971"


@dataclass
class Desk:
    """Tries everything that fails, and then asks."""

    spoken: Sound
    folder: Path
    found: dict[str, object] = field(default_factory=dict)

    async def arrived(self, phone: Phone, caller: str | None, dialled: str) -> None:
        self.found |= {"call": phone.call_id, "caller": caller, "dialled": dialled}
        nothing = Sound("nothing", self.folder / "nothing.wav", 1.0)
        await phone.answer()
        await phone.say([nothing])
        target = self.folder / "said.wav"
        self.found["recorded"] = await phone.record([], KeyRules(), RecordRules(10, 2), target)
        self.found["through"] = await phone.put_through("desk", 5)
        self.found["entry"] = await phone.ask([nothing, self.spoken], KeyRules(length=3, first_key=10, inter_key=3))
        try:
            await phone.ask([], KeyRules(first_key=30))
        except HungUp as over:
            self.found["ending"] = over.ending


@dataclass(frozen=True)
class Told:
    """What came of it."""

    desk: Desk
    record: CallRecord
    cdr: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("fastagi")
    settings = AgiSettings(
        network.pbx.site.agi_port,
        folder / "no such folder",
        telephones=("desk",),
        callers={"trunk": network.pbx.inbound_number},
        numbering=Numbering(Plan.PRACTICE),
    )
    spoken = Sound("apology", network.settings.prompts / "ja/frame/apology.wav", 10.0)
    desk = Desk(spoken, folder)
    server = AgiServer(settings, desk, lambda: spoken, now=time.monotonic, sleep=asyncio.sleep)
    running = asyncio.create_task(server.run())
    try:
        await listening(settings.port)
        record = await network.carrier.call_in(CallScript(keys=("365", "hang_up"), barge_in=1, patience=20), CALLER)
        await asyncio.sleep(0.5)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return Told(desk, record, network.pbx.cdr.read_text(encoding="utf-8"))


async def test_who_calls_and_which_number(told: Told, network: Network) -> None:
    assert (told.desk.found["caller"], told.desk.found["dialled"]) == (CALLER, network.pbx.inbound_number)


async def test_what_fails_ends_no_call(told: Told) -> None:
    assert told.desk.found["recorded"] == Recording(0.0)
    assert told.desk.found["through"] is False


async def test_keys_stop_a_prompt_and_none_is_lost(told: Told) -> None:
    entry = told.desk.found["entry"]
    assert isinstance(entry, Entry)
    assert entry.keys == "365"
    assert told.record.recording
    prompt, recording = audio.read(told.desk.spoken.path), audio.read(told.record.recording)
    began = audio.find(prompt[: audio.RATE // 2], recording)
    assert began.score > audio.PLAYED
    assert audio.stopped_after(prompt, recording, began.at, told.record.keys[0].offset_ended) < 0.5


async def test_a_hang_up_is_an_ordinary_end(told: Told) -> None:
    assert told.record.ended_by == "patient"
    assert getattr(told.desk.found["ending"], "outcome", "none") is None


async def test_the_call_is_known_by_its_id_in_asterisks_records(told: Told) -> None:
    (line,) = [each for each in told.cdr.splitlines() if each.startswith(f'"{told.desk.found["call"]}",')]
    assert f'"{CALLER}"' in line
    assert "kenko-second-way" in line
