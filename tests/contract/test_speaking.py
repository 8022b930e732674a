"""Somebody speaks on the real pair: what is stored is what they said, also when they hang up in the middle of it."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from ivr.recordings import beep_in
from ivr.sounds import load_prompts
from sandbox.network import Network
from sandbox.script import CallScript
from tests.acceptance import audio
from tests.contract.lead import Caller, Report, callers, reports, site_of
from tests.contract.test_drivers import Way, reception_by

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

#: Seconds that they speak.
SPEAKS = 5


@dataclass(frozen=True)
class Told:
    """What came of the calls."""

    folder: Path
    reports: dict[str, Report]

    def sounds(self) -> dict[str, audio.Sound]:
        """Id -> what was stored."""
        return {each.stem: audio.read(each) for each in (self.folder / "voice-messages").glob("*.wav")}


#: What they do when the beep has come; who is whose conversation does not matter here.
ENDINGS = {"presses #": f"say_{SPEAKS}#", "falls silent": f"say_{SPEAKS}", "hangs up": f"say_{SPEAKS}hang_up"}


def cast() -> dict[str, Caller]:
    speakers = [each for each in callers() if each.conversation.questionnaire == "spoken"]
    return dict(zip(ENDINGS, speakers, strict=False))


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=[Way.WEBSOCKET, Way.FASTAGI])
async def told(
    request: pytest.FixtureRequest, network: Network, short_prompts: Path, tmp_path_factory: pytest.TempPathFactory
) -> Told:
    """Three people answer the first two questions and then speak."""
    way: Way = request.param
    folder = tmp_path_factory.mktemp("speaking") / way
    prompts = replace(load_prompts(short_prompts), beep=beep_in(tmp_path_factory.mktemp("beep")))
    sounds = {("en", prompt): sound for (_, prompt), sound in prompts.sounds.items()}
    prompts = replace(prompts, sounds={**sounds, **prompts.sounds})
    people = cast()
    async with site_of(folder, prompts) as site, reception_by(way, network, site):
        await asyncio.gather(*(call(network, people[how], entry) for how, entry in ENDINGS.items()))
    return Told(folder, reports_of(folder, people))


def reports_of(folder: Path, people: dict[str, Caller]) -> dict[str, Report]:
    found = reports(folder, people.values())
    return {how: found[caller.conversation.name] for how, caller in people.items()}


async def call(network: Network, caller: Caller, entry: str) -> None:
    # The greeting runs into the first question: its end is the first thing that they wait for.
    script = CallScript(keys=("1", "2", entry, "1"), think=0.3, patience=90)
    await network.carrier.call_in(script, caller.number)


@pytest.mark.parametrize("how", ENDINGS)
async def test_it_is_an_answer(told: Told, how: str) -> None:
    report = told.reports[how]
    assert (report.answers, report.messages) == ({"which": "ja", "better": "no", "message": "spoken"}, 1)
    assert report.status == ("waiting" if how == "hangs up" else "completed")
    assert report.outcomes == (("cut_off",) if how == "hangs up" else ("answered",))


async def test_it_is_what_was_said(told: Told) -> None:
    found = told.sounds()
    assert len(found) == len(ENDINGS)
    for sound in found.values():
        seconds = len(sound) / audio.RATE
        # A pause before it, and of the silence at the end no more than ended it.
        assert SPEAKS - 0.5 < seconds < SPEAKS + 4
        spoken = np.flatnonzero(np.abs(sound) > 1000) / audio.RATE
        assert spoken[-1] - spoken[0] == pytest.approx(SPEAKS, abs=0.5)


async def test_nothing_of_it_stays_with_asterisk(told: Told, network: Network) -> None:
    assert list((network.pbx.site.state / "recording").iterdir()) == []
