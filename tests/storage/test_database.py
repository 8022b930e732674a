"""Opening, locking, reading beside the writer, and saying clearly what is wrong."""

import asyncio
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite3
from sqlalchemy import Connection

from ivr.errors import BadInput, StorageError
from ivr.site import Site
from ivr.storage import sqlite
from ivr.storage.database import Database, HurriedDatabase, open_database, open_reader
from ivr.storage.facts import get_fact, set_fact
from ivr.storage.people import get_person
from ivr.storage.sqlite import plain
from tests.storage.records import HANAKO, ROSTER


def said(error: pytest.ExceptionInfo[StorageError]) -> str:
    """The id of the one message of the error; both languages can be rendered."""
    (only,) = error.value.problems
    assert only.render("ja")
    assert only.render("en")
    return only.message


def _set_mode(file: Path, mode: int) -> None:
    file.chmod(mode)


def _modes(folder: Path) -> dict[str, int]:
    return {each.name: each.stat().st_mode & 0o777 for each in folder.iterdir()}


# --- creating and opening ---


async def test_a_new_database_is_made_with_its_folder_for_the_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "var" / "kenko-call.db"
    async with await open_database(file) as database:
        await database.write(set_fact, "a", "1")
    assert _modes(file.parent) == {"kenko-call.db": 0o600, "kenko-call.db.lock": 0o600}
    async with await open_database(f"sqlite:///{file}") as database:
        assert await database.read(get_fact, "a") == "1"


async def test_too_open_a_file_is_closed_to_others(file: Path) -> None:
    _set_mode(file, 0o644)
    async with await open_database(file):
        assert _modes(file.parent)[file.name] == 0o600


def test_alembic_is_not_imported_when_nothing_is_due(file: Path) -> None:
    program = """if True:
        import asyncio, sys
        from ivr.storage.database import open_database
        async def main():
            async with await open_database(sys.argv[1]):
                pass
        asyncio.run(main())
        sys.exit("alembic" in sys.modules)"""
    subprocess.run([sys.executable, "-c", program, str(file)], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize("where", ["a-folder", "missing/folder/k.db"])
async def test_a_place_that_cannot_be(tmp_path: Path, where: str) -> None:
    (tmp_path / "a-folder").mkdir()
    with pytest.raises(StorageError) as refused:
        await open_database(tmp_path / where)
    assert said(refused) == "storage.unusable"


async def test_a_url_of_another_kind() -> None:
    with pytest.raises(BadInput):
        await open_database("mysql://host/kenko")


async def test_write_ahead_log_past_the_gate_leaves_one_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "journal_mode", lambda version: "wal")
    async with await open_database(file) as database:
        await database.write(set_fact, "a", "1")
        assert file.with_name("kenko-call.db-wal").exists()
        with open_reader(file) as reader:
            assert reader.read(get_fact, "a") == "1"
    assert sorted(each.name for each in file.parent.iterdir()) == ["kenko-call.db", "kenko-call.db.lock"]
    with open_reader(file) as reader:
        assert reader.read(get_fact, "a") == "1"
    assert len(list(file.parent.iterdir())) == 2


async def test_a_reader_at_work_does_not_keep_a_service_from_stopping(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "journal_mode", lambda version: "wal")
    database = await open_database(file)
    with open_reader(file) as reader:
        assert reader.read(get_fact, "a") is None
        await database.close()
    async with await open_database(file) as again:
        await again.write(set_fact, "a", "1")


# --- one service ---


async def test_a_second_service_is_told_who_is_there(file: Path, database: Database) -> None:
    with pytest.raises(StorageError) as refused:
        await open_database(file)
    assert said(refused) == "storage.in_use"
    assert str(refused.value.problems[0].values["holder"]).isdigit()
    await database.write(set_fact, "a", "1")


async def test_the_lock_ends_with_the_service(file: Path) -> None:
    await (await open_database(file)).close()
    await (await open_database(file)).close()


async def test_a_command_works_beside_the_service(file: Path) -> None:
    async with await open_database(file) as database, await open_database(file, beside_service=True) as command:
        await asyncio.gather(*_facts(database, "service"), *_facts(command, "command"))
        assert await command.read(_count) == 40
    async with await open_database(file):
        pass


def _facts(database: Database, name: str) -> list[asyncio.Task[None]]:
    return [asyncio.ensure_future(database.write(set_fact, f"{name}-{i}", "1")) for i in range(20)]


