"""Unpacks a package of Debian with its libraries into a folder of ours: without root, and the host stays as it is."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ivr.errors import KenkoError, problem

FOLDER = Path(__file__).resolve().parent.parent / ".pbx"

#: What a practice network never opens; the rest of the packages is libraries.
_UNNEEDED = ("doc", "man", "info", "locale", "perl", "perl5", "lintian", "bash-completion", "zoneinfo", "i18n", "groff")

Found = TypeVar("Found")


class NotUnpacked(KenkoError):
    """A package that is needed is not here, and could not be had."""


def have(package: str, root: Path, find: Callable[[], Found | None]) -> Found | None:
    """What `find` finds; if that is nothing, again after the package was unpacked into `root`. Raises NotUnpacked."""
    found = find()
    if found is None:
        root.parent.mkdir(parents=True, exist_ok=True)
        with (root.parent / "lock").open("w") as lock:
            # Two installations at once: the second waits and finds it done.
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = find()
            if found is None:
                _unpack(package, root)
                found = find()
    return found


def started_in(root: Path, program: str) -> tuple[str, ...] | None:
    """The words that start a program of an unpacked root; None if it is not there.

    It runs with its own loader and libraries, outside any chroot: it sees the real file system.
    """
    loaders = sorted(root.glob("usr/lib/*/ld-linux-*.so.*"))
    if not loaders or not (root / program).exists():
        return None
    libraries = loaders[0].parent
    # pulseaudio/ and the like: some libraries live one folder deeper.
    search = ":".join(str(each) for each in (libraries, *sorted(libraries.glob("pulseaudio"))))
    return str(loaders[0]), "--library-path", search, str(root / program)


def _unpack(package: str, root: Path) -> None:
    """Unpack into a new folder and rename it: a broken download is never taken for a finished one.

    The tar stream between the two programs leaves out what is not needed, and the files belong to whoever unpacks.
    """
    if shutil.which("mmdebstrap") is None:
        raise NotUnpacked(problem("sandbox.no_mmdebstrap", package=package))
    fresh = Path(tempfile.mkdtemp(prefix="unpacking-", dir=root.parent))
    try:
        _extract(package, fresh, root.parent / f"{package}.log")
        shutil.rmtree(root, ignore_errors=True)
        fresh.chmod(0o755)
        os.replace(fresh, root)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _extract(package: str, target: Path, log: Path) -> None:
    # Check-Valid-Until: the archive may be a frozen copy, whose index has run out.
    bootstrap = [
        *("mmdebstrap", "--variant=extract", f"--include={package}", "--format=tar"),
        *('--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=APT::Install-Recommends "false"'),
        # Nothing of the packages is run (variant extract), so an ordinary user needs neither chroot nor namespaces.
        *(() if os.geteuid() == 0 else ("--mode=chrootless",)),
        *("sid", "-"),
    ]
    unneeded = [f"--exclude=./usr/share/{each}" for each in _UNNEEDED]
    untar = ["tar", "-x", "-C", str(target), "--no-same-owner", *unneeded]
    untar += ["--exclude=./dev/*", "--exclude=./var", "--exclude=./usr/lib/*/perl*", "--exclude=./usr/lib/*/gconv"]
    with log.open("wb") as said:
        source = subprocess.Popen(bootstrap, stdout=subprocess.PIPE, stderr=said)
        sink = subprocess.run(untar, stdin=source.stdout, stderr=said, check=False)
        if source.stdout:
            source.stdout.close()
        if source.wait() or sink.returncode:
            raise NotUnpacked(problem("sandbox.unpack_failed", package=package, log=log))
