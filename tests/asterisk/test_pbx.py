"""`kenko-call pbx` against a real Asterisk that runs what it rendered."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import aiohttp
import pytest
import yaml

from ivr import pbx, pbx_files
from ivr.cli.pbx import find_differences
from ivr.config import Config, read_config
from ivr.doctor.facts import gather, read_registrations
from ivr.doctor.judgement import Light, examine
from ivr.drivers import pbx_settings
from sandbox import ari
from sandbox.asterisk import complaints, running
from sandbox.settings import NetworkSettings, pbx_site

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session")]

TRUNKS = [
    {"name": "east", "host": "127.0.0.1", "networks": ["127.0.0.1"], "qualify_seconds": 0},
    {
        "name": "west",
        "host": "127.0.0.1",
        "networks": ["127.0.0.1/32", "192.0.2.0/24"],
        "user": "05000000200",
        "auth_user": "line1",
        "password_file": "sip.secret",
        "domain": "localhost",
        "trust_caller_id": True,
        "qualify_seconds": 1,
    },
]


def config_of(network: NetworkSettings) -> Config:
    """config.yaml of a site whose Asterisk is that of the sandbox: two trunks, behind a router."""
    site, folder = pbx_site(network), network.folder
    for name in ("ari.secret", "sip.secret"):
        (folder / name).write_text("s" * 40 + "\n", encoding="utf-8")
    asterisk = {
        **{name: str(getattr(site, name)) for name in ("etc", "modules", "data", "state", "run", "log")},
        "sip_address": "127.0.0.1",
        "sip_port": site.sip_port,
        "external_address": "203.0.113.5",
        "local_networks": ["127.0.0.0/8"],
        "rtp_first": site.rtp_first,
        "rtp_last": site.rtp_last,
        "sip_trunks": [each | {"port": site.trunk.port} for each in TRUNKS],
    }
    given = {
        "centre": {"name": "見本"},
        "ids": {"check_digit": False},
        "numbers": "practice",
        "prompts": str(site.prompts),
        "pbx": {
            "url": f"http://127.0.0.1:{site.ari_port}",
            "secret_file": "ari.secret",
            "inbound_numbers": ["05000000100"],
            "asterisk": asterisk,
        },
        "trunks": [{"name": "east"}, {"name": "west", "caller_id": "05000000200"}],
        "slots": {"morning": {"from": "9:00", "until": "11:30"}},
    }
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(given, allow_unicode=True), encoding="utf-8")
    return read_config(file)


async def test_what_is_rendered_loads_without_a_complaint_and_runs_as_written(
    new_settings: Callable[[], NetworkSettings],
) -> None:
    network = new_settings()
    config = config_of(network)
    files = pbx_files.render(config, existing=False)
    # The practice Asterisk is not started by root, so it becomes nobody else.
    files["asterisk.conf"] = files["asterisk.conf"].replace("runuser =", ";runuser =").replace("rungroup", ";rungroup")
    site = replace(pbx_files.site_of(config), user="")
    async with running(network.asterisk, site, files):
        before = {(each.message, each.values.get("name")) for each in await find_differences(config, existing=False)}
        async with ari.connected(site):
            during = {each.message for each in await find_differences(config, existing=False)}
        facts = await gather(config, pbx_settings(config), datetime.now(UTC))
        console = await asyncio.create_subprocess_exec(
            *(*network.asterisk.command, "-C", str(site.etc / "asterisk.conf"), "-rx", "pjsip show registrations"),
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await console.communicate()
        other = config.model_copy(update={"pbx": config.pbx.model_copy(update={"asterisk": _changed(config)})})
        changed = {each.render("en") for each in await find_differences(other, existing=False)}
        existing = {each.message for each in await find_differences(config, existing=True)}
        complained = [each for each in complaints(site) if "Registration" not in each and "registration" not in each]
    assert before == {
        ("pbx.differs.file", "asterisk.conf"),
        ("pbx.differs.no_application", "kenko"),
        ("pbx.differs.trunk_offline", "west"),
    }
    assert during == {"pbx.differs.file", "pbx.differs.trunk_offline"}
    lights = {each.check: each.light for each in examine(facts)}
    assert lights["asterisk"] is lights["modules"] is lights["codec"] is Light.GREEN
    assert lights["trunk"] is lights["application"] is Light.RED
    # Nobody answers there: neither word means that it is registered.
    assert read_registrations(said.decode())["west"] in ("Unregistered", "Rejected")
    assert any("outbound_proxy of [west] in pjsip.conf should be sip:127.0.0.9" in each for each in changed)
    assert any("rtp.conf is not what the settings say" in each for each in changed)
    assert existing == {
        "pbx.differs.missing_file",
        "pbx.differs.not_included",
        "pbx.differs.no_application",
        "pbx.differs.trunk_offline",
    }
    assert complained == []


def _changed(config: Config) -> object:
    """The same Asterisk, but the provider's address and the ports of the sound are others."""
    asterisk = config.pbx.asterisk
    moved = asterisk.sip_trunks[1].model_copy(update={"host": "127.0.0.9"})
    return asterisk.model_copy(
        update={"sip_trunks": (asterisk.sip_trunks[0], moved), "rtp_last": asterisk.rtp_last - 2}
    )


async def test_an_existing_pbx_takes_our_part_without_a_complaint(new_settings: Callable[[], NetworkSettings]) -> None:
    network = new_settings()
    config = config_of(network)
    theirs = pbx.render(replace(pbx_site(network), ari_user="somebody"))
    theirs["extensions.conf"] = (
        "[from-trunk]\nexten => 05000000100,1,Goto(kenko-inbound,05000000100,1)\n"
        "#include kenko_extensions_custom.conf\n"
    )
    theirs["ari.conf"] += "#include kenko_ari_custom.conf\n"
    theirs["cdr_custom.conf"] = "[mappings]\n#include kenko_cdr_custom.conf\n"
    config = config.model_copy(update={"trunks": (), "pbx": config.pbx.model_copy(update={"trunk": "trunk"})})
    ours = pbx_files.render(config, existing=True)
    site = replace(pbx_site(network), ari_secret="s" * 40)
    async with running(network.asterisk, site, theirs | ours), ari.connected(site):
        found = {each.message for each in await find_differences(config, existing=True)}
        said = complaints(site)
    assert found == {"pbx.differs.trunk_offline"}
    assert said == []


async def test_a_pbx_without_a_user_of_ari_loads_without_a_complaint(
    new_settings: Callable[[], NetworkSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `fastagi.only` renders it: nobody can ask it anything over ARI."""

    async def needs_none(_: pbx.PbxSite) -> bool:
        return True

    monkeypatch.setattr("sandbox.asterisk._ari_answers", needs_none)
    network = new_settings()
    site = replace(pbx_site(network), agi_only=True, ari_secret="")
    async with running(network.asterisk, site, pbx.render(site)):
        async with aiohttp.ClientSession() as session, session.get(f"{ari_url(site)}/asterisk/info") as reply:
            assert reply.status in (401, 403, 404)
        assert complaints(site) == []


def ari_url(site: pbx.PbxSite) -> str:
    return f"http://{site.ari_address}:{site.ari_port}/ari"
