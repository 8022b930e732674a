"""`kenko-call people new-id` and `unlock`: IDs for those who ring us."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from ivr.identity import LIMITS, has_check_digit
from ivr.storage.callers import Try, try_caller
from ivr.storage.schema_callers import caller_unlocks
from ivr.storage.sqlite import connect_writer
from tests.cli.conftest import Command
from tests.storage.records import BORN, DAY, NOW, SACHIKO

ROSTER = "id,name,kana,number1,slot,birth_date\n{id},見本,ミホン,0310-000-009,morning,1935-04-05\n"


def test_fresh_ids_before_there_is_a_roster(command: Command) -> None:
    code, out, err = command("people", "new-id", "--count", "50")
    assert (code, err) == (0, "")
    ids = out.split()
    assert len(set(ids)) == 50
    assert all(len(each) == 8 and has_check_digit(each) for each in ids)


@pytest.mark.usefixtures("day")
def test_a_fresh_id_is_nobodys(command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """12345676 is somebody's, and its body comes up first."""
    (folder / "people.csv").write_text(ROSTER.format(id="12345676"), encoding="utf-8")
    assert command("people", "import", str(folder / "people.csv"))[0] == 0
    thrown = iter((234567, 234567, 7))
    monkeypatch.setattr("secrets.randbelow", lambda below: next(thrown))
    monkeypatch.setattr("ivr.identity.check_digit", lambda digits: "6")
    assert command("people", "new-id")[1].split() == ["10000076"]


def test_with_a_check_digit_in_the_settings_a_roster_with_others_is_refused(command: Command, folder: Path) -> None:
    config = (folder / "config.yaml").read_text(encoding="utf-8")
    (folder / "config.yaml").write_text(config.replace("check_digit: false", "check_digit: true"), encoding="utf-8")
    good = command("people", "new-id")[1].strip()
    wrong = good[:-1] + str((int(good[-1]) + 1) % 10)
    for id, code in ((wrong, 2), (good, 0)):
        (folder / "people.csv").write_text(ROSTER.format(id=id), encoding="utf-8")
        assert command("people", "import", str(folder / "people.csv"))[0] == code


@pytest.mark.usefixtures("day")
def test_unlock(command: Command, folder: Path) -> None:
    code, _, err = command("people", "unlock", SACHIKO.id, "--reason", "本人と話した")
    assert (code, "誤りがありません" in err) == (2, True)
    connection = connect_writer(folder / "var" / "kenko-call.db")
    with connection.begin():
        for at in range(LIMITS.per_id_and_day):
            given = Try(SACHIKO.id, BORN + timedelta(days=1), f"031000010{at}", DAY, NOW)
            try_caller(connection, given, "key")
    connection.close()
    assert "受付を停止" in command("status", "--date", str(DAY))[1]
    code, out, err = command("people", "unlock", SACHIKO.id, "--reason", "本人と話した", "--by", "係")
    assert (code, err) == (0, "")
    assert "1 人の受付を再開しました" in out
    assert "受付を停止" not in command("status", "--date", str(DAY))[1]
    connection = connect_writer(folder / "var" / "kenko-call.db")
    (row,) = connection.execute(select(caller_unlocks)).all()
    connection.close()
    assert (row.claimed_id, row.by, row.reason) == (SACHIKO.id, "係", "本人と話した")
