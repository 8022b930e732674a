"""Finds an Asterisk that is new enough, or unpacks one below `.pbx/`: without root, and the host stays as it is."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ivr.errors import KenkoError, problem
from ivr.messages import text

#: Older ones have open holes in ARI (GHSA-wcvv-g26m-wx5c, GHSA-vrfp-mg3q-3959).
OLDEST = (22, 10, 1)
FOLDER = Path(__file__).resolve().parent.parent / ".pbx"

#: What a practice network never opens; the rest of the packages is libraries.
_UNNEEDED = ("doc", "man", "info", "locale", "perl", "perl5", "lintian", "bash-completion", "zoneinfo", "i18n", "groff")


class NoAsterisk(KenkoError):
    """There is none, and none could be unpacked."""


@dataclass(frozen=True)
class Asterisk:
    """One Asterisk program and the folders it needs."""

    command: tuple[str, ...]  #: starts it; arguments follow
    modules: Path
    data: Path  #: holds `documentation/` and `rest-api/`, without which ARI does not load
    version: tuple[int, ...]


def find_asterisk(folder: Path = FOLDER) -> Asterisk | None:
    """The host's own Asterisk if it is new enough, else the one unpacked in `folder`, else None."""
    return _of_host() or _unpacked(folder / "root")


def install(folder: Path = FOLDER) -> Asterisk:
    """An Asterisk that is new enough, unpacked into `folder` if there is none. Raises NoAsterisk."""
    found = find_asterisk(folder)
    if found is None:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            # Two installations at once: the second waits and finds it done.
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = find_asterisk(folder)
            if found is None:
                _unpack(folder)
                found = find_asterisk(folder)
    if found is None:
        raise NoAsterisk(problem("sandbox.unpacked_unusable", folder=folder, oldest=_dotted(OLDEST)))
    return found


def _of_host() -> Asterisk | None:
    program = shutil.which("asterisk") or shutil.which("asterisk", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        return None
    modules = [each.parent for base in ("/usr/lib", "/usr/local/lib") for each in _modules_below(Path(base))]
    data = [each for each in map(Path, ("/usr/share/asterisk", "/var/lib/asterisk")) if (each / "rest-api").is_dir()]
    version = _version((program,))
    if version < OLDEST or not modules or not data:
        return None
    return Asterisk((program,), modules[0], data[0], version)


def _modules_below(library: Path) -> list[Path]:
    return [*library.glob("asterisk/modules/chan_pjsip.so"), *library.glob("*/asterisk/modules/chan_pjsip.so")]


def _unpacked(root: Path) -> Asterisk | None:
    """An unpacked Asterisk runs with its own loader and libraries, outside any chroot: it sees the real file system."""
    loaders = sorted(root.glob("usr/lib/*/ld-linux-*.so.*"))
    modules = _modules_below(root / "usr/lib")
    if not loaders or not modules:
        return None
    libraries = loaders[0].parent
    # pulseaudio/ and the like: some libraries live one folder deeper.
    search = ":".join(str(each) for each in (libraries, *sorted(libraries.glob("pulseaudio"))))
    command = (str(loaders[0]), "--library-path", search, str(root / "usr/sbin/asterisk"))
    version = _version(command)
    if version < OLDEST:
        return None
    return Asterisk(command, modules[0].parent, root / "usr/share/asterisk", version)


def _version(command: tuple[str, ...]) -> tuple[int, ...]:
    try:
        said = subprocess.run([*command, "-V"], capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    numbers = re.search(r"Asterisk (\d+(?:\.\d+)*)", said)
    return tuple(int(each) for each in numbers[1].split(".")) if numbers else ()


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(each) for each in version)


def _unpack(folder: Path) -> None:
    """Unpack Debian's package into a new folder and rename it: a broken download is never taken for a finished one.

    The tar stream between the two programs leaves out what is not needed, and the files belong to whoever unpacks.
    """
    if shutil.which("mmdebstrap") is None:
        raise NoAsterisk(problem("sandbox.no_mmdebstrap", oldest=_dotted(OLDEST)))
    fresh = Path(tempfile.mkdtemp(prefix="unpacking-", dir=folder))
    try:
        _extract(fresh, folder / "install.log")
        shutil.rmtree(folder / "root", ignore_errors=True)
        fresh.chmod(0o755)
        os.replace(fresh, folder / "root")
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _extract(target: Path, log: Path) -> None:
    # Check-Valid-Until: the archive may be a frozen copy, whose index has run out.
    bootstrap = [
        *("mmdebstrap", "--variant=extract", "--include=asterisk", "--format=tar"),
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
            raise NoAsterisk(problem("sandbox.unpack_failed", log=log))


def main() -> int:
    """`python -m sandbox.install`."""
    try:
        found = install()
    except NoAsterisk as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(text("sandbox.installed", version=_dotted(found.version), program=found.command[-1]))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
