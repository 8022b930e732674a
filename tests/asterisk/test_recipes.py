"""Every example of docs/trunks.md, loaded by a real Asterisk beside the others: registers, is called, and calls in.

Their addresses become addresses of loopback, where a far end of our own is the provider; their names are known to a DNS
of our own, with a service (SRV) and an address each.
"""

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
import yaml

from ivr import pbx, pbx_files
from ivr.config import read_config
from ivr.pbx import Trunk
from ivr.trunks.dialled import dialled
from ivr.trunks.presented import number_for
from ivr.trunks.sound import offered
from sandbox import ari
from sandbox.asterisk import complaints, running
from sandbox.farend.endpoint import FarEnd, refuses
from sandbox.farend.message import address
from sandbox.network import running_far_ends
from sandbox.settings import FAR_PORT, NetworkSettings, pbx_site
from tests.cases_runner import ROOT

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

GUIDE = (ROOT / "docs" / "trunks.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", GUIDE, re.S)
#: Trunk, by the example's place in the guide -> what From and P-Asserted-Identity must say; {} is its address.
WANTED = {
    "r0-trunk": ("sip:05000000100@example.jp", ""),
    "r1-trunk": ("sip:05000000100@example.jp", ""),
    "r2-trunk": ("sip:+815000000100@example.jp", "sip:05000000100@example.jp"),
    "r3-trunk": ("sip:0310000100@{}", ""),
    "r4-trunk": ("sip:0310000100@{}", ""),
    "r5-trunk": ("sip:7@{}", "sip:0310000100@{}"),
    "r6-east": ("sip:05000000100@sip.example.com", ""),
    "r6-west": ("sip:05000000200@sip.example.net", ""),
}
#: Of those the ones whose provider drops OPTIONS.
SILENT = ("r0-trunk", "r3-trunk")
RESOLVER = "[general]\nhosts = /dev/null\nresolv = /dev/null\nnameserver = {address}@{port}\n"


def trunks_of(block: str, at: int, folder: Path, base_port: int) -> Iterator[Trunk]:
    """The trunks of an example, as the settings read it, moved to loopback."""
    given = yaml.safe_load(block)
    given |= {"centre": {"name": "見本"}, "numbers": "practice"}
    given["slots"] = {"morning": {"from": "9:00", "until": "11:30"}}
    given["pbx"]["secret_file"] = str(folder / "secret")
    for each in given["pbx"]["asterisk"]["sip_trunks"]:
        if "password_file" in each:
            each["password_file"] = str(folder / "secret")
    file = folder / f"{at}.yaml"
    file.write_text(yaml.safe_dump(given, allow_unicode=True), encoding="utf-8")
    for place, trunk in enumerate(pbx_files.site_of(read_config(file)).trunks):
        home = f"127.0.{at + 2}.{place + 1}"
        is_name = not trunk.host.replace(".", "").isdigit()
        moved = replace(trunk, name=f"r{at}-{trunk.name}", networks=(f"{home}/32",))
        number = trunk.caller_id or given["pbx"]["inbound_numbers"][0]
        host, port = (trunk.host, None) if is_name else (home, base_port + FAR_PORT)
        yield replace(moved, host=host, port=port, caller_id=number, qualify_seconds=min(trunk.qualify_seconds, 1))


class Names(asyncio.DatagramProtocol):
    """A DNS that knows each name's service and address, and that there is nothing else."""

    def __init__(self, homes: Mapping[str, str], port: int) -> None:
        self.homes, self.port = homes, port
        self.asked: set[tuple[str, int]] = set()  #: name and type: 1 is A, 33 is SRV

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += data[at] + 1
        name, (kind,) = ".".join(labels).lower(), struct.unpack("!H", data[at + 1 : at + 3])
        self.asked.add((name, kind))
        question, answer = data[12 : at + 5], b""
        bare = name.removeprefix("_sip._udp.")
        if kind == 33 and name != bare and bare in self.homes:
            answer = struct.pack("!HHH", 0, 0, self.port) + self._written(f"server.{bare}")
        elif kind == 1 and (home := self.homes.get(name.removeprefix("server."))):
            answer = socket.inet_aton(home)
        record = b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(answer)) + answer if answer else b""
        head = data[:2] + struct.pack("!HHHHH", 0x8580, 1, int(bool(answer)), 0, 0)
        self.transport.sendto(head + question + record, addr)  # type: ignore[attr-defined]

    @staticmethod
    def _written(name: str) -> bytes:
        return b"".join(bytes([len(each)]) + each.encode() for each in name.split(".")) + b"\0"


@dataclass(frozen=True)
class Lines:
    """Asterisk with all the trunks, and the providers."""

    trunks: Mapping[str, Trunk]
    far_ends: Mapping[str, FarEnd]
    access: ari.Ari
    names: Names
    complaints: Callable[[], list[str]]


