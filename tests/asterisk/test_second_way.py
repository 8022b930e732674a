"""Real calls with the application stopped or hanging, ARI on or off, FastAGI on or off, in every combination.

Each hears something true within 3 s, and whom nobody could take is noted.
Judged by the far end's recording, Asterisk's own records and the rows.
"""

import asyncio
import contextlib
import csv
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from ivr import pbx
from sandbox.journal import CallRecord
from sandbox.network import Network, running_network
from sandbox.script import CallScript, Person
from sandbox.service import Installation, command, running_service, write_files
from sandbox.settings import NetworkSettings
from tests.acceptance import audio
from tests.acceptance.conftest import short_prompts
from tests.acceptance.scene import Row, rows, until

__all__ = ["short_prompts"]

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

KNOWN = Person("41000001", "見本", "09004100001", ())
#: Within it somebody who rings must hear something, from their dialling on.
SOON_SECONDS = 3.0
GREETING, APOLOGY = "frame/inbound_greeting", "frame/apology"
#: Before all nobody is rung.
CHANGES = {"practice_clock": "2026-11-04 07:00"}


@dataclass
class Told:
    """What came of each situation."""

    network: Network
    service: Installation
    calls: dict[str, CallRecord] = field(default_factory=dict)

    async def ring(self, situation: str, number: str | None = KNOWN.number) -> None:
        """Somebody rings, listens for a while, and hangs up."""
        script = CallScript(patience=4)
        self.calls[situation] = await self.network.carrier.call_in(script, number)

    def heard(self, situation: str) -> dict[str, float]:
        """Prompt -> seconds from dialling to its beginning."""
        record = self.calls[situation]
        assert record.recording
        assert record.answered
        recording = audio.read(record.recording)
        found: dict[str, float] = {}
        for prompt in (GREETING, APOLOGY):
            places = audio.find_all(audio.read(self.network.settings.prompts / f"ja/{prompt}.wav"), recording)
            if places:
                found[prompt] = record.answered - record.began + places[0].at
        return found

    async def switch_ari(self, on: bool) -> None:
        """As an administrator does: in http.conf, and a reload."""
        site = self.network.pbx.site
        file = site.etc / "http.conf"
        text = file.read_text(encoding="utf-8").replace("enabled = yes" if not on else "enabled = no", "enabled = {}")
        file.write_text(text.replace("{}", "yes" if on else "no"), encoding="utf-8")
        await self._tell("module reload http")

    async def _tell(self, words: str) -> None:
        site = self.network.pbx.site
        start = (*self.network.settings.asterisk.command, "-C", str(site.etc / "asterisk.conf"), "-rx")
        reload = await asyncio.create_subprocess_exec(*start, words, stdout=asyncio.subprocess.DEVNULL)
        assert await reload.wait() == 0

    @contextlib.asynccontextmanager
    async def serving(self, *signs: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """The service, from when it has said these things on."""
        self.service.log.unlink(missing_ok=True)
        async with running_service(self.service) as process:
            log = self.service.log
            await until(lambda: all(f"action={each}" in log.read_text() for each in signs), 20, ", ".join(signs))
            yield process

    async def switch_fastagi(self, on: bool) -> None:
        """As an administrator does: in config.yaml, and in the dialplan that is rendered of it."""
        site = self.network.pbx.site
        settings = yaml.safe_load(self.service.config.read_text(encoding="utf-8"))
        settings["fastagi"]["port"] = site.agi_port if on else None
        self.service.config.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
        files = pbx.render(site if on else replace(site, agi_port=0))
        (site.etc / "extensions.conf").write_text(files["extensions.conf"], encoding="utf-8")
        await self._tell("dialplan reload")

    async def bother(self) -> None:
        """Connections that are no calls, and stay."""
        for sent in (b"agi_network: yes\nagi_net", b"", b"x" * 1_000_000):
            _, writer = await asyncio.open_connection("127.0.0.1", self.network.pbx.site.agi_port)
            writer.write(sent)
            self.strangers.append(writer)

    strangers: list[asyncio.StreamWriter] = field(default_factory=list)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(
    new_settings: Callable[[], NetworkSettings], short_prompts: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Told]:
    folder = tmp_path_factory.mktemp("ways") / "service"
    async with running_network(replace(new_settings(), prompts=short_prompts)) as network:
        service = write_files(network, (KNOWN,), folder, CHANGES | {"prompts": str(short_prompts)})
        code, _, complaint = await command(service, "people", "import", str(folder / "people.csv"), "--yes")
        assert code == 0, complaint
        told = Told(network, service)
        async with told.serving("pbx_ready", "agi_listening") as process:
            await told.ring("runs, ARI on, FastAGI on")
            process.send_signal(signal.SIGSTOP)
            await told.ring("hangs, ARI on, FastAGI on")
            process.kill()
        await told.ring("stopped, ARI on, FastAGI on")
        await told.ring("stopped, number withheld", None)
        await told.switch_ari(False)
        await told.ring("stopped, ARI off, FastAGI on")
        async with told.serving("agi_listening") as process:
            await told.bother()
            await told.ring("runs, ARI off, FastAGI on")
            process.send_signal(signal.SIGSTOP)
            hung = asyncio.create_task(told.ring("hangs, then is killed, ARI off, FastAGI on"))
            await asyncio.sleep(1)
            process.kill()  # as systemd does after 30 s
            await hung
        await told.switch_fastagi(False)
        async with told.serving("pbx_not_ready"):
            await told.ring("runs, ARI off, FastAGI off")
        await told.ring("stopped, ARI off, FastAGI off")
        await told.switch_ari(True)
        await told.ring("stopped, ARI on, FastAGI off")
        async with told.serving("pbx_ready", "calls_missed"):
            await told.ring("runs, ARI on, FastAGI off")
        await told.switch_fastagi(True)
        async with told.serving("pbx_ready"):
            await told.ring("all is well again")
        for each in told.strangers:
            each.close()
        yield told


TAKEN = (
    *("runs, ARI on, FastAGI on", "runs, ARI off, FastAGI on", "runs, ARI on, FastAGI off"),
    "all is well again",
)
MISSED = (
    *("stopped, ARI on, FastAGI on", "stopped, ARI off, FastAGI on"),
    *("stopped, ARI on, FastAGI off", "stopped, ARI off, FastAGI off", "runs, ARI off, FastAGI off"),
    *("stopped, number withheld", "hangs, ARI on, FastAGI on", "hangs, then is killed, ARI off, FastAGI on"),
)


@pytest.mark.parametrize("situation", TAKEN)
async def test_the_caller_is_greeted_soon(told: Told, situation: str) -> None:
    heard = told.heard(situation)
    assert list(heard) == [GREETING]
    assert heard[GREETING] < SOON_SECONDS


@pytest.mark.parametrize("situation", MISSED)
async def test_the_caller_hears_soon_that_nobody_can_take_the_call(told: Told, situation: str) -> None:
    heard = told.heard(situation)
    assert list(heard) == [APOLOGY]
    assert heard[APOLOGY] < SOON_SECONDS


async def test_asterisk_has_written_down_who_was_missed(told: Told) -> None:
    with told.network.pbx.cdr.open(encoding="utf-8", newline="") as file:
        records = [row for row in csv.reader(file) if row[2] == "kenko-last-way"]
    assert len(records) == len(MISSED)
    assert [row[3] for row in records].count(KNOWN.number) == len(MISSED) - 1


async def test_who_was_missed_is_a_task_for_staff(told: Told) -> None:
    def table(name: str) -> list[Row]:
        return rows(told.service.database, f"SELECT * FROM {name} ORDER BY rowid")

    calls = table("calls")
    assert len(calls) == len(MISSED) + len(TAKEN)
    missed = [each for each in calls if each["outcome"] == "failed"]
    assert sorted(each["number"] or "" for each in missed) == ["", *[KNOWN.number] * (len(MISSED) - 1)]
    tasks = [each for each in table("follow_ups") if each["reason"] == "service_down"]
    assert sorted(each["person_id"] or "" for each in tasks) == ["", KNOWN.id]
    assert {each["day"] for each in tasks} == {"2026-11-04"}
