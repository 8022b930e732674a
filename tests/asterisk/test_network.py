"""The practice network is what the other tests stand on: it starts clean, rings, listens, records, and stops."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import wave
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from sandbox import ari
from sandbox.asterisk import CannotStart
from sandbox.journal import CallRecord
from sandbox.network import Network, running_carrier, running_network, running_pbx
from sandbox.script import CallScript, Does, HangUp, When
from sandbox.settings import NetworkSettings
from tests.asterisk.stub import Step, dial, stub_service

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session")]

#: Samples in 20 ms.
PIECE = 160

#: Seconds of sounds that stand for the real ones, so that these tests are short.
SOUNDS = {"frame/apology": 1.6, "first": 1.2, "second": 1.0, "third": 1.3, "bye": 0.9}
GATE = Step(["first"], 1)
NUMBER = Step(["second", "third"], 3)
QUESTION = Step(["second"], 1)
BYE = Step(["bye"], 0)


def write_sounds(folder: Path) -> None:
    """The sounds of SOUNDS, as prompts of Japanese."""
    random = np.random.default_rng(1)
    for name, seconds in SOUNDS.items():
        path = folder / "ja" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            noise = random.standard_normal(int(8000 * seconds)) * 3000
            # As finished prompts: what is sent in the last moment before a hang-up may get lost.
            noise[-800:] = 0
            file.writeframes(noise.astype("<i2").tobytes())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def quick(
    new_settings: Callable[[], NetworkSettings], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Network]:
    """A network with short sounds, each of its own noise: a recording then tells them apart to the sample."""
    folder = tmp_path_factory.mktemp("prompts")
    write_sounds(folder)
    async with running_network(replace(new_settings(), prompts=folder)) as running:
        yield running


def sound_of(path: Path) -> NDArray[np.float64]:
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64)


def place_of(prompt: NDArray[np.float64], heard: NDArray[np.float64]) -> tuple[float, float]:
    """Where the prompt begins in the recording (seconds), and how much of it (0 to 1) is there, in its order.

    By pieces of 20 ms: on a machine that is too busy Asterisk sends late, and the gaps are what the patient heard.
    """
    found: list[int] = []
    pieces = [at for at in range(0, len(prompt) - PIECE, PIECE) if prompt[at : at + PIECE].std() > 200]
    for at in pieces:
        piece = prompt[at : at + PIECE]
        begin = found[-1] if found else 0
        match = np.correlate(heard[begin : begin + 8 * 8000], piece, "valid")
        if len(match) and np.corrcoef(heard[(best := begin + int(np.argmax(match))) : best + PIECE], piece)[0, 1] > 0.9:
            found.append(best)
    return (found[0] - pieces[0]) / 8000 if found else -1.0, len(found) / len(pieces)


async def finished(network: Network, number: str, count: int = 1, seconds: float = 60) -> CallRecord:
    def done() -> list[CallRecord]:
        return [each for each in network.carrier.calls_of(number) if each.ended]

    await until(lambda: len(done()) >= count, seconds)
    return done()[count - 1]


async def until(happened: Callable[[], bool], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110 - a process has nobody to tell us
            await asyncio.sleep(0.05)


async def test_both_sides_start_without_a_complaint(new_settings: Callable[[], NetworkSettings]) -> None:
    async with running_network(new_settings()) as network:
        await asyncio.sleep(2.5)  # the trunk is asked for, and answers
        assert network.complaints() == []
        assert "Asterisk 22" in network.pbx.log.read_text()


async def test_without_the_application_a_called_person_hears_the_apology(quick: Network, number: str) -> None:
    quick.carrier.assign(number, [CallScript(ring=0)])
    async with ari.connected(replace(quick.pbx.site, application="somebody-else")) as access:
        await dial(access, quick, number)
        record = await finished(quick, number)
    assert_apology(quick, record)


@pytest.mark.parametrize("caller", ["09001009999", None])
async def test_without_the_application_a_caller_hears_the_apology(quick: Network, caller: str | None) -> None:
    assert_apology(quick, await quick.carrier.call_in(CallScript(), caller))


def assert_apology(network: Network, record: CallRecord) -> None:
    assert record.recording
    apology = sound_of(network.settings.prompts / "ja/frame/apology.wav")
    heard = sound_of(record.recording)
    at, there = place_of(apology, heard)
    assert there > 0.9
    assert 0.4 < at < 1.5  # Answer, Wait(0.5)
    assert len(heard) / 8000 >= at + len(apology) / 8000
    assert record.ended_by == "pbx"
    assert record.prompts_heard == 1


async def test_a_call_that_is_left_alone_ends_with_the_apology(
    quick: Network, new_settings: Callable[[], NetworkSettings]
) -> None:
    settings = new_settings()
    short = replace(settings, longest_call=2, prompts=quick.settings.prompts)
    async with running_network(short) as network, ari.connected(network.pbx.site):
        record = await network.carrier.call_in(CallScript(), "09001009998")
    assert record.recording
    at, there = place_of(sound_of(short.prompts / "ja/frame/apology.wav"), sound_of(record.recording))
    # Nobody answered it before: the call is answered for the apology alone.
    assert there > 0.9
    assert at < 1


@pytest.mark.parametrize(
    ("does", "sip"),
    [
        (Does.BUSY, 486),
        (Does.NOT_IN_SERVICE, 404),
        (Does.CONGESTION, 503),
        (Does.REJECTS, 603),
        (Does.UNREACHABLE, 480),
    ],
)
async def test_what_a_refusing_number_says(quick: Network, number: str, does: Does, sip: int) -> None:
    quick.carrier.assign(number, [CallScript(does=does)])
    async with stub_service(quick, []) as stub:
        channel = await dial(stub.ari, quick, number)
        record = await finished(quick, number)
        await until(lambda: channel in stub.destroyed)
    assert stub.destroyed[channel]["tech_cause"] == sip
    assert (record.answered, record.ended_by, record.recording) == (None, "patient", None)


async def test_it_rings_until_the_caller_gives_up(quick: Network, number: str) -> None:
    quick.carrier.assign(number, [CallScript(does=Does.RINGS)])
    async with stub_service(quick, []) as stub:
        await dial(stub.ari, quick, number, ring=2)
        record = await finished(quick, number)
    assert (record.answered, record.ended_by) == (None, "pbx")


async def test_the_carrier_lists_every_invite_itself(quick: Network, number: str) -> None:
    before = len(quick.carrier.invites())
    quick.carrier.assign(number, [CallScript(does=Does.BUSY)])
    async with stub_service(quick, []) as stub:
        # Not a fictional number: the carrier knows nobody there, but writes it down.
        for each in (number, "0312345678"):
            await dial(stub.ari, quick, each)
        await until(lambda: len(quick.carrier.invites()) == before + 2)
    invites = quick.carrier.invites()[before:]
    assert [(each.called, each.caller) for each in invites] == [
        (number, quick.pbx.inbound_number),
        ("0312345678", quick.pbx.inbound_number),
    ]
    assert quick.carrier.calls_of("0312345678") == []


async def test_per_call_scripts(quick: Network, number: str) -> None:
    quick.carrier.assign(number, [CallScript(does=Does.BUSY), CallScript(ring=0, keys=("hang_up",))])
    async with stub_service(quick, [GATE]) as stub:
        for count in (1, 2, 3):
            await dial(stub.ari, quick, number)
            record = await finished(quick, number, count)
            assert (record.count, record.answered is None) == (count, count == 1)


#: Name -> what somebody does; the keys that arrive at our PBX, who hangs up, how many prompts were heard.
PATIENTS: dict[str, tuple[CallScript, str, str, int]] = {
    "listens": (CallScript(keys=("1", "365", "2")), "13652", "pbx", 4),
    "barges in": (CallScript(keys=("1", "365", "2"), barge_in=0.8), "13652", "pbx", 4),
    "stops": (CallScript(keys=("1", "36"), key_pause=1.5, patience=12), "136", "patient", 2),
    "security phone": (CallScript(keys=("1", "365", "2"), speaks=0.5, hears_meanwhile=False), "13652", "pbx", 4),
    "leaves": (CallScript(keys=("1", "hang_up")), "1", "patient", 2),
    "before": (CallScript(keys=("1", "365"), hang_up=HangUp(prompt=2, when=When.BEFORE)), "1", "patient", 1),
    "while": (CallScript(keys=("1", "365"), hang_up=HangUp(prompt=2, when=When.WHILE)), "1", "patient", 2),
    "after": (CallScript(keys=("1", "365"), hang_up=HangUp(prompt=2, when=When.AFTER)), "1", "patient", 2),
    "at once": (CallScript(hang_up=HangUp(prompt=1, when=When.BEFORE)), "", "patient", 0),
    "voicemail": (CallScript(keys=("",), speaks=2, patience=5), "", "patient", 1),
}


async def test_patients_listen_and_press(quick: Network) -> None:
    numbers = {f"0700100{index:04d}": name for index, name in enumerate(PATIENTS)}
    for number, name in numbers.items():
        quick.carrier.assign(number, [PATIENTS[name][0]])
    async with stub_service(quick, [GATE, NUMBER, QUESTION, BYE]) as stub:
        channels = {name: await dial(stub.ari, quick, number) for number, name in numbers.items()}
        records = {name: await finished(quick, number) for number, name in numbers.items()}
    seen = {name: (each.pressed, each.ended_by) for name, each in records.items()}
    assert seen == {name: (keys, by) for name, (_, keys, by, _) in PATIENTS.items()}
    # On a machine that is too busy a prompt has holes, and counts as two.
    fewer = {name for name, each in records.items() if each.prompts_heard < PATIENTS[name][3]}
    assert not fewer
    assert {name: stub.heard[each] for name, each in channels.items()} == {
        name: keys for name, (_, keys, _, _) in PATIENTS.items()
    }


async def test_the_recording_is_exact_to_the_sample_and_filled_with_silence(quick: Network, number: str) -> None:
    quick.carrier.assign(number, [CallScript(ring=0, keys=("1",), think=3)])
    async with stub_service(quick, [GATE, BYE]) as stub:
        await dial(stub.ari, quick, number)
        record = await finished(quick, number)
    assert record.recording
    assert record.ended
    assert record.answered
    heard = sound_of(record.recording)
    assert len(heard) / 8000 == pytest.approx(record.ended - record.answered, abs=0.15)
    first, there_first = place_of(sound_of(quick.settings.prompts / "ja/first.wav"), heard)
    second, there_second = place_of(sound_of(quick.settings.prompts / "ja/bye.wav"), heard)
    assert min(there_first, there_second) > 0.9
    assert first < 1
    # The key: 3 s after speech ended, and the next prompt at once after the key.
    (key,) = record.keys
    assert key.offset_ended - key.offset_began == pytest.approx(0.12, abs=0.01)
    # Asterisk's own quiet before a key is a little less or more than 100 ms.
    assert -0.05 < second - key.offset_ended < 1


async def test_a_withheld_number_and_a_shown_one(quick: Network) -> None:
    async with stub_service(quick, [GATE, BYE]) as stub:
        record = await quick.carrier.call_in(CallScript(keys=("5",)), None)
        assert (record.number, record.pressed, record.inbound) == ("withheld", "5", True)
        assert "5" in stub.heard.values()
        record = await quick.carrier.call_in(CallScript(keys=("6",)), "09001009997")
        assert record.pressed == "6"


async def test_two_networks_at_once_and_nothing_is_left(
    quick: Network, new_settings: Callable[[], NetworkSettings]
) -> None:
    async with running_network(replace(new_settings(), prompts=quick.settings.prompts)) as second:
        assert {quick.pbx.pid, quick.carrier.pid}.isdisjoint({second.pbx.pid, second.carrier.pid})
        record = await second.carrier.call_in(CallScript(keys=("hang_up",)), None)
        assert record.answered
        mine = (second.pbx.pid, second.carrier.pid)
        assert all(is_running(each) for each in mine)
    assert not any(is_running(each) for each in mine)


async def test_our_pbx_dies_and_comes_back_beside_the_carrier(
    quick: Network, new_settings: Callable[[], NetworkSettings]
) -> None:
    settings = replace(new_settings(), prompts=quick.settings.prompts)
    async with running_carrier(settings) as carrier:
        async with running_pbx(settings) as ours:
            os.kill(ours.pid, signal.SIGKILL)
        async with running_pbx(settings):
            record = await carrier.call_in(CallScript(keys=("hang_up",)), None)
    assert record.answered


async def test_a_used_port_is_one_sentence(quick: Network, new_settings: Callable[[], NetworkSettings]) -> None:
    taken = NetworkSettings(new_settings().folder, quick.settings.asterisk, quick.settings.base_port)
    with pytest.raises(CannotStart) as failed:
        async with running_network(taken):
            pass
    said = failed.value.render("en")
    assert said == f"port {quick.settings.base_port + 2} is in use; choose another --base-port"


async def test_asterisk_ends_with_its_parent(new_settings: Callable[[], NetworkSettings], tmp_path: Path) -> None:
    settings = new_settings()
    program = (
        "import asyncio, pathlib, sys\n"
        "from sandbox.install import install\n"
        "from sandbox.network import running_network\n"
        "from sandbox.settings import NetworkSettings\n"
        "async def main():\n"
        f"    async with running_network(NetworkSettings(pathlib.Path({str(tmp_path)!r}), install(), "
        f"{settings.base_port})) as network:\n"
        "        print(network.pbx.pid, network.carrier.pid, flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=subprocess.PIPE)
    assert parent.stdout
    pids = [int(each) for each in (await parent.stdout.readline()).split()]
    assert len(pids) == 2
    assert all(is_running(each) for each in pids)
    parent.kill()
    await parent.wait()
    await until(lambda: not any(is_running(each) for each in pids))


def is_running(pid: int) -> bool:
    """Whether it is there and not a zombie that waits to be collected."""
    with contextlib.suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return state != "Z"
    return False
