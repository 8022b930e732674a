"""The file way through kill -9 at every commit and file operation: the receiver gets each report, with the same bytes.

A batch may come again under a later number: the receiver knows documents by their keys. What kill -9 cannot show is the
loss of power; every file and its name is synced before it counts. With KENKO_LONG set there are 10,000 reports.
"""

import asyncio
import hashlib
import json
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ivr.storage.database import open_reader
from ivr.storage.outbox import all_rows
from ivr.sync.delivery import State
from tests.sync.test_exactly_once import ROOT, start

LONG = bool(os.environ.get("KENKO_LONG"))
REPORTS = 10_000 if LONG else 300


@dataclass
class Receiver:
    """What docs/centre-formats.md asks of it: takes whole batches by their manifests, and each key once."""

    folder: Path
    documents: dict[str, bytes] = field(default_factory=dict)
    again: int = 0  #: documents that came a second time
    batches: dict[int, str] = field(default_factory=dict)  #: sequence -> hash of the manifest

    def take(self) -> None:
        """Everything that lies there whole, and away with it."""
        for manifest in sorted(self.folder.glob("kenko-*.manifest.json")):
            told = json.loads(manifest.read_bytes())
            own = hashlib.sha256(manifest.read_bytes()).hexdigest()
            # Whoever has seen a number never sees it with other content.
            assert self.batches.setdefault(told["sequence"], own) == own
            for each in told["files"]:
                content = (self.folder / each["name"]).read_bytes()
                assert (len(content), hashlib.sha256(content).hexdigest()) == (each["bytes"], each["sha256"])
                if each["name"].endswith(".jsonl"):
                    self._store(content)
            # The manifest first: half a batch that is left is none.
            manifest.unlink()
            for each in told["files"]:
                (self.folder / each["name"]).unlink()
            for left in self.folder.glob("kenko-*"):
                if int(left.name.removeprefix("kenko-").split(".")[0]) < told["sequence"]:
                    left.unlink()  # left over by a writer that died: it has no manifest, and never will

    def _store(self, content: bytes) -> None:
        for line in content.splitlines():
            key = json.loads(line)["key"]
            self.again += key in self.documents
            assert self.documents.setdefault(key, line) == line


def compare(file: Path, receiver: Receiver, wanted: int) -> None:
    """Everything that was filed was frozen, and is there as it was frozen, and counts as delivered here."""
    with open_reader(file) as reader:
        frozen = reader.read(all_rows, most=10**6)
    assert {each.subject for each in frozen} == {f"s-{number}" for number in range(wanted)}
    assert {each.state for each in frozen} == {State.ACKNOWLEDGED}
    assert receiver.documents == {each.key: each.payload for each in frozen}
    # Each names the batch in which it lies.
    assert {int((each.record_id or "").split(".")[0].removeprefix("kenko-")) for each in frozen} <= set(
        receiver.batches
    )
    order = {key: at for at, key in enumerate(receiver.documents)}
    for about in {each.about for each in frozen}:
        came = [order[each.key] for each in frozen if each.about == about]
        assert came == sorted(came)


def received_in_each(base: Path) -> int:
    """Compare what every pair of lives left; how many documents came again."""
    again = 0
    for folder in sorted(base.glob("*/folder")):
        receiver = Receiver(folder)
        receiver.take()
        assert not [each for each in folder.iterdir() if not each.name.startswith(".kenko-")]
        compare(folder.parent / "kenko-call.db", receiver, 4)
        again += receiver.again
    return again


@pytest.mark.timeout(240)
async def test_dying_at_each_commit_and_each_file_operation(made: Path, tmp_path: Path) -> None:
    """Four reports of three people: two batches at least."""
    kills = await lives("each", str(made), str(tmp_path), "4")
    again = received_in_each(tmp_path)
    # For each of two batches and more: its number and three files, each with an opening, two halves of a write, two
    # fsyncs and a rename.
    assert kills > 2 * 4 * 8
    # A batch that lay there whole while we died before we wrote it down came again, or this test kills nothing.
    assert again > 0


@pytest.mark.timeout(7200 if LONG else 240)
async def test_killed_at_random_while_somebody_takes_away(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    file = Path(shutil.copy(made, tmp_path / "kenko-call.db"))
    receiver = Receiver(folder)
    dying = asyncio.create_task(lives("random", str(file), str(folder), str(REPORTS), "6"))
    while not dying.done():
        receiver.take()
        await asyncio.sleep(0.02)
    receiver.take()
    compare(file, receiver, REPORTS)
    kills = await dying
    with capsys.disabled():
        sys.stdout.write(
            f"\nfile, {REPORTS} reports: {kills} kills of ours, {len(receiver.batches)} batches, "
            f"{receiver.again} documents that came again; missing 0\n"
        )
    assert kills > 2


async def lives(*words: str) -> int:
    """Lives that are ended; how many."""
    process = await start("tests.sync.folder_sender", *words)
    said, _ = await process.communicate()
    assert process.returncode == 0
    return int(said)


def test_the_processes_find_these_tests() -> None:
    assert (ROOT / "tests/sync/folder_sender.py").exists()
