"""`kenko-call doctor` and `backup` on a site whose Asterisk does not run."""

import json
import re
from pathlib import Path

import pytest

from ivr.storage.backup import check_whole
from tests.cli.conftest import Command


@pytest.fixture
def site(folder: Path) -> Path:
    """A site with a secret, and an Asterisk where none is."""
    file = folder / "config.yaml"
    text = file.read_text(encoding="utf-8").replace("127.0.0.1:8088  ", "127.0.0.1:1  ")
    file.write_text(re.sub(r"(?m)^backups:$", f"backups: {folder / 'backups'}", text), encoding="utf-8")
    (folder / "var").mkdir(exist_ok=True)
    (folder / "var" / "ari.secret").write_text("s" * 40)
    (folder / "var" / "ari.secret").chmod(0o604)
    return folder


def test_one_screen(command: Command, site: Path) -> None:
    code, said, _ = command("--lang", "en", "doctor")
    assert code == 2
    assert "127.0.0.1:1" in said
    assert "chmod o-rwx" in said


def test_for_monitoring(command: Command, site: Path) -> None:
    code, said, _ = command("doctor", "--json")
    found = json.loads(said)
    lights = {each["check"]: each["light"] for each in found["lines"]}
    assert (code, found["light"]) == (2, "red")
    assert (lights["asterisk"], lights["service"], lights["secrets"], lights["database"]) == (
        "red",
        "red",
        "red",
        "yellow",
    )
    assert all(each["says"] for each in found["lines"])


def test_without_a_secret_the_rest_is_examined_all_the_same(command: Command, site: Path) -> None:
    (site / "var" / "ari.secret").unlink()
    code, said, _ = command("doctor", "--json")
    lines = {each["check"]: each for each in json.loads(said)["lines"]}
    assert code == 2
    assert lines["asterisk"]["id"] == "config.no_secret"
    assert lines["sounds"]["light"] != "red"


def test_nothing_to_copy_yet(command: Command, site: Path) -> None:
    code, _, complaint = command("backup")
    assert code == 2
    assert "まだありません" in complaint
    assert not (site / "backups").exists()


def test_a_backup_that_fails_leaves_nothing(command: Command, site: Path) -> None:
    (site / "var" / "kenko-call.db").write_bytes(b"no database" * 1000)
    code, _, complaint = command("backup")
    assert code == 2
    assert "kenko-call.db" in complaint
    assert list((site / "backups").iterdir()) == []


@pytest.mark.usefixtures("day")
def test_a_backup_can_be_read_and_doctor_sees_it(command: Command, folder: Path) -> None:
    assert command("backup")[0] == 2  # where to?
    (folder / "var" / "voice-messages").mkdir()
    (folder / "var" / "voice-messages" / "a.wav").write_bytes(b"sound")
    file = folder / "config.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"(?m)^backups:$", f"backups: {folder / 'backups'}", text), encoding="utf-8")
    code, said, _ = command("backup")
    (made,) = (folder / "backups").iterdir()
    assert code == 0
    assert str(made) in said
    check_whole(made / "kenko-call.db")
    assert (made / "voice-messages" / "a.wav").read_bytes() == b"sound"
    assert made.stat().st_mode & 0o777 == 0o700
    lines = {each["check"]: each for each in json.loads(command("doctor", "--json")[1])["lines"]}
    assert lines["backup"]["light"] == lines["database"]["light"] == "green"
