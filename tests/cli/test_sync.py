"""`sync`: how the way to the centre stands, what it refused, trying again; and the line on the screen of the day."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

from ivr.cli.standing import spoken_age
from ivr.config import read_config
from ivr.storage.database import open_reader
from ivr.storage.link import close_round, wished
from ivr.storage.outbox import all_rows, take
from ivr.storage.sqlite import connect_writer
from ivr.sync.delivery import Link, Settlement, State
from tests.cli.conftest import Command
from tests.storage.records import NOW, later

Write = Callable[[Callable[[Connection], None]], None]


@pytest.fixture
def file(folder: Path, day: None) -> Path:
    """The database of a day, and a centre in the settings."""
    config = folder / "config.yaml"
    text = config.read_text(encoding="utf-8")
    files = "  ca_file: ca\n  certificate_file: certificate\n  key_file: key\n"
    for line in files.splitlines():
        key = line.split(":")[0]
        old = next(each for each in text.splitlines() if each.startswith(f"{key}: "))
        text = text.replace(old, line)
    old = next(each for each in text.splitlines() if each.startswith("  centre_url:"))
    config.write_text(text.replace(old, "  centre_url: https://centre.example.jp"), encoding="utf-8")
    return read_config(config).database


def write(file: Path, *settlements: tuple[State, str], link: Link) -> None:
    connection = connect_writer(file)
    with connection.begin():
        rows = take(connection, 100, later(60), 60)
        made = [
            Settlement(row.id, state, None if state is not State.WAITING else later(90), 1, NOW, problem, record)
            for row, (state, problem) in zip(rows, settlements, strict=True)
            for record in ["R-1" if state is State.ACKNOWLEDGED else None]
        ]
        close_round(connection, made, [], link, later(60))
    connection.close()


def test_how_it_stands(command: Command, file: Path) -> None:
    code, out, _ = command("sync", "status")
    assert (code, out.splitlines()[0]) == (0, "未送信 2、保留 0、送信済み 0")
    assert "まだ一度も届いていません" in out
    write(file, (State.PARKED, "http_400"), (State.ACKNOWLEDGED, ""), link=Link(last_success=later(60)))
    code, out, _ = command("sync", "status")
    assert (code, out.splitlines()[0]) == (1, "未送信 0、保留 1、送信済み 1")
    assert "2025-01-06 10:00:00" in out
    code, out, _ = command("sync", "status", "--json")
    found = json.loads(out)
    assert (found["parked"], found["acknowledged"], found["link"]["problem"]) == (1, 1, "")


def test_a_way_that_does_not_work(command: Command, file: Path) -> None:
    write(file, *[(State.WAITING, "cut")] * 2, link=Link(3, later(90), "cut"))
    code, out, _ = command("sync", "status")
    assert code == 1
    assert "失敗 3 回（cut）" in out
    assert "2025-01-06 10:30:00" in out


def test_a_way_that_is_stopped(command: Command, file: Path) -> None:
    write(file, *[(State.WAITING, "tls")] * 2, link=Link(1, later(90), "tls", stopped=True))
    code, out, _ = command("sync", "status")
    assert code == 1
    assert "停止中（tls）" in out
    assert "中央システムに渡せません" in command("alarms")[1]


def test_what_is_parked_can_be_sent_again(command: Command, file: Path) -> None:
    write(file, (State.PARKED, "http_400"), (State.PARKED, "http_422"), link=Link())
    code, out, _ = command("sync", "parked")
    assert code == 1
    assert "http_400" in out
    assert "00123456" in out
    _, out, _ = command("sync", "parked", "--json")
    first, second = json.loads(out)["parked"]
    assert "payload" not in first
    assert command("sync", "retry")[0] == 2
    code, _, err = command("sync", "retry", str(first["id"]), "77", "78")
    assert code == 2
    assert "77" in err
    assert "78" in err
    assert command("sync", "retry", str(first["id"]))[:2] == (0, "1 件をもう一度送ります\n")
    assert command("sync", "retry", "--all")[:2] == (0, "1 件をもう一度送ります\n")
    with open_reader(file) as reader:
        assert [each.state for each in reader.read(all_rows)] == [State.WAITING] * 2
    assert command("sync", "parked")[0] == 0
    assert second["id"] != first["id"]


def test_now_is_a_wish(command: Command, file: Path) -> None:
    assert command("sync", "now")[0] == 0
    with open_reader(file) as reader:
        assert reader.read(wished)


@pytest.mark.usefixtures("day")
def test_without_a_centre(command: Command) -> None:
    code, out, _ = command("sync", "status")
    assert code == 0
    assert "config.yaml" in out
    code, _, err = command("sync", "now")
    assert code == 2
    assert "config.yaml" in err
    assert "未送信" not in command("status")[1]


def test_the_screen_of_the_day_says_how_old_the_oldest_is(command: Command, file: Path) -> None:
    _, out, _ = command("status")
    assert "未送信 2 件" in out
    _, out, _ = command("status", "--json")
    assert json.loads(out)["sync"]["unsent"] == 2


def test_ages() -> None:
    assert [spoken_age(each) for each in (0, 59, 60, 3599, 7500, 90000 + 3 * 86400)] == [
        *("0:00", "0:00", "0:01", "0:59", "2:05", "4d 1:00"),
    ]
