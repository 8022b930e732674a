"""`kenko-call pbx`: what it writes and what it leaves alone, against a stand-in Asterisk that says too little."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Command

SECRET = "s" * 40


@pytest.fixture
def site(folder: Path) -> Path:
    """A site with one trunk by address; its Asterisk does not run."""
    file = folder / "config.yaml"
    text = file.read_text(encoding="utf-8")
    text = re.sub(
        r"    sip_trunks: \[\].*\n", '    sip_trunks: [{host: 198.51.100.1, networks: ["198.51.100.1"]}]\n', text
    )
    text = text.replace("etc: /etc/asterisk ", f"etc: {folder / 'etc'} ").replace("127.0.0.1:8088  ", "127.0.0.1:1  ")
    file.write_text(text, encoding="utf-8")
    (folder / "var").mkdir(exist_ok=True)
    (folder / "var" / "ari.secret").write_text(SECRET)
    return folder


def test_an_empty_machine_gets_everything(command: Command, site: Path) -> None:
    code, said, _ = command("pbx", "render", "--output", str(site / "etc"))
    assert code == 0
    assert "core reload" in said
    assert {"pjsip.conf", "extensions.conf", "modules.conf", "http.conf"} <= {
        each.name for each in (site / "etc").iterdir()
    }
    assert command("pbx", "diff")[0] == 0
    # Again, over our own files, is no question, and what is in order is not touched.
    before = {each.name: each.stat().st_mtime_ns for each in (site / "etc").iterdir()}
    (site / "etc" / "rtp.conf").write_text("; Kenko Call, changed\n")
    assert command("pbx", "render", "--output", str(site / "etc"))[0] == 0
    after = {each.name: each.stat().st_mtime_ns for each in (site / "etc").iterdir()}
    assert {name for name, at in after.items() if at != before[name]} == {"rtp.conf"}
    assert "rtpstart" in (site / "etc" / "rtp.conf").read_text()


def test_files_of_others_are_kept(command: Command, site: Path) -> None:
    (site / "etc").mkdir()
    (site / "etc" / "pjsip.conf").write_text("; somebody's\n")
    code, _, complaint = command("pbx", "render", "--output", str(site / "etc"))
    assert code == 2
    assert "pjsip.conf" in complaint
    assert [each.name for each in (site / "etc").iterdir()] == ["pjsip.conf"]
    assert command("pbx", "render", "--output", str(site / "etc"), "--replace")[0] == 0
    assert (site / "etc" / "pjsip.conf.before-kenko").read_text() == "; somebody's\n"


def test_an_existing_pbx_gets_our_files_and_is_told_what_to_include(command: Command, site: Path) -> None:
    (site / "etc").mkdir()
    (site / "etc" / "extensions_custom.conf").write_text("; FreePBX\n")
    code, said, _ = command("pbx", "render", "--existing", "--output", str(site / "etc"))
    assert code == 0
    assert f"{site / 'etc' / 'extensions_custom.conf'}" in said
    assert "#include kenko_extensions_custom.conf" in said
    assert "#include kenko_ari_custom.conf" in said
    assert (site / "etc" / "extensions_custom.conf").read_text() == "; FreePBX\n"
    assert sorted(each.name for each in (site / "etc").iterdir()) == [
        "extensions_custom.conf",
        "kenko_ari_custom.conf",
        "kenko_cdr_custom.conf",
        "kenko_extensions_custom.conf",
    ]
    code, said, _ = command("pbx", "check", "--existing")
    assert code == 1
    assert said.count("#include") == 3


def test_what_would_change_without_a_secret(command: Command, site: Path) -> None:
    command("pbx", "render", "--output", str(site / "etc"))
    ari = site / "etc" / "ari.conf"
    ari.write_text(ari.read_text().replace(SECRET, "t" * 40).replace("pretty = no", "pretty = yes"))
    code, said, _ = command("pbx", "diff")
    assert code == 1
    assert "-pretty = yes\n+pretty = no" in said
    assert SECRET not in said
    assert "t" * 40 not in said


def test_an_asterisk_that_does_not_answer_is_one_of_the_differences(command: Command, site: Path) -> None:
    command("pbx", "render", "--output", str(site / "etc"))
    code, said, _ = command("--lang", "en", "pbx", "check")
    assert code == 1
    assert said.count("\n") == 1
    assert "127.0.0.1:1" in said


def test_a_trunk_of_which_nothing_is_said(command: Command, folder: Path) -> None:
    (folder / "var").mkdir()
    (folder / "var" / "ari.secret").write_text(SECRET)
    code, _, complaint = command("pbx", "render", "--output", str(folder / "etc"))
    assert code == 2
    assert "docs/trunks.md" in complaint
    assert not (folder / "etc").exists()
