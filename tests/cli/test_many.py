"""A hundred thousand people: what the commands take for them. Measured by the processor, as others may use it too."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from tests.cases_runner import PROGRAM
from tests.cli.conftest import Command
from tests.night import for_the_night

MANY = 100_000

pytestmark = [for_the_night, pytest.mark.timeout(0)]


def test_an_import_and_a_bad_row_at_its_end(command: Command, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Under 20 s, and a bad last row loses nobody."""
    file = folder / "many.csv"
    rows = [f"{number:08},見本,ミホン,0900{number:07},morning" for number in range(MANY)]
    file.write_text("\n".join(["id,name,kana,number1,slot", *rows, "00000001,x"]), encoding="utf-8")
    code, out, err = command("people", "import", str(file))
    assert (code, out) == (2, "")
    assert f"{file}:{MANY + 2}: " in err
    began, cpu = time.perf_counter(), time.process_time()
    code, out, err = command("people", "import", str(file), "--partial")
    took = time.perf_counter() - began, time.process_time() - cpu
    with capsys.disabled():
        print(f"{MANY} people imported in {took[0]:.1f} s, {took[1]:.1f} s of them computing")  # noqa: T201
    assert code == 1
    assert f"{MANY} 人" in out
    assert len(json.loads(command("people", "list", "--json")[1])["people"]) == MANY
    assert took[1] < 20


def test_a_simulated_day(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On 400 lines with three tries: under 60 s and 500 MB, and a decision costs no more than with fewer people."""
    found = {}
    for people, lines in ((1000, 40), (10_000, 400), (MANY, 400)):
        # A process of its own: the highest use of memory is the process's, whatever ran in it before.
        asked = [PROGRAM, "simulate", "--people", str(people), "--channels", str(lines), "--json"]
        found[people] = json.loads(subprocess.run(asked, cwd=folder, check=True, capture_output=True).stdout)
        with capsys.disabled():
            keys = ("seconds", "cpu_seconds", "microseconds_per_decision", "peak_memory_mb", "utilisation")
            print(people, {key: found[people][key] for key in keys})  # noqa: T201
    assert found[MANY]["dropped"] == 0
    assert found[MANY]["utilisation"] >= 0.97
    assert found[MANY]["cpu_seconds"] < 60
    assert found[MANY]["microseconds_per_decision"] < 1.2 * found[10_000]["microseconds_per_decision"]
    assert found[MANY]["peak_memory_mb"] < 500
