"""The same conversations over every driver give equal reports: over the terminal, and over ARI and FastAGI on the real
pair."""

import asyncio
import random
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from ivr import inbound
from ivr.ari.app import Pbx
from ivr.ari.events import ChannelDtmfReceived, Event
from ivr.ari.inbox import Inbox
from ivr.ari.playing import Tail
from ivr.ari.settings import PbxSettings, Transport
from ivr.fastagi.channel import AgiChannel
from ivr.fastagi.server import AgiServer
from ivr.fastagi.settings import AgiSettings
from ivr.fastagi.words import Reply
from ivr.loading import CALL_FRAME
from ivr.numbers import Numbering, Plan
from ivr.phone import Phone
from ivr.questionnaire.said import prompt_ids
from ivr.recordings import beep_in
from ivr.site import Site
from ivr.sounds import load_prompts
from ivr.terminal import HANG_UP as TERMINAL_HANG_UP
from ivr.terminal import SILENCE, SPEECH, unrecorded
from sandbox.journal import CallRecord
from sandbox.network import Network
from sandbox.script import HANG_UP, CallScript, spoken_and_pressed
from tests.acceptance import audio
from tests.cases_runner import Conversation, asked, conversations
from tests.contract.lead import (
    QUESTIONNAIRES,
    Caller,
    Report,
    asked_of,
    callers,
    calls_over,
    over_terminal,
    reports,
    site_of,
)

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

#: Calls at once: two cores carry both sides and the tests.
AT_ONCE = 16


class Way(StrEnum):
    """How Asterisk and we talk."""

    HTTP = "http"
    WEBSOCKET = "websocket"
    FASTAGI = "fastagi"


@dataclass(frozen=True)
class Told:
    """What came of all conversations over the real pair."""

    way: Way
    reports: dict[str, Report]
    calls: list[CallRecord]
    keys: Counter[str]  #: key events that arrived, by number
    numbers: dict[str, str] = field(default_factory=dict)  #: conversation -> number


@dataclass
class Reception:
    """Receives every call as the service does."""

    site: Site
    callers: dict[str, str] = field(default_factory=dict)  #: channel -> number

    async def arrived(self, phone: Phone, caller: str | None, dialled: str) -> None:
        self.callers[phone.call_id] = caller or ""
        await inbound.receive(asked_of(self.site, caller), phone, caller)

    async def studio(self, phone: Phone, endpoint: str, extension: str) -> None:
        raise AssertionError("nobody records prompts")

    async def found(self, phone: Phone) -> None:
        raise AssertionError("nobody left a call behind")

    async def reconciled(self, live_ids: frozenset[str], restarted: bool) -> None:
        assert not live_ids


@asynccontextmanager
async def reception(
    network: Network,
    site: Site,
    desk_of: Callable[[Site], Reception] = Reception,
    transport: Transport = Transport.AUTO,
) -> AsyncIterator[Reception]:
    """Our side of ARI, connected to the PBX."""
    settings = PbxSettings(
        network.pbx.ari_url.removesuffix("/ari"),
        network.pbx.user,
        network.pbx.secret,
        network.pbx.trunk,
        callers={network.pbx.trunk: network.pbx.inbound_number},
        transport=transport,
        numbering=Numbering(Plan.PRACTICE),
    )
    desk = desk_of(site)
    tail = Tail(*site.prompts.resolve(("frame/quiet", "frame/apology"), "ja"))
    pbx = Pbx(settings, desk, tail, now=time.monotonic, sleep=asyncio.sleep, jitter=random.random)
    running = asyncio.create_task(pbx.run())
    try:
        async with asyncio.timeout(20):
            await pbx.ready()
        yield desk
        await calls_over(site.database)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def second_reception(network: Network, site: Site) -> AsyncIterator[Reception]:
    """Our side of FastAGI: nobody is there in Stasis, and the dialplan comes to it."""
    settings = AgiSettings(
        network.pbx.site.agi_port,
        network.pbx.site.state / "recording",
        trunks=("trunk",),
        callers={"trunk": network.pbx.inbound_number},
        numbering=Numbering(Plan.PRACTICE),
    )
    desk = Reception(site)
    (apology,) = site.prompts.resolve(("frame/apology",), "ja")
    server = AgiServer(settings, desk, lambda: apology, now=time.monotonic, sleep=asyncio.sleep)
    running = asyncio.create_task(server.run())
    try:
        await listening(settings.port)
        yield desk
        await calls_over(site.database)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def listening(port: int) -> None:
    """Wait until somebody listens there."""
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


def reception_by(way: Way, network: Network, site: Site) -> AbstractAsyncContextManager[Reception]:
    if way is Way.FASTAGI:
        return second_reception(network, site)
    return reception(network, site, transport=Transport(way))


async def lead(network: Network, caller: Caller, gate: asyncio.Semaphore) -> list[CallRecord]:
    """One conversation, call after call, by somebody who presses as soon as the voice has begun."""
    found = []
    async with gate:
        for words in caller.conversation.calls:
            keys = ("", *(_entry(each) for each in words.split()))  # the greeting takes no keys
            script = CallScript(keys=keys, barge_in=1.1, patience=100)
            found.append(await network.carrier.call_in(script, caller.number))
    return found


