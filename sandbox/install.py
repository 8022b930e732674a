"""Finds an Asterisk that is new enough, or unpacks one below `.pbx/`; and the telephones that ring it in tests."""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ivr.errors import problem
from ivr.messages import text
from sandbox.packages import FOLDER, NotUnpacked, have, started_in

#: Older ones have open holes in ARI (GHSA-wcvv-g26m-wx5c, GHSA-vrfp-mg3q-3959).
OLDEST = (22, 10, 1)


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
    """An Asterisk that is new enough, unpacked into `folder` if there is none. Raises NotUnpacked."""
    found = have("asterisk", folder / "root", lambda: find_asterisk(folder))
    if found is None:
        raise NotUnpacked(problem("sandbox.unpacked_unusable", folder=folder, oldest=_dotted(OLDEST)))
    return found


@dataclass(frozen=True)
class Baresip:
    """A telephone in software: newer than that of Debian 12, which cannot send SIP INFO."""

    command: tuple[str, ...]  #: starts it; arguments follow
    modules: Path


def find_baresip(folder: Path = FOLDER) -> Baresip | None:
    """The one unpacked in `folder`, or None."""
    root = folder / "baresip"
    command = started_in(root, "usr/bin/baresip")
    return Baresip(command, root / "usr/lib/baresip/modules") if command else None


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
    command = started_in(root, "usr/sbin/asterisk")
    modules = _modules_below(root / "usr/lib")
    if command is None or not modules:
        return None
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


def main(words: Sequence[str]) -> int:
    """`python -m sandbox.install`; with `--strangers` a telephone that is not ours, too."""
    try:
        found = install()
        if "--strangers" in words:
            have("baresip-core", FOLDER / "baresip", find_baresip)
    except NotUnpacked as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(text("sandbox.installed", version=_dotted(found.version), program=found.command[-1]))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
