"""What people hear, in the recordings of the far end, with the prompts as they are."""

import statistics
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
import pytest_asyncio

from sandbox.journal import CallRecord, KeyPress
from sandbox.network import Network
from sandbox.service import running_service
from sandbox.settings import PROMPTS
from tests.acceptance import audio
from tests.acceptance.scene import WELL, Scene, does, person, set_scene, told_by_logs, until

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

LISTENER = person("35000001", "09000350001", does("answers", *WELL))
#: They press so many seconds after the voice began: a value must be said before it can be confirmed.
HASTY = tuple(
    person(f"3500001{at}", f"0900035001{at}", does("barges_in", *WELL, barge_in=wait))
    for at, wait in enumerate((4.1, 4.5, 5.2, 6.0))
)
#: What is said before each entry of WELL.
ASKED = (
    ("frame/greeting", "frame/ready"),
    ("daily/opening", "daily/temperature"),
    ("daily/temperature_is", "value/temperature_365", "frame/confirm"),
    ("daily/cough",),
    ("daily/breathless",),
)
#: Read-back values that are looked for, beside the one that was said.
NEIGHBOURS = "temperature_36*"
#: Seconds after the end of a key by which the old prompt must be silent.
AT_ONCE = 0.2
#: Seconds by which the journal may be wrong about a key: it knows when it asked for the key, not when it sounded.
_JOURNAL = 0.06
#: Before a key so much is looked at to know where in a prompt it was pressed.
_LOOK_BACK = 0.4


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """One who listens to everything, and some who do not."""
    cast = (LISTENER, *HASTY)
    folder = tmp_path_factory.mktemp("heard") / "service"
    scene = await set_scene(network, cast, folder, {"prompts": str(PROMPTS)})
    async with running_service(scene.service):
        await until(lambda: sum(each.ended is not None for each in scene.calls()) == len(cast), 240, "all calls")
    return scene


def prompt(name: str) -> audio.Sound:
    return audio.read(PROMPTS / "ja" / f"{name}.wav")


def the_call(scene: Scene, number: str) -> tuple[CallRecord, audio.Sound]:
    (record,) = scene.calls_of(number)
    assert record.recording
    return record, audio.read(record.recording)


async def test_every_prompt_once_and_in_order(scene: Scene) -> None:
    record, _ = the_call(scene, LISTENER.number)
    heard = scene.heard(record, NEIGHBOURS)
    assert [each.prompt for each in heard] == [*(name for names in ASKED for name in names), "daily/closing"]
    assert min(each.score for each in heard) > 0.95


async def test_nothing_else_is_to_be_heard(scene: Scene) -> None:
    record, recording = the_call(scene, LISTENER.number)
    heard = scene.heard(record, NEIGHBOURS)
    assert audio.longest_loud(recording, [(each.at - 0.1, each.until + audio.LATE) for each in heard]) < 0.3


async def test_no_prompt_speaks_over_another(scene: Scene) -> None:
    record, _ = the_call(scene, LISTENER.number)
    for one, other in pairwise(scene.heard(record, NEIGHBOURS)):
        assert other.at >= one.until - 0.05


async def test_the_next_prompt_follows_a_key_at_once(scene: Scene) -> None:
    record, _ = the_call(scene, LISTENER.number)
    heard = {each.prompt: each for each in scene.heard(record, NEIGHBOURS)}
    next_prompts = [heard[names[0]].at for names in ASKED[1:]]
    keys = [record.keys[at] for at in (0, 3, 4, 5)]
    waits = [at - key.offset_ended for at, key in zip(next_prompts, keys, strict=True)]
    # No prompt comes before its key; by its end nobody can tell, as on a busy machine the journal is late by as much.
    assert all(at > key.offset_began - _JOURNAL for at, key in zip(next_prompts, keys, strict=True)), waits
    assert statistics.median(waits) < 0.5, waits  # a shared machine may stand still for a second


@dataclass(frozen=True)
class Stop:
    """A key that was pressed while a prompt spoke."""

    prompt: str
    after: float  #: seconds from the end of the key to the end of the prompt's sound
    left: float  #: seconds of sound that the prompt still had


def stops(scene: Scene) -> list[Stop]:
    """All of them for which the prompt had something left to say."""
    found = []
    for each in HASTY:
        record, recording = the_call(scene, each.number)
        firsts = [record.keys[at] for at in (0, 1, 4, 5, 6)]
        for names, key in zip(ASKED, firsts, strict=True):
            found += _stop(names, key, recording)
    return [each for each in found if each.left > 0.3]


def _stop(names: tuple[str, ...], key: KeyPress, recording: audio.Sound) -> list[Stop]:
    before = recording[int((key.offset_began - _LOOK_BACK) * audio.RATE) : int(key.offset_began * audio.RATE)]
    if np.abs(before).mean() < 100:
        return []
    fits = [(audio.find(before, prompt(name)), name) for name in names]
    best, name = max(fits, key=lambda each: each[0].score)
    if best.score < audio.PLAYED:
        return []
    at = key.offset_began - _LOOK_BACK - best.at
    into = key.offset_ended - at
    left = audio.loud_seconds(prompt(name), into + AT_ONCE, into + AT_ONCE + 2)
    return [Stop(name, audio.stopped_after(prompt(name), recording, at, key.offset_ended), left)]


async def test_a_key_silences_the_prompt_within_200_ms(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    found = stops(scene)
    after = sorted(each.after for each in found)
    with capsys.disabled():
        figures = (len(after), statistics.median(after) * 1000, np.percentile(after, 99) * 1000)
        print("\nkey end to silence at the far end: {} keys, p50 {:.0f} ms, p99 {:.0f} ms".format(*figures))  # noqa: T201
    assert len(found) >= 10
    late = [each for each in found if each.after > AT_ONCE - _JOURNAL]
    # A shared machine may stand still for a second, and the sound of all calls with it: one key in ten may meet that.
    assert len(late) <= len(found) // 10, late


async def test_as_many_answers_as_keys_call_for(scene: Scene) -> None:
    for each in scene.people:
        record, _ = the_call(scene, each.number)
        assert record.pressed == "".join(WELL)
    answers = [(each["question_id"], each["value"]) for each in scene.table("answers")]
    assert sorted(answers) == sorted(
        [("temperature", "36.5"), ("cough", "no"), ("breathless", "no")] * len(scene.people)
    )
    assert {each["status"] for each in scene.table("sessions")} == {"completed"}


async def test_no_log_tells_anything(scene: Scene) -> None:
    assert told_by_logs(scene) == []
