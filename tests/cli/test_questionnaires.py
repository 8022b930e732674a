"""`reload` and `questionnaires`: the commands write wishes and read the journal; the service is played by the test."""

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ivr.cli import questionnaires
from ivr.cli.output import operator
from ivr.config import read_config
from ivr.errors import problem
from ivr.inforce import IN_FORCE, hours_text
from ivr.storage.facts import set_fact
from ivr.storage.questionnaires import Decision, NewVersion, decide, history, open_wishes
from ivr.storage.sqlite import connect_writer, take_lock
from ivr.storage.words import Cause
from tests.cli.conftest import Command
from tests.storage.records import later

ONE, TWO, THREE = "1a" * 32, "1b" * 32, "2c" * 32
PROBLEM = problem("file.missing", "questionnaires/daily.yaml")


@pytest.fixture
def file(folder: Path, made: Path) -> Path:
    """The database of a site where two versions were live, and a third file was refused."""
    (folder / "var").mkdir()
    file = Path(shutil.copy(made, folder / "var" / "kenko-call.db"))
    write(file, Decision(Cause.STARTED, ONE, ONE, new=NewVersion("daily", "id: one\n")))
    write(file, Decision(Cause.SAVED, TWO, TWO, new=NewVersion("daily", "id: two\n")))
    write(file, Decision(Cause.SAVED, None, THREE, [PROBLEM, PROBLEM]))
    return file


def write(file: Path, decision: Decision, wish: int | None = None) -> None:
    connection = connect_writer(file)
    with connection.begin():
        decide(connection, decision, later(0), wish)
    connection.close()


@contextmanager
def service(file: Path, answer: Callable[[str | None], Decision] | None) -> Iterator[None]:
    """Holds the database, and decides on one wish; on none without `answer`."""
    lock = take_lock(file)
    assert lock is not None
    stop = threading.Event()

    def decide_on_one() -> None:
        connection = connect_writer(file)
        while answer is not None and not stop.wait(0.01):
            with connection.begin():
                for each in open_wishes(connection):
                    decide(connection, answer(each.hash), later(1), each.id)
                    stop.set()
        connection.close()

    thread = threading.Thread(target=decide_on_one)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        os.close(lock)


def test_history_says_who_when_and_why_not(command: Command, file: Path) -> None:
    code, out, _ = command("questionnaires", "history")
    assert code == 0
    rows = [line for line in out.splitlines() if line.startswith("│")]
    assert [[part.strip() for part in row.strip("│").split("│")][1:] for row in rows] == [
        [THREE[:12], "ファイルの保存", "", "問題あり・使わず"],
        [TWO[:12], "ファイルの保存", "", "使用中"],
        [ONE[:12], "サービスの起動", "", "切り替え済み"],
    ]
    assert "2025-01-06 09:00:00" in rows[0]
    assert "2 件の問題" in out
    assert "questionnaires/daily.yaml: ファイルがありません" in out
    _, out, _ = command("questionnaires", "history", "--json", "--most", "1")
    found = json.loads(out)
    assert found["live"] == TWO
    (newest,) = found["activations"]
    assert (newest["file"], newest["verdict"], len(newest["problems"])) == (THREE, "refused", 2)


def test_status_says_that_the_file_is_refused(command: Command, file: Path) -> None:
    _, out, _ = command("status")
    assert "2 件の問題" in out
    _, out, _ = command("status", "--json")
    found = json.loads(out)["questionnaire"]
    assert (found["live"], len(found["refused"])) == (TWO, 2)
    write(file, Decision(Cause.SAVED, TWO, TWO))
    _, out, _ = command("status")
    assert "件の問題" not in out


def test_show_prints_a_version(command: Command, file: Path) -> None:
    assert command("questionnaires", "show", "1A") == (0, "id: one\n", "")
    assert command("questionnaires", "show") == (0, "id: two\n", "")
    code, out, _ = command("questionnaires", "show", "1b", "--json")
    assert (code, json.loads(out)["source"], json.loads(out)["hash"]) == (0, "id: two\n", TWO)
    for given, said in (("1", "2 件"), ("ff", "ありません"), ("%", "ありません")):
        code, _, err = command("questionnaires", "show", given)
        assert code == 2
        assert said in err


def test_activate_waits_for_what_the_service_says(command: Command, file: Path) -> None:
    with service(file, lambda version: Decision(Cause.ACTIVATE, version, TWO)):
        code, out, err = command("questionnaires", "activate", "1a")
    assert (code, out, err) == (0, f"次の通話から版 {ONE[:12]} を使います。\n", "")
    connection = connect_writer(file)
    newest = history(connection, 1)[0]
    connection.close()
    assert (newest.by_whom, newest.cause, newest.hash) == (operator(), Cause.ACTIVATE, ONE)


def test_reload_says_what_is_wrong(command: Command, file: Path) -> None:
    with service(file, lambda _: Decision(Cause.RELOAD, None, THREE, [PROBLEM])):
        code, out, err = command("reload")
    assert (code, out) == (2, "")
    assert err.splitlines() == [PROBLEM.render(), "1 件の問題があるため、使っている版はそのままです。"]


def test_without_a_service_the_wish_waits(command: Command, file: Path) -> None:
    code, out, _ = command("reload")
    assert (code, out) == (0, "サービスは動いていません。次に起動したときに切り替わります。\n")
    code, out, _ = command("questionnaires", "history", "--json")
    assert json.loads(out)["activations"][0]["verdict"] == "wished"


def test_a_service_that_does_not_answer(command: Command, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questionnaires, "_PATIENCE", 0.2)
    with service(file, None):
        code, out, _ = command("reload", "--json")
        assert (code, json.loads(out)["verdict"]) == (1, "wished")
        code, out, _ = command("reload")
    assert (code, "まだ返事がありません" in out) == (1, True)


def test_who_gives_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "sato")
    assert operator() == "sato"
    monkeypatch.delenv("SUDO_USER")
    assert operator() == "root"
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)
    monkeypatch.setenv("SUDO_USER", "sato")
    assert operator() == "4000000"


def test_reload_tells_what_changed_hours_do_to_tomorrow(command: Command, folder: Path, file: Path) -> None:
    config = folder / "config.yaml"
    connection = connect_writer(file)
    with connection.begin():
        set_fact(connection, IN_FORCE, hours_text(read_config(config)))
    connection.close()
    assert "再起動" not in command("reload")[1]
    written = config.read_text(encoding="utf-8")
    config.write_text(written.replace('morning: {from: "9:00"', 'morning: {from: "10:00"'), encoding="utf-8")
    _, out, _ = command("reload")
    assert "時刻の変更 2" in out
    assert "09:00:00 から 10:00:00 へ" in out
    assert "再起動" in out
