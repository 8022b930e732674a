"""The database of a service without its threads: every function runs at once, in the thread of the test.

For tests that open one thousands of times and look into it after every step. The same file, statements and
transactions; but nothing waits for the disk, and the order of events is the same each time.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar, cast

from pysqlite3 import dbapi2 as sqlite3
from sqlalchemy import Connection

from ivr.storage import migrate, sqlite
from ivr.storage.database import Database, Reader, _Writer

P = ParamSpec("P")
T = TypeVar("T")


class Inline(Database):
    """An open database in a file of its own, empty at first and after each `clear`; nothing has to be closed.

    `folder`: where the file may be. One per process keeps what SQLAlchemy made of the statements.
    """

    def __init__(self, folder: Path) -> None:
        file = folder / "kenko-call.db"
        migrate.create(file)
        self._empty = sqlite3.connect(":memory:")
        with closing(sqlite3.connect(file)) as made:
            made.backup(self._empty)
        connection = sqlite.connect_writer(file)
        sqlite.plain(connection, "PRAGMA synchronous = OFF")
        sqlite.set_journal_mode(connection, "memory")
        idle = ThreadPoolExecutor(1)  # starts no thread before it is used, and it never is
        super().__init__(_Writer(file, connection, None), Reader(file), (idle, idle))

    def clear(self) -> None:
        """As it was when it was made."""
        self._empty.backup(cast(sqlite3.Connection, self._writer.connection.connection.dbapi_connection))

    async def write(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        await asyncio.sleep(0)  # others have their turn before and after, as beside the threads
        try:
            return self._writer.run(function, *args, **kwargs)
        finally:
            await asyncio.sleep(0)

    async def read(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        await asyncio.sleep(0)
        try:
            return self.look(function, *args, **kwargs)
        finally:
            await asyncio.sleep(0)

    def look(self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `read`, for a test that stands outside of the loop."""
        return self._reader.read(function, *args, **kwargs)
