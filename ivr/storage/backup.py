"""Copies a database while a service writes to it, and looks whether a file is whole."""

import os
from pathlib import Path
from typing import Any, cast

from pysqlite3 import dbapi2 as driver
from sqlalchemy import Connection

from ivr.errors import StorageError, problem
from ivr.storage import sqlite


def check_whole(file: Path) -> None:
    """Raises StorageError if the file cannot be read, or SQLite's quick check finds damage. Changes nothing."""
    with sqlite.clear_errors(file, reading=True):
        connection = sqlite.connect_reader(file)
        try:
            sqlite.check_file(connection, file)
        finally:
            connection.close()


def copy_database(file: Path, target: Path) -> None:
    """A copy as of one moment, on the disk for certain, readable by its owner only. Raises StorageError.

    The copy is looked at before it counts: an untested backup is none.
    """
    fresh = target.with_suffix(".part")
    with sqlite.clear_errors(file, reading=True):
        source = sqlite.connect_reader(file)
        try:
            whole, dangling = _copy(source, file, fresh)
        finally:
            source.close()
    if whole != [("ok",)] or dangling:
        raise StorageError(problem("storage.damaged", str(file)))
    descriptor = os.open(fresh, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.rename(target)


def _copy(source: Connection, file: Path, fresh: Path) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Copy, and what the checks of the copy say. Raises StorageError, about the copy if its disk is full."""
    fresh.touch(mode=0o600)
    copy = driver.connect(str(fresh), isolation_level=None)
    try:
        cast(Any, source.connection.dbapi_connection).backup(copy)
        # One file is left, which may be copied by itself.
        copy.execute("PRAGMA journal_mode = delete")
        whole = copy.execute("PRAGMA integrity_check").fetchall()
        return whole, copy.execute("PRAGMA foreign_key_check").fetchall()
    except driver.Error as error:
        with sqlite.clear_errors(fresh if sqlite.is_of_disk(error) else file):
            raise
    finally:
        copy.close()
