"""Keys as real lines send them, on the real Asterisk: held, by two ways, in bursts, ahead of the questions."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import pytest_asyncio

from ivr.ari.app import Pbx
from ivr.ari.phone import AriPhone
from ivr.ari.playing import Tail
from ivr.ari.settings import PbxSettings
from ivr.conversation import Voice, converse
from ivr.numbers import Numbering, Plan
from ivr.phone import HungUp
from ivr.prompts import Prompts
from ivr.questionnaire.model import Input, PersonFacts, SessionStatus, Turn
from ivr.questionnaire.turns import start
from ivr.sounds import load_prompts
from sandbox.farend.leg import Ended, Leg
from sandbox.farend.stream import EventPacket
from sandbox.network import Network, running_network
from sandbox.settings import NetworkSettings
from tests.acceptance.conftest import short_prompts
from tests.cases_runner import daily

__all__ = ["short_prompts"]

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

NEW, KNOWN = PersonFacts(), PersonFacts(knows=True)


@dataclass
class Desk:
    """Walks every caller through the daily questions; keeps nothing but the turns."""

    prompts: Prompts
    person: PersonFacts
    turns: list[Turn] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def arrived(self, phone: AriPhone, caller: str | None, dialled: str) -> None:
        async def commit(turn: Turn, given: Input | None) -> None:
            self.turns.append(turn)

        await phone.answer()
        try:
            first = start(daily(), self.person)
            await converse(phone, Voice(self.prompts, "ja"), daily(), first, commit, lambda: Path("never.wav"))
        except HungUp:
            pass
        self.over.set()

    async def studio(self, phone: AriPhone, endpoint: str, extension: str) -> None:
        raise AssertionError("nobody records prompts")

    async def found(self, phone: AriPhone) -> None:
        raise AssertionError("nobody left a call behind")

    async def reconciled(self, live_ids: frozenset[str], restarted: bool) -> None:
        assert not live_ids

    @property
    def answers(self) -> dict[str, str]:
        return {each.question: each.value for each in self.turns[-1].session.answers}

    @property
    def now(self) -> Turn:
        return self.turns[-1]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def far_network(new_settings: Callable[[], NetworkSettings], short_prompts: Path) -> AsyncIterator[Network]:
    """With a trunk that takes SIP INFO: Asterisk then takes it on every trunk."""
    settings = replace(new_settings(), prompts=short_prompts, far_end=True, info_trunk=True)
    async with running_network(settings) as running:
        yield running


@asynccontextmanager
async def desk_of(network: Network, person: PersonFacts = NEW, *, two_ways: bool = False) -> AsyncIterator[Desk]:
    """Our side, connected to the PBX."""
    prompts = load_prompts(network.settings.prompts)
    settings = PbxSettings(
        network.pbx.ari_url.removesuffix("/ari"),
        network.pbx.user,
        network.pbx.secret,
        network.pbx.trunk,
        two_ways=two_ways,
        numbering=Numbering(Plan.PRACTICE),
    )
    desk = Desk(prompts, person)
    tail = Tail(*prompts.resolve(("frame/quiet", "frame/apology"), "ja"))
    pbx = Pbx(settings, desk, tail, now=time.monotonic, sleep=asyncio.sleep, jitter=random.random)
    running = asyncio.create_task(pbx.run())
    try:
        async with asyncio.timeout(20):
            await pbx.ready()
        yield desk
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def call(network: Network) -> Leg:
    """Somebody calls, and hears the first question to its end."""
    leg = await network.far.call(network.pbx.inbound_number, "09001000001")
    await leg.listen()
    return leg


async def until(happened: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110 - a turn has nobody to tell
            await asyncio.sleep(0.02)


async def confirm(leg: Leg) -> None:
    """Hear the value to its end, and say yes."""
    await leg.listen()
    await leg.press("1")


def held(seconds: float) -> list[EventPacket]:
    """As some gateways send a held key: three packets as it goes down, then nothing until its end."""
    began = [EventPacket(0, 0.02, marker=True), EventPacket(0.16, 0.18), EventPacket(0.32, 0.34)]
    return [*began, *[EventPacket(seconds, seconds, end=True)] * 3]


async def test_a_held_key_is_one_key(far_network: Network) -> None:
    """L23: by Asterisk's own 0.15 s it was two, and the second answered the next question."""
    async with desk_of(far_network) as desk:
        leg = await call(far_network)
        await leg.press("365")
        await confirm(leg)
        await leg.listen()
        await leg.press("98#")
        await confirm(leg)
        for question, seconds in (("complexion", 1.0), ("cough", 2.0)):
            await leg.listen()
            assert desk.now.session.question == question
            await leg.stream.press("2", held(seconds), voice=True, pause=0.6)
            assert desk.answers[question] == "no"
        assert desk.now.session.question == "breathless"
        await leg.bye()


