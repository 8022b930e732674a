"""Which sound files a call can use."""

import struct
import wave
from pathlib import Path

import pytest

from ivr.errors import BadInput
from ivr.prompts import Prompts, Sound
from ivr.sounds import load_prompts


def write(file: Path, *, rate: int = 8000, channels: int = 1, width: int = 2, frames: int = 4000) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(width)
        sound.setframerate(rate)
        sound.writeframes(bytes(frames * channels * width))
    return file


def test_sounds_are_found_by_language_and_id(tmp_path: Path) -> None:
    write(tmp_path / "ja" / "frame" / "ready.wav")
    write(tmp_path / "ja" / "plain.wav", frames=8000)
    write(tmp_path / "en" / "frame" / "ready.wav", frames=80)
    (tmp_path / "ja.yaml").write_text("not a sound")
    (tmp_path / "ja" / "notes.txt").write_text("not a sound")
    write(tmp_path / "stray.wav")
    prompts = load_prompts(tmp_path)
    assert {key: sound.seconds for key, sound in prompts.sounds.items()} == {
        ("ja", "frame/ready"): 0.5,
        ("ja", "plain"): 1.0,
        ("en", "frame/ready"): 0.01,
    }
    ready = prompts.sounds["ja", "frame/ready"]
    assert (ready.prompt, ready.path) == ("frame/ready", tmp_path.resolve() / "ja" / "frame" / "ready.wav")


def test_paths_are_absolute_whatever_the_folder_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "prompts" / "ja" / "a.wav")
    monkeypatch.chdir(tmp_path)
    assert load_prompts(Path("prompts")).sounds["ja", "a"].path.is_absolute()


def test_every_file_that_will_not_do_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "ja"
    write(folder / "good.wav")
    reasons = {
        write(folder / "cd.wav", rate=44100): "44100 Hz",
        write(folder / "stereo.wav", channels=2): "2 ch",
        write(folder / "thin.wav", width=1): "8 bit",
        write(folder / "silent.wav", frames=0): "0 s",
    }
    (folder / "words.wav").write_text("RIFF no")
    (folder / "empty.wav").touch()
    # A-law in a WAV: Asterisk would play it as noise.
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36, b"WAVE", b"fmt ", 16, 6, 1, 8000, 8000, 1, 8, b"data", 0)
    (folder / "alaw.wav").write_bytes(header)
    (folder / "folder.wav").mkdir()
    with pytest.raises(BadInput) as caught:
        load_prompts(tmp_path)
    found = {each.file: str(each.values["reason"]) for each in caught.value.problems}
    others = {folder / f"{name}.wav" for name in ("words", "empty", "alaw", "folder")}
    assert found.keys() == {str(path) for path in (*reasons, *others)}
    for path, reason in reasons.items():
        assert reason in found[str(path)]
    assert all(each.message == "prompts.bad_audio" and each.render("ja") for each in caught.value.problems)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        load_prompts(tmp_path / "none")
    assert [(each.message, each.file) for each in caught.value.problems] == [
        ("prompts.no_folder", str(tmp_path / "none"))
    ]


def test_resolving_and_missing() -> None:
    sound = Sound("a", Path("/a.wav"), 1.0)
    prompts = Prompts(Path("/"), {("ja", "a"): sound})
    assert prompts.resolve(("a", "a"), "ja") == (sound, sound)
    assert prompts.missing(("c", "a", "b", "c"), "ja") == ["b", "c"]
    assert prompts.missing(("a",), "en") == ["a"]
    with pytest.raises(KeyError):
        prompts.resolve(("b",), "ja")


def test_a_prompt_may_name_its_language() -> None:
    sound = Sound("a", Path("a.wav"), 1.0)
    prompts = Prompts(Path(), {("en", "a"): sound})
    assert prompts.resolve(("en:a",), "ja") == (sound,)
    assert prompts.missing(("en:a", "ja:a", "a"), "ja") == ["a", "ja:a"]
