"""Every command that writes, on a disk of its own that is full.

`unshare --user --map-root-user --mount python -m tests.cli.full_disk FOLDER` mounts a small disk at FOLDER/disk, runs
each command of its standard input (a JSON list of argument lists) on it, and prints what each said.
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.cases_runner import PROGRAM

#: A folder and the old files, and no room for anything more.
SIZE = 64 * 1024
OLD = b"old"


def main(folder: Path) -> None:
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(disk)), check=True)
    told = []
    commands: list[list[str]] = json.load(sys.stdin)
    for arguments in commands:
        (disk / "old").write_bytes(OLD)
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
        ran = subprocess.run([str(PROGRAM), *arguments], cwd=folder, capture_output=True, text=True, check=False)
        kept = (disk / "old").read_bytes() == OLD
        ballast.unlink()
        left = sorted(each.name for each in disk.rglob("*") if each.name != "old" and each.is_file())
        told.append([ran.returncode, ran.stderr, kept, left])
        for each in disk.iterdir():
            subprocess.run(("rm", "-rf", str(each)), check=True)
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
