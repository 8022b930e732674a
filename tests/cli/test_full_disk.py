"""Each command that writes, onto a full disk: one true sentence, exit code 2, and the good old file as it was."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cases_runner import PROGRAM, ROOT
from tests.cli.conftest import Command

#: What is asked for -> what else the command needs. `OUT` is a file, or a folder, on the full disk.
WRITE = (
    "people export -o OUT",
    "people export --format xlsx -o OUT",
    "reports export -o OUT",
    "reports export --format json -o OUT",
    "call-list -o OUT",
    "call-list --format pdf -o OUT",
    "person export 00123456 -o OUT",
    "leaflet -o OUT",
    f"flow questionnaires/daily.yaml --prompts {ROOT}/prompts -o OUT",
    "pbx render --existing -o OUT.d",
    "backup -o OUT.d",
)
#: The same on standard output.
PRINT = ("people export", "people list", "reports export", "call-list --format pdf", "person export 00123456", "status")


@pytest.mark.usefixtures("day")
def test_every_command_that_writes_on_a_full_disk(command: Command, folder: Path) -> None:
    (folder / "var" / "ari.secret").write_text("practice" * 8 + "\n", encoding="ascii")
    environment = os.environ | {
        "KENKO_CONFIG": str(folder / "config.yaml"),
        "PYTHONPATH": str(ROOT),
        "KENKO_LANG": "ja",
    }
    asked = [
        each.replace("OUT", "disk/old" if "OUT.d" not in each else "disk/new").replace(".d", "").split()
        for each in WRITE
    ]
    ran = subprocess.run(
        ("unshare", "--user", "--map-root-user", "--mount", sys.executable, "-m", "tests.cli.full_disk", str(folder)),
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=True,
    )
    for said, (code, err, kept, left) in zip(WRITE, json.loads(ran.stdout), strict=True):
        assert (said, code, kept, left) == (said, 2, True, []), err
        assert "がいっぱいで" in err, (said, err)
        assert "壊れています" not in err
        assert "Traceback" not in err


@pytest.mark.usefixtures("day")
@pytest.mark.parametrize("arguments", PRINT)
def test_a_full_disk_behind_standard_output(folder: Path, arguments: str) -> None:
    environment = os.environ | {"KENKO_CONFIG": str(folder / "config.yaml"), "KENKO_LANG": "ja"}
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            [str(PROGRAM), *arguments.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
            check=False,
        )
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1), ran.stderr
    assert "標準出力に書き込めません" in ran.stderr
