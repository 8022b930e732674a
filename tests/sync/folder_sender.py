"""Lives of a process that sends into a folder, and dies by kill -9 at the moment it is told.

`python -m tests.sync.folder_sender each DATABASE FOLDER REPORTS`: a copy of the database and a folder for every moment
there is, and two lives in each: one that dies there, and one that comes to its end.
`… random DATABASE FOLDER REPORTS SEED`: one of each, and lives that die at random until one comes to its end.
Both print how many lives were ended. Each life is a fork of this process, which has no thread.
"""

import asyncio
import contextlib
import fcntl
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ivr.storage.database import open_database
from ivr.storage.outbox import backlog
from ivr.sync.folder_carrier import FolderCarrier
from ivr.sync.push import Push
from ivr.sync.settings import Sync, Way
from tests.fakes.site import Clock
from tests.sync.conftest import file_report
from tests.sync.sender import MortalDatabase, Points, count_reports

#: So many reports come between two rounds of sending.
PORTION = 8
#: A life of `random` ends at the latest after so many moments.
LONGEST_LIFE = 400


class _HalfFile:
    """Dies before a write, after a half that has reached the system, and after the whole."""

    def __init__(self, file: Any, points: Points) -> None:
        self._file, self._points = file, points

    def __enter__(self) -> "_HalfFile":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def write(self, content: bytes) -> None:
        for part in (content[: len(content) // 2], content[len(content) // 2 :]):
            self._points.pass_one()
            self._file.write(part)
            self._file.flush()
        self._points.pass_one()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def make_mortal(points: Points) -> None:
    """Every file operation of ivr.sync.folder has a moment before it and one after."""

    def around(function: Callable[..., Any]) -> Callable[..., Any]:
        def mortal(*args: Any, **kwargs: Any) -> Any:
            points.pass_one()
            found = function(*args, **kwargs)
            points.pass_one()
            return found

        return mortal

    opened = Path.open

    def open_half(path: Path, mode: str = "r", *others: Any, **named: Any) -> Any:
        if mode != "wb":
            return opened(path, mode, *others, **named)
        points.pass_one()
        return _HalfFile(opened(path, mode, *others, **named), points)

    for owner, name in ((os, "fsync"), (os, "open"), (fcntl, "flock"), (Path, "rename"), (Path, "unlink")):
        setattr(owner, name, around(getattr(owner, name)))
    setattr(Path, "open", open_half)  # noqa: B010 - mypy refuses the plain form


async def live(file: Path, folder: Path, wanted: int, points: Points) -> None:
    """File reports until there are so many, sending now and then, and send until none is left."""
    clock = Clock()

    async def no_sleep(_: float) -> None:
        raise AssertionError("nobody waits in these tests")

    async with await open_database(file) as database:
        make_mortal(points)
        database.__class__ = MortalDatabase
        assert isinstance(database, MortalDatabase)
        database.points = points
        settings = Sync.model_validate({"way": Way.FILE, "folder": str(folder)}, context={"folder": Path("/")})
        push = Push(database, FolderCarrier(folder), settings, clock.now, lambda: 1.0, no_sleep)
        await push.begin()
        for number in range(await database.read(count_reports), wanted):
            await database.write(file_report, number)
            if number % PORTION == PORTION - 1:
                await push.turn()
        while (await database.read(backlog)).unsent:
            await push.turn()
            clock.advance(1)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fork(file: Path, folder: Path, wanted: int, moment: int) -> bool:
    """One life, that ends at the n-th moment (0: none). Whether it came to its end. Raises if it failed."""
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(live(file, folder, wanted, Points(moment, _kill)))
            code = 0
        os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code not in (0, -signal.SIGKILL):
        raise RuntimeError(f"a life ended with {code} at moment {moment}")
    return code == 0


def each(made: Path, base: Path, wanted: int) -> int:
    """Every moment that there is."""
    for moment in range(1, 10_000):
        folder = base / f"{moment:04}" / "folder"
        folder.mkdir(parents=True)
        file = Path(shutil.copy(made, folder.parent / "kenko-call.db"))
        ended = fork(file, folder, wanted, moment)
        assert fork(file, folder, wanted, 0)
        if ended:
            return moment - 1
    raise RuntimeError("it does not end")


def at_random(file: Path, folder: Path, wanted: int, seed: int) -> int:
    """Lives of any length, the later the longer."""
    chance, kills = random.Random(seed), 0
    while not fork(file, folder, wanted, chance.randrange(1, LONGEST_LIFE + kills)):
        kills += 1
    return kills


if __name__ == "__main__":
    how, database, where, reports, *seeds = sys.argv[1:]
    if how == "each":
        kills = each(Path(database), Path(where), int(reports))
    else:
        kills = at_random(Path(database), Path(where), int(reports), int(seeds[0]))
    sys.stdout.write(f"{kills}\n")
