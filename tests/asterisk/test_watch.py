"""The watch on a real pair: what a provider may do to a trunk is an alarm and a closed gate, and ends by itself."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ivr import pbx
from ivr.ami.link import AmiSettings, open_link
from ivr.ami.state import DOWN, State
from ivr.config import Config
from ivr.lookout import Lookout, keep_watch
from ivr.pbx import PbxSite
from ivr.storage.alarms import list_alarms, standing_alarms
from ivr.storage.database import Database
from sandbox import ari
from sandbox.asterisk import running
from sandbox.network import carrier_files
from sandbox.settings import NetworkSettings, carrier_site, pbx_site
from scheduler.gates import Gates
from tests.fakes.site import settings

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session")]

PASSWORD = "the-right-password"
#: Seconds in which a fault must be known and over, with the shortened intervals: on a busy machine too.
SOON = 30.0


@dataclass
class Provider:
    """The carrier as a registrar: knows one account, and may be told to be difficult."""

    network: NetworkSettings
    address: str = "127.0.0.1"

    @property
    def site(self) -> PbxSite:
        return replace(carrier_site(self.network), sip_address=self.address)

    def files(self, password: str = PASSWORD, contacts: int = 1) -> dict[str, str]:
        """`contacts` 0: the account may not register, which is answered with 403 (22.10.1)."""
        files = carrier_files(self.network)
        account = (
            "\n[line1]\ntype = aor\nminimum_expiration = 5\nremove_existing = yes\n"
            f"max_contacts = {contacts}\n\n[line1]\ntype = auth\nauth_type = digest\nusername = line1\n"
            f"password = {password}\n"
        )
        conf = files["pjsip.conf"].replace("bind = 127.0.0.1:", f"bind = {self.address}:")
        conf = conf.replace("aors = pbx\n", "aors = pbx,line1\n")
        files["pjsip.conf"] = conf.replace("[pbx](customer)\n", "[pbx](customer)\nauth = line1\n") + account
        files["modules.conf"] += "load = res_pjsip_registrar.so\n"
        return files

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with running(self.network.asterisk, self.site, self.files()):
            yield

    async def become(self, **how: object) -> None:
        """From now on it answers otherwise."""
        (self.site.etc / "pjsip.conf").write_text(self.files(**how)["pjsip.conf"], encoding="utf-8")  # type: ignore[arg-type]
        await reload(self.site, "res_pjsip.so")


async def reload(site: PbxSite, module: str) -> None:
    async with ari.connected(site) as access:
        await access.request("PUT", f"/asterisk/modules/{module}")


def our_site(network: NetworkSettings, host: str = "127.0.0.1") -> PbxSite:
    site = pbx_site(network)
    trunk = replace(site.trunk, host=host, networks=("127.0.0.0/8",), user="line1", password=PASSWORD)
    return replace(site, trunk=trunk, house=None)


def our_files(site: PbxSite) -> dict[str, str]:
    """As rendered, but Asterisk asks again after seconds where it would after minutes."""
    files = pbx.render(site)
    for name in ("retry_interval", "forbidden_retry_interval", "fatal_retry_interval"):
        lines = files["pjsip.conf"].splitlines(keepends=True)
        files["pjsip.conf"] = "".join(f"{name} = 1\n" if each.startswith(f"{name} = ") else each for each in lines)
    # A registration that is kept for an hour is not asked for again by the provider who has changed his mind.
    files["pjsip.conf"] = files["pjsip.conf"].replace("max_retries = ", "expiration = 6\nmax_retries = ")
    return files


def our_config(site: PbxSite, folder: Path, networks: Iterable[str] = ("127.0.0.0/8",)) -> Config:
    trunk = {"host": site.trunk.host, "port": site.trunk.port, "networks": list(networks)}
    (folder / "sip.secret").write_text(PASSWORD, encoding="utf-8")
    registers = {"user": "line1", "password_file": str(folder / "sip.secret")}
    return settings(
        pbx={
            "secret_file": str(folder / "s"),
            "inbound_numbers": ["05000000100"],
            "asterisk": {"log": str(site.log), "sip_trunks": [trunk | registers]},
        },
        watch={"poll_seconds": 1, "settle_seconds": 1, "failures_per_minute": 3},
    )


@dataclass
class Post:
    """A lookout on duty, and how it left the gate of the trunk."""

    database: Database
    lookout: Lookout

    def state(self) -> State | None:
        """How the trunk stands, if its gate is as that wants it."""
        standing = self.lookout.view.trunks.get("trunk")
        is_well = standing is not None and self.lookout.gates.is_open("trunk") == (standing.state not in DOWN)
        return standing.state if standing is not None and is_well else None

    async def until(self, state: State, *alarms: str) -> None:
        """The trunk stands so, and exactly these alarms."""
        wanted = {(each, "" if each == "turned_away" else "trunk") for each in alarms}
        found: object = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SOON):
                while found != (state, wanted):
                    await asyncio.sleep(0.1)
                    found = (self.state(), set(await self.database.read(standing_alarms)))
        assert found == (state, wanted)


def manager_of(site: PbxSite) -> AmiSettings:
    assert site.manager is not None
    return AmiSettings("127.0.0.1", site.manager.port, site.manager.name, site.manager.secret)


@contextlib.asynccontextmanager
async def on_duty(site: PbxSite, config: Config, database: Database, addresses: set[str]) -> AsyncIterator[Post]:
    async def resolve(_: str) -> set[str]:
        return addresses

    now = lambda: datetime.now(UTC)  # noqa: E731
    lookout = Lookout(config, database, Gates(), now, now, resolve)
    duty = asyncio.create_task(keep_watch(lookout, manager_of(site), asyncio.sleep, lambda: 0.5))
    try:
        yield Post(database, lookout)
    finally:
        duty.cancel()
        await asyncio.gather(duty, return_exceptions=True)


async def test_a_registration_that_is_refused_and_a_carrier_that_stops(
    new_settings: Callable[[], NetworkSettings], database: Database, tmp_path: Path
) -> None:
    network = new_settings()
    site, provider = our_site(network), Provider(network)
    async with running(network.asterisk, site, our_files(site)):
        async with on_duty(site, our_config(site, tmp_path), database, {"127.0.0.1"}) as post:
            await post.until(State.UNREACHABLE, "trunk_unreachable")  # nobody is there yet
            async with provider.running():
                await post.until(State.WELL)
                await provider.become(password="another-password")
                await post.until(State.PASSWORD, "trunk_password")
                await provider.become(contacts=0)
                await post.until(State.REFUSED, "registration_refused")
                await provider.become()
                await post.until(State.WELL)
            await post.until(State.UNREACHABLE, "trunk_unreachable")
            async with provider.running():
                await post.until(State.WELL)
        told = {(each.kind, each.details) for each in await database.read(list_alarms, every=True)}
    assert told >= {("trunk_unreachable", ""), ("trunk_password", "401"), ("registration_refused", "403")}


async def test_a_provider_whose_name_leads_elsewhere(
    new_settings: Callable[[], NetworkSettings], database: Database, tmp_path: Path
) -> None:
    """The name is looked up again for every request (22.10.1): calls find the new address without anybody's help."""
    network = new_settings()
    site, provider = our_site(network, "sip.provider.test"), Provider(network)
    files = our_files(site)
    # A resolver with its own list of names: the one that asks the network cannot be led astray in a test.
    files["modules.conf"] += "load = res_resolver_unbound.so\n"

    def names(address: str) -> str:
        file = tmp_path / f"hosts-{address}"
        file.write_text(f"{address} sip.provider.test\n", encoding="utf-8")
        return f"[general]\nhosts = {file}\n"

    files["resolver_unbound.conf"] = names("127.0.0.1")
    config, addresses = our_config(site, tmp_path), {"127.0.0.1"}
    async with running(network.asterisk, site, files), on_duty(site, config, database, addresses) as post:
        async with provider.running():
            await post.until(State.WELL)
        await post.until(State.UNREACHABLE, "trunk_unreachable")
        provider.address = "127.0.0.2"
        async with provider.running():
            (site.etc / "resolver_unbound.conf").write_text(names("127.0.0.2"), encoding="utf-8")
            await reload(site, "res_resolver_unbound.so")
            await post.until(State.WELL)


