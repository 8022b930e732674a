"""The version gate, the settings of a connection, the types of columns."""

import os
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError, StatementError

from ivr.errors import BadInput
from ivr.storage import migrate
from ivr.storage.columns import moment_to_text
from ivr.storage.schema import attempts, people, sessions
from ivr.storage.schema_house import facts
from ivr.storage.sqlite import (
    Error,
    connect_reader,
    connect_writer,
    database_file,
    in_force,
    journal_mode,
    plain,
    take_lock,
    wal_is_safe,
)
from tests.storage.records import DAY, HANAKO, NOW


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 7, 0), False),
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 44, 7), True),
        ((3, 45, 0), False),
        ((3, 45, 9), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 0), False),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((4, 0, 0), True),
    ],
)
def test_write_ahead_log_only_past_its_bug(version: tuple[int, int, int], safe: bool) -> None:
    assert wal_is_safe(version) is safe
    assert journal_mode(version) == ("wal" if safe else "persist")


def test_the_sqlite_that_comes_with_us_is_past_it() -> None:
    """Without a write-ahead log readers and the writer hold each other up: staff would look at an empty screen."""
    assert in_force()[1] == "wal"


def test_settings_of_the_writer(file: Path) -> None:
    connection = connect_writer(file)
    wanted = {"synchronous": 2, "busy_timeout": 5000, "foreign_keys": 1, "trusted_schema": 0, "secure_delete": 1}
    found = {name: plain(connection, f"PRAGMA {name}")[0][0] for name in wanted}
    memory_mapped = plain(connection, "PRAGMA mmap_size")
    connection.close()
    assert found == wanted
    assert memory_mapped == [(0,)]


def test_a_reader_cannot_write(file: Path) -> None:
    connection = connect_reader(file)
    with pytest.raises(Error):
        plain(connection, "DELETE FROM people")
    connection.close()


def test_writers_begin_immediately(file: Path) -> None:
    first, second = connect_writer(file), connect_writer(file, busy_ms=0)
    with first.begin(), pytest.raises(Error, match="locked"):
        plain(second, "BEGIN IMMEDIATE")
    first.close()
    second.close()


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("/srv/kenko/k.db", "/srv/kenko/k.db"),
        ("sqlite:////srv/kenko/k.db", "/srv/kenko/k.db"),
        (Path("/srv/kenko/../k.db"), "/srv/k.db"),
        ("sqlite:///k.db", str(Path.cwd() / "k.db")),
    ],
)
def test_a_database_is_named_by_path_or_url(where: str | Path, wanted: str) -> None:
    assert str(database_file(where)) == wanted


def test_another_kind_of_database_is_refused_without_its_password() -> None:
    with pytest.raises(BadInput) as refused:
        database_file("postgresql://kenko:secret@host/kenko")
    assert "secret" not in refused.value.render("en")
    assert "postgresql" in refused.value.render("ja")


def test_links_to_one_file_are_one_database(file: Path) -> None:
    link = file.with_name("link.db")
    link.symlink_to(file)
    assert database_file(link) == file.resolve()


# --- columns ---


@given(st.datetimes(timezones=st.timezones(), min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)))
def test_times_survive_as_text(moment: datetime) -> None:
    text = moment_to_text(moment)
    assert len(text) == 27
    assert (
        datetime.fromisoformat(text).timestamp() == moment.timestamp()
    )  # == is never true in an hour that comes twice


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(timezones=st.just(timezone(timedelta(hours=9))), min_value=datetime(2, 1, 1)),
)
def test_text_sorts_as_time(first: datetime, second: datetime) -> None:
    assert (moment_to_text(first) < moment_to_text(second)) == (first < second)


def test_a_time_without_zone_is_refused(connection: Connection) -> None:
    with pytest.raises(ValueError, match="without its zone"):
        moment_to_text(datetime(2025, 1, 6))
    values = {"id": "123456", "name": "見本", "kana": "ミホン", "slot": "morning", "created_at": datetime(2025, 1, 6)}
    with pytest.raises(StatementError, match="without its zone") as refused:
        connection.execute(insert(people), values)
    assert "見本" not in str(refused.value)


def test_a_time_is_no_day(connection: Connection) -> None:
    with pytest.raises(StatementError, match="a day is wanted"):
        connection.execute(select(sessions.c.id).where(sessions.c.day == NOW))


def test_times_and_days_come_back_as_they_went(connection: Connection) -> None:
    japan = datetime(2025, 1, 6, 9, 0, 0, 123456, tzinfo=timezone(timedelta(hours=9)))
    connection.execute(insert(attempts), _attempt(planned_at=japan))
    found = connection.execute(select(attempts)).one()
    assert found.planned_at == japan
    assert found.planned_at.tzinfo is UTC
    assert found.day == date(2025, 1, 6)
    stored = connection.exec_driver_sql("SELECT planned_at, day FROM attempts").one()
    assert tuple(stored) == ("2025-01-06T00:00:00.123456Z", "2025-01-06")


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "asleep"},
        {"outcome": "answered"},  # an outcome before the end
        {"state": "ended"},  # an end without an outcome
        {"state": "ended", "outcome": "exploded", "ended_at": NOW},
        {"person_id": "00000000"},  # nobody
        {"number": None},
    ],
)
def test_the_database_refuses_what_cannot_be(connection: Connection, wrong: dict[str, object]) -> None:
    with pytest.raises(IntegrityError):
        connection.execute(insert(attempts), _attempt(**wrong))


def test_tables_are_strict(connection: Connection) -> None:
    with pytest.raises(IntegrityError, match="cannot store TEXT"):
        connection.exec_driver_sql("INSERT INTO numbers VALUES ('00123456', 'first', '0310000001')")
    loose = connection.exec_driver_sql("SELECT name FROM pragma_table_list WHERE schema = 'main' AND NOT strict")
    assert {row.name for row in loose} - {"alembic_version"} == {"sqlite_schema", "sqlite_sequence"}


def test_errors_do_not_repeat_what_was_stored(connection: Connection) -> None:
    connection.execute(insert(facts), {"key": "asterisk", "value": "canary-1"})
    with pytest.raises(IntegrityError) as refused:
        connection.execute(insert(facts), {"key": "asterisk", "value": "canary-2"})
    assert "canary" not in str(refused.value)


def _attempt(**changes: object) -> dict[str, object]:
    values: dict[str, object] = {"id": "a1", "person_id": HANAKO.id, "number": "0310000001", "day": DAY}
    return values | {"slot": "morning", "state": "planned", "outcome": None, "planned_at": NOW} | changes


@pytest.mark.parametrize(("user", "given"), [(0, True), (1000, False)])
def test_what_root_makes_belongs_to_the_folders_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, given: bool
) -> None:
    """A roster that was imported by root before the service first ran must not keep it from starting."""
    told: list[tuple[str, int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "chown", lambda *how: told.append(how))
    folder = tmp_path.stat()
    migrate.create(tmp_path / "kenko-call.db")
    lock = take_lock(tmp_path / "kenko-call.db")
    assert lock is not None
    os.close(lock)
    assert [(Path(path).suffix, uid, gid) for path, uid, gid in told] == (
        [(".new", folder.st_uid, folder.st_gid), (".lock", folder.st_uid, folder.st_gid)] if given else []
    )