async def test_a_command_without_a_service_makes_what_is_missing(tmp_path: Path) -> None:
    async with await open_database(tmp_path / "k.db", beside_service=True) as command:
        await command.write(set_fact, "a", "1")


# --- transactions ---


async def test_all_of_a_write_or_nothing(database: Database) -> None:
    def half(connection: Connection) -> None:
        set_fact(connection, "a", "1")
        raise KeyError("half-way")

    with pytest.raises(KeyError):
        await database.write(half)
    assert await database.read(get_fact, "a") is None


async def test_a_write_is_durable_when_it_returns(file: Path, database: Database) -> None:
    await database.write(set_fact, "a", "1")
    other = sqlite3.connect(file)
    assert other.execute("SELECT value FROM facts").fetchall() == [("1",)]
    other.close()


async def test_writes_happen_in_the_order_of_the_calls(database: Database) -> None:
    await asyncio.gather(*(database.write(set_fact, "last", str(i)) for i in range(50)))
    assert await database.read(get_fact, "last") == "49"


async def test_a_read_cannot_write(database: Database) -> None:
    with pytest.raises(StorageError):
        await database.read(set_fact, "a", "1")
    assert await database.read(get_fact, "a") is None


async def test_a_cancelled_write_harms_no_other(database: Database) -> None:
    hold = threading.Event()

    def slow(connection: Connection) -> None:
        hold.wait(10)
        set_fact(connection, "slow", "1")

    task = asyncio.ensure_future(database.write(slow))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    hold.set()
    await database.write(set_fact, "a", "1")
    assert await database.read(get_fact, "a") == "1"


async def test_closing_finishes_what_was_asked_for(file: Path) -> None:
    database = await open_database(file)
    tasks = _facts(database, "f")
    await asyncio.sleep(0)
    await database.close()
    await asyncio.gather(*tasks)
    await database.close()
    with pytest.raises(StorageError) as refused:
        await database.write(set_fact, "a", "1")
    assert said(refused) == "storage.closed"
    with open_reader(file) as reader:
        assert reader.read(_count) == 20


def _count(connection: Connection) -> int:
    found: int = connection.exec_driver_sql("SELECT count(*) FROM facts").scalar_one()
    return found


# --- the reader of the command line ---


async def test_a_reader_works_while_the_writer_holds_a_transaction(file: Path, database: Database) -> None:
    inside, leave = threading.Event(), threading.Event()

    def long(connection: Connection) -> None:
        for number in range(3000):  # more than the page cache holds
            set_fact(connection, f"long-{number}", "x" * 1000)
        inside.set()
        leave.wait(10)

    writing = asyncio.ensure_future(database.write(long))
    await asyncio.to_thread(inside.wait, 10)
    with open_reader(file, busy_ms=0) as reader:
        assert reader.read(get_person, HANAKO.id) == HANAKO
        assert reader.read(get_fact, "long-1") is None
        assert await database.read(get_fact, "long-1") is None
        leave.set()
        await writing
        assert reader.read(get_fact, "long-1") is not None


def test_a_reader_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as refused:
        open_reader(tmp_path / "kenko-call.db")
    assert said(refused) == "storage.missing"
    assert list(tmp_path.iterdir()) == []


def test_a_reader_leaves_the_file_as_it_is(file: Path) -> None:
    before = file.read_bytes()
    with open_reader(file) as reader, pytest.raises(StorageError):
        reader.read(set_fact, "a", "1")
    assert file.read_bytes() == before
    assert [each.name for each in file.parent.iterdir()] == [file.name]


async def test_after_a_crash_in_the_middle_of_a_commit(file: Path) -> None:
    """The journal of a dead writer can be rolled back by the next service only; a reader says so."""
    await asyncio.to_thread(_die_half_way, file)
    with pytest.raises(StorageError) as refused:
        open_reader(file)
    assert said(refused) == "storage.needs_start"
    async with await open_database(file):
        pass
    with open_reader(file) as reader:
        assert reader.read(_count) == 0
        assert reader.read(get_person, HANAKO.id) == HANAKO


def _die_half_way(file: Path) -> None:
    program = """if True:
        import os, signal, sqlite3, sys
        connection = sqlite3.connect(sys.argv[1], isolation_level=None)
        connection.execute("PRAGMA cache_size = 1")  # so that half of the transaction is in the file already
        connection.execute("BEGIN")
        for number in range(500):
            connection.execute("INSERT INTO facts VALUES (?, ?)", (str(number), "x" * 2000))
        os.kill(os.getpid(), signal.SIGKILL)"""
    subprocess.run([sys.executable, "-c", program, str(file)], check=False)


