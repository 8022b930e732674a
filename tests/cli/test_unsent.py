"""Wherever a person or a program looks, it says how old the oldest report is that has not left."""

import json
from pathlib import Path

import pytest
from pypdf import PdfReader

from ivr.ami.alarms import View
from ivr.cli import day as days
from ivr.cli import plan, standing, sync
from ivr.figures import read_figures
from ivr.metrics import exposition
from ivr.site import Site
from tests.cli.conftest import Command
from tests.cli.test_reconcile import set_sync
from tests.fakes.site import Clock
from tests.storage.records import DAY, later
from tests.sync.conftest import file_report

DATE = ("--date", str(DAY))
#: What the day left was made at 0:02 and later; the clock of these tests says 26:05 after that.
SAYS = "中央システムへ未送信 2 件、いちばん古いもので 1d 2:05 前"


@pytest.fixture
def waiting(folder: Path, day: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A day whose reports wait for a folder that nobody writes to."""
    (folder / "out").mkdir()
    set_sync(folder, way="file", folder="out")
    for module in (days, plan, standing, sync):
        monkeypatch.setattr(module, "now_at", lambda _: later(2 + 26 * 60 + 5))
    return folder


@pytest.mark.usefixtures("waiting")
def test_status(command: Command) -> None:
    assert SAYS in command("status", *DATE)[1]
    told = json.loads(command("status", *DATE, "--json")[1])
    assert told["sync"] | {"unsent": 2, "parked": 0, "oldest_seconds": (26 * 60 + 5) * 60} == told["sync"]


@pytest.mark.usefixtures("waiting")
def test_sync_status(command: Command) -> None:
    assert "いちばん古い未送信: 1d 2:05 前" in command("sync", "status")[1]
    assert json.loads(command("sync", "status", "--json")[1])["oldest_seconds"] == (26 * 60 + 5) * 60


@pytest.mark.usefixtures("waiting")
def test_doctor(command: Command) -> None:
    # Its clock is the real one: years later than these reports.
    (line,) = [each for each in json.loads(command("doctor", "--json")[1])["lines"] if each["check"] == "sync"]
    assert (line["light"], line["id"]) == ("red", "doctor.sync_old")
    assert line["says"].startswith("2 件が未送信で、いちばん古いものは ")
    assert " 分前" in command("doctor")[1]


def test_the_call_list_on_paper_and_beside_the_table(command: Command, waiting: Path) -> None:
    file = waiting / "list.pdf"
    _, _, err = command("call-list", *DATE, "--format", "pdf", "-o", str(file))
    assert SAYS in err
    (page,) = PdfReader(file).pages
    lines = page.extract_text().splitlines()
    # Under the title, above the table.
    assert lines[0].startswith("未連絡者の一覧")
    assert lines[1] == SAYS
    code, out, err = command("call-list", *DATE)
    assert code == 0
    assert "未送信" not in out
    assert SAYS in err


def test_nothing_is_said_where_nothing_waits(command: Command, waiting: Path) -> None:
    set_sync(waiting, way="http", folder="")
    file = waiting / "list.pdf"
    _, _, err = command("call-list", *DATE, "--format", "pdf", "-o", str(file))
    assert "未送信" not in err
    assert "未送信" not in PdfReader(file).pages[0].extract_text()


async def test_metrics(site: Site, clock: Clock) -> None:
    await site.database.write(file_report, 0)
    clock.advance(90)
    figures = await read_figures(site, View(), connected=True)
    assert (figures.unsent, figures.unsent_age) == (1, 90 * 60.0)
    assert "kenko_unsent_age_seconds 5400.0" in exposition(figures).decode()
