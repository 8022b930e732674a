"""A disk of 256 kB of its own, and batches that do not fit on it.

`unshare --user --map-root-user --mount python -m tests.sync.full_disk FOLDER` prints for each amount of room what
stopped the batch (an errno, or 0) and what was left of it.
"""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from ivr.sync.documents import freeze
from ivr.sync.files import batch
from ivr.sync.folder import write_batch
from tests.sync.test_documents import REPORT
from tests.sync.test_folder import whole

SIZE = 256 * 1024
PAGE = 4096
#: JSON Lines and CSV are several pages each.
PAYLOADS = {each.key: each.payload for each in (freeze(replace(REPORT, report_id=f"kc-{n}")) for n in range(20))}


def fill(folder: Path, room: int) -> Path:
    """Leave so many bytes."""
    ballast = folder / "ballast"
    ballast.write_bytes(b"x" * (SIZE - PAGE - room))
    return ballast


def stopped(folder: Path, room: int) -> tuple[int, list[str]]:
    """Try with so much room, then with all: what stopped the first (an errno, or 0), and the files it left."""
    for each in folder.glob("kenko-*"):
        each.unlink()
    ballast = fill(folder, room)
    code = 0
    try:
        write_batch(folder, PAYLOADS)
    except OSError as error:
        code = error.errno or -1
    whole(folder)
    left = [each.name for each in folder.glob("kenko-*")]
    ballast.unlink()
    write_batch(folder, PAYLOADS)
    whole(folder)
    return code, left


if __name__ == "__main__":
    where = Path(sys.argv[1])
    subprocess.run(("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(where)), check=True)
    write_batch(where, PAYLOADS)
    needed = sum(map(len, batch(1, PAYLOADS).values()))
    rooms = range(0, needed + 6 * PAGE, PAGE)
    sys.stdout.write(json.dumps([stopped(where, room) for room in rooms]))
