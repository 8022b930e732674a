"""`kenko-call doctor` beside a service that runs on a real Asterisk, and after it has stopped."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.network import Network
from sandbox.service import Installation, command, running_service, write_files

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session")]


async def examine(installation: Installation) -> tuple[int, dict[str, dict[str, Any]]]:
    code, said, complaint = await command(installation, "doctor", "--json")
    assert complaint == ""
    return code, {each["check"]: each for each in json.loads(said)["lines"]}


async def test_a_running_service_is_in_order_and_a_stopped_one_is_not(network: Network, tmp_path: Path) -> None:
    changes = {"pbx": {"asterisk": {"log": str(network.pbx.site.log)}}}
    installation = write_files(network, (), tmp_path, changes)
    async with running_service(installation):
        lines: dict[str, dict[str, Any]] = {}
        while lines.get("service", {}).get("light") != "green" or lines["application"]["light"] != "green":
            code, lines = await examine(installation)
            await asyncio.sleep(0.2)
    assert code < 2  # the machine's own clock, zone and disk may be yellow here
    for check in (
        "asterisk",
        "modules",
        "application",
        "trunk",
        "codec",
        "database",
        "secrets",
        "service",
        "alarms",
        "second_way",
    ):
        assert lines[check]["light"] == "green", lines[check]
    assert lines["backup"]["id"] == "doctor.no_backup_setting"
    code, lines = await examine(installation)
    assert code == 2
    assert (lines["service"]["id"], lines["application"]["light"]) == ("doctor.service_down", "red")
    assert lines["second_way"]["id"] == "doctor.second_way_closed"
