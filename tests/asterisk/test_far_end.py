"""The far end of our own: it registers, is called, calls, presses and hears. Other tests lean on what it says."""

import asyncio
import wave
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.farend.endpoint import refuses, rings, silent, walks
from sandbox.farend.leg import Leg
from sandbox.farend.stream import EventPacket
from sandbox.network import Network, running_network
from sandbox.settings import FAR_USER, NetworkSettings
from tests.asterisk.stub import Step, Stub, dial, stub_service
from tests.asterisk.test_network import SOUNDS, write_sounds

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

ASKS = Step(["first"], 1)
BYE = Step(["bye"], 0)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def far_network(
    new_settings: Callable[[], NetworkSettings], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Network]:
    """A network with the far ends and short sounds, for services that use the trunk to the first of them."""
    folder = tmp_path_factory.mktemp("prompts")
    write_sounds(folder)
    async with running_network(replace(new_settings(), prompts=folder, far_end=True)) as running:
        yield running.over("trunk-far")


async def until(happened: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110 - a message has nobody to tell us
            await asyncio.sleep(0.02)


async def ended(stub: Stub, network: Network, number: str) -> int:
    """Ring a number; the SIP code with which the call ended, as our PBX tells it."""
    channel = await dial(stub.ari, network, number)
    await until(lambda: channel in stub.destroyed)
    return int(stub.destroyed[channel]["tech_cause"])


async def test_our_pbx_registers_with_a_password(far_network: Network) -> None:
    registrar = far_network.far_registrar
    await until(lambda: bool(registrar.registered))
    assert list(registrar.registered) == [FAR_USER]
    first, second, *_ = registrar.requests("REGISTER")
    assert [bool(each.get("Authorization")) for each in (first, second)] == [False, True]


async def test_a_call_to_the_one_that_wants_a_password(far_network: Network, number: str) -> None:
    far_network.far_registrar.on_call(refuses(486, "Busy Here"), number)
    registered = far_network.over("trunk-registered")
    async with stub_service(registered, []) as stub:
        assert await ended(stub, registered, number) == 486
    (invite,) = far_network.far_registrar.invites(number)
    assert f'username="{FAR_USER}"' in invite.get("Proxy-Authorization")


async def test_a_telephone_in_the_house_registers(far_network: Network) -> None:
    # From the provider's side the password of the house is worth nothing.
    house = far_network.pbx.site.house
    assert house
    assert await far_network.far.register(house.name, house.password) in (401, 403, 404, 405)


async def test_it_refuses_with_any_code_and_header(far_network: Network, number: str) -> None:
    far = far_network.far
    far.on_call(refuses(433, "Anonymity Disallowed", (("Reason", "Q.850;cause=21"),), ring=0.1), number)
    async with stub_service(far_network, []) as stub:
        assert await ended(stub, far_network, number) == 433
    (invite,) = far.invites(number)
    assert (invite.user, invite.source) == (number, ("127.0.0.1", far_network.pbx.site.sip_port))


async def test_it_never_answers_or_only_rings(far_network: Network, number: str) -> None:
    others = f"{number[:-4]}8{number[-3:]}"
    far_network.far.on_call(silent(), number)
    far_network.far.on_call(rings(), others)
    async with stub_service(far_network, []) as stub:
        for each in (number, others):
            channel = await dial(stub.ari, far_network, each, ring=1)
            await until(lambda channel=channel: channel in stub.destroyed)  # type: ignore[misc]
    (unheard,) = [each for each in far_network.far.legs if each.invite.user == number]
    (rung,) = [each for each in far_network.far.legs if each.invite.user == others]
    # Nobody may be cancelled who never said anything (RFC 3261, 9.1).
    assert (unheard.count("CANCEL"), rung.count("CANCEL"), rung.ended_by) == (0, 1, "them")


async def test_it_listens_and_presses_and_records(far_network: Network, number: str, tmp_path: Path) -> None:
    far_network.far.on_call(walks(["1", "2"]), number)
    async with stub_service(far_network, [ASKS, ASKS, BYE]) as stub:
        channel = await dial(stub.ari, far_network, number)
        await until(lambda: channel in stub.destroyed, 20)
    assert stub.heard[channel] == "12"
    (leg,) = [each for each in far_network.far.legs if each.invite.user == number]
    leg.stream.write(tmp_path / "heard.wav")
    with wave.open(str(tmp_path / "heard.wav"), "rb") as file:
        assert file.getnframes() / file.getframerate() > 2 * SOUNDS["first"] + SOUNDS["bye"]
    assert leg.ended_by == "them"


async def test_keys_with_packets_of_any_pattern(far_network: Network, number: str) -> None:
    """Lost ends, doubled packets, a held key in a burst: our PBX hears each key once."""

    async def script(leg: Leg) -> None:
        await leg.answer()
        await leg.listen()
        await leg.press("1", [EventPacket(0, 0.02, marker=True), EventPacket(0.1, 0.12, end=True)])
        leg.stream.copies = 2
        await leg.press("23")
        leg.stream.copies = 1
        leg.stream.hold_back()
        await leg.press("4")
        leg.stream.release()
        await leg.until_over()

    far_network.far.on_call(script, number)
    async with stub_service(far_network, [Step(["first"], 4), BYE]) as stub:
        channel = await dial(stub.ari, far_network, number)
        await until(lambda: channel in stub.destroyed, 20)
    assert stub.heard[channel] == "1234"


async def test_hold_a_new_port_silence_and_a_bye(far_network: Network, number: str) -> None:
    codes = []

    async def script(leg: Leg) -> None:
        await leg.answer()
        codes.append(await leg.hold())
        codes.append(await leg.resume())
        await leg.stream.open()
        leg.stream.speaking = False
        await leg.pause(0.2)
        codes.append(await leg.bye())

    far_network.far.on_call(script, number)
    async with stub_service(far_network, [ASKS]) as stub:
        channel = await dial(stub.ari, far_network, number)
        await until(lambda: channel in stub.destroyed)
    assert codes == [200, 200, 200]
    # A BYE without a Reason: 0, as if Asterisk had stopped (22.10.1).
    assert stub.destroyed[channel]["cause"] == 0


async def test_it_calls_with_any_caller_and_any_uri(far_network: Network) -> None:
    far, ours = far_network.far, far_network.pbx.inbound_number
    async with stub_service(far_network, [ASKS, BYE]) as stub:
        leg = await far.call(ours, '"見本" <sip:09001000001@127.0.0.3>', (("X-Test", "1"),))
        assert leg.final
        assert leg.final.code == 200
        await leg.listen()
        await leg.press("5")
        await leg.until_over()
        assert list(stub.heard.values()) == ["5"]
    refused = await far.call("05000000999", "09001000001")
    assert refused.final
    assert refused.final.code == 404
    other = await far.call("", "09001000001", uri=f"sip:{ours}@{far.pbx[0]}:{far.pbx[1]};x=1", codecs=("opus",))
    assert other.final
    assert other.final.code == 488


async def test_it_gives_up_before_the_answer(far_network: Network) -> None:
    # Nobody serves: the call would wait for the application, and then be answered with the apology.
    assert await far_network.far.cancelled_call(far_network.pbx.inbound_number, "09001000001", after=0.2) in (487, 200)
