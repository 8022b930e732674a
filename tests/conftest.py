"""What tests of whole calls share: a fresh database for each, and a site on it."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from ivr.site import Site
from ivr.storage import migrate
from ivr.storage.database import Database, open_database
from ivr.storage.sqlite import connect_writer
from tests.fakes.site import Clock, open_site
from tests.storage.records import fill
from tests.workers import pytest_collection_modifyitems, pytest_configure

__all__ = ["pytest_collection_modifyitems", "pytest_configure"]

#: A busy machine is no finding: how long an example takes is asked nowhere.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the roster of `records`; to be copied, not used."""
    file = tmp_path_factory.mktemp("made") / "kenko-call.db"
    migrate.create(file)
    connection = connect_writer(file)
    with connection.begin():
        fill(connection)
    connection.close()
    return file


@pytest.fixture
async def database(made: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """Open, with the roster in it."""
    async with await open_database(shutil.copy(made, tmp_path / "kenko-call.db"), busy_ms=100) as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    """9:00 in Japan, and it stays so."""
    return Clock()


@pytest.fixture
async def site(database: Database, clock: Clock) -> Site:
    """One installation with the short questionnaire."""
    return await open_site(database, clock)
