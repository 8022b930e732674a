"""One SQLite connection as we want it: settings, the lock beside the file, and its errors in one clear sentence.

SQLite comes with the package pysqlite3, not with the system: Debian 12's (3.40.1) is not past the gate below. A process
that opened one file with both would lose its locks: whoever touches the file in this process takes this one.
"""

import fcntl
import os
import sqlite3  # its type and its codes; pysqlite3 is the same module around a newer library, and names no codes
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from pysqlite3 import dbapi2 as driver
from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError

from ivr.errors import BadInput, StorageError, problem

Error: type[Exception] = driver.Error

#: How long to wait for a lock of another process (a command, a backup) before the caller is told.
BUSY_MS = 5000


def wal_is_safe(version: tuple[int, int, int]) -> bool:
    """Whether this SQLite is past the WAL-reset bug (sqlite.org/wal.html#walresetbug): 3.51.3 and the two backports.

    With an older one two connections that write or checkpoint at once can corrupt the file.
    """
    line, patch = version[:2], version[2]
    return version >= (3, 51, 3) or (line == (3, 50) and patch >= 7) or (line == (3, 44) and patch >= 6)


def journal_mode(version: tuple[int, int, int]) -> str:
    """`wal` past the version gate, else `persist`.

    That is as safe as SQLite's own `delete`, without creating and removing a file at every commit, which costs more
    than the rest of it. The journal goes when the service stops.
    """
    return "wal" if wal_is_safe(version) else "persist"


def in_force() -> tuple[str, str]:
    """SQLite's version and the journal mode that it gets here."""
    return driver.sqlite_version, journal_mode(driver.sqlite_version_info)


def database_file(where: str | Path) -> Path:
    """The file of a path or a `sqlite:///` URL, links resolved. Raises BadInput for another kind of database."""
    given = str(where)
    kind, found, rest = given.partition(":///")
    if found and kind == "sqlite" and rest:
        given = rest
    elif "://" in given:
        # Only the kind is repeated: a URL may hold a password.
        raise BadInput(problem("storage.unsupported", kind=given.partition(":")[0]))
    # Two links to one file would give two locks and two journals.
    return Path(given).expanduser().resolve()


def connect_writer(file: Path, busy_ms: int = BUSY_MS) -> Connection:
    """A connection whose every transaction is BEGIN IMMEDIATE. The file must exist; nothing in it is changed yet."""
    # IMMEDIATE: a transaction that reads first and writes later can fail at its first write, waiting or not.
    return _connect(
        _engine(file, "rw", "BEGIN IMMEDIATE"),
        f"busy_timeout = {busy_ms}",
        "synchronous = FULL",  # NORMAL with WAL may take committed answers back after a power cut
        "foreign_keys = ON",
        "trusted_schema = OFF",
        "mmap_size = 0",
        "secure_delete = ON",
        # Without WAL, a big import that spills its cache locks all readers out until it ends.
        "cache_spill = OFF",
    )


def connect_reader(file: Path, busy_ms: int = BUSY_MS) -> Connection:
    """A connection that cannot write and creates no file."""
    pragmas = (f"busy_timeout = {busy_ms}", "query_only = ON", "trusted_schema = OFF", "mmap_size = 0")
    return _connect(_engine(file, "ro", "BEGIN"), *pragmas)


