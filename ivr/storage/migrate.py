"""Brings a database file to the tables of this version: all of it or nothing of it, whenever the process dies."""

import os
from pathlib import Path

from sqlalchemy import Connection, text

from ivr.errors import StorageError, problem
from ivr.storage.sqlite import connect_writer, hand_over

#: Every revision there is, oldest first. Kept here too because importing Alembic to find that nothing is to be done
#: would cost each start memory and time; a test compares it with migrations/versions.
REVISIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
    "0014",
    "0015",
    "0016",
    "0017",
    "0018",
    "0019",
)

SCRIPTS = Path(__file__).parent / "migrations"


def create(file: Path, scripts: Path = SCRIPTS) -> None:
    """Make a new database beside `file` and rename it into place, so that `file` is never half made.

    An existing empty file therefore always means loss. Readable by its owner only. Raises OSError.
    """
    fresh = file.with_name(file.name + ".new")
    for leftover in (fresh, fresh.with_name(fresh.name + "-journal")):
        leftover.unlink(missing_ok=True)
    # SQLite gives its journals the mode of the database.
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    hand_over(fresh)
    connection = connect_writer(fresh)
    try:
        with connection.begin():
            _upgrade(connection, scripts)
    finally:
        connection.close()
    fresh.rename(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def revision(connection: Connection) -> str | None:
    """The revision of the tables in this file; None if it has none."""
    found = connection.execute(text("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"))
    if not found.scalar_one():
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def is_current(connection: Connection, file: Path, revisions: tuple[str, ...] = REVISIONS) -> bool:
    """Whether no migration is due. Raises StorageError if the file is not ours or of a newer version."""
    found = revision(connection)
    if found is None:
        raise StorageError(problem("storage.not_ours", str(file)))
    if found not in revisions:
        raise StorageError(problem("storage.newer", str(file), found=found, known=revisions[-1]))
    return found == revisions[-1]


def migrate(
    connection: Connection, file: Path, scripts: Path = SCRIPTS, revisions: tuple[str, ...] = REVISIONS
) -> None:
    """Run the migrations that are due, in one transaction. Raises StorageError as `is_current` does."""
    with connection.begin():
        if not is_current(connection, file, revisions):
            _upgrade(connection, scripts)


def _upgrade(connection: Connection, scripts: Path) -> None:
    from alembic import command  # costs 12 MB and 0.2 s, wanted once per version
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
