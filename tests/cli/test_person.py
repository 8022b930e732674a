"""`kenko-call person`: all about one person, given out or erased."""

import json
import shutil
import stat
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite3

from ivr.erased import read_erased
from ivr.storage.sqlite import connect_writer
from tests.cli.conftest import Command
from tests.storage.planted import MARKED, MARKS, plant
from tests.storage.records import SACHIKO

ID = MARKED.id


@pytest.fixture
def var(folder: Path, made: Path) -> Path:
    """The folder of a site with somebody of whom there is something everywhere."""
    (folder / "var" / "voice-messages").mkdir(parents=True)
    (folder / "var" / "voice-messages" / "qqvoice-1.wav").write_bytes(b"RIFF qqvoice")
    connection = connect_writer(Path(shutil.copy(made, folder / "var" / "kenko-call.db")))
    with connection.begin():
        plant(connection)
    connection.close()
    return folder / "var"


def everything_in(folder: Path) -> bytes:
    return b"\n".join(each.read_bytes() for each in sorted(folder.rglob("*")) if each.is_file())


def test_an_export_is_readable_and_for_its_owner_only(command: Command, var: Path, tmp_path: Path) -> None:
    file, sounds = tmp_path / "told.json", tmp_path / "sounds"
    code, out, err = command("person", "export", ID, "-o", str(file), "--recordings", str(sounds))
    assert (code, out) == (0, "")
    assert ID in err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    told = json.loads(file.read_text())
    titles = {each["table"]: each["title"] for each in told["sections"]}
    assert titles["answers"] == "回答"
    assert all(each["rows"] for each in told["sections"])
    assert [each for each in MARKS if each not in file.read_text()] == []
    assert told["recordings"] == ["qqvoice-1.wav"]
    assert (sounds / "qqvoice-1.wav").read_bytes() == b"RIFF qqvoice"
    assert stat.S_IMODE((sounds / "qqvoice-1.wav").stat().st_mode) == 0o600
    (row,) = next(each["rows"] for each in told["sections"] if each["table"] == "people")
    assert row["closed_at"] == "2025-01-06T09:00:00+09:00"
    assert command("person", "export", ID)[1].count("qqanswer") == 2


def test_an_export_of_nobody_or_without_a_recording_is_refused(command: Command, var: Path, tmp_path: Path) -> None:
    assert command("person", "export", "999999")[0] == 2
    (var / "voice-messages" / "qqvoice-1.wav").unlink()
    code, out, err = command("person", "export", ID, "--recordings", str(tmp_path / "sounds"))
    assert (code, out) == (2, "")
    assert "qqvoice-1.wav" in err


def test_an_erasure_leaves_no_byte(command: Command, var: Path) -> None:
    assert [each for each in MARKS if each.encode() not in everything_in(var)] == []
    code, out, err = command("person", "erase", ID, "--reason", "本人の申し出", "--by", "田中", "--yes")
    assert (code, ID in out) == (0, True)
    assert "声の伝言 1 件" in err
    assert [each for each in MARKS if each.encode() in everything_in(var)] == []
    (stone,) = read_erased(var / "erased.jsonl")
    assert (stone.person_id, stone.by, stone.reason) == (ID, "田中", "本人の申し出")
    assert stat.S_IMODE((var / "erased.jsonl").stat().st_mode) == 0o600
    code, _, err = command("person", "erase", ID, "--reason", "もう一度", "--yes")
    assert (code, "すでに" in err) == (2, True)


def test_the_id_must_be_typed(command: Command, var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def prompt(said: str, **_: object) -> str:
        asked.append(said)
        return "31415927" if len(asked) == 1 else ID

    monkeypatch.setattr("typer.prompt", prompt)
    code, _, err = command("person", "erase", ID, "--reason", "申し出")
    assert (code, "一致しません" in err) == (2, True)
    assert b"qqanswer" in everything_in(var)
    assert command("person", "erase", ID, "--reason", "申し出")[0] == 0
    assert b"qqanswer" not in everything_in(var)


def test_somebody_under_observation_is_closed_first(command: Command, var: Path) -> None:
    code, _, err = command("person", "erase", SACHIKO.id, "--reason", "申し出", "--yes")
    assert (code, "観察中" in err, "people close" in err) == (2, True, True)
    assert command("people", "close", SACHIKO.id, "--reason", "転居")[0] == 0
    assert command("person", "erase", SACHIKO.id, "--reason", "申し出", "--yes")[0] == 0


def test_what_waits_for_a_centre_goes_first(command: Command, folder: Path, var: Path) -> None:
    settings = (folder / "config.yaml").read_text().replace("  way: http  ", "  way: file  ")
    (folder / "config.yaml").write_text(settings.replace("  folder:  ", "  folder: var/out "))
    connection = sqlite3.connect(var / "kenko-call.db")
    with connection:
        connection.execute(
            "UPDATE outbox SET state = 'waiting', next_at = queued_at, settled_at = NULL, record_id = NULL"
        )
    connection.close()
    code, _, err = command("person", "erase", ID, "--reason", "申し出", "--yes")
    assert (code, "--unsent-too" in err) == (2, True)
    assert command("person", "erase", ID, "--reason", "申し出", "--yes", "--unsent-too")[0] == 0


def test_a_roster_with_the_id_is_refused_whole(
    command: Command, var: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ivr.cli.importing.AT_ONCE", 1)  # also when it is stored in portions
    assert command("person", "erase", ID, "--reason", "申し出", "--yes")[0] == 0
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "id,name,kana,number1,slot\n"
        "272727,新しい 人,アタラシイ ヒト,09000000056,morning\n"
        f"{ID},別の 人,ベツノ ヒト,09000000055,morning\n"
    )
    code, _, err = command("people", "import", str(roster))
    assert (code, ID in err, "二度と使えません" in err) == (2, True, True)
    assert "272727" not in command("people", "list")[1]


def test_a_backup_holds_the_list_of_the_erased(command: Command, var: Path, tmp_path: Path) -> None:
    assert command("person", "erase", ID, "--reason", "申し出", "--yes")[0] == 0
    assert command("backup", "-o", str(tmp_path / "backups"))[0] == 0
    (made,) = (each for each in (tmp_path / "backups").iterdir() if each.is_dir())
    assert (tmp_path / "backups" / "erased.jsonl").read_bytes() == (var / "erased.jsonl").read_bytes()
    assert (made / "erased.jsonl").read_bytes() == (var / "erased.jsonl").read_bytes()


def test_the_status_of_a_day_counts_them_still(command: Command, var: Path) -> None:
    day = ("--date", "2025-01-06")
    people = json.loads(command("status", *day, "--json")[1])["people"]
    assert command("person", "erase", ID, "--reason", "申し出", "--yes")[0] == 0
    told = json.loads(command("status", *day, "--json")[1])
    assert told["people"] == people
    assert told["erased"] == {"attempt": {"answered": 1}, "report": {"complete": 1}, "step": {"reported": 1}}
    assert "予定 1 件、発信 1 件、報告 1 件" in command("status", *day)[1]


def test_a_copy_of_the_list_that_cannot_be_written_keeps_nobody(command: Command, folder: Path, var: Path) -> None:
    text = (folder / "config.yaml").read_text()
    at = text.index("\nbackups:")
    (folder / "config.yaml").write_text(text[:at] + "\nbackups: var/gone  #" + text[at + len("\nbackups:") :])
    code, out, err = command("person", "erase", ID, "--reason", "申し出", "--yes")
    assert (code, ID in out, "gone" in err) == (0, True, True)
    assert [each.person_id for each in read_erased(var / "erased.jsonl")] == [ID]
