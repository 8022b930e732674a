"""The rendered configuration of a site: complete, safe by default, and no value can be more than a value."""

import re
from dataclasses import replace
from pathlib import Path

import jinja2
import pytest

from ivr import pbx
from ivr.errors import BadInput
from ivr.pbx import HousePhone, PbxSite, Trunk

SITE = PbxSite(
    etc=Path("/etc/asterisk"),
    modules=Path("/usr/lib/asterisk/modules"),
    data=Path("/usr/share/asterisk"),
    state=Path("/var/lib/asterisk"),
    run=Path("/run/asterisk"),
    log=Path("/var/log/asterisk"),
    prompts=Path("/srv/kenko/prompts"),
    sip_address="192.0.2.10",
    sip_port=5060,
    trunk=Trunk("198.51.100.1", 5060, ("198.51.100.0/24",), user="line1", password="p" * 20),
    inbound_numbers=("05000000100", "0310000100"),
    ari_user="kenko",
    ari_secret="s" * 40,
)
FILES = pbx.render(SITE)
HOUSE = HousePhone("701", ("192.0.2.0/28",), "h" * 16)


def lines(name: str, files: dict[str, str] = FILES) -> list[str]:
    """What Asterisk reads of a file: no comments, no spaces around `=`."""
    kept = (line.split(";")[0].strip() for line in files[name].splitlines())
    return [line.replace(" => ", "=").replace(" = ", "=") for line in kept if line]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("modules.conf", "autoload=no"),
        ("modules.conf", "require=res_ari.so"),
        ("pjsip.conf", "endpoint_identifier_order=ip"),
        ("pjsip.conf", "deny=0.0.0.0/0.0.0.0"),
        ("pjsip.conf", "permit=198.51.100.0/24"),
        ("pjsip.conf", "rtp_timeout=1800"),
        ("pjsip.conf", "max_retries=100000"),
        ("pjsip.conf", "allow_transfer=no"),
        ("http.conf", "bindaddr=127.0.0.1"),
        ("http.conf", "enable_static=no"),
        ("ari.conf", "websocket_write_timeout=2000"),
        ("ari.conf", "permit=127.0.0.1/32"),
        ("manager.conf", "enabled=no"),
        ("asterisk.conf", "live_dangerously=no"),
        ("asterisk.conf", "disable_remote_console_shell=yes"),
        ("asterisk.conf", "maxcalls=32"),
        ("rtp.conf", "strictrtp=yes"),
        ("cdr.conf", "batch=no"),
        ("cdr.conf", "unanswered=yes"),
    ],
)
def test_safe_by_default(name: str, line: str) -> None:
    assert line in lines(name)


def test_the_dialplan_has_no_way_out() -> None:
    dialplan = lines("extensions.conf")
    assert not [each for each in dialplan if "Dial(" in each or each.startswith("include")]
    # Two patterns, for whatever is not ours; the first does nothing but lead to the second, which hangs up.
    assert [each.partition(",")[2] for each in dialplan if each.startswith("exten=_")] == [
        "1,Goto(kenko-not-ours,dialled${EXTEN},1)",
        "1,Hangup(1)",
    ]
    assert [each for each in dialplan if each.startswith("[")] == [
        *("[general]", "[globals]", "[from-trunk]", "[kenko-not-ours]", "[kenko-caller]", "[kenko-first-way]"),
        *("[kenko-no-codec]", "[kenko-last-way]", "[kenko-outbound]", "[kenko-test]", "[apology]"),
    ]
    # Where somebody comes in there are no names that Asterisk uses itself: T, h, i.
    entry = dialplan[dialplan.index("[from-trunk]") + 1 : dialplan.index("[kenko-not-ours]")]
    assert all(re.fullmatch(r"exten=(\+?[0-9]+|_.*),1,Goto\(kenko-.*\)", each) for each in entry)
    assert {"exten=+815000000100,1,Goto(kenko-caller,05000000100,1)"} <= set(entry)
    for number in ("05000000100", "0310000100"):
        at = dialplan.index(f"exten={number},1,Set(TIMEOUT(absolute)=2)")
        assert dialplan[at + 1] == "same=n,Stasis(kenko,inbound,${EXTEN},1800)"
    # Not answered before the application has it.
    last = dialplan.index("[kenko-last-way]"), dialplan.index("[kenko-outbound]")
    before_it = dialplan[: last[0]] + dialplan[last[1] : dialplan.index("[kenko-test]")]
    assert "Answer" not in "".join(before_it)
    # The far end of the test call: no caller is led there.
    assert [each for each in dialplan if "kenko-test" in each] == ["[kenko-test]"]


