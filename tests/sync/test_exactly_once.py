"""Invariant 6: whatever is killed and wherever the network is cut, each report is at the centre once, byte for byte.

With KENKO_LONG set there are 10,000 reports; the run prints its figures.
"""

import asyncio
import json
import os
import random
import shutil
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from ivr.storage.database import Database, open_database, open_reader
from ivr.storage.outbox import Row, all_rows, backlog
from ivr.sync.delivery import State
from ivr.sync.documents import document_from
from ivr.sync.fhir import bundle_of
from ivr.sync.push import Push
from ivr.sync.settings import Sync
from sandbox.centre import Centre, documents_in
from sandbox.certificates import Certificates
from tests.fakes.site import Clock
from tests.storage.records import NOW
from tests.sync.conftest import file_report
from tests.sync.sender import FHIR, MortalDatabase, Points, count_reports, mortal, way_to

ROOT = Path(__file__).parents[2]
LONG = bool(os.environ.get("KENKO_LONG"))
REPORTS = 10_000 if LONG else 24
#: A life ends at the latest after so many commits and requests, a centre's after so many seconds.
LONGEST_LIFE = 600 if LONG else 100
CENTRE_SECONDS = 6.0 if LONG else 1.5
#: Bytes after which a connection is cut at the latest.
LATEST_CUT = 50_000 if LONG else 12_000


# --- the moments, one by one, in this process ---


class Died(BaseException):
    """Stands for kill -9: what is committed is there, everything else is gone."""


def die() -> None:
    raise Died


@pytest.mark.parametrize("way", ["http", "fhir"])
async def test_dying_at_each_commit_and_each_request(
    made: Path, tmp_path: Path, certificates: Certificates, way: str
) -> None:
    """Three reports of which two are of one person; the life before dies at the n-th moment, for every n."""
    moments = 0
    for moment in range(1, 200):
        folder = tmp_path / str(moment)
        folder.mkdir()
        file = Path(shutil.copy(made, folder / "kenko-call.db"))
        centre = Centre(folder / "centre", certificates)
        await centre.start()
        try:
            settings = way_to(centre.url, certificates, way)
            ended = await _live(file, settings, Points(moment, die))
            await _live(file, settings, Points(0, die))
            _compare(file, centre.documents(), 4, way)
        finally:
            await centre.stop()
        if ended:
            moments = moment - 1
            break
    # 4 reports and 3 rounds at least, of 4 commits; 4 requests; before and after each.
    assert moments >= 2 * (4 + 2 * 2 + 4)


async def _live(file: Path, settings: Sync, points: Points) -> bool:
    """One life; False if it ended too soon."""
    clock = Clock()

    async def sleep(_: float) -> None:
        clock.time += timedelta(seconds=2)

    async with await open_database(file) as database:
        database.__class__ = MortalDatabase
        assert isinstance(database, MortalDatabase)
        database.points = points
        carrier = mortal(settings, database, points)
        push = Push(database, carrier, settings, clock.now, lambda: 1.0, sleep)
        try:
            for number in range(await database.read(count_reports), 4):
                await database.write(file_report, number)
            await push.begin()
            await _empty(database, push, clock)
        except BaseExceptionGroup as group:
            if group.subgroup(Died) is None:
                raise
            return False
        except Died:
            return False
        finally:
            await carrier.close()
    return True


async def _empty(database: Database, push: Push, clock: Clock) -> None:
    for _ in range(50):
        await push.turn()
        clock.advance(1)
        if not (await database.read(backlog)).unsent:
            return
    raise AssertionError("it does not end")


# --- real kills, and a network that is cut ---


@dataclass
class CuttingProxy:
    """Passes bytes on to the centre, and cuts most connections after some of them, in either direction."""

    port: int  #: of the centre
    chance: random.Random
    cuts: int = 0
    whole: bool = False  #: cut nothing any more
    own_port: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A handshake is about 4 kB, a report 1.5 kB: cuts fall into both, and into answers.
        left = [10**9 if self.whole or self.chance.random() < 0.3 else self.chance.randrange(0, LATEST_CUT)]
        try:
            there, to_there = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.transport.abort()
            return
        ways = [self._pass(reader, to_there, left), self._pass(there, writer, left)]
        _, going = await asyncio.wait([asyncio.create_task(each) for each in ways], return_when="FIRST_COMPLETED")
        for each in going:
            each.cancel()
        await asyncio.gather(*going, return_exceptions=True)
        for end in (writer, to_there):
            end.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, left: list[int]) -> None:
        with suppress(OSError):
            while chunk := await source.read(4096):
                sink.write(chunk[: left[0]])
                await sink.drain()
                left[0] -= len(chunk)
                if left[0] <= 0:
                    self.cuts += 1
                    return


