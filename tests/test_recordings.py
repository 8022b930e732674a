"""Files of what people said: whole or not at all, durable, for our eyes only."""

import os
import stat
from pathlib import Path

import pytest

from ivr import recordings
from ivr.errors import StorageError
from ivr.sounds import load_prompts


def test_a_file_is_there_whole_and_for_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def watched_fsync(descriptor: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def watched_rename(path: Path, target: Path) -> Path:
        order.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "rename", watched_rename)
    file = tmp_path / "voice-messages" / "kc-1.wav"
    assert recordings.store(file, recordings.silence(2.5)) == 2.5
    assert order == ["file", "rename", "folder"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [each.name for each in file.parent.iterdir()] == ["kc-1.wav"]
    assert recordings.length_of(file) == 2.5


def test_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError) as refused:
        recordings.store(tmp_path / "file" / "kc-1.wav", b"")
    assert [each.message for each in refused.value.problems] == ["file.unwritable"]


def test_what_is_no_sound_has_no_length(tmp_path: Path) -> None:
    assert recordings.seconds_of(b"RIFF") == 0
    assert recordings.length_of(tmp_path / "none.wav") == 0


def test_the_beep_is_what_asterisk_plays(tmp_path: Path) -> None:
    (tmp_path / "ja").mkdir()
    beep = recordings.beep_in(tmp_path / "ja")
    assert load_prompts(tmp_path).sounds["ja", "beep"].seconds == beep.seconds == 0.25
    assert stat.S_IMODE(beep.path.stat().st_mode) == 0o644
    assert max(beep.path.read_bytes()[45::2]) > 20  # it is to be heard


def test_a_file_that_no_row_names_is_found(tmp_path: Path) -> None:
    for name in ("kc-2.wav", "kc-1.wav", "kc-3.part"):
        (tmp_path / name).write_bytes(b"")
    assert recordings.orphans(tmp_path, ["kc-1"]) == [tmp_path / "kc-2.wav"]
    assert recordings.orphans(tmp_path / "none", []) == []


@pytest.mark.parametrize(("seconds", "cut", "left"), [(3, 0.8, 2.2), (3, 0, 3), (0.5, 0.8, 0)])
def test_the_end_of_a_recording_is_cut_off(seconds: float, cut: float, left: float) -> None:
    assert recordings.seconds_of(recordings.shortened(recordings.silence(seconds), cut)) == pytest.approx(left)


def test_what_is_no_recording_stays_as_it_is() -> None:
    assert recordings.shortened(b"no sound", 1) == b"no sound"