def _entry(word: str) -> str:
    if word.startswith(SPEECH):
        return f"say_{word.removeprefix(SPEECH)}#"
    return {SILENCE: "", TERMINAL_HANG_UP: HANG_UP}.get(word, word)


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=list(Way))
async def over_asterisk(
    request: pytest.FixtureRequest, network: Network, short_prompts: Path, tmp_path_factory: pytest.TempPathFactory
) -> Told:
    """All conversations at once, the longest first."""
    way: Way = request.param
    folder = tmp_path_factory.mktemp("contract") / way
    prompts = shutil.copytree(short_prompts, folder.with_name("prompts"))
    greeting = prompts / "ja/frame/inbound_greeting.wav"
    # A pause after it, so that people know the question from the greeting, which takes no keys.
    audio.write(greeting, np.pad(audio.read(greeting), (0, 2 * audio.RATE)))
    # The advice after a severe answer takes no keys either: unheard, so that nobody presses then.
    audio.write(prompts / "ja/frame/severe.wav", np.zeros(audio.RATE // 5, dtype=np.int16))
    # A value counts only when it was said, with the apology before it: in no time, so that people may press early.
    values = ("daily/*_is", "daily/no_*meter", "value/*", "example/message_taken", "frame/silence", "frame/wrong_key")
    for path in (each for name in values for each in prompts.glob(f"ja/{name}.wav")):
        audio.write(path, audio.read(path)[: audio.RATE // 5])
    # Nobody has recorded English yet; what is in it does not matter here.
    shutil.copytree(prompts / "ja/example", prompts / "en/example")
    shutil.copytree(prompts / "ja/frame", prompts / "en/frame")
    keys: Counter[str] = Counter()
    original, original_do = Inbox.put, AgiChannel._do

    async def do(self: AgiChannel, command: str, seconds: float = 0.0) -> Reply:
        reply = await original_do(self, command, seconds)
        keys[self.call_id] += bool(reply.key)
        return reply

    def put(self: Inbox, event: Event) -> None:
        if isinstance(event, ChannelDtmfReceived):
            keys[event.channel.id] += 1
        original(self, event)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Inbox, "put", put)
        patch.setattr(AgiChannel, "_do", do)
        async with (
            site_of(folder, replace(load_prompts(prompts), beep=beep_in(prompts))) as site,
            reception_by(way, network, site) as desk,
        ):
            gate = asyncio.Semaphore(AT_ONCE)
            longest_first = sorted(callers(), key=lambda each: -len(" ".join(each.conversation.calls)))
            led = await asyncio.gather(*(lead(network, each, gate) for each in longest_first))
    by_number: Counter[str] = Counter()
    for channel, count in keys.items():
        by_number[desk.callers[channel]] += count
    return Told(
        way,
        reports(folder),
        [record for each in led for record in each],
        by_number,
        {each.conversation.name: each.number for each in callers()},
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def over_the_terminal(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Report]:
    """The same without any network."""
    folder = tmp_path_factory.mktemp("contract") / "terminal"
    said = {*CALL_FRAME, *(each for name in QUESTIONNAIRES for each in prompt_ids(asked(name)))}
    async with site_of(folder, unrecorded(said, "ja", "en")) as site:
        await over_terminal(site)
    return reports(folder)


@pytest.mark.parametrize("case", conversations(), ids=lambda case: case.name)
async def test_equal_reports(case: Conversation, over_the_terminal: dict[str, Report], over_asterisk: Told) -> None:
    expected = over_the_terminal[case.name]
    # Neither driver is the measure alone: the file says what must come of it.
    assert expected.answers == case.answers
    # Who never pressed a key called from a mobile telephone: it sends tones, so they could not enter (ivr.hearing).
    assert (expected.status, expected.follow_ups, expected.alerts) == (case.status, case.follow_ups, case.alerts)
    assert (expected.language, expected.messages) == (case.language, case.messages)
    assert over_asterisk.reports[case.name] == expected


@pytest.mark.parametrize("case", conversations(), ids=lambda case: case.name)
async def test_every_key_arrives_exactly_once(case: Conversation, over_asterisk: Told) -> None:
    number = over_asterisk.numbers[case.name]
    pressed = sum(len(each.keys) for each in over_asterisk.calls if each.number == number)
    if over_asterisk.way is Way.FASTAGI:
        # What is pressed into a prompt that takes no keys never comes to us; what comes, comes once.
        assert over_asterisk.keys[number] <= pressed
    else:
        assert over_asterisk.keys[number] == pressed
    words = [_entry(word) for words in case.calls for word in words.split()]
    assert pressed == sum(len(spoken_and_pressed(word)[1]) for word in words if word != HANG_UP)


async def test_who_hung_up(over_asterisk: Told) -> None:
    ends = Counter(each.ended_by for each in over_asterisk.calls)
    hang_ups = sum("hangup" in words for case in conversations() for words in case.calls)
    assert ends == {"patient": hang_ups, "pbx": len(over_asterisk.calls) - hang_ups}


async def test_nobody_complains(network: Network, over_asterisk: Told) -> None:
    # A sound that is cut off by a hang-up is one to Asterisk; so is every call that comes the second way.
    known = ("Playback failed", "Stasis app 'kenko'", "per-call config for app 'kenko'")
    assert [each for each in network.complaints() if not any(words in each for words in known)] == []
