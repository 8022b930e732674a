"""`reports import`: who reported by another way is rung no more that day."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.storage.records import DAY, HANAKO, SACHIKO, TARO

pytestmark = pytest.mark.usefixtures("day")


def written(folder: Path, *lines: str) -> str:
    file = folder / "reported.csv"
    file.write_text("\n".join(("report_id,person_id,day", *lines)), encoding="utf-8")
    return str(file)


def states(command: Command) -> dict[str, str]:
    found = json.loads(command("status", "--date", str(DAY), "--json")[1])
    return {each["person_id"]: each["state"] for each in found["people"]}


def test_what_is_taken_in_shows_in_the_status(command: Command, folder: Path) -> None:
    file = written(folder, f"c-1,{TARO.id},{DAY}", f"c-2,{SACHIKO.id},{DAY}")
    code, out, _ = command("reports", "import", file, "--json")
    assert (code, json.loads(out)) == (0, {"reports": 2, "new": 2})
    assert states(command) == {HANAKO.id: "reported", TARO.id: "reported", SACHIKO.id: "reported"}
    assert "2 件のうち 0 件" in command("reports", "import", file)[1]
    rows = command("reports", "export", "--date", str(DAY))[1]
    assert rows.count("self_entry") == 2


def test_one_wrong_line_and_nothing_is_taken(command: Command, folder: Path) -> None:
    before = states(command)
    code, out, err = command("reports", "import", written(folder, f"c-1,{TARO.id},{DAY}", f"c-2,999999,{DAY}"))
    assert (code, out) == (2, "")
    assert "reported.csv:3:" in err
    assert states(command) == before
