"""What the README promises first: the demonstration ends by itself, and everybody in it as the scenario says."""

import asyncio
import json
from pathlib import Path

import pytest

from sandbox.settings import PROMPTS
from tests.cases_runner import PROGRAM


@pytest.mark.asterisk
@pytest.mark.timeout(600)
async def test_the_demonstration(tmp_path: Path) -> None:
    # Started where the repository is, as the script does, so that its own folder is a relative path.
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "demo", "--once", "--json", str(tmp_path / "result.json"), "--folder", "var/demo-test"),
        cwd=PROMPTS.parent,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert (result["people"], result["inbound_calls"]) == (12, 3)
    assert result["reported"] + result["partial"] + result["follow_up"] >= result["people"]
    assert result["seconds"] < 480
    # Everything that was reported is at the stand-in centre, with the same answers: else the demonstration says so.
    assert result["reports_at_centre"] == result["reports"] >= result["reported"]
    assert result["documents_at_centre"] >= result["reports_at_centre"] + result["attempts"]
