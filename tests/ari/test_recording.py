"""Somebody speaks and is recorded, event by event, on a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from ivr import recordings
from ivr.ari.client import AriClient
from ivr.ari.phone import AriPhone
from ivr.ari.playing import media_uri
from ivr.call import Ending
from ivr.digits import EndedBy, Entry, KeyRules
from ivr.errors import PbxError, PbxRefused, PbxSilent, PbxUnreachable, StorageError, problem
from ivr.phone import HungUp, Recording
from ivr.questionnaire.model import RecordRules
from tests.ari.conftest import CALL, QUESTION, TAIL, settings_for
from tests.ari.test_phone import SILENCE, Wire
from tests.fakes.ari import Clock, FakeAsterisk, Reply, idle

T = TypeVar("T")
RULES = KeyRules(first_key=15, ignored=frozenset("#"))
LIMITS = RecordRules(60, 4)
SPOKEN = recordings.silence(3)
NO_FILE = PbxRefused(404, "Recording not found", "")


class Recorder(Wire):
    """Has one recording, or says why not."""

    stored: bytes | PbxError = SPOKEN

    async def fetch(self, path: str, deadline: float) -> bytes:
        self.sent.append(f"GET {path.replace(CALL, 'CALL')}")
        if isinstance(self.stored, PbxError):
            raise self.stored
        return self.stored

    def recorded(self, name: str = f"{CALL}.0", kind: str = "RecordingFinished") -> None:
        self.event(kind, recording={"name": name, "target_uri": f"channel:{CALL}", "state": "done"})


@pytest.fixture
def wire(clock: Clock) -> Recorder:
    return Recorder(clock)


@pytest.fixture
def phone(wire: Recorder) -> AriPhone:
    return AriPhone(wire, CALL, TAIL, answered=True)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "voice-messages" / "said.wav"


def there(target: Path) -> bytes | None:
    return target.read_bytes() if target.exists() else None


@asynccontextmanager
async def speaking(work: Coroutine[Any, Any, T]) -> AsyncIterator[asyncio.Task[T]]:
    """Run beside the test, which must see its end; writing a file takes a thread."""
    task = asyncio.create_task(work)
    await idle()
    yield task
    await asyncio.wait({task}, timeout=10)
    assert task.done()


async def up_to_the_beep(wire: Recorder) -> None:
    """The question plays to its end, its tail is stopped, the recording has begun."""
    await wire.prompt(0)
    wire.playback("PlaybackFinished", 0, state="done")
    await wire.clock.advance(0.3)


async def test_what_is_said_after_the_prompt_is_a_file(wire: Recorder, phone: AriPhone, target: Path) -> None:
    async with speaking(phone.record([QUESTION], RULES, LIMITS, target)) as recording:
        await up_to_the_beep(wire)
        await wire.clock.advance(3)
        await wire.key("#")
        wire.recorded()
    assert recording.result() == Recording(3.0)
    assert there(target) == SPOKEN
    assert wire.sent == [
        "POST /channels/CALL/play/CALL.0",
        "DELETE /playbacks/CALL.0",
        "POST /channels/CALL/record",
        # Behind it the tail, for the case that we are gone at its end.
        "POST /channels/CALL/play/CALL.1",
        "GET /recordings/stored/CALL.0/file",
        "DELETE /recordings/stored/CALL.0",
        "DELETE /playbacks/CALL.1",
    ]
    order: dict[str, Any] = wire.bodies[1]
    assert (order["name"], order["maxDurationSeconds"], order["maxSilenceSeconds"]) == (f"{CALL}.0", 60, 4)
    assert (order["terminateOn"], order["format"], order["ifExists"]) == ("#", "wav", "overwrite")
    assert wire.bodies[2]["media"][0] == SILENCE
    assert wire.bodies[2]["media"][-1] == media_uri(TAIL.apology)


@pytest.mark.parametrize("key", ["0", "*", "7"])
async def test_a_key_during_the_prompt_is_an_entry(wire: Recorder, phone: AriPhone, target: Path, key: str) -> None:
    async with speaking(phone.record([QUESTION], RULES, LIMITS, target)) as recording:
        wire.playback("PlaybackStarted", 0, media_uri(QUESTION), SILENCE)
        await wire.key(key)
    assert recording.result() == Entry(key, EndedBy.FULL)
    assert "POST /channels/CALL/record" not in wire.sent


@pytest.mark.parametrize("key", ["0", "*", "7"])
async def test_a_key_while_somebody_speaks_is_one_too(wire: Recorder, phone: AriPhone, target: Path, key: str) -> None:
    async with speaking(phone.record([QUESTION], RULES, LIMITS, target)) as recording:
        await up_to_the_beep(wire)
        await wire.key(key)
    assert recording.result() == Entry(key, EndedBy.FULL)
    assert there(target) is None
    assert wire.sent[-3:] == [
        "DELETE /recordings/live/CALL.0",
        "DELETE /recordings/stored/CALL.0",
        "DELETE /playbacks/CALL.1",
    ]


async def test_whoever_hangs_up_while_speaking_has_said_it(wire: Recorder, phone: AriPhone, target: Path) -> None:
    async with speaking(phone.record([QUESTION], RULES, LIMITS, target)) as recording:
        await up_to_the_beep(wire)
        await wire.clock.advance(3)
        wire.recorded()
        wire.event("StasisEnd")
        wire.event("ChannelDestroyed", cause=16)
    assert recording.result() == Recording(3.0)
    assert there(target) == SPOKEN
    with pytest.raises(HungUp) as over:
        await phone.say([QUESTION])
    assert over.value.ending == Ending(None, 16)


async def test_also_if_we_hear_of_the_end_only(wire: Recorder, phone: AriPhone, target: Path) -> None:
    async with speaking(phone.record([QUESTION], RULES, LIMITS, target)) as recording:
        await up_to_the_beep(wire)
        wire.event("ChannelDestroyed", cause=16)
    assert recording.result() == Recording(3.0)


async def test_a_hang_up_with_nothing_said_is_one(wire: Recorder, phone: AriPhone, target: Path) -> None:
    wire.stored = NO_FILE
    async with speaking(_hung_up(phone, target)) as ending:
        await up_to_the_beep(wire)
        wire.event("ChannelDestroyed", cause=16)
    assert ending.result() == Ending(None, 16)
    assert there(target) is None


async def _hung_up(phone: AriPhone, target: Path) -> Ending:
    with pytest.raises(HungUp) as over:
        await phone.record([QUESTION], RULES, LIMITS, target)
    return over.value.ending


async def test_a_recording_that_never_ends_is_stopped(wire: Recorder, phone: AriPhone, target: Path) -> None:
    async with speaking(phone.record([QUESTION], RULES, LIMITS, target)) as recording:
        await up_to_the_beep(wire)
        await wire.clock.advance(64)
        assert not recording.done()
        await wire.clock.advance(1.1)
    assert recording.result() == Recording(3.0)
    assert "POST /recordings/live/CALL.0/stop" in wire.sent


async def test_the_next_recording_of_a_call_has_another_name(wire: Recorder, phone: AriPhone, tmp_path: Path) -> None:
    for number in (0, 1):
        async with speaking(phone.record([QUESTION], RULES, LIMITS, tmp_path / f"{number}.wav")):
            await wire.prompt(2 * number)
            wire.playback("PlaybackFinished", 2 * number, state="done")
            await wire.clock.advance(0.3)
            wire.recorded(name=f"{CALL}.{number}")
    assert [each["name"] for each in wire.bodies if "name" in each] == [f"{CALL}.0", f"{CALL}.1"]


async def test_one_that_fails_is_nothing_said(wire: Recorder, phone: AriPhone, target: Path) -> None:
    wire.stored = NO_FILE
    async with speaking(phone.record([QUESTION], RULES, LIMITS, target)) as recording:
        await up_to_the_beep(wire)
        wire.recorded(name="another")
        wire.recorded(kind="RecordingFailed")
    assert recording.result() == Recording(0.0)


async def test_without_its_folder_asterisk_records_nothing(wire: Recorder, phone: AriPhone, target: Path) -> None:
    wire.errors["POST /channels/CALL/record"] = [PbxRefused(500, "Internal Server Error", "")]
    async with speaking(phone.record([QUESTION], RULES, LIMITS, target)) as recording:
        await up_to_the_beep(wire)
    assert recording.result() == Recording(0.0)
    assert "POST /channels/CALL/play/CALL.1" not in wire.sent


async def test_a_request_whose_fate_is_not_known_may_record(wire: Recorder, phone: AriPhone, target: Path) -> None:
    wire.errors["POST /channels/CALL/record"] = [PbxSilent(problem("pbx.silent", request=""))]
    async with speaking(phone.record([QUESTION], RULES, LIMITS, target)) as recording:
        await up_to_the_beep(wire)
        wire.recorded()
    assert recording.result() == Recording(3.0)


async def test_a_dead_asterisk_is_a_hang_up(wire: Recorder, phone: AriPhone, target: Path) -> None:
    wire.errors["POST /channels/CALL/record"] = [PbxUnreachable(problem("pbx.unreachable", url=""))]
    async with speaking(_hung_up(phone, target)):
        await up_to_the_beep(wire)


async def test_what_cannot_be_written_here_stays_there(wire: Recorder, phone: AriPhone, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    async def refused() -> None:
        with pytest.raises(StorageError):
            await phone.record([QUESTION], RULES, LIMITS, tmp_path / "file" / "said.wav")

    async with speaking(refused()):
        await up_to_the_beep(wire)
        wire.recorded()
    assert "DELETE /recordings/stored/CALL.0" not in wire.sent


async def test_a_copy_that_is_left_there_is_no_fault_of_the_call(
    wire: Recorder, phone: AriPhone, target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wire.errors["DELETE /recordings/stored"] = [PbxRefused(500, "no", "")]
    async with speaking(phone.record([QUESTION], RULES, LIMITS, target)) as recording:
        await up_to_the_beep(wire)
        wire.recorded()
    assert recording.result() == Recording(3.0)
    assert [vars(each)["action"] for each in caplog.records] == ["recording_left"]


@pytest.fixture
async def connected(asterisk: FakeAsterisk, clock: Clock) -> AsyncIterator[AriClient]:
    async with AriClient(settings_for(asterisk), clock.now, clock.sleep) as client:
        yield client


async def test_a_file_is_fetched_as_it_is(connected: AriClient, asterisk: FakeAsterisk) -> None:
    path = "/recordings/stored/CALL.0/file"
    asterisk.answer("GET", path, Reply(200, raw=SPOKEN))
    assert await connected.fetch(path, 5) == SPOKEN
    asterisk.answer("GET", path, Reply(404, {"message": "Recording not found"}))
    with pytest.raises(PbxRefused):
        await connected.fetch(path, 5)


async def test_a_file_longer_than_any_is_not(
    connected: AriClient, asterisk: FakeAsterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ivr.ari.rest.LONGEST_FILE", 1000)
    asterisk.answer("GET", "/recordings/stored/CALL.0/file", Reply(200, raw=SPOKEN))
    with pytest.raises(PbxSilent):
        await connected.fetch("/recordings/stored/CALL.0/file", 5)


async def test_nothing_is_fetched_without_a_session(clock: Clock, asterisk: FakeAsterisk) -> None:
    with pytest.raises(PbxUnreachable):
        await Wire(clock).fetch("/recordings/stored/CALL.0/file", 5)
