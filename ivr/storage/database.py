"""Opens the database and runs functions on it: one thread and one connection write, one of each read.

The functions (people, calls, sessions, …) take a Connection and know neither threads nor asyncio. A transaction is
one hop to the thread; an asynchronous driver would make one for every statement.
"""

import asyncio
import errno
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from sqlalchemy import Connection

from ivr.errors import StorageError, problem
from ivr.storage import migrate, sqlite
from ivr.storage.pending import PendingWrites
from ivr.storage.sqlite import BUSY_MS

P = ParamSpec("P")
T = TypeVar("T")


class Reader:
    """A read-only connection; belongs to the thread that opened it."""

    def __init__(self, file: Path, busy_ms: int = BUSY_MS) -> None:
        self._file = file
        with sqlite.clear_errors(file, reading=True):
            self._connection = sqlite.connect_reader(file, busy_ms)

    def read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`function(connection, …)` on one snapshot. Raises StorageError.

        The snapshot ends with the function, so return whole results: an open one can hold up the writer.
        """
        with sqlite.transaction(self._connection, self._file, reading=True):
            return function(self._connection, *args, **kwargs)

    def close(self) -> None:
        """Nothing can be read afterwards."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def open_reader(where: str | Path, busy_ms: int = BUSY_MS) -> Reader:
    """Read a database, also while a service runs on it; creates and changes nothing.

    Raises BadInput for something that is no path, StorageError if there is no database or it is of another version.
    """
    file = sqlite.database_file(where)
    if not file.exists():
        raise StorageError(problem("storage.missing", str(file)))
    reader = Reader(file, busy_ms)
    try:
        if not reader.read(migrate.is_current, file):
            raise StorageError(problem("storage.outdated", str(file)))
    except BaseException:
        reader.close()
        raise
    return reader


