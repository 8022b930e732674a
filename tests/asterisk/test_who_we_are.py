"""Who we are on the line: every kind of call of ours, over every kind of trunk, as the provider sees it.

What is right is asked of every call by the network itself (`sandbox.presented`); here the values stand by themselves.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
import pytest_asyncio

from ivr.ari.app import Pbx
from ivr.ari.playing import Tail
from ivr.ari.settings import PbxSettings
from ivr.fastagi.server import AgiServer
from ivr.fastagi.settings import AgiSettings
from ivr.numbers import Numbering, Plan
from ivr.phone import DialOrder, Phone
from ivr.prompts import Sound
from sandbox.farend.endpoint import FarEnd, refuses
from sandbox.farend.message import Message, address
from sandbox.network import Network, running_network
from sandbox.settings import FAR_DOMAIN, FAR_USER, INBOUND_NUMBER, SECOND_NUMBER, NetworkSettings, far_trunk
from tests.contract.test_drivers import listening

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

#: Trunk -> what From and P-Asserted-Identity must say.
WANTED = {
    "trunk-far": (f"sip:{INBOUND_NUMBER}@127.0.0.3", ""),
    "trunk-registered": (f"sip:{INBOUND_NUMBER}@{FAR_DOMAIN}", ""),
    "trunk-named": (f"sip:line1@{FAR_DOMAIN}", f"sip:{SECOND_NUMBER}@{FAR_DOMAIN}"),
    "trunk-gateway": ("sip:7@127.0.0.6", f"sip:{INBOUND_NUMBER}@127.0.0.6"),
}
CALLERS = {name: SECOND_NUMBER if name == "trunk-named" else INBOUND_NUMBER for name in WANTED}
#: What a hidden caller sends: the number is known to the provider, and is not to be passed on.
WITHHELD = (
    '"Anonymous" <sip:anonymous@anonymous.invalid>',
    (
        ("P-Asserted-Identity", "<sip:09001234567@127.0.0.3>"),
        ("Privacy", "id"),
    ),
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def lines(new_settings: Callable[[], NetworkSettings]) -> AsyncIterator[Network]:
    """A network with a trunk of each kind."""
    settings = new_settings()
    base = settings.base_port
    more = (
        far_trunk(base, "trunk-named", "127.0.0.5", domain=FAR_DOMAIN, from_user="line1", caller_id=SECOND_NUMBER),
        far_trunk(base, "trunk-gateway", "127.0.0.6", from_user="7", user="7", auth_user="0007", password="p" * 16),
    )
    async with running_network(replace(settings, far_end=True, far_trunks=more)) as running:
        for far in running.far_ends.values():
            far.on_call(refuses(486, "Busy Here"))
        yield running


@dataclass
class Desk:
    """Puts everybody through to the next endpoint."""

    endpoint: str = ""
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def arrived(self, phone: Phone, caller: str | None, dialled: str) -> None:
        await phone.answer()
        assert await phone.put_through(self.endpoint, 5) is False
        self.done.set()

    async def studio(self, phone: Phone, endpoint: str, extension: str) -> None: ...

    async def found(self, phone: Phone) -> None: ...

    async def reconciled(self, live_ids: frozenset[str], restarted: bool) -> None: ...


@asynccontextmanager
async def service(network: Network, desk: Desk) -> AsyncIterator[Pbx]:
    """Our side of ARI, as the service sets it up."""
    apology = Sound("frame/apology", network.settings.prompts.resolve() / "ja/frame/apology", 3.0)
    settings = PbxSettings(
        network.pbx.ari_url.removesuffix("/ari"),
        network.pbx.user,
        network.pbx.secret,
        "trunk-far",
        more_trunks=tuple(WANTED)[1:],
        callers=CALLERS,
        numbering=Numbering(Plan.PRACTICE),
    )
    tail = Tail(apology, apology)
    pbx = Pbx(settings, desk, tail, now=time.monotonic, sleep=asyncio.sleep, jitter=random.random)
    running = asyncio.create_task(pbx.run())
    try:
        async with asyncio.timeout(20):
            await pbx.ready()
        yield pbx
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def told(invite: Message) -> tuple[str, str]:
    """The URIs of From and P-Asserted-Identity."""
    assert "anonymous" not in invite.get("From").lower()
    assert invite.get("Privacy") in ("", "none")
    return address(invite.get("From")), address(invite.get("P-Asserted-Identity"))


async def test_a_call_of_a_slot(lines: Network) -> None:
    async with service(lines, Desk()) as pbx:
        for at, trunk in enumerate(WANTED):
            number = f"0900777100{at}"
            await pbx.line.dial(DialOrder(f"kc-slot-{at}", number, 5, trunk))
            (invite,) = lines.far_ends[trunk].invites(number)
            assert told(invite) == WANTED[trunk]
            # The provider's domain stands where the call is addressed, too; it went to the host all the same.
            domain = WANTED[trunk][0].partition("@")[2]
            assert invite.uri.partition("@")[2].partition(":")[0] == domain
            assert address(invite.get("To")).partition("@")[2].partition(":")[0] == domain


async def test_the_leg_to_the_duty_telephone(lines: Network) -> None:
    """Over ARI, of a caller who shows a number, and of one who hides it."""
    desk = Desk()
    async with service(lines, desk):
        for at, trunk in enumerate(WANTED):
            for way, (caller, headers) in enumerate((("09001234567", ()), WITHHELD)):
                number = f"090077720{at}{way}"
                await put_through(lines.far, desk, f"{number}@{trunk}", caller, headers)
                (invite,) = lines.far_ends[trunk].invites(number)
                assert told(invite) == WANTED[trunk]


async def test_the_leg_to_the_duty_telephone_by_the_second_way(lines: Network) -> None:
    """Over FastAGI: Dial would pass on the caller's number, or that it is withheld."""
    desk = Desk()
    (port, recordings) = lines.pbx.site.agi_port, lines.pbx.site.state / "recording"
    numbering = Numbering(Plan.PRACTICE)
    settings = AgiSettings(port, recordings, trunks=tuple(WANTED), callers=CALLERS, numbering=numbering)
    apology = Sound("frame/apology", lines.settings.prompts.resolve() / "ja/frame/apology", 3.0)
    server = AgiServer(settings, desk, lambda: apology, now=time.monotonic, sleep=asyncio.sleep)
    running = asyncio.create_task(server.run())
    try:
        await listening(port)
        for at, trunk in enumerate(WANTED):
            for way, (caller, headers) in enumerate((("09001234567", ()), WITHHELD)):
                number = f"090077730{at}{way}"
                await put_through(lines.far, desk, f"{number}@{trunk}", caller, headers)
                (invite,) = lines.far_ends[trunk].invites(number)
                assert told(invite) == WANTED[trunk]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def put_through(
    far: FarEnd, desk: Desk, endpoint: str, caller: str, headers: tuple[tuple[str, str], ...]
) -> None:
    """Somebody rings us, and is put through."""
    desk.endpoint = endpoint
    desk.done.clear()
    leg = await far.call(INBOUND_NUMBER, caller, headers)
    async with asyncio.timeout(20):
        await desk.done.wait()
    await leg.until_over()


async def test_a_registration_goes_to_the_host_and_names_the_domain(lines: Network) -> None:
    registers = lines.far_registrar.requests("REGISTER")
    async with asyncio.timeout(10):
        while not lines.far_registrar.registered:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert {each.uri for each in registers} == {f"sip:{FAR_DOMAIN}"}
    assert {address(each.get("To")) for each in registers} == {f"sip:{FAR_USER}@{FAR_DOMAIN}"}
    assert list(lines.far_registrar.registered) == [FAR_USER]
    # So do the questions whether it is there.
    assert {each.uri for each in lines.far_registrar.requests("OPTIONS")} == {f"sip:{FAR_DOMAIN}"}