async def test_somebody_who_tries_to_come_in(
    new_settings: Callable[[], NetworkSettings], database: Database, tmp_path: Path
) -> None:
    """Who is let through to log in, as the telephones of the house are, and has no account. Asterisk tells nothing of
    those whom the provider's acl keeps out (22.10.1): they stand in its log only.
    """
    network = new_settings()
    site = our_site(network)
    elsewhere = ("192.0.2.0/24",)
    site = replace(site, trunk=replace(site.trunk, networks=elsewhere), house=pbx_site(network).house)
    async with running(network.asterisk, site, our_files(site)):
        async with on_duty(site, our_config(site, tmp_path, elsewhere), database, {"127.0.0.1"}) as post:
            # The name leads to an address that we would refuse.
            await post.until(State.UNREACHABLE, "trunk_unreachable", "trunk_address")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                for number in range(6):
                    stranger.sendto(options(site, number), (site.sip_address, site.sip_port))
            await post.until(State.UNREACHABLE, "trunk_unreachable", "trunk_address", "turned_away")
        # Our user may look, and nothing else.
        link = await open_link(manager_of(site), lambda _: None)
        for action in ("Originate", "Command", "GetConfig", "UpdateConfig", "Hangup", "DBPut", "PJSIPShowContacts"):
            (answer,) = await link.ask({"Action": action})
            assert answer.message == "Permission denied"
        link.close()


def options(site: PbxSite, number: int) -> bytes:
    lines = (
        f"OPTIONS sip:{site.sip_address}:{site.sip_port} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{number};rport",
        f"From: <sip:100@127.0.0.1>;tag={number}",
        "To: <sip:100@127.0.0.1>",
        f"Call-ID: {number}",
        "CSeq: 1 OPTIONS",
        "Max-Forwards: 1",
        "Content-Length: 0",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