@asynccontextmanager
async def cutting(port: int, chance: random.Random) -> AsyncIterator[CuttingProxy]:
    proxy = CuttingProxy(port, chance)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        proxy.tasks.add(task)
        try:
            await proxy(reader, writer)
        finally:
            proxy.tasks.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    proxy.own_port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for each in list(proxy.tasks):
            each.cancel()
        await asyncio.gather(*proxy.tasks, return_exceptions=True)


async def start(*words: str, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", *words, cwd=ROOT, env=os.environ | environment, stdout=asyncio.subprocess.PIPE
    )


async def killed_centres(folder: Path, port: int, chance: random.Random, kills: list[float]) -> None:
    """The centre, killed and started again for ever; its last life is ended by whoever cancels this."""
    while True:
        process = await start("sandbox.centre", str(folder), str(port))
        try:
            assert process.stdout
            await process.stdout.readline()  # it listens
            await asyncio.sleep(chance.uniform(0.3, CENTRE_SECONDS))
        finally:
            process.kill()
            await process.wait()
        kills.append(time.monotonic())


@pytest.mark.timeout(7200 if LONG else 240)
@pytest.mark.parametrize("way", ["http", "fhir"])
async def test_killed_and_cut_at_random(
    made: Path, tmp_path: Path, certificates: Certificates, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    chance = random.Random(20250106)
    file = Path(shutil.copy(made, tmp_path / "kenko-call.db"))
    folder = tmp_path / "centre"
    shutil.copytree(certificates.ca.parent, folder / "certificates")
    port = _free_port()
    centre_kills: list[float] = []
    lives, began = 0, time.time()
    dying = asyncio.create_task(killed_centres(folder, port, random.Random(1), centre_kills))
    async with cutting(port, chance) as proxy:
        try:
            code: int | None = -9
            while code == -9:
                lives += 1
                # Every life is longer than nothing, and the last ones long enough to come to the end.
                moment = chance.randrange(1, LONGEST_LIFE + lives // 4)
                arguments = (str(file), str(certificates.ca.parent), f"https://127.0.0.1:{proxy.own_port}", way)
                process = await start(
                    "tests.sync.sender", *arguments, str(REPORTS), str(moment), SENDER_START=str(began)
                )
                try:
                    code = await process.wait()
                finally:
                    if process.returncode is None:
                        process.kill()
                        await process.wait()
        finally:
            dying.cancel()
            await asyncio.gather(dying, return_exceptions=True)
    assert code == 0
    documents = documents_in(folder)
    frozen = _compare(file, documents, REPORTS, way)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{way}, {REPORTS} reports: "
            f"{lives - 1} kills of ours, {len(centre_kills)} of the centre, {proxy.cuts} cuts; "
            f"duplicates {len(documents) - len(set(documents))}, missing {len(frozen) - len(documents)}; "
            f"{time.time() - began:.0f} s\n"
        )
    assert lives > 2
    assert proxy.cuts > 2


def _compare(file: Path, documents: list[tuple[str, bytes]], wanted: int, way: str) -> tuple[Row, ...]:
    """Everything that was filed was frozen, and is there once as it was frozen, with its number known to us.

    As FHIR: as the bundle that these frozen bytes are, whichever life sent it.
    """
    with open_reader(file) as reader:
        assert reader.read(count_reports) == wanted
        frozen = reader.read(all_rows, most=10**6)
    assert {each.subject for each in frozen} == {f"s-{number}" for number in range(wanted)}
    assert len(frozen) == wanted
    assert {each.state for each in frozen} == {State.ACKNOWLEDGED}
    # Each once, byte for byte, and each of a person in the order in which it happened.
    if way == "fhir":
        sent = {each.key: bundle_of(document_from(each.payload), FHIR["fhir_base"]) for each in frozen}
        assert {key: json.loads(body) for key, body in documents} == sent
        assert len(documents) == len(frozen)
    else:
        assert sorted(documents) == sorted((each.key, each.payload) for each in frozen)
    assert len({_number(each.record_id) for each in frozen}) == len(frozen)
    order = {key: at for at, (key, _) in enumerate(documents)}
    for about in {each.about for each in frozen}:
        came = [order[each.key] for each in frozen if each.about == about]
        assert came == sorted(came)
    return frozen


def _number(record: str | None) -> int:
    assert record is not None
    return int(record.rpartition("R-")[2])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free: int = probe.getsockname()[1]
    return free


def test_the_clock_of_these_tests_stands_where_the_roster_begins() -> None:
    assert Clock().now() == NOW
