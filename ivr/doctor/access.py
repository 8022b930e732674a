"""Whether a user of this machine may make and delete files in a folder: the kernel is asked, which knows of ACLs."""

import grp
import os
import pwd
import shutil
import subprocess
from pathlib import Path

_SECONDS = 5.0


def may_write(folder: Path, user: str) -> bool | None:
    """None: there is no such user here, or only root could ask for another."""
    try:
        known = pwd.getpwnam(user)
    except KeyError:
        return None
    if os.geteuid() == known.pw_uid:
        return os.access(folder, os.W_OK | os.X_OK)
    program = shutil.which("test")
    if os.geteuid() != 0 or program is None:
        return None
    groups = [each.gr_gid for each in grp.getgrall() if user in each.gr_mem]
    question = (program, "-w", str(folder), "-a", "-x", str(folder))
    asked = subprocess.run(
        question, user=known.pw_uid, group=known.pw_gid, extra_groups=groups, timeout=_SECONDS, check=False
    )
    return asked.returncode == 0


def owner_of(file: Path) -> str | None:
    """The name of the user to whom a file belongs; None: there is no such file, or nobody has that number."""
    try:
        return pwd.getpwuid(file.stat().st_uid).pw_name
    except (OSError, KeyError):
        return None
