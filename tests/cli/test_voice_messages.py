"""`voice-messages`: staff hear what was said."""

import json
import shutil
import stat
from pathlib import Path

import pytest

from ivr import recordings
from ivr.storage.sessions import save_turn
from ivr.storage.sqlite import connect_writer
from ivr.storage.voice_messages import Said
from tests.cli.conftest import Command
from tests.storage.records import HANAKO, begin_session, later, turn


@pytest.fixture
def said(folder: Path, made: Path) -> Path:
    """The folder of two messages, and of one that belongs to nobody."""
    var = folder / "var"
    var.mkdir()
    connection = connect_writer(Path(shutil.copy(made, var / "kenko-call.db")))
    with connection.begin():
        begin_session(connection, "s-1")
        begin_session(connection, "s-2", None)
        for id, session in (("kc-1a", "s-1"), ("kc-1b", "s-1"), ("kc-2", "s-2")):
            recordings.store(var / "voice-messages" / f"{id}.wav", recordings.silence(4))
            save_turn(connection, session, None, turn(("message", id)), later(1), [Said(id, "message", 4.0)])
    connection.close()
    return var / "voice-messages"


def test_list(command: Command, said: Path) -> None:
    code, out, _ = command("voice-messages", "list", "--date", "2025-01-06")
    assert code == 0
    rows = [[part.strip() for part in line.strip("│").split("│")] for line in out.splitlines() if line[0] == "│"]
    assert rows == [
        ["kc-1a", "2025-01-06", "09:01:00", HANAKO.id, "message", "4", "話し直し前"],
        ["kc-1b", "2025-01-06", "09:01:00", HANAKO.id, "message", "4", "回答"],
        ["kc-2", "2025-01-06", "09:01:00", "? 999999", "message", "4", "回答"],
    ]
    _, out, _ = command("voice-messages", "list", "--date", "2025-01-05", "--until", "2025-01-06", "--json")
    found = json.loads(out)
    assert ([each["id"] for each in found["messages"]], found["unnamed"]) == (["kc-1a", "kc-1b", "kc-2"], [])
    _, out, _ = command("voice-messages", "list", "--json")
    assert json.loads(out)["messages"] == []


def test_a_recording_that_belongs_to_nobody_needs_a_person(command: Command, said: Path) -> None:
    recordings.store(said / "kc-9.wav", recordings.silence(1))
    code, out, _ = command("voice-messages", "list")
    assert code == 1
    assert "だれのものか" in out
    code, out, _ = command("voice-messages", "list", "--json")
    assert (code, json.loads(out)["unnamed"]) == (1, ["kc-9"])


def test_export(command: Command, said: Path, tmp_path: Path) -> None:
    code, _, err = command("voice-messages", "export", "kc-1a", "-o", str(tmp_path / "one.wav"))
    assert (code, err) == (0, f"{tmp_path / 'one.wav'} に書き出しました。\n")
    assert (tmp_path / "one.wav").read_bytes() == (said / "kc-1a.wav").read_bytes()
    assert stat.S_IMODE((tmp_path / "one.wav").stat().st_mode) == 0o600
    assert command("voice-messages", "export", "kc-2", "-o", str(tmp_path))[0] == 0
    assert recordings.length_of(tmp_path / "kc-2.wav") == 4


def test_export_of_what_is_not_there(command: Command, said: Path, tmp_path: Path) -> None:
    for given, complaint in (("kc-1", "2 件"), ("kc-7", "ありません")):
        code, _, err = command("voice-messages", "export", given, "-o", str(tmp_path))
        assert (code, complaint in err) == (2, True)
    (said / "kc-2.wav").unlink()
    code, _, err = command("voice-messages", "export", "kc-2", "-o", str(tmp_path))
    assert (code, "kc-2.wav" in err) == (2, True)
