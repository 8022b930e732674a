"""What takes a minute on a real line, at once: no sound for that long, an answer without ACK, two who pick up."""

import asyncio
import contextlib
import time
from dataclasses import dataclass

import pytest
import pytest_asyncio

from sandbox.farend.leg import Ended, Leg
from sandbox.network import Network
from tests.asterisk.stub import Step, Stub, dial, stub_service

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

#: Longer than the 60 s after which a call without sound was once given up.
SILENT_SECONDS = 63.0
FORKED = "09001008888"


@dataclass(frozen=True)
class Told:
    """What came of the calls."""

    silent: tuple[set[str], str]  #: the keys that were heard, of each call, and who ended the call
    unacknowledged: tuple[float, str]  #: seconds until the BYE, and its reason
    forked: Leg


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(network: Network) -> Told:
    """All of it at once, answered by a service that waits for one key."""
    far_network = network.over("trunk-far")
    async with stub_service(far_network, [Step(["frame/apology"], 1)]) as stub:
        silent, unacknowledged, forked = await asyncio.gather(
            no_sound(far_network, stub), no_acknowledgement(far_network), fork(far_network, stub)
        )
    return Told(silent, unacknowledged, forked)


async def no_sound(network: Network, stub: Stub) -> tuple[set[str], str]:
    """Muted, and no packet comes; then a key. What was heard in all calls, and who ended this one."""
    leg = await network.far.call(network.pbx.inbound_number, "09001007777")
    await leg.pause(1)
    leg.stream.speaking = False
    await leg.pause(SILENT_SECONDS)
    leg.stream.speaking = True
    with contextlib.suppress(Ended):  # at the key, by the service
        await leg.press("7")
    await leg.until_over()
    return set(stub.heard.values()), leg.ended_by


async def no_acknowledgement(network: Network) -> tuple[float, str]:
    """We ring in, get a 200 and never acknowledge it: after how long the BYE came, and its reason."""
    far, began = network.far, time.monotonic()
    leg = await far.start_call(network.pbx.inbound_number, "09001006666")
    assert (await far.ask(leg.invite.first, leg.invite.headers, leg.invite.body)).code == 200
    await leg.until_over()
    (bye,) = [each for each in leg.messages if each.method == "BYE"]
    return bye.at - began, bye.get("Reason")


async def fork(network: Network, stub: Stub) -> Leg:
    """Two telephones pick up at once behind the number that we ring."""

    async def script(leg: Leg) -> None:
        leg.respond(180, "Ringing")
        answering = asyncio.create_task(leg.answer())
        await leg.pause(0.2)
        leg.respond(200, "OK", (("Content-Type", "application/sdp"),), leg.description, tag="another")
        await leg.pause(1.5)
        await answering
        await leg.press("1")

    network.far.on_call(script, FORKED)
    await dial(stub.ari, network, FORKED)
    async with asyncio.timeout(30):
        while not (legs := [each for each in network.far.legs if each.invite.user == FORKED]):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await legs[0].until_over()
    return legs[0]


async def test_a_call_without_sound_lives_as_long_as_it_is_waited_for(told: Told) -> None:
    keys, ended_by = told.silent
    assert "7" in keys
    assert ended_by == "them"


async def test_an_answer_that_is_never_acknowledged_ends(told: Told) -> None:
    """RFC 3261, 13.3.1.4: after 64 times T1."""
    seconds, reason = told.unacknowledged
    assert 31 < seconds < 40
    assert "cause=408" in reason


async def test_of_a_fork_the_first_who_answers_is_talked_to(told: Told) -> None:
    """RFC 3261, 13.2.2.4 wants the second acknowledged and let go. Asterisk 22.10.1 acknowledges it in the first one's
    name and sends it no BYE: whoever picked up second is in silence until their provider gives up (docs/trunks.md).
    """
    leg = told.forked
    assert {each.get("To").rpartition("tag=")[2] for each in leg.acknowledged} == {leg.tag}
    assert leg.ended_by == "them"
