"""`plan`, `simulate`, `call-list` and `alarms`."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection

from ivr.cli.plan import preview_tomorrow, print_changes
from ivr.config import read_config
from ivr.storage.alarms import raise_alarm
from ivr.storage.followups import close_follow_up, open_follow_ups
from ivr.storage.sqlite import connect_writer
from tests.cli.conftest import Command
from tests.storage.records import DAY, HANAKO, NOW, SACHIKO, TARO

DATE = ("--date", str(DAY))
IDS = {HANAKO.id, TARO.id, SACHIKO.id}


def write(folder: Path, *steps: object) -> None:
    connection = connect_writer(folder / "var" / "kenko-call.db")
    with connection.begin():
        for step in steps:
            step(connection)  # type: ignore[operator]
    connection.close()


@pytest.mark.parametrize("arguments", [("plan",), ("call-list",), ("alarms",)])
def test_without_a_database(command: Command, arguments: tuple[str, ...]) -> None:
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert "データベースがまだありません" in err


@pytest.mark.usefixtures("day")
def test_plan(command: Command) -> None:
    code, out, _ = command("plan", *DATE)
    assert code == 0
    assert all(each in out for each in IDS)
    assert "09:00:00" in out
    assert "14:00:00" in out
    assert "1時間以内に終えるには" in out
    code, out, _ = command("plan", *DATE, "--json")
    found = json.loads(out)
    assert {each["person_id"] for each in found["called"]} == IDS
    assert {each["call_at"] for each in found["called"]} >= {"2025-01-06T09:00:00+09:00", "2025-01-06T14:00:00+09:00"}
    assert found["lines"] == 4
    assert found["not_called"] == []


@pytest.mark.usefixtures("day")
def test_plan_of_tomorrow_and_of_no_day(command: Command) -> None:
    assert {each["person_id"] for each in json.loads(command("plan", "--date", "tomorrow", "--json")[1])["called"]}
    code, _, err = command("plan", "--date", "soon")
    assert code == 2
    assert "soon" in err


@pytest.mark.usefixtures("day")
def test_who_would_be_rung_by_nobody_is_said_and_is_an_exit_code(command: Command, folder: Path) -> None:
    config = folder / "config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("  afternoon: {", "  evening: {"), encoding="utf-8")
    code, out, _ = command("plan", *DATE)
    assert code == 1
    assert "時間帯の設定なし" in out


@pytest.mark.usefixtures("day")
def test_what_a_change_does_to_tomorrow(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = read_config(folder / "config.yaml")
    found = preview_tomorrow((settings, [HANAKO, SACHIKO]), (settings, [HANAKO]))
    assert (found.before, found.after) == (2, 1)
    print_changes(settings, found)
    assert "2 件から 1 件に" in capsys.readouterr().out


def test_simulate(command: Command) -> None:
    code, out, _ = command(
        "simulate", "--people", "60", "--channels", "4", "--json", "--crashes", "1", "--faults", "0.1"
    )
    assert code == 0
    found = json.loads(out)
    wanted = {"people", "reported", "follow_up", "excluded", "dropped", "attempts", "utilisation", "finished_at"}
    assert wanted | {"seconds", "peak_memory_mb"} <= found.keys()
    assert found["people"] == 60 == found["reported"] + found["follow_up"] + found["excluded"]
    assert found["dropped"] == 0
    code, out, _ = command("simulate", "--people", "20", "--channels", "2", "--answer-rate", "0")
    assert code == 0
    assert "担当者へ" in out


def test_simulate_with_the_rules_of_a_site(command: Command, folder: Path) -> None:
    code, out, _ = command("simulate", "--people", "20", "--channels", "4", "-c", str(folder / "config.yaml"), "--json")
    assert code == 0
    assert "T09:00" in json.loads(out)["first_at"]


def lines(out: str) -> Sequence[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(out.removeprefix("\ufeff"))))


@pytest.mark.usefixtures("day")
def test_the_call_list_holds_who_was_not_reached(command: Command, folder: Path) -> None:
    code, out, _ = command("call-list", *DATE)
    assert code == 0
    found = lines(out)
    # A spreadsheet would take the zeros in front away, but for the apostrophe.
    assert [each["観察番号"] for each in found] == [f"'{TARO.id}", SACHIKO.id]
    assert found[0]["電話番号"] == f"'{TARO.numbers[0]}"
    assert found[0]["担当者の対応"] == "連絡つかず"

    def staff_rang(connection: Connection) -> None:
        for each in open_follow_ups(connection):
            close_follow_up(connection, each.id, NOW)

    write(folder, staff_rang)
    assert [each["観察番号"] for each in lines(command("call-list", *DATE)[1])] == [SACHIKO.id]


@pytest.mark.usefixtures("day")
def test_the_call_list_on_paper(command: Command, folder: Path) -> None:
    file = folder / "list.pdf"
    code, _, err = command("call-list", *DATE, "--format", "pdf", "-o", str(file))
    assert code == 0
    assert "2 人" in err
    paper = file.read_bytes()
    assert paper.startswith(b"%PDF")
    assert b"/FontFile2" in paper  # put in: every printer has it
    code, _, err = command("call-list", *DATE, "-o", str(folder / "no" / "list.csv"))
    assert code == 2
    assert "list.csv" in err


@pytest.mark.usefixtures("day")
def test_alarms_are_listed_and_acknowledged(command: Command, folder: Path) -> None:
    assert command("alarms")[0] == 0
    write(folder, lambda connection: raise_alarm(connection, "behind", "morning", "3/60/100", NOW))
    code, out, _ = command("alarms")
    assert code == 1
    assert "発信が遅れています" in out
    assert "3/60/100" in out
    assert command("alarms", "--acknowledge", "1")[0] == 2
    code, out, _ = command("alarms", "--acknowledge", "1", "--by", "見本")
    assert code == 0
    assert "発信が遅れています" not in out
    assert command("alarms", "--acknowledge", "1", "--by", "見本")[0] == 2
    found = json.loads(command("alarms", "--all", "--json")[1])["alarms"]
    assert [(each["kind"], each["acknowledged_by"]) for each in found] == [("behind", "見本")]