def test_without_a_telephone_in_the_house_nobody_has_a_user_name() -> None:
    together = "".join(FILES.values())
    outside = together.replace("(from-trunk, from-house)", "")
    assert not [each for each in ("from-house", "studio", "identifier_user", "registrar") if each in outside]


def test_telephones_in_the_house_reach_the_studio_and_nothing_else() -> None:
    files = pbx.render(replace(SITE, house=HOUSE))
    dialplan = lines("extensions.conf", files)
    at = dialplan.index("[from-house]")
    assert dialplan[at + 1 : dialplan.index("[kenko-outbound]")] == [
        "exten=701,1,Goto(kenko-house,${EXTEN},1)",
        "[kenko-house]",
        "exten=701,1,Set(TIMEOUT(absolute)=1800)",
        "same=n,Stasis(kenko,studio)",
        'same=n,GotoIf($["${STASISSTATUS}"="FAILED"]?apology,s,1)',
        "same=n,Hangup()",
        "exten=T,1,Goto(apology,s,1)",
    ]
    assert "701" not in "".join(dialplan[:at])
    sip = lines("pjsip.conf", files)
    # The trunk as before: by its addresses only, and its context has no such number.
    trunk = sip[sip.index("context=from-trunk") - 5 : sip.index("context=from-trunk")]
    assert "identify_by=ip" in trunk
    own = sip[sip.index("identify_by=username") - 5 :]
    assert own[own.index("auth=studio") :][:6] == [
        "auth=studio",
        "identify_by=username",
        "deny=0.0.0.0/0.0.0.0",
        "deny=::/0",
        "permit=192.0.2.0/28",
        "context=from-house",
    ]


def test_no_keys_in_any_log() -> None:
    logged = [each.split("=", 1)[1] for each in lines("logger.conf") if ".log=" in each]
    assert logged
    assert not {"dtmf", "verbose", "debug"} & {level for each in logged for level in each.split(",")}
    assert "enable=no" in lines("cel.conf")


def test_nothing_that_is_never_needed_is_loaded() -> None:
    loaded = " ".join(lines("modules.conf"))
    for module in (
        "messaging",
        "stir_shaken",
        "app_system",
        "func_shell",
        "manager",
        "res_agi",
        "app_dial",
        "pbx_spool",
    ):
        assert module not in loaded


def test_without_registration_there_is_no_secret_in_pjsip() -> None:
    plain = pbx.render(replace(SITE, trunk=Trunk("198.51.100.1", 5060, ("198.51.100.1",))))
    assert "type = registration" not in plain["pjsip.conf"]
    assert "password" not in plain["pjsip.conf"]
    assert "outbound_registration" not in plain["modules.conf"]


@pytest.mark.parametrize(
    "changes",
    [
        {"ari_user": "kenko]\n[other"},
        {"application": "kenko,${SHELL(id)}"},
        {"prompts": Path("/srv/pro mpts")},
        {"inbound_numbers": ("_X.",)},
        {"inbound_numbers": ()},
        {"ari_secret": "short"},
        {"rtp_last": 10009},
        {"trunk": Trunk("198.51.100.1", 5060, ())},
        {"house": replace(HOUSE, extension="_X.")},
        {"house": replace(HOUSE, extension="05000000100")},
        {"house": replace(HOUSE, networks=())},
        {"house": replace(HOUSE, networks=("192.0.2.1;",))},
        {"house": replace(HOUSE, password="short")},
        {"house": replace(HOUSE, name="trunk")},
        {"trunk": Trunk("198.51.100.1; evil", 5060, ("198.51.100.1",))},
    ],
)
def test_what_asterisk_would_misread_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        pbx.render(replace(SITE, **changes))  # type: ignore[arg-type]


def test_a_blank_without_a_value_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.conf.j2").write_text("a = {{ nothing }}\n")
    with pytest.raises(jinja2.UndefinedError):
        pbx.fill(tmp_path)


def test_written_files_are_not_for_everybody(tmp_path: Path) -> None:
    pbx.write(FILES, tmp_path)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o640}
    assert {path.name for path in tmp_path.iterdir()} == FILES.keys()
