"""`status`, `calls` and `reports export`: what a day brought."""

import csv
import io
import json
from pathlib import Path

import pytest

from ivr.handover import UNKNOWN_CALLER
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.storage.sqlite import connect_writer
from tests.cli.conftest import Command
from tests.storage.records import DAY, HANAKO, NOW, SACHIKO

DATE = ("--date", str(DAY))


@pytest.mark.parametrize("arguments", [("status",), ("calls",), ("reports", "export")])
def test_without_a_database(command: Command, arguments: tuple[str, ...]) -> None:
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert "データベースがまだありません" in err


@pytest.mark.usefixtures("day")
def test_status(command: Command) -> None:
    code, out, _ = command("status", *DATE)
    assert code == 0
    hanako, taro = (next(line for line in out.splitlines() if each in line) for each in (HANAKO.id, "00123457"))
    assert "報告済み" in hanako
    assert "応答" in hanako
    assert "担当者へ" in taro
    assert "連絡つかず" in taro
    assert "対象 3 人: 報告済み 1、担当者へ 1、一部のみ 0、通話中 0、待ち 1" in out
    code, out, _ = command("status", *DATE, "--json")
    found = json.loads(out)
    assert (code, found["day"]) == (0, str(DAY))
    states = {each["person_id"]: each["state"] for each in found["people"]}
    assert states == {HANAKO.id: "reported", "00123457": "follow_up", SACHIKO.id: "waiting"}


@pytest.mark.usefixtures("day")
def test_status_shows_callers_who_are_nobody_with_the_number_to_ring(command: Command, folder: Path) -> None:
    assert "名簿と結びつかない" not in command("status", *DATE)[1]
    connection = connect_writer(folder / "var" / "kenko-call.db")
    with connection.begin():
        for number, claimed in (("0310000099", "98765432"), (None, None)):
            new = NewFollowUp(DAY, UNKNOWN_CALLER, claimed_id=claimed, number=number)
            assert open_follow_up(connection, new, NOW)
            assert not open_follow_up(connection, new, NOW)
    connection.close()
    lines = [line for line in command("status", *DATE)[1].splitlines() if "本人と確認できない電話" in line]
    assert ["0310000099" in lines[0], "98765432" in lines[0], "09:00:00" in lines[0]] == [True] * 3
    assert "番号なし" in lines[1]
    found = json.loads(command("status", *DATE, "--json")[1])["unknown_callers"]
    assert [(each["reason"], each["claimed_id"], each["number"]) for each in found] == [
        (UNKNOWN_CALLER, "98765432", "0310000099"),
        (UNKNOWN_CALLER, None, None),
    ]


@pytest.mark.usefixtures("day")
def test_calls_mask_the_numbers(command: Command) -> None:
    code, out, _ = command("calls", *DATE)
    assert code == 0
    first, second = (next(line for line in out.splitlines() if each in line) for each in ("…001", "…099"))
    assert "発信" in first
    assert "09:00:00" in first
    assert "09:03:00" in first
    assert "着信" in second
    assert "通話中" in second
    code, shown, _ = command("calls", *DATE, "--json")
    numbers = [(each["direction"], each["number"]) for each in json.loads(shown)["calls"]]
    assert sorted(numbers) == [("inbound", "…099"), ("outbound", "…001")]
    for each in (out, shown):
        assert "0310000001" not in each
        assert "07000000099" not in each


@pytest.mark.usefixtures("day")
def test_another_day_is_empty(command: Command) -> None:
    assert json.loads(command("calls", "--date", "2025-01-07", "--json")[1])["calls"] == []
    assert json.loads(command("reports", "export", "--date", "2025-01-07", "--format", "json")[1]) == []


@pytest.mark.usefixtures("day")
def test_export(command: Command, folder: Path) -> None:
    code, out, _ = command("reports", "export", *DATE)
    assert code == 0
    assert out.startswith("\ufeff")
    (row,) = csv.DictReader(io.StringIO(out.removeprefix("\ufeff")))
    assert (row["person_id"], row["answer.temperature"], row["answer.no_urine"]) == (HANAKO.id, "39.0", "")
    file = folder / "out.json"
    arguments = ("--date", "2025-01-01", "--until", "2025-01-31", "--format", "json", "-o", str(file))
    code, out, err = command("reports", "export", *arguments)
    assert (code, out) == (0, "")
    assert "1 件" in err
    (report,) = json.loads(file.read_text(encoding="utf-8"))
    assert report["answers"] == {"temperature": "39.0", "cough": "no"}


@pytest.mark.usefixtures("day")
def test_export_that_cannot_be_made(command: Command, folder: Path) -> None:
    code, _, err = command("reports", "export", *DATE, "-o", str(folder / "none" / "out.csv"))
    assert code == 2
    assert "書き込めません" in err
    (folder / "questionnaires" / "daily.yaml").unlink()
    code, _, err = command("reports", "export", *DATE)
    assert code == 2
    assert "daily.yaml" in err
