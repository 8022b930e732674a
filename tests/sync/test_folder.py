"""The file way out: whole batches with their manifest, through a full disk, two writers and a reader who takes away."""

import csv
import errno
import hashlib
import io
import json
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ivr.sync import folder as folders
from ivr.sync.documents import GivenAnswer, freeze
from ivr.sync.files import HEADER, batch, csv_lines
from ivr.sync.folder import Busy, write_batch
from tests.cases_runner import ROOT
from tests.sync.test_documents import AT, CALL, ERASURE, FIRED, REPORT

PAYLOADS = {each.key: each.payload for each in (freeze(REPORT), freeze(FIRED), freeze(CALL))}


def manifests(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(each.read_bytes()) for each in sorted(folder.glob("*.manifest.json"))]


def whole(folder: Path) -> None:
    """Every manifest names files that are there, byte for byte, and nothing unfinished lies about."""
    for manifest in manifests(folder):
        for each in manifest["files"]:
            content = (folder / each["name"]).read_bytes()
            assert (len(content), hashlib.sha256(content).hexdigest()) == (each["bytes"], each["sha256"])
    assert not list(folder.glob("*.unfinished"))


def test_a_batch_has_the_frozen_bytes_and_a_manifest(tmp_path: Path) -> None:
    name = write_batch(tmp_path, PAYLOADS)
    whole(tmp_path)
    assert name == "kenko-0000000001.manifest.json"
    assert (tmp_path / "kenko-0000000001.jsonl").read_bytes().splitlines() == list(PAYLOADS.values())
    assert manifests(tmp_path)[0]["documents"] == 3


def test_an_erasure_is_one_line_of_the_csv() -> None:
    frozen = freeze(ERASURE)
    (line,) = list(csv.DictReader(io.StringIO(csv_lines({frozen.key: ERASURE}).decode("utf-8-sig"))))
    told = {name: value for name, value in line.items() if value}
    assert told == {
        "key": frozen.key,
        "kind": "erasure",
        "person_id": "'00123456",
        "day": "2025-01-06",
        "sequence": "9",
        "revision": "1",
        "at": ERASURE.frozen_at.isoformat(),
        "item": "erasure",
        "value": "all",
    }


def test_the_csv_has_its_fixed_header_and_no_cell_that_a_spreadsheet_mangles_or_runs() -> None:
    evil = [GivenAnswer("note", f"{sign}1+1", None, AT) for sign in ("=", "+", "-", "@", "\t", "\r")]
    long = GivenAnswer("long", "1234567890123456", None, AT)
    report = REPORT.__class__(**{**vars(REPORT), "answers": (*REPORT.answers, *evil, long), "alerts": ()})
    content = csv_lines({"k": report})
    assert content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert tuple(lines[0]) == HEADER
    assert {line[HEADER.index("person_id")] for line in lines[1:]} == {"'00123456"}
    values = [line[HEADER.index("value")] for line in lines[1:]]
    assert values[0] == "39.0"
    assert all(each.startswith("'") for each in values[2:])


@pytest.mark.parametrize("room", range(0, 6000, 250))
def test_a_full_disk_in_mid_file_leaves_nothing_and_the_next_try_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    left = room
    opened = Path.open

    def small(path: Path, mode: str = "r", *others: Any, **named: Any) -> Any:
        file = opened(path, mode, *others, **named)
        if mode == "wb":
            written = file.write

            class Full(io.BytesIO):
                def __enter__(self) -> Any:
                    return self

                def __exit__(self, *error: object) -> None:
                    file.close()

                def write(self, content: Any) -> int:
                    nonlocal left
                    if len(content) > left:
                        written(content[:left])
                        raise OSError(errno.ENOSPC, "disk full")
                    left -= len(content)
                    return int(written(content))

                def flush(self) -> None:
                    file.flush()

                def fileno(self) -> int:
                    return int(file.fileno())

            return Full()
        return file

    assert sum(map(len, batch(1, PAYLOADS).values())) > 3000
    monkeypatch.setattr(Path, "open", small)
    if room < sum(map(len, batch(1, PAYLOADS).values())) + 1:
        with pytest.raises(OSError, match="disk full"):
            write_batch(tmp_path, PAYLOADS)
        assert not list(tmp_path.glob("kenko-*"))
    monkeypatch.undo()
    write_batch(tmp_path, PAYLOADS)
    whole(tmp_path)


def _write_many(folder: Path, count: int) -> None:
    written = 0
    while written < count:
        try:
            write_batch(folder, PAYLOADS)
            written += 1
        except Busy:
            time.sleep(0.001)


def test_two_writers_never_share_a_number(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(tmp_path, 10)) for _ in range(2)]
    for each in writers:
        each.start()
    for each in writers:
        each.join(60)
        assert each.exitcode == 0
    whole(tmp_path)
    assert [each["sequence"] for each in manifests(tmp_path)] == list(range(1, 21))


def test_what_a_reader_took_away_is_never_numbered_again(tmp_path: Path) -> None:
    write_batch(tmp_path, PAYLOADS)
    for each in tmp_path.glob("kenko-*"):
        each.unlink()
    assert write_batch(tmp_path, PAYLOADS) == "kenko-0000000002.manifest.json"


def test_the_clock_orders_nothing(tmp_path: Path) -> None:
    for moment in (2_000_000_000, 1_000_000_000):
        name = write_batch(tmp_path, PAYLOADS)
        os.utime(tmp_path / name, (moment, moment))
    assert [each["sequence"] for each in manifests(tmp_path)] == [1, 2]
    assert "time" not in vars(folders)
    assert "datetime" not in vars(folders)


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """The same on a file system of its own that has no room: a fake says only what we think that a disk does."""
    alone = ("unshare", "--user", "--map-root-user", "--mount")
    if subprocess.run((*alone, "true"), check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a file system of his own")
    words = (*alone, sys.executable, "-m", "tests.sync.full_disk", str(tmp_path))
    told = subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    codes = [code for code, _ in json.loads(told)]
    # It fails for want of room until there is room for all, more than once in the middle of a file; and leaves nothing.
    assert set(codes) == {errno.ENOSPC, 0}
    assert codes == sorted(codes, reverse=True)
    assert codes.count(errno.ENOSPC) > 8
    assert all(not left for code, left in json.loads(told) if code)
