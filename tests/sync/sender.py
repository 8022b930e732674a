"""A process that files reports and sends them, and dies at the moment it is told: `python -m tests.sync.sender …`."""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from ivr.storage.database import Database, open_database
from ivr.storage.outbox import Row, backlog
from ivr.storage.schema import reports
from ivr.sync.delivery import Reply
from ivr.sync.fhir_carrier import FhirCarrier
from ivr.sync.http_carrier import HttpCarrier
from ivr.sync.push import Push
from ivr.sync.settings import Sync, Way
from sandbox.centre import FHIR_PATH
from sandbox.certificates import Certificates
from tests.sync.conftest import file_report, settings_of

#: Waits that a night would take pass in seconds; deadlines of requests stay what they are.
SPEED = 500.0
EPOCH = datetime(2025, 1, 6, tzinfo=UTC)


@dataclass
class Points:
    """Every commit and every request has a moment before and one after: at the n-th of them `die` is called."""

    left: int
    die: Callable[[], None]

    def pass_one(self) -> None:
        """One moment."""
        self.left -= 1
        if self.left == 0:
            self.die()


class MortalDatabase(Database):
    """Dies before or after a commit."""

    points: Points

    async def write(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        self.points.pass_one()
        found = await super().write(function, *args, **kwargs)
        self.points.pass_one()
        return found


class MortalHttp(HttpCarrier):
    """Dies before a request or after its answer, which is then not known to anybody."""

    points: Points

    async def carry(self, row: Row, now: datetime) -> Reply:
        self.points.pass_one()
        reply = await super().carry(row, now)
        self.points.pass_one()
        return reply


class MortalFhir(FhirCarrier):
    """The same, as bundles."""

    points: Points

    async def carry(self, row: Row, now: datetime) -> Reply:
        self.points.pass_one()
        reply = await super().carry(row, now)
        self.points.pass_one()
        return reply


def mortal(settings: Sync, database: Database, points: Points) -> MortalHttp | MortalFhir:
    """The carrier that was chosen."""
    carrier = MortalFhir(settings, database) if settings.way is Way.FHIR else MortalHttp(settings)
    carrier.points = points
    return carrier


#: Where the stand-in centre is a FHIR server, and how that way is chosen.
FHIR = {"way": "fhir", "fhir_base": "https://kenko.example.jp/fhir"}


def way_to(url: str, certificates: Certificates, way: str, **other: object) -> Sync:
    """Settings of this way to a stand-in centre at `url`."""
    return (
        settings_of(url + FHIR_PATH, certificates, **FHIR, **other)
        if way == "fhir"
        else settings_of(url, certificates, **other)
    )


def count_reports(connection: Connection) -> int:
    """How many were filed."""
    return connection.execute(select(func.count()).select_from(reports)).scalar_one()


async def work(file: Path, settings: Sync, wanted: int, points: Points, chance: random.Random) -> None:
    """File reports until there are so many, and send until none is left."""
    began = time.time()

    def now() -> datetime:
        return EPOCH + timedelta(seconds=(time.time() - _START) * SPEED)

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds / SPEED)

    assert began >= _START
    async with await open_database(file) as database:
        database.__class__ = MortalDatabase
        assert isinstance(database, MortalDatabase)
        database.points = points
        carrier = mortal(settings, database, points)
        push = Push(database, carrier, settings, now, chance.random, sleep)
        sending = asyncio.create_task(push.run())
        try:
            for number in range(await database.read(count_reports), wanted):
                await database.write(file_report, number)
            while (await database.read(backlog)).unsent and not sending.done():  # noqa: ASYNC110, a row has no event
                await asyncio.sleep(0.02)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


#: The same for every life of one test, or the clock would go back at each.
_START = float(os.environ.get("SENDER_START", "0"))


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    database, certificates, url, way, wanted, moment = sys.argv[1:]
    asyncio.run(
        work(
            Path(database),
            way_to(url, Certificates.at(Path(certificates)), way, timeout_seconds=2),
            int(wanted),
            Points(int(moment), _kill),
            random.Random(int(moment)),
        )
    )
