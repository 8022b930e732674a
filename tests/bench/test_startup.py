"""What the benchmark of commands makes: a site on which they work, and a figure for each."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from bench.startup import COMMANDS, cpu_seconds, main, make_site, measure
from ivr.messages import text
from ivr.storage.database import open_reader
from ivr.storage.status import DayState, status_of_day
from sandbox.service import PRACTICE_DAY


def test_the_site_is_the_demonstrations_morning(tmp_path: Path) -> None:
    asyncio.run(make_site(tmp_path))
    with open_reader(tmp_path / "kenko-call.db") as reader:
        people = reader.read(status_of_day, PRACTICE_DAY)
    assert len(people) == 12
    assert {each.state for each in people} == {DayState.REPORTED, DayState.FOLLOW_UP}


def test_each_command_has_a_figure(tmp_path: Path) -> None:
    figures = measure(asyncio.run(make_site(tmp_path)), rounds=1)
    assert figures.keys() == COMMANDS.keys()
    assert all(each > 1 for each in figures.values())


def test_a_command_that_fails_has_none() -> None:
    assert cpu_seconds(("-c", "pass"), os.environ) > 0
    with pytest.raises(subprocess.CalledProcessError):
        cpu_seconds(("-c", "raise SystemExit(2)"), os.environ)


@pytest.mark.parametrize(("ratio", "code"), [(17.4, 0), (17.6, 1)])
def test_it_ends_with_whether_the_goal_was_reached(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ratio: float, code: int
) -> None:
    monkeypatch.setattr("bench.startup.measure", lambda config: {"status": ratio, "check": 2.0})
    assert main() == code
    assert text("bench.startup", name="status", ratio=f"{ratio:.1f}", seconds="0.35") in capsys.readouterr().out
