"""Real database files; the tables are made once and copied, the rest is each test's own."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from ivr.storage.database import Database, open_database
from ivr.storage.sqlite import connect_writer


@pytest.fixture
def file(made: Path, tmp_path: Path) -> Path:
    """A copy of the database that is made once."""
    return Path(shutil.copy(made, tmp_path / "kenko-call.db"))


@pytest.fixture
def connection(file: Path) -> Iterator[Connection]:
    """A writing connection inside a transaction."""
    opened = connect_writer(file)
    try:
        with opened.begin():
            yield opened
    finally:
        opened.close()


@pytest.fixture
async def database(file: Path) -> AsyncIterator[Database]:
    """The open database; an outside lock is waited for 0.1 s only."""
    async with await open_database(file, busy_ms=100) as opened:
        yield opened
