"""Real database files; the tables are made once and copied, the rest is each test's own."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from ivr.storage import migrate
from ivr.storage.database import Database, open_database
from ivr.storage.sqlite import connect_writer
from tests.storage.records import fill


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the roster and one questionnaire; to be copied, not used."""
    file = tmp_path_factory.mktemp("template") / "kenko-call.db"
    migrate.create(file)
    connection = connect_writer(file)
    with connection.begin():
        fill(connection)
    connection.close()
    return file


@pytest.fixture
def file(template: Path, tmp_path: Path) -> Path:
    """A copy of the template."""
    return Path(shutil.copy(template, tmp_path / "kenko-call.db"))


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