@contextlib.asynccontextmanager
async def names(homes: Mapping[str, str], port: int) -> AsyncIterator[tuple[Names, int]]:
    loop = asyncio.get_running_loop()
    transport, found = await loop.create_datagram_endpoint(lambda: Names(homes, port), local_addr=("127.0.0.1", 0))
    try:
        yield found, int(transport.get_extra_info("sockname")[1])
    finally:
        transport.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def lines(
    new_settings: Callable[[], NetworkSettings], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Lines]:
    folder, settings = tmp_path_factory.mktemp("recipes"), new_settings()
    (folder / "secret").write_text("s" * 40, encoding="utf-8")
    base = settings.base_port
    trunks = [each for at, block in enumerate(BLOCKS) for each in trunks_of(block, at, folder, base)]
    numbers = ("05000000100", "05000000200", "0310000100")
    settings = replace(settings, far_trunks=tuple(trunks), inbound_numbers=numbers)
    site = replace(pbx_site(settings), house=None)
    homes = {each.host: each.networks[0].removesuffix("/32") for each in trunks if each.port is None}
    async with running_far_ends(settings) as far_ends, names(homes, base + FAR_PORT) as (known, port):
        for name in SILENT:
            far_ends[name].silent_to.add("OPTIONS")
        for far in far_ends.values():
            far.on_call(refuses(486, "Busy Here"))
        files = pbx.render(site)
        files["resolver_unbound.conf"] = RESOLVER.format(address="127.0.0.1", port=port)
        files["modules.conf"] += "load = res_resolver_unbound.so\n"
        async with running(settings.asterisk, site, files), ari.connected(site) as access:
            named = {each.name: each for each in trunks}
            yield Lines(named, far_ends, access, known, lambda: complaints(site))


def home_of(trunk: Trunk) -> str:
    return trunk.networks[0].removesuffix("/32")


async def test_the_guide_has_no_example_that_is_not_tried(lines: Lines) -> None:
    assert list(lines.trunks) == list(WANTED)


@pytest.mark.parametrize("name", [each for each in WANTED if each not in ("r3-trunk", "r4-trunk")])
async def test_it_registers(lines: Lines, name: str) -> None:
    far, trunk = lines.far_ends[name], lines.trunks[name]
    async with asyncio.timeout(30):
        while not far.registered:  # noqa: ASYNC110 - a message tells nobody
            await asyncio.sleep(0.05)
    assert list(far.registered) == [trunk.user]
    assert {each.uri for each in far.requests("REGISTER")} == {f"sip:{trunk.place}"}


@pytest.mark.parametrize("name", WANTED)
async def test_calls_go_out_and_say_who_we_are(lines: Lines, name: str) -> None:
    trunk, far = lines.trunks[name], lines.far_ends[name]
    number = f"0900888{list(WANTED).index(name):04}"
    named = f"{number}@{name}"
    await lines.access.request(
        "POST",
        "/channels",
        endpoint=dialled(named, {name: trunk.place}),
        context="kenko-outbound",
        extension="answered",
        priority=1,
        timeout=10,
        callerId=number_for(named, {name: trunk.caller_id}),
        **cast(dict[str, Any], offered(named)),
    )
    async with asyncio.timeout(20):
        while not far.invites(number):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    (invite,) = far.invites(number)
    said = (address(invite.get("From")), address(invite.get("P-Asserted-Identity")))
    assert said == tuple(each.format(home_of(trunk)) for each in WANTED[name])
    assert b"RTP/AVP 0 8 101\r\n" in invite.body
    assert ("Proxy-Authorization" in dict(invite.headers)) is bool(trunk.user)


@pytest.mark.parametrize("name", WANTED)
async def test_calls_come_in(lines: Lines, name: str) -> None:
    """To the number, and where we registered, to what we registered as."""
    trunk, far = lines.trunks[name], lines.far_ends[name]
    contact = address(next(iter(far.registered.values()), ""))
    leg = await far.call(trunk.caller_id, "09000000001", uri=contact)
    assert leg.final
    # Nobody takes it up: the apology.
    assert leg.final.code == 200
    await leg.bye()


async def test_a_name_without_a_port_was_asked_for_its_service(lines: Lines) -> None:
    assert {("_sip._udp.sip.example.jp", 33), ("server.sip.example.jp", 1)} <= lines.names.asked
    # And the domain never was.
    assert not [each for each in lines.names.asked if each[0].removeprefix("_sip._udp.") == "example.jp"]


async def test_asterisk_complains_of_nothing_but_silence(lines: Lines) -> None:
    assert [each for each in lines.complaints() if "is now Unreachable" not in each] == []