# --- what can go wrong ---


async def test_somebody_else_keeps_the_file_locked(file: Path, database: Database) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError) as refused:
        await database.write(set_fact, "a", "1")
    assert said(refused) == "storage.locked"
    other.close()
    await database.write(set_fact, "b", "1")
    assert [await database.read(get_fact, key) for key in "ab"] == [None, "1"]


@pytest.mark.parametrize("mode", ["wal", "persist"])
async def test_somebody_else_reads_for_a_long_time(file: Path, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "journal_mode", lambda version: mode)
    async with await open_database(file, busy_ms=100) as database:
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN")
        other.execute("SELECT * FROM people").fetchone()
        if mode == "wal":
            await database.write(set_fact, "a", "1")
        else:  # the reader stops the commit itself
            with pytest.raises(StorageError) as refused:
                await database.write(set_fact, "a", "1")
            assert said(refused) == "storage.locked"
        other.close()
        await database.write(set_fact, "b", "1")


async def test_a_full_disk_loses_nothing_that_was_acknowledged_and_heals(database: Database) -> None:
    await database.write(set_fact, "a", "1")

    def limit(connection: Connection, pages: int) -> None:
        plain(connection, f"PRAGMA max_page_count = {pages}")

    await database.write(limit, 1)  # SQLite takes the present size for less than that
    with pytest.raises(StorageError) as refused:
        await database.write(set_fact, "b", "x" * 100_000)
    assert said(refused) == "storage.full"
    assert await database.read(get_fact, "a") == "1"
    await database.write(limit, 1_000_000)
    await database.write(set_fact, "b", "x" * 100_000)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "storage.damaged"), (b"not a database" * 100, "storage.damaged"), (b"SQLite", "storage.damaged")],
)
async def test_a_file_that_is_no_database_is_kept(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "kenko-call.db"
    file.write_bytes(content)
    with pytest.raises(StorageError) as refused:
        await open_database(file)
    assert said(refused) == message
    assert file.read_bytes() == content
    with pytest.raises(StorageError):
        open_reader(file)


async def test_a_database_of_another_program_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE recipes (name)")
    other.close()
    before = file.read_bytes()
    with pytest.raises(StorageError) as refused:
        await open_database(file)
    assert said(refused) == "storage.not_ours"
    assert file.read_bytes() == before


@pytest.mark.parametrize("seed", range(40))
async def test_damage_is_found_or_does_no_harm(made: Path, tmp_path: Path, seed: int) -> None:
    """Bits flipped, or the end cut off: either it opens, or one sentence says so and the file stays as it is."""
    file = tmp_path / "k.db"
    content = _damaged(made, file, random.Random(seed))
    found = None
    try:
        async with await open_database(file) as database:
            for person in ROSTER:
                await database.read(get_person, person.id)
    except StorageError as error:
        found = error
    if found:
        assert found.render("ja")
        assert await asyncio.to_thread(file.read_bytes) == content


def _damaged(made: Path, file: Path, chance: random.Random) -> bytes:
    content = bytearray(made.read_bytes())
    if chance.random() < 0.2:
        del content[chance.randrange(len(content)) :]
    else:
        for _ in range(chance.randint(1, 40)):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.write_bytes(content)
    return bytes(content)


async def test_somebody_on_the_telephone_does_not_wait_for_storage_that_hangs(site: Site) -> None:
    """Nobody hears more than ten seconds of silence: the call goes on with an apology."""
    database = site.database
    assert isinstance(site.for_caller().database, HurriedDatabase)
    assert site.for_caller().for_caller().database.pending is database.pending
    hurried = HurriedDatabase(database, 0.01)
    hanging = threading.Event()
    holding = asyncio.create_task(database.write(lambda _: hanging.wait()))
    reading = asyncio.create_task(database.read(lambda _: hanging.wait()))
    await asyncio.sleep(0)
    for asked in (hurried.write(set_fact, "late", "1"), hurried.read(get_fact, "late")):
        with pytest.raises(StorageError) as slow:
            await asked
        assert [each.message for each in slow.value.problems] == ["storage.slow"]
    hanging.set()
    await asyncio.gather(holding, reading)
    # What waited for its turn was not carried out.
    assert await database.read(get_fact, "late") is None