def _connect(engine: Engine, *pragmas: str) -> Connection:
    connection = engine.connect()
    try:
        for pragma in pragmas:
            plain(connection, f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def _engine(file: Path, mode: str, begin: str) -> Engine:
    def connect() -> sqlite3.Connection:
        # isolation_level None: Python opens no transaction of its own; `begin` below does.
        opened = driver.connect(f"{file.as_uri()}?mode={mode}", uri=True, isolation_level=None)
        return cast(sqlite3.Connection, opened)

    # hide_parameters: answers, names and numbers must not stand in an error text, which ends in a log.
    engine = create_engine("sqlite://", module=driver, creator=connect, poolclass=NullPool, hide_parameters=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _dbapi(connection: Connection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, connection.connection.dbapi_connection)


def plain(connection: Connection, statement: str) -> list[tuple[object, ...]]:
    """Run one statement past SQLAlchemy, which would open a transaction for it. Raises driver.Error."""
    return _dbapi(connection).execute(statement).fetchall()


@contextmanager
def transaction(connection: Connection, file: Path, *, reading: bool = False) -> Iterator[None]:
    """All of it is committed, or nothing. Raises StorageError as `clear_errors` does."""
    try:
        with clear_errors(file, reading=reading), connection.begin():
            yield
    finally:
        # A COMMIT that failed because of a reader leaves the transaction open, and SQLAlchemy takes it for over.
        if _dbapi(connection).in_transaction:
            _dbapi(connection).rollback()


def set_journal_mode(connection: Connection, mode: str) -> None:
    """Raises StorageError if another process keeps the file busy. Call it outside a transaction."""
    if plain(connection, f"PRAGMA journal_mode = {mode}") != [(mode,)]:
        raise StorageError(problem("storage.locked"))


#: A file up to so many bytes is written anew beside a service: 1 s, and half of what a call would wait for.
MOST_TO_FORGET = 100 * 1024 * 1024


def forget(connection: Connection, file: Path, *, alone: bool) -> bool:
    """Write the file anew, and empty the journal: then nothing that was deleted is in any of their bytes.

    `secure_delete` clears rows that are deleted, but not what is left of them where pages were split and joined, nor
    the older pages in the journal. Answers wait meanwhile: of a big file False, and nothing is done, unless nobody
    else has it open. Raises StorageError if it is in use. Call it outside a transaction.
    """
    if not alone and file.stat().st_size > MOST_TO_FORGET:
        return False
    plain(connection, "VACUUM")
    mode = journal_mode(driver.sqlite_version_info)
    if mode == "wal":
        if plain(connection, "PRAGMA wal_checkpoint(TRUNCATE)")[0][0] != 0:
            raise StorageError(problem("storage.locked"))
    else:
        set_journal_mode(connection, "delete")
        set_journal_mode(connection, mode)
    return True


def check_file(connection: Connection, file: Path) -> None:
    """Raises StorageError if SQLite's quick check finds damage. Reads the whole file."""
    # SQLite takes a file of length zero for a new database; ours never begin so (see migrate.create).
    if file.stat().st_size == 0 or plain(connection, "PRAGMA quick_check(1)") != [("ok",)]:
        raise StorageError(problem("storage.damaged", str(file)))


@contextmanager
def clear_errors(file: Path, *, reading: bool = False) -> Iterator[None]:
    """Turn what SQLite says about the file or the disk into a StorageError; our own mistakes pass unchanged.

    `reading`: by a connection that cannot write.
    """
    try:
        yield
    except IntegrityError:
        raise
    except UnicodeDecodeError as error:  # also when SQLite quotes damaged text in what it wants to say
        raise StorageError(problem("storage.damaged", str(file))) from error
    except (DBAPIError, driver.Error) as error:
        original = error.orig if isinstance(error, DBAPIError) else error
        # Python's own module, not SQLite, finds text that is no UTF-8; it gives no code.
        message = _message(_code(original), reading)
        if message is None or isinstance(original, driver.ProgrammingError):
            raise
        raise StorageError(problem(message, str(file), reason=str(original))) from error


def _code(error: object) -> int:
    """SQLite's code. A backup that fails gives none, only SQLite's own words."""
    said = {
        "database or disk is full": sqlite3.SQLITE_FULL,
        "disk I/O error": sqlite3.SQLITE_IOERR,
        "database is locked": sqlite3.SQLITE_BUSY,
        "unable to open database file": sqlite3.SQLITE_CANTOPEN,
    }.get(str(error), sqlite3.SQLITE_CORRUPT)
    return int(getattr(error, "sqlite_errorcode", said))


def is_of_disk(error: object) -> bool:
    """Whether what failed is writing: the disk is full, or not there."""
    return _code(error) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)


def _message(code: int, reading: bool) -> str | None:
    if reading and code & 0xFF == sqlite3.SQLITE_READONLY:
        # A journal that a dead writer left must be rolled back, which a reader cannot. (pysqlite3 0.6 gives only the
        # primary code, so that SQLITE_READONLY_ROLLBACK, _RECOVERY and _CANTINIT look like this one.)
        return "storage.needs_start"
    return {
        sqlite3.SQLITE_BUSY: "storage.locked",
        sqlite3.SQLITE_LOCKED: "storage.locked",
        sqlite3.SQLITE_FULL: "storage.full",
        sqlite3.SQLITE_CORRUPT: "storage.damaged",
        sqlite3.SQLITE_NOTADB: "storage.damaged",
        sqlite3.SQLITE_CANTOPEN: "storage.unusable",
        sqlite3.SQLITE_READONLY: "storage.unusable",
        sqlite3.SQLITE_IOERR: "storage.unusable",
        sqlite3.SQLITE_PERM: "storage.unusable",
        # The upper bits of a code only say which kind of the primary error it is.
    }.get(code & 0xFF)


def take_lock(file: Path) -> int | None:
    """Take the lock beside the database, `<file>.lock`; its descriptor, or None if another process has it.

    The system drops it when the process ends in whatever way. The file itself stays: a removed one would let two
    processes lock two files of one name. Raises StorageError if it cannot be created.
    """
    try:
        descriptor = os.open(_lock_file(file), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(problem("storage.unusable", str(file), reason=error.strerror or str(error))) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    hand_over(_lock_file(file))
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def hand_over(file: Path) -> None:
    """What root makes belongs to whoever the folder belongs to: the service, which is not root, must open it, too."""
    if os.geteuid() == 0:
        folder = file.parent.stat()
        with suppress(OSError):  # a root that may not: then the folder is its own
            os.chown(file, folder.st_uid, folder.st_gid)


def is_locked(file: Path) -> bool:
    """Whether a process has the lock, without touching it (a try could turn a service away that starts just now)."""
    try:
        found = _lock_file(file).stat()
        table = Path("/proc/locks").read_text()
    except OSError:
        return False
    # "1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF"; the device in another form than stat's on some systems.
    return any(
        line.split()[1] == "FLOCK" and line.split()[5].endswith(f":{found.st_ino}") for line in table.splitlines()
    )


def lock_holder(file: Path) -> str:
    """The process id that the lock's holder left, or `?`."""
    try:
        return _lock_file(file).read_text() or "?"
    except OSError:
        return "?"


def _lock_file(file: Path) -> Path:
    return file.with_name(file.name + ".lock")
