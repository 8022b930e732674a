"""docs/administrator.md, trunks.md, provider.md: commands, options and files that they name exist, examples load."""

import re
from pathlib import Path

import pytest

from ivr import pbx_files
from ivr.asterisk import Asterisk, SipTrunk
from ivr.cli.commands import COMMANDS, load
from ivr.config import Config, Pbx, read_config
from ivr.dialling import Trunk
from tests.cases_runner import ROOT

ADMINISTRATOR = (ROOT / "docs" / "administrator.md").read_text(encoding="utf-8")
PROVIDER = (ROOT / "docs" / "provider.md").read_text(encoding="utf-8")
TRUNKS = (ROOT / "docs" / "trunks.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"(?s)```yaml\n(.*?)```", TRUNKS)
REST = 'centre: {name: 見本}\nnumbers: practice\nslots: {morning: {from: "9:00", until: "11:30"}}\n'


def commands() -> list[list[str]]:
    """The words after each `kenko-call` of the two guides."""
    found = re.findall(r"(?m)(?:^|`|/bin/)kenko-call ([a-z-]+[^`\n#（。|]*)", ADMINISTRATOR + TRUNKS)
    return [each.split() for each in found]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_commands_and_options_exist(words: list[str]) -> None:
    name = next(each for each in (" ".join(words[:2]), words[0]) if each in COMMANDS)
    options = {name for option in load(name).params for name in option.opts}
    given = {word for word in words if word.startswith("-")}
    assert given <= options


def test_there_are_such_commands() -> None:
    named = {" ".join(word for word in each[:2] if not word.startswith("-")) for each in commands()}
    assert {"doctor", "backup", "check", "pbx check", "pbx diff"} <= named
    assert any(each[:2] == ["pbx", "render"] and "--existing" in each for each in commands())


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_recipe_renders(tmp_path: Path, example: str) -> None:
    file = tmp_path / "config.yaml"
    for name in ("ari", "sip", "east", "west"):
        (tmp_path / f"{name}.secret").write_text("s" * 40)
    file.write_text(REST + example.replace("/etc/kenko-call/", ""), encoding="utf-8")
    files = pbx_files.render(read_config(file), existing=False)
    assert "type = endpoint" in files["pjsip.conf"]


def test_settings_that_are_named_exist() -> None:
    known = {
        *Config.model_fields,
        *Pbx.model_fields,
        *Asterisk.model_fields,
        *SipTrunk.model_fields,
        *Trunk.model_fields,
    }
    table = PROVIDER[PROVIDER.index("| 尋ねること |") :].partition("\n\n")[0]
    assert set(re.findall(r"`([a-z_]+)`", table)) <= known
    for name in ("external_address", "local_networks", "rtp_first", "rtp_last", "sip_port"):
        assert f"`{name}`" in ADMINISTRATOR
        assert name in Asterisk.model_fields


@pytest.mark.parametrize("guide", [ADMINISTRATOR, TRUNKS], ids=["administrator", "trunks"])
def test_files_that_are_named_are_there(guide: str) -> None:
    for link in re.findall(r"\]\(([^)#:]+\.md)\)", guide):
        assert (ROOT / "docs" / link).is_file()
    for name in re.findall(r"packaging/systemd/[a-z.-]+[a-z]", guide):
        assert (ROOT / name).exists()


def test_what_the_guide_says_of_numbers_is_so() -> None:
    assert f"{Asterisk().rtp_first}〜{Asterisk().rtp_last}" in ADMINISTRATOR
    assert "22.10.1" in ADMINISTRATOR
    assert all(name in ADMINISTRATOR for name in ("extensions_custom.conf", "ari_additional_custom.conf"))
