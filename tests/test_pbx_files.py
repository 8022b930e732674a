"""The files of an installation: what config.yaml becomes, our part of a PBX that is there, and differences on disk."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from ivr import pbx_files
from ivr.config import Config, read_config
from ivr.errors import BadInput
from tests.fakes.site import settings

SECRET = "s" * 40
PASSWORD = "p" * 20
TRUNK = {"host": "198.51.100.1", "networks": ["198.51.100.0/24"]}


def config_with(folder: Path, asterisk: dict[str, Any], **other: Any) -> Config:
    (folder / "ari.secret").write_text(SECRET, encoding="utf-8")
    (folder / "sip.secret").write_text(PASSWORD, encoding="utf-8")
    pbx = {
        "secret_file": str(folder / "ari.secret"),
        "inbound_numbers": ["05000000100"],
        "asterisk": {"etc": str(folder / "etc")} | asterisk,
    }
    return settings(pbx=pbx, **other)


def section_of(files: dict[str, str], heading: str, kind: str) -> str:
    """The lines of `[heading]` with `type = kind` in pjsip.conf."""
    parts = ("\n" + files["pjsip.conf"]).split("\n[")
    (found,) = [each for each in parts if each.startswith(f"{heading}]\ntype = {kind}\n")]
    return found


def test_a_trunk_that_is_known_by_its_address(tmp_path: Path) -> None:
    files = pbx_files.render(config_with(tmp_path, {"sip_trunks": [TRUNK]}), existing=False)
    assert "contact = sip:198.51.100.1\n" in section_of(files, "trunk", "aor")
    assert "match = 198.51.100.0/24" in section_of(files, "trunk", "identify")
    assert "from_user = 05000000100" in section_of(files, "trunk", "endpoint")
    assert "type = registration" not in files["pjsip.conf"]
    assert "external_media_address" not in files["pjsip.conf"]
    assert "maxcalls = 6" in files["asterisk.conf"]  # 4 lines and two more
    assert "runuser = asterisk" in files["asterisk.conf"]
    assert f"password = {SECRET}" in files["ari.conf"]


def test_a_trunk_that_registers_from_behind_a_router(tmp_path: Path) -> None:
    trunk = TRUNK | {"user": "05000000100", "auth_user": "line1", "password_file": str(tmp_path / "sip.secret")}
    asterisk = {"sip_trunks": [trunk], "external_address": "203.0.113.5", "local_networks": ["192.168.1.0/24"]}
    files = pbx_files.render(config_with(tmp_path, asterisk), existing=False)
    assert "client_uri = sip:05000000100@198.51.100.1" in section_of(files, "trunk", "registration")
    assert f"username = line1\npassword = {PASSWORD}\n" in section_of(files, "trunk", "auth")
    assert "external_media_address = 203.0.113.5\nlocal_net = 192.168.1.0/24\n" in files["pjsip.conf"]
    assert "load = res_pjsip_outbound_registration.so" in files["modules.conf"]


@pytest.mark.parametrize(("dtmf", "loaded"), [("rfc4733", False), ("auto", False), ("info", True), ("auto_info", True)])
def test_keys_as_sip_info_need_a_module(tmp_path: Path, dtmf: str, loaded: bool) -> None:
    files = pbx_files.render(config_with(tmp_path, {"sip_trunks": [TRUNK | {"dtmf": dtmf}]}), existing=False)
    assert f"dtmf_mode = {dtmf}\n" in section_of(files, "trunk", "endpoint")
    assert ("load = res_pjsip_dtmf_info.so" in files["modules.conf"]) is loaded


def test_telephones_in_the_house_reach_the_studio_and_nothing_else(tmp_path: Path) -> None:
    studio = {"extension": "701", "networks": ["192.168.1.0/24"], "password_file": str(tmp_path / "sip.secret")}
    files = pbx_files.render(config_with(tmp_path, {"sip_trunks": [TRUNK]}, studio=studio), existing=False)
    assert "exten => 701,1" in files["extensions.conf"].replace("exten = ", "exten => ")
    assert f"password = {PASSWORD}\n" in section_of(files, "studio", "auth")
    nowhere = config_with(tmp_path, {"sip_trunks": [TRUNK]}, studio={"extension": "701"})
    without = pbx_files.render(nowhere, existing=False)
    assert "701" not in without["extensions.conf"]


def test_each_trunk_presents_its_own_number(tmp_path: Path) -> None:
    lines = [{"name": "east"}, {"name": "west", "caller_id": "05000000200"}]
    sip = [TRUNK | {"name": "west", "host": "192.0.2.9", "networks": ["192.0.2.9"]}, TRUNK | {"name": "east"}]
    config = config_with(tmp_path, {"sip_trunks": sip}, trunks=lines)
    files = pbx_files.render(config.model_copy(update={"lines": config.lines}), existing=False)
    assert "from_user = 05000000100" in section_of(files, "east", "endpoint")
    assert "from_user = 05000000200" in section_of(files, "west", "endpoint")
    assert "sip:192.0.2.9\n" in section_of(files, "west", "aor")
    assert "permit = 198.51.100.0/24\npermit = 192.0.2.9\n" in section_of(files, "provider", "acl")


def test_a_trunk_of_which_nothing_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        pbx_files.render(config_with(tmp_path, {}), existing=False)
    assert [each.message for each in caught.value.problems] == ["pbx.no_sip_trunk"]


def test_an_existing_pbx_gets_our_own_contexts_and_nothing_else(tmp_path: Path) -> None:
    files = pbx_files.render(config_with(tmp_path, {}), existing=True)
    assert files.keys() == pbx_files.INCLUDED_FROM.keys() - {"kenko_manager_custom.conf"}
    dialplan = files["kenko_extensions_custom.conf"]
    headings = [line for line in dialplan.splitlines() if line.startswith("[")]
    assert headings == [
        *("[kenko-inbound]", "[kenko-not-ours]", "[kenko-caller]", "[kenko-first-way]", "[kenko-last-way]"),
        *("[kenko-outbound]", "[kenko-test]", "[kenko-apology]"),
    ]
    assert "kenko-apology,s,1" in dialplan
    # Nothing leads to a context of somebody else's.
    assert "?apology" not in dialplan
    assert "(apology" not in dialplan
    assert files["kenko_ari_custom.conf"].count("\n[") == 1
    assert "[kenko]" in files["kenko_ari_custom.conf"]
    assert "[" not in files["kenko_cdr_custom.conf"].replace("[mappings]", "")
    assert "calls.csv => " in files["kenko_cdr_custom.conf"]
    assert all(each.startswith(pbx_files.OURS) for each in files.values())


def test_callers_have_a_second_way_if_wished(tmp_path: Path) -> None:
    given = {"sip_trunks": [TRUNK]}
    without = pbx_files.render(config_with(tmp_path, given), existing=False)
    assert '"FAILED"]?kenko-last-way,s,1)' in without["extensions.conf"]
    assert "AGI" not in without["extensions.conf"]
    assert not any(each in without["modules.conf"] for each in ("res_agi", "app_dial"))
    config = config_with(tmp_path, given, fastagi={"port": 4573})
    for files in (pbx_files.render(config, existing=False), pbx_files.render(config, existing=True)):
        dialplan = files.get("extensions.conf") or files["kenko_extensions_custom.conf"]
        assert '"FAILED"]?kenko-second-way,${EXTEN},1)' in dialplan
        assert "[kenko-second-way]\nexten => 05000000100,1,Set(" in dialplan
        assert "AGI(agi://127.0.0.1:4573/inbound,${EXTEN})\n same => n,Goto(kenko-last-way,s,1)\n" in dialplan
        assert "Dial(" not in dialplan
    assert "load = res_agi.so\n" in pbx_files.render(config, existing=False)["modules.conf"]


def test_a_pbx_without_ari(tmp_path: Path) -> None:
    config = config_with(tmp_path, {"sip_trunks": [TRUNK]}, fastagi={"port": 4573, "only": True})
    files = pbx_files.render(config, existing=False)
    assert "Goto(kenko-second-way,${EXTEN},1)\n" in pbx_files.section(files["extensions.conf"], "kenko-caller")
    assert "Stasis(kenko,inbound" not in files["extensions.conf"]
    # Nor is there a user of ARI, nor a password to read for one.
    config.pbx.secret_file.unlink()
    files = pbx_files.render(config, existing=False)
    assert "enabled = no\n" in files["ari.conf"]
    assert "password" not in files["ari.conf"]
    assert "kenko_ari_custom.conf" not in pbx_files.render(config, existing=True)


def test_the_last_words_are_an_apology_and_the_centres_number(tmp_path: Path) -> None:
    given = {"sip_trunks": [TRUNK]}
    config = config_with(tmp_path, given, centre={"name": "見本", "telephone": "03-10"})
    folder = f"{config.prompts}/ja"
    said = ["frame/apology", "digit/0", "digit/3", "digit/pause", "digit/1", "digit/0_end"]
    dialplan = pbx_files.render(config, existing=False)["extensions.conf"]
    assert f"Playback({'&'.join(f'{folder}/{each}' for each in said)})" in dialplan
    alone = pbx_files.render(config_with(tmp_path, given), existing=False)["extensions.conf"]
    assert alone.count(f"Playback({folder}/frame/apology)") == 2


def test_the_manager_is_open_for_our_look_only(tmp_path: Path) -> None:
    (tmp_path / "ami.secret").write_text("a" * 40, encoding="utf-8")
    watch = {"ami_secret_file": str(tmp_path / "ami.secret"), "ami_port": 5039}
    config = config_with(tmp_path, {"sip_trunks": [TRUNK]}, watch=watch)
    files = pbx_files.render(config, existing=False)
    assert "enabled = yes\nwebenabled = no\nbindaddr = 127.0.0.1\nport = 5039\n" in files["manager.conf"]
    user = pbx_files.section(files["manager.conf"], "kenko-watch")
    assert f"secret = {'a' * 40}\n" in user
    # What places calls, runs commands or changes files is not in it.
    assert "read = system,security\nwrite = reporting\n" in user
    assert "load = res_manager_devicestate.so" in files["modules.conf"]
    existing = pbx_files.render(config, existing=True)
    assert user in existing["kenko_manager_custom.conf"]
    assert "enabled" not in existing["kenko_manager_custom.conf"]
    assert "a" * 40 not in pbx_files.difference("manager.conf", None, files["manager.conf"])
    none = pbx_files.render(config_with(tmp_path, {"sip_trunks": [TRUNK]}), existing=False)
    assert "enabled = no" in none["manager.conf"]
    assert "devicestate" not in none["modules.conf"]
    (tmp_path / "ami.secret").write_text("short", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        pbx_files.render(config, existing=False)
    assert [each.message for each in caught.value.problems] == ["pbx.short_secret"]


def test_contexts_keep_what_only_looks_like_their_name() -> None:
    text = "[general]\nx = 1\n[from-trunk]\nexten => 1,1,Goto(sorry,s,1)\n[sorry]\nexten => s,1,Playback(/a/sorry)\n"
    own = pbx_files.own_contexts(text)
    assert "[general]" not in own
    assert "Goto(kenko-sorry,s,1)" in own
    assert "Playback(/a/sorry)" in own


def test_a_difference_shows_no_secret() -> None:
    ours = "[kenko]\npassword = the-new-one\nx = 1\n"
    changed = pbx_files.difference("ari.conf", "[kenko]\npassword = the-old-one\nx = 2\n", ours)
    assert "-x = 2" in changed
    assert "+x = 1" in changed
    assert "the-" not in changed
    assert changed.count("password") == 2  # that it changes is seen
    assert pbx_files.difference("ari.conf", ours, ours) == ""
    assert "the-" not in pbx_files.difference("ari.conf", None, ours)
    assert pbx_files.difference("ari.conf", ours + "y = 3\n", ours).count("password") == 1


def test_files_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text("a")
    assert pbx_files.read_files(tmp_path, {"a.conf": "", "b.conf": ""}) == {"a.conf": "a", "b.conf": None}
    (tmp_path / "b.conf").mkdir()
    with pytest.raises(BadInput, match=r"b\.conf"):
        pbx_files.read_files(tmp_path, {"b.conf": ""})


@pytest.mark.parametrize(
    "written", ["05000000100", "+815000000100", "+81-50-0000-0100", "0500-000-0100", "０５００００００１００"]
)
def test_our_number_in_whatever_form_it_is_written(tmp_path: Path, written: str) -> None:
    """What `check` lets pass can be rendered: one form inside, and on the line all in which networks write it."""
    config = config_with(tmp_path, {"sip_trunks": [TRUNK]})
    document = {"centre": {"name": "見本"}, "numbers": "practice", "slots": {"day": {"from": "9:00", "until": "11:00"}}}
    pbx = config.pbx.model_dump(include={"secret_file"}, mode="json") | {"inbound_numbers": [written]}
    file = tmp_path / "config.yaml"
    pbx["asterisk"] = {"sip_trunks": [TRUNK]}
    file.write_text(yaml.safe_dump(document | {"pbx": pbx}), encoding="utf-8")
    read = read_config(file)
    assert read.pbx.inbound_numbers == ("05000000100",)
    entry = pbx_files.section(pbx_files.render(read, existing=False)["extensions.conf"], "from-trunk")
    for form in ("05000000100", "+815000000100", "815000000100", "00815000000100", "010815000000100", "5000000100"):
        assert f"exten => {form},1,Goto(kenko-caller,05000000100,1)\n" in entry


@pytest.mark.parametrize("written", ["815000000100", "5000000100", "alice", ""])
def test_what_check_does_not_let_pass(tmp_path: Path, written: str) -> None:
    file = tmp_path / "config.yaml"
    pbx = {"secret_file": "ari.secret", "inbound_numbers": [written]}
    document = {"centre": {"name": "見本"}, "numbers": "practice", "slots": {"day": {"from": "9:00", "until": "11:00"}}}
    file.write_text(yaml.safe_dump(document | {"pbx": pbx}), encoding="utf-8")
    with pytest.raises(BadInput):
        read_config(file)
