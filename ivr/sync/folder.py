"""The folder that a gateway or a person takes batches from: each appears whole, its manifest last, or not at all."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ivr.sync.files import batch

_LOCK, _LAST, _UNFINISHED = ".kenko-lock", ".kenko-sequence", ".unfinished"


class Busy(Exception):
    """Another process writes into the folder: nothing was written."""


def write_batch(folder: Path, payloads: Mapping[str, bytes]) -> str:
    """Write one batch (key -> frozen bytes, in order); the name of its manifest, when all of it is durable.

    Raises Busy, or OSError (disk full, folder gone): then no manifest has appeared, and what was half written is
    removed as far as it can be. A crash may leave a number without manifest, or a batch that comes again under the
    next number: the receiver knows documents by their keys.
    """
    with _alone(folder):
        sequence = _next(folder)
        files = batch(sequence, payloads)
        # The number first: whoever takes files away must never see it a second time with other content.
        _put(folder, _LAST, str(sequence).encode())
        for name, content in files.items():
            try:
                _put(folder, name, content)
            except BaseException:
                for each in files:
                    with suppress(OSError):
                        (folder / each).unlink(missing_ok=True)
                raise
        return next(reversed(files))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy from None
        for each in folder.glob(f"*{_UNFINISHED}"):
            each.unlink(missing_ok=True)
        yield
    finally:
        os.close(lock)


def _next(folder: Path) -> int:
    """One more than any number that was ever used here, also if the reader took everything away."""
    used = [0]
    with suppress(FileNotFoundError, ValueError):
        used.append(int((folder / _LAST).read_text()))
    for each in folder.glob("kenko-*"):
        with suppress(ValueError):
            used.append(int(each.name[len("kenko-") :].split(".")[0]))
    return max(used) + 1


def _put(folder: Path, name: str, content: bytes) -> None:
    unfinished = folder / f"{name}{_UNFINISHED}"
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(folder / name)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
