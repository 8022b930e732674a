"""Migrations: what they make is what the tables say; killed half-way they leave the old or the new."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pysqlite3 import dbapi2 as sqlite3
from sqlalchemy import create_engine

from ivr.errors import StorageError
from ivr.storage import migrate
from ivr.storage.database import open_database, open_reader
from ivr.storage.people import list_people
from ivr.storage.schema import METADATA
from ivr.storage.sqlite import connect_writer, plain
from tests.storage.records import ROSTER

ROOT = Path(__file__).parents[2]

#: A later version that adds a table, and dies in the middle of it if told so.
NEXT = """
import os, signal
from alembic import op
revision, down_revision, branch_labels, depends_on = "next", "{last}", None, None
def upgrade() -> None:
    op.execute("CREATE TABLE first_half (a TEXT NOT NULL) STRICT")
    op.execute("UPDATE people SET name = 'changed'")
    if os.environ.get("DIE_HALF_WAY"):
        os.kill(os.getpid(), signal.SIGKILL)
    op.execute("CREATE TABLE second_half (a TEXT NOT NULL) STRICT")
"""


def test_migrations_make_exactly_the_tables_of_the_schema(tmp_path: Path) -> None:
    migrate.create(tmp_path / "migrated.db")
    engine = create_engine(f"sqlite:///{tmp_path / 'direct.db'}")
    METADATA.create_all(engine)
    engine.dispose()
    migrated, direct = _definitions(tmp_path / "migrated.db"), _definitions(tmp_path / "direct.db")
    del migrated["alembic_version"]
    assert migrated == direct


def _definitions(file: Path) -> dict[str, list[str]]:
    """Name -> the parts of its definition, in any order: constraints have none, and added columns come last."""
    connection = sqlite3.connect(file)
    found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {name: sorted(_parts(sql)) for name, sql in found}


def _parts(sql: str) -> list[str]:
    """What stands between the commas that are in one pair of brackets only."""
    parts, depth = [""], 0
    for each in " ".join(sql.split()):
        depth += (each == "(") - (each == ")")
        if depth == 1 and each in "(,":
            parts.append("")
        elif depth == 0 and each == ")":
            parts.append(")")
        else:
            parts[-1] += each
    return [each.strip() for each in parts]


def test_alembic_sees_no_difference_either(file: Path) -> None:
    connection = connect_writer(file)
    differences = compare_metadata(MigrationContext.configure(connection), METADATA)
    connection.close()
    assert differences == []


def test_the_list_of_revisions_is_that_of_the_scripts() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    assert tuple(reversed([each.revision for each in scripts])) == migrate.REVISIONS


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """The migrations and one more."""
    folder = Path(shutil.copytree(migrate.SCRIPTS, tmp_path / "scripts"))
    (folder / "versions" / "next.py").write_text(NEXT.format(last=migrate.REVISIONS[-1]))
    return folder


LATER = (*migrate.REVISIONS, "next")


def _in_a_process(program: str, *args: Path, die: bool) -> int:
    environment = os.environ | ({"DIE_HALF_WAY": "1"} if die else {})
    return subprocess.run([sys.executable, "-c", program, *map(str, args)], env=environment, cwd=ROOT).returncode


UPGRADE = f"""if True:
    import sys
    from pathlib import Path
    from ivr.storage import migrate
    from ivr.storage.sqlite import connect_writer
    file, scripts = map(Path, sys.argv[1:])
    connection = connect_writer(file)
    migrate.migrate(connection, file, scripts, {LATER!r})
    connection.close()"""


async def test_killed_half_way_an_upgrade_leaves_the_old(file: Path, scripts: Path) -> None:
    assert _in_a_process(UPGRADE, file, scripts, die=True) == -signal.SIGKILL
    async with await open_database(file) as database:
        assert await database.read(list_people) == ROSTER
    assert "first_half" not in _definitions(file)

    assert _in_a_process(UPGRADE, file, scripts, die=False) == 0
    assert {"first_half", "second_half"} <= _definitions(file).keys()
    with pytest.raises(StorageError) as refused:
        await open_database(file)
    assert refused.value.problems[0].message == "storage.newer"
    with pytest.raises(StorageError):
        open_reader(file)


CREATE = """if True:
    import sys
    from pathlib import Path
    from ivr.storage import migrate
    migrate.create(*map(Path, sys.argv[1:]))"""


def test_killed_half_way_a_creation_leaves_nothing(tmp_path: Path, scripts: Path) -> None:
    file = tmp_path / "kenko-call.db"
    assert _in_a_process(CREATE, file, scripts, die=True) == -signal.SIGKILL
    assert not file.exists()
    assert _in_a_process(CREATE, file, scripts, die=False) == 0
    assert {"people", "second_half"} <= _definitions(file).keys()
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith("kenko")] == [file.name]


def test_an_upgrade_that_is_not_due_does_nothing(file: Path) -> None:
    before = file.read_bytes()
    connection = connect_writer(file)
    migrate.migrate(connection, file)
    assert plain(connection, "PRAGMA integrity_check") == [("ok",)]
    connection.close()
    assert file.read_bytes() == before


async def test_a_reader_asks_for_a_restart_after_an_update(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate.is_current, "__defaults__", (LATER,))
    with pytest.raises(StorageError) as refused:
        open_reader(file)
    assert refused.value.problems[0].message == "storage.outdated"


MOMENT = "2025-01-06T00:00:00.000000Z"


def _session(id: str, auth: str) -> str:
    values = (id, "200001", None, "2025-01-06", "h", "ja", "health_call", auth, "completed", "{}", MOMENT, MOMENT)
    return f"INSERT INTO sessions VALUES ({', '.join('NULL' if each is None else repr(each) for each in values)})"


def test_what_stood_before_callers_said_who_they_are_stays_and_new_words_are_allowed(tmp_path: Path) -> None:
    """0007 writes into the definition of two tables in place: rows and foreign keys must hold."""
    before = Path(shutil.copytree(migrate.SCRIPTS, tmp_path / "before"))
    for each in (before / "versions").glob("v*.py"):
        if each.name >= "v0007":
            each.unlink()
    file = tmp_path / "kenko-call.db"
    migrate.create(file, before)
    connection = connect_writer(file)
    with connection.begin():
        plain(connection, f"INSERT INTO questionnaires VALUES ('h', 'daily', 'id: daily', '{MOMENT}')")
        plain(connection, f"INSERT INTO people (id, name, kana, created_at) VALUES ('200001', '例', 'レ', '{MOMENT}')")
        plain(connection, _session("s-1", "keyed_id"))
    migrate.migrate(connection, file)
    with connection.begin():
        for auth in ("other_number", "withheld", "unconfirmed", "elsewhere"):
            plain(connection, _session(auth, auth))
        with pytest.raises(sqlite3.IntegrityError):
            plain(connection, _session("s-9", "anything"))
        assert ("s-1", "keyed_id") in plain(connection, "SELECT id, auth FROM sessions")
    assert plain(connection, "PRAGMA integrity_check") == [("ok",)]
    assert plain(connection, "PRAGMA foreign_key_check") == []
    connection.close()