@dataclass(frozen=True)
class _Writer:
    """What the writing thread owns."""

    file: Path
    connection: Connection
    lock: int | None  #: descriptor; None beside a service

    def run(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        with sqlite.transaction(self.connection, self.file):
            return function(self.connection, *args, **kwargs)

    def forget(self) -> bool:
        with sqlite.clear_errors(self.file):
            return sqlite.forget(self.connection, self.file, alone=self.lock is not None)

    def close(self) -> None:
        try:
            if self.lock is not None:
                # Neither WAL nor a kept journal (it holds old pages): one file is left, and a reader (perhaps of
                # another user) has no need to create -wal and -shm. While such a reader is at work this is refused,
                # and the next start continues with them.
                with suppress(StorageError, sqlite.Error):
                    sqlite.plain(self.connection, "PRAGMA busy_timeout = 0")
                    sqlite.set_journal_mode(self.connection, "delete")
        finally:
            self.connection.close()
            if self.lock is not None:
                os.close(self.lock)


class Database:
    """The open database; made by `open_database`, to be closed."""

    def __init__(self, writer: _Writer, reader: Reader, threads: tuple[ThreadPoolExecutor, ThreadPoolExecutor]) -> None:
        self._writer = writer
        self._reader = reader
        self._writing, self._reading = threads
        self._closed = False
        #: What must be written even if it cannot be written now.
        self.pending = PendingWrites(self._carry_out)

    @property
    def beside_service(self) -> bool:
        """Whether a service, or another command, held the database when it was opened."""
        return self._writer.lock is None

    async def write(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`function(connection, …)` in one transaction; returns after its commit, or raises and nothing was stored.

        Writes run one after another, in the order of the calls. A cancelled one may have been carried out.
        Raises StorageError (locked, disk full, damaged, closed) and whatever the function raises.
        """
        self._check_open()
        job = partial(self._writer.run, function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._writing, job)

    async def _carry_out(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        return await self.write(function, *args, **kwargs)

    async def read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`function(connection, …)` on one snapshot, beside the writer. Raises StorageError."""
        self._check_open()
        job = partial(self._reader.read, function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._reading, job)

    async def forget(self) -> bool:
        """What was deleted before is no more in any byte of the database's files; see sqlite.forget.

        False: not now, beside a service. Raises StorageError if it is in use.
        """
        self._check_open()
        return await asyncio.get_running_loop().run_in_executor(self._writing, self._writer.forget)

    def _check_open(self) -> None:
        if self._closed:
            raise StorageError(problem("storage.closed"))

    async def close(self) -> None:
        """Finish what was asked for, then close; a second time does nothing."""
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        try:
            # The reader first: the last connection to close tidies up, and only the writer may.
            await loop.run_in_executor(self._reading, self._reader.close)
        finally:
            await loop.run_in_executor(self._writing, self._writer.close)
            self._reading.shutdown()
            self._writing.shutdown()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()


class HurriedDatabase(Database):
    """The same database for somebody on the telephone, who hears nothing while we wait for it.

    What takes longer than `seconds` raises StorageError. A write that was waiting for its turn is then not carried
    out; one that had begun may be.
    """

    def __init__(self, database: Database, seconds: float) -> None:
        super().__init__(database._writer, database._reader, (database._writing, database._reading))
        self._database = database
        self._seconds = seconds
        self.pending = database.pending

    async def write(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As the database does, but in time. Raises StorageError."""
        with self._in_time():
            async with asyncio.timeout(self._seconds):
                return await self._database.write(function, *args, **kwargs)

    async def read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As the database does, but in time. Raises StorageError."""
        with self._in_time():
            async with asyncio.timeout(self._seconds):
                return await self._database.read(function, *args, **kwargs)

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            raise StorageError(problem("storage.slow", str(self._writer.file), seconds=round(self._seconds))) from None


async def open_database(where: str | Path, *, beside_service: bool = False, busy_ms: int = BUSY_MS) -> Database:
    """Open for writing; create or migrate what is there. `busy_ms`: how long to wait for another process's lock.

    One service may have it open. A short command sets `beside_service`: it works beside a service if there is one
    (SQLite keeps their transactions apart), and like a service if there is none.

    Raises BadInput for something that is no path, StorageError if another service runs or the file is damaged, of a
    newer version, or cannot be used. The file is never changed before it was found whole.
    """
    file = sqlite.database_file(where)
    loop = asyncio.get_running_loop()
    writing, reading = (ThreadPoolExecutor(1, f"database-{name}") for name in ("writer", "reader"))
    try:
        writer = await loop.run_in_executor(writing, _open_writer, file, beside_service, busy_ms)
        try:
            reader = await loop.run_in_executor(reading, Reader, file, busy_ms)
        except BaseException:
            await loop.run_in_executor(writing, writer.close)
            raise
    except BaseException:
        writing.shutdown(wait=False)
        reading.shutdown(wait=False)
        raise
    return Database(writer, reader, (writing, reading))


def _open_writer(file: Path, beside_service: bool, busy_ms: int) -> _Writer:
    with suppress(FileExistsError), _clear_os_errors(file):
        file.parent.mkdir(mode=0o700)
    if file.exists() and not file.is_file():
        raise StorageError(problem("storage.unusable", str(file), reason=os.strerror(errno.EISDIR)))
    lock = sqlite.take_lock(file)
    if lock is None and beside_service:
        lock = _wait_for_file(file)
    elif lock is None:
        raise StorageError(problem("storage.in_use", str(file), holder=sqlite.lock_holder(file)))
    connection = None
    try:
        with sqlite.clear_errors(file), _clear_os_errors(file):
            if lock is not None:
                if not file.exists():
                    migrate.create(file)
                file.chmod(0o600)
            connection = sqlite.connect_writer(file, busy_ms)
            _make_ready(connection, file, alone=lock is not None)
            return _Writer(file, connection, lock)
    except BaseException:
        if connection is not None:
            connection.close()
        if lock is not None:
            os.close(lock)
        raise


#: A database is made in less than a second; on a busy machine in a few.
_MAKING_SECONDS = 30.0


def _wait_for_file(file: Path) -> int | None:
    """Another process makes the file just now: wait until it is there, or take the lock of one that gave up."""
    until = time.monotonic() + _MAKING_SECONDS
    while not file.exists() and time.monotonic() < until:
        time.sleep(0.05)
        if (lock := sqlite.take_lock(file)) is not None:
            return lock
    return None


def _make_ready(connection: Connection, file: Path, *, alone: bool) -> None:
    if alone:
        sqlite.check_file(connection, file)
        migrate.migrate(connection, file)
        sqlite.set_journal_mode(connection, sqlite.in_force()[1])
        return
    with connection.begin():
        if not migrate.is_current(connection, file):
            raise StorageError(problem("storage.outdated", str(file)))


@contextmanager
def _clear_os_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise StorageError(problem("storage.unusable", str(file), reason=error.strerror or str(error))) from None
