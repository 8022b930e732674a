"""Files are saved whole or not at all, for their owner's eyes, and a full disk is called one."""

import os
import stat
from pathlib import Path

import pytest

from ivr.errors import BadInput
from ivr.files.saving import save, save_or_refuse


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_saved_is_for_its_owner_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        file = tmp_path / "roster.csv"
        file.write_bytes(b"old")
        file.chmod(0o644)
        save(file, b"new")
        save(tmp_path / "card.pdf", b"card", mode=None)
    finally:
        os.umask(before)
    assert (file.read_bytes(), mode(file), mode(tmp_path / "card.pdf")) == (b"new", 0o600, 0o644)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["card.pdf", "roster.csv"]


def test_a_link_stays_one_and_a_device_is_written_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    save(tmp_path / "link", b"x")
    assert ((tmp_path / "link").is_symlink(), (tmp_path / "file").read_bytes()) == (True, b"x")
    save(Path("/dev/null"), b"x")
    with pytest.raises(BadInput) as full:
        save_or_refuse(Path("/dev/full"), b"x")
    assert full.value.problems[0].message == "file.full"


def test_what_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"old")

    def fails(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fails)
    with pytest.raises(BadInput) as full:
        save_or_refuse(file, b"new")
    assert full.value.problems[0].message == "file.full"
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("f", b"old")]
    with pytest.raises(BadInput) as wrong:
        save_or_refuse(tmp_path / "none" / "f", b"x")
    assert wrong.value.problems[0].message == "file.unwritable"
