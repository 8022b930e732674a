"""Saves a file whole or not at all: written beside, on the disk for certain, then renamed. Every command writes so."""

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from ivr.errors import BadInput, Problem, problem

_FULL = (errno.ENOSPC, errno.EDQUOT)


def save(path: Path, content: bytes, *, mode: int | None = 0o600) -> None:
    """Replace or create a file; what stood there before stays until the new one is complete. Raises OSError.

    `mode`: for its owner's eyes only unless another is given, whatever the umask; None: what the umask leaves. A link
    stays a link. What is no file (a device, a pipe) is written to as it is.
    """
    if path.exists() and not path.is_file():
        with path.open("wb", buffering=0) as device:
            device.write(content)
        return
    target = path.resolve()
    descriptor, fresh = tempfile.mkstemp(prefix=".kenko-", suffix=".part", dir=target.parent)
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o666 & ~_umask() if mode is None else mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        Path(fresh).rename(target)
    except BaseException:
        with suppress(OSError):
            os.unlink(fresh)
        raise
    _sync_folder(target.parent)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def unwritable(where: str | Path, error: OSError) -> Problem:
    """What to say of a file that could not be written."""
    if error.errno in _FULL:
        return problem("file.full", str(where))
    return problem("file.unwritable", str(where), reason=error.strerror or str(error))


def save_or_refuse(path: Path, content: bytes, *, mode: int | None = 0o600) -> None:
    """As `save`. Raises BadInput, in one sentence, if the disk is full or the file cannot be written."""
    try:
        save(path, content, mode=mode)
    except OSError as error:
        raise BadInput(unwritable(path, error)) from None
