"""A service whose carrier comes and goes: nobody is rung meanwhile, no try is used up, and all goes on by itself."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from ivr.storage.database import open_reader
from sandbox.carrier import Carrier
from sandbox.network import Network, running_carrier, running_pbx
from sandbox.script import Call, CallScript, Does, Person
from sandbox.service import Installation, command, running_service, write_files
from sandbox.settings import NetworkSettings
from tests.rows import attempt_ends

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session")]

SOMEBODY = Person("00000019", "見本", "09001009901", (Call("busy", CallScript(does=Does.BUSY)),))
SOON = 30.0


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SOON):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.2)


def attempts(installation: Installation) -> list[tuple[str, Any]]:
    with open_reader(installation.database) as reader:
        return reader.read(attempt_ends)


async def standing(installation: Installation) -> set[str]:
    _, said, _ = await command(installation, "alarms", "--json", "--all")
    return {each["kind"] for each in json.loads(said)["alarms"] if each["ended_at"] is None}


async def test_nobody_is_rung_while_the_carrier_is_away(
    new_settings: Callable[[], NetworkSettings], tmp_path: Path
) -> None:
    settings = new_settings()
    async with running_pbx(settings) as ours:
        manager = ours.site.manager
        assert manager is not None
        (tmp_path / "ami.secret").write_text(manager.secret, encoding="utf-8")
        watch = {
            "ami_secret_file": str(tmp_path / "ami.secret"),
            "ami_port": manager.port,
            "poll_seconds": 1,
            "settle_seconds": 1,
        }
        network = Network(settings, ours, cast(Carrier, None))
        changes = {"watch": watch, "pbx": {"asterisk": {"log": str(ours.site.log)}}}
        installation = write_files(network, (SOMEBODY,), tmp_path, changes)
        code, _, complaint = await command(
            installation, "people", "import", str(installation.folder / "people.csv"), "--yes"
        )
        assert code == 0, complaint
        async with running_service(installation):

            async def told() -> bool:
                return "trunk_unreachable" in await standing(installation)

            async def over() -> bool:
                return await standing(installation) == set()

            async def rung() -> bool:
                return bool(attempts(installation)) and attempts(installation)[0][0] == "ended"

            await until(told)
            # Due since the start, and not rung: there is no attempt, so that no try is used up.
            assert attempts(installation) == []
            # The test call needs no line: it tells that everything but the trunk is well.
            code, said, _ = await command(installation, "doctor", "--json", "--call")
            lines = {each["check"]: each for each in json.loads(said)["lines"]}
            assert code == 2
            assert (lines["call"]["light"], lines["call"]["id"]) == ("green", "doctor_call.heard")
            assert lines["watch"]["light"] == "red"
            async with running_carrier(settings, (SOMEBODY,)) as carrier:
                await until(rung)
                await until(over)
                assert [(state, str(outcome)) for state, outcome in attempts(installation)] == [("ended", "busy")]
                assert len(carrier.calls) == 1
                _, said, _ = await command(installation, "doctor", "--json")
                lines = {each["check"]: each for each in json.loads(said)["lines"]}
                assert lines["watch"]["light"] == "green"
            await until(told)


async def test_a_test_call_that_nobody_takes_up(tmp_path: Path, network: Network) -> None:
    installation = write_files(network, (), tmp_path, {})
    code, said, _ = await command(installation, "doctor", "--json", "--call")
    lines = {each["check"]: each for each in json.loads(said)["lines"]}
    assert (code, lines["call"]["id"], lines["watch"]["id"]) == (2, "doctor.call_unanswered", "doctor.not_watched")
