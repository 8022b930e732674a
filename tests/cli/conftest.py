"""A site for the commands, and a day on it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

from ivr.call import Ending, Outcome
from ivr.cli.commands import run
from ivr.storage.calls import end_call
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.storage.sessions import save_turn
from ivr.storage.sqlite import connect_writer
from tests.cases_runner import ROOT
from tests.storage.records import DAY, NOW, begin_session, dial, later, ring_in, turn


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A site: config.yaml, the daily questionnaire, the sounds; no database yet."""
    text = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    text = text.replace("prompts: prompts ", f"prompts: {ROOT / 'prompts'} ")
    # The people of the tests have IDs of their own.
    text = text.replace("check_digit: true", "check_digit: false")
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "questionnaires", tmp_path / "questionnaires")
    return tmp_path


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command on the site: exit code, standard output, standard error."""
    monkeypatch.setenv("KENKO_CONFIG", str(folder / "config.yaml"))
    monkeypatch.setenv("COLUMNS", "200")
    # The console was made when its module was imported, perhaps by a worker of pytest-xdist with a width of its own.
    monkeypatch.setattr("ivr.cli.screen.console._width", 200)

    def command(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return command


@pytest.fixture
def day(folder: Path, made: Path) -> None:
    """A day: Hanako has reported on our call, Taro was handed over, an unknown caller rang."""

    def fill(connection: Connection) -> None:
        call = dial(connection, "c-1")
        begin_session(connection, "s-1")
        alerting = turn(("temperature", "39.0"), ("cough", "no"))
        save_turn(connection, "s-1", call.id, alerting, later(1))
        save_turn(connection, "s-1", call.id, turn(status=turn().session.status.COMPLETED), later(2))
        end_call(connection, call.id, Ending(None, 16), Outcome.ANSWERED, later(3))
        open_follow_up(connection, NewFollowUp(DAY, "not_reached", "00123457"), NOW)
        ring_in(connection, "c-2", "07000000099")

    (folder / "var").mkdir()
    connection = connect_writer(Path(shutil.copy(made, folder / "var" / "kenko-call.db")))
    with connection.begin():
        fill(connection)
    connection.close()
