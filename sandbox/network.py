"""The whole practice network: our PBX, the carrier, and the people behind it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ivr import pbx
from ivr.pbx import PbxSite, Trunk
from sandbox import ari
from sandbox.asterisk import complaints, running
from sandbox.carrier import Carrier
from sandbox.farend.endpoint import FarEnd, running_far_end
from sandbox.farend.message import Message
from sandbox.presented import Said, wrong
from sandbox.script import Person
from sandbox.settings import FAR_PORT, INFO_ADDRESS, NetworkSettings, carrier_site, pbx_site

CARRIER_TEMPLATES = Path(__file__).with_name("carrier_config")


class NotUs(Exception):
    """A call of our PBX did not say who we are: withheld, another's number, another's domain."""


@dataclass(frozen=True)
class Pbx:
    """Our PBX, as the service's config.yaml needs to know it."""

    site: PbxSite
    pid: int  #: for measuring; the process is Asterisk itself
    trunk: str = "trunk"  #: the endpoint's name

    @property
    def ari_url(self) -> str:
        """The base of all ARI addresses."""
        return f"http://{self.site.ari_address}:{self.site.ari_port}/ari"

    @property
    def user(self) -> str:
        """ARI user."""
        return self.site.ari_user

    @property
    def secret(self) -> str:
        """ARI secret."""
        return self.site.ari_secret

    @property
    def inbound_number(self) -> str:
        """The number people call."""
        return self.site.presented_number

    @property
    def cdr(self) -> Path:
        """One line a call, see dialplan/cdr_custom.conf.j2."""
        return self.site.log / "cdr-custom" / "calls.csv"

    @property
    def log(self) -> Path:
        """Asterisk's own log."""
        return self.site.log / "messages.log"


@dataclass(frozen=True)
class Network:
    """Both sides, running."""

    settings: NetworkSettings
    pbx: Pbx
    carrier: Carrier
    far_ends: Mapping[str, FarEnd] = field(default_factory=dict)  #: by the trunk that leads there

    def over(self, trunk: str) -> "Network":
        """The same network, for a service whose trunk is another one of our PBX."""
        return replace(self, pbx=replace(self.pbx, trunk=trunk))

    @property
    def far(self) -> FarEnd:
        """The far end of our own behind `trunk-far`."""
        return self.far_ends["trunk-far"]

    @property
    def far_registrar(self) -> FarEnd:
        """The one with which our PBX registers, behind `trunk-registered`."""
        return self.far_ends["trunk-registered"]

    def complaints(self) -> list[str]:
        """WARNING and ERROR lines of both instances."""
        return complaints(self.pbx.site) + complaints(carrier_site(self.settings))


@contextlib.asynccontextmanager
async def running_network(settings: NetworkSettings, people: Iterable[Person] = ()) -> AsyncIterator[Network]:
    """Start both instances and the people; stop everything at the end. Raises CannotStart."""
    # The carrier first: the PBX looks for its trunk as soon as it is up.
    async with (
        running_far_ends(settings) as far_ends,
        running_carrier(settings, people) as carrier,
        running_pbx(settings) as ours,
    ):
        yield Network(settings, ours, carrier, far_ends)


@contextlib.asynccontextmanager
async def running_far_ends(settings: NetworkSettings) -> AsyncIterator[Mapping[str, FarEnd]]:
    """The far ends of our own: one for each trunk to an address that is not the carrier's."""
    site = pbx_site(settings)
    ours, port = (site.sip_address, site.sip_port), settings.base_port + FAR_PORT
    trunks = [each for each in site.trunks if each.host not in ("127.0.0.1", INFO_ADDRESS)]
    async with contextlib.AsyncExitStack() as running:
        far_ends = {}
        for each in trunks:
            (address,) = (network.removesuffix("/32") for network in each.networks)
            far = far_ends[each.name] = await running.enter_async_context(running_far_end(address, port, ours))
            if each.user:
                far.users[each.auth_user or each.user] = each.password
                far.asks_callers = True
        yield far_ends
    for each in trunks:
        _require_our_names(site, [each], map(_said, far_ends[each.name].invites()))


def _said(invite: Message) -> Said:
    sender, asserted, privacy = invite.get("From"), invite.all("P-Asserted-Identity"), invite.get("Privacy")
    return Said(invite.user, sender, asserted, privacy, invite.get("Remote-Party-ID"))


def _require_our_names(site: PbxSite, trunks: Iterable[Trunk], said: Iterable[Said]) -> None:
    """Raises NotUs if a call by these trunks said of us what it may not."""
    if found := list(wrong(said, [site.presented(each) for each in trunks])):
        raise NotUs("\n".join(found))


@contextlib.asynccontextmanager
async def running_pbx(settings: NetworkSettings) -> AsyncIterator[Pbx]:
    """Our PBX alone: to let it die and come back beside a carrier that stays. Raises CannotStart."""
    site = pbx_site(settings)
    async with running(settings.asterisk, site, pbx.render(site)) as pid:
        yield Pbx(site, pid)


@contextlib.asynccontextmanager
async def running_carrier(settings: NetworkSettings, people: Iterable[Person] = ()) -> AsyncIterator[Carrier]:
    """The carrier alone, with its people. Raises CannotStart."""
    site = carrier_site(settings)
    recordings = settings.folder.resolve() / "recordings"
    recordings.mkdir(parents=True, exist_ok=True)
    (site.log / "cel-custom" / "invites.csv").unlink(missing_ok=True)
    async with running(settings.asterisk, site, carrier_files(settings)) as pid, ari.connected(site) as access:
        carrier = Carrier(access, site, people, recordings, pid)
        serving = asyncio.create_task(carrier.run())
        try:
            yield carrier
        finally:
            serving.cancel()
            (ended,) = await asyncio.gather(serving, return_exceptions=True)
            if isinstance(ended, Exception):
                raise ended
    ours = pbx_site(settings)
    _require_our_names(ours, [each for each in ours.trunks if each.host == "127.0.0.1"], carrier.said)


def carrier_files(settings: NetworkSettings) -> dict[str, str]:
    """The carrier's configuration: as any site's, where carrier_config/ has nothing of its own."""
    site = carrier_site(settings)
    ours = pbx_site(settings)
    return pbx.render(site) | pbx.fill(CARRIER_TEMPLATES, site=site, pbx_port=ours.sip_port, house=ours.house)