async def test_a_key_by_two_ways_counts_once(far_network: Network) -> None:
    """L24: as RFC 4733 and as SIP INFO, `3 3 6 6 6 6`."""

    async def press(keys: str) -> None:
        for key in keys:
            await leg.press(key, pause=0)
            await leg.press_by_info(key, pause=0.4)

    async with desk_of(far_network, two_ways=True) as desk:
        leg = await call(far_network)
        await press("366")
        await until(lambda: desk.now.session.pending == "36.6")
        await leg.listen()
        await press("1")
        await until(lambda: desk.answers == {"temperature": "36.6"})
        await leg.listen()
        await press("99#")
        await until(lambda: desk.now.session.pending == "99")
        await leg.bye()


async def test_two_equal_keys_of_one_burst_are_two(far_network: Network) -> None:
    """L25: `3`, then the network holds back `6` and `6`, and lets them go at once."""
    async with desk_of(far_network) as desk:
        leg = await call(far_network)
        await leg.press("3", pause=0.7)
        leg.stream.hold_back()
        await leg.press("66")
        leg.stream.release()
        await until(lambda: desk.now.session.pending == "36.6")
        await leg.bye()


@pytest.mark.parametrize("typed", ["3651", "365122"])
async def test_a_burst_answers_nothing_that_was_not_heard(far_network: Network, typed: str) -> None:
    """L26: what is typed ahead is dropped; the value is not denied, and it is soon asked for again."""
    async with desk_of(far_network) as desk:
        leg = await call(far_network)
        leg.stream.hold_back()
        await leg.press(typed)
        leg.stream.release()
        released = time.monotonic()
        await until(lambda: desk.now.session.repeats == 1)  # said again, at no cost
        seconds = sum(each.seconds for each in desk.prompts.resolve(desk.turns[1].say, "ja"))
        assert time.monotonic() - released < seconds + 3 + 2.5
        assert (desk.now.session.pending, desk.now.session.tries) == ("36.5", 0)
        leg.stream.listen_anew()
        await confirm(leg)
        await until(lambda: desk.answers == {"temperature": "36.5"})
        await leg.bye()


async def test_star_for_ever_comes_to_a_kind_end(far_network: Network) -> None:
    """L27: some twenty times."""
    async with desk_of(far_network) as desk:
        leg = await call(far_network)
        with suppress(Ended):
            for _ in range(60):
                await leg.press("*", pause=0.5)
        assert desk.now.say == ("frame/way_out",)
        assert desk.now.session.status is SessionStatus.GAVE_UP
        assert len(desk.turns) == 22


async def test_who_knows_the_questions_keys_ahead(far_network: Network) -> None:
    """Whoever went through them on an earlier day; the values are heard all the same."""

    async def press(keys: str) -> None:
        for key in keys:
            await leg.press(key, pause=0.25)

    async with desk_of(far_network, KNOWN) as desk:
        leg = await far_network.far.call(far_network.pbx.inbound_number, "09001000001")
        began = time.monotonic()
        await until(lambda: bool(desk.turns))
        await leg.pause(1.5)  # past the guard of the first prompt
        for typed, keys in (("36.5", "365"), ("98", "98#")):
            await press(keys)
            await until(lambda typed=typed: desk.now.session.pending == typed)  # type: ignore[misc]
            value = sum(each.seconds for each in desk.prompts.resolve(desk.now.say[:2], "ja"))
            assert desk.now.rules
            await leg.pause(desk.now.rules.pause + value + 0.2)
            await press("1")
        await press("222222222")
        await until(lambda: desk.over.is_set(), 20)
        assert time.monotonic() - began < 30
        assert desk.now.session.status is SessionStatus.COMPLETED
        expected = dict.fromkeys([each.id for each in daily().questions][2:], "no")
        assert desk.answers == {"temperature": "36.5", "oxygen": "98", **expected}
