"""`sync take|conflicts|settle`, and what the other commands say of what comes in from the centre."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from ivr.config import read_config
from ivr.errors import problem
from ivr.storage.database import open_reader
from ivr.storage.people import get_person
from ivr.storage.pulled import stand, wished
from ivr.storage.sqlite import connect_writer
from ivr.sync.delivery import Link
from tests.cli.conftest import Command
from tests.cli.test_sync import file as file
from tests.storage.records import HANAKO, NOW, SACHIKO, TARO, later
from tests.sync.changes import closing, reported, said


def written(folder: Path, *changes: dict[str, Any]) -> str:
    file = folder / "changes.jsonl"
    file.write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in changes), encoding="utf-8")
    return str(file)


def write(file: Path, function: Callable[..., object], *arguments: object) -> None:
    connection = connect_writer(file)
    with connection.begin():
        function(connection, *arguments)
    connection.close()


@pytest.mark.usefixtures("day")
def test_a_file_is_taken_like_a_page(command: Command, folder: Path) -> None:
    new = replace(SACHIKO, id="200002")
    lines = written(folder, said(new), said(TARO, 1, closing()), reported(SACHIKO, "r-1"))
    code, out, _ = command("sync", "take", lines, "--json")
    assert (code, json.loads(out)) == (
        0,
        {"added": 1, "changed": 0, "closed": 1, "reopened": 0, "known": 0, "reports": 1, "conflicts": 0, "erased": 0},
    )
    assert "既知 2" in command("sync", "take", lines)[1]
    shown = json.loads(command("people", "show", TARO.id, "--json")[1])
    assert [(each["by"], each["reason"]) for each in shown["decisions"]] == [("鈴木（中央システム）", "回復")]


@pytest.mark.usefixtures("day")
def test_one_wrong_line_and_nothing_is_taken(command: Command, folder: Path) -> None:
    new = replace(SACHIKO, id="200002")
    code, out, err = command("sync", "take", written(folder, said(new), said(TARO) | {"numbers": ["119"]}))
    assert (code, out) == (2, "")
    assert "changes.jsonl:2:" in err
    assert command("people", "show", new.id)[0] == 2


@pytest.mark.usefixtures("day")
def test_differences_are_shown_and_settled(command: Command, folder: Path) -> None:
    theirs = replace(TARO, numbers=("0310000008",))
    code, _, err = command("sync", "take", written(folder, said(theirs)))
    assert (code, "食い違い 1 件" in err) == (1, True)
    assert "食い違っています" in command("alarms")[1]
    assert "食い違い 1 件" in command("status")[1]
    code, out, _ = command("sync", "conflicts")
    assert code == 1
    assert all(each in out for each in (TARO.id, "電話番号", "0310000001", "0310000008", "こちら"))
    (found,) = json.loads(command("sync", "conflicts", "--json")[1])["conflicts"]
    wrong = command("sync", "settle", "77", "--keep", "centre", "--reason", "本人に確認")
    assert (wrong[0], "77" in wrong[2]) == (2, True)
    assert command("sync", "settle", str(found["id"]), "--keep", "centre", "--reason", "本人に確認")[0] == 0
    assert command("sync", "conflicts")[0] == 0
    with open_reader(read_config(folder / "config.yaml").database) as reader:
        person = reader.read(get_person, TARO.id)
    assert person is not None
    assert person.numbers == theirs.numbers


@pytest.mark.usefixtures("day")
def test_whether_somebody_is_under_observation_is_said_in_words(command: Command, folder: Path) -> None:
    command("people", "close", HANAKO.id, "--reason", "回復")
    command("sync", "take", written(folder, said(HANAKO)))
    out = command("sync", "conflicts")[1]
    assert "観察中" in out
    assert "終了" in out


def refused(connection: Connection) -> None:
    link = Link(failures=1, until=later(15), problem="bad_page", stopped=True, last_success=NOW - timedelta(hours=2))
    stand(connection, link, [problem("changes.kind", "https://centre.example.jp/v1/changes", 4)], NOW)


def test_how_it_stands(command: Command, file: Path) -> None:
    assert "受け取り: まだ一度も届いていません" in command("sync", "status")[1]
    write(file, refused)
    code, out, _ = command("sync", "status")
    assert code == 1
    assert "受け取り: 失敗（bad_page" in out
    assert "v1/changes:4:" in out
    found = json.loads(command("sync", "status", "--json")[1])["pull"]
    assert (found["on"], found["problem"], len(found["refused"])) == (True, "bad_page", 1)
    assert json.loads(command("status", "--json")[1])["sync"]["pull"]["problem"] == "bad_page"
    assert "受け取り: 失敗" in command("status")[1]
    assert "取り込めません" in command("alarms")[1]
    lines = json.loads(command("doctor", "--json")[1])["lines"]
    assert [each["id"] for each in lines if each["check"] == "pull"] == ["doctor.pull_fails"]
    assert command("sync", "now")[0] == 0
    with open_reader(file) as reader:
        assert reader.read(wished)
