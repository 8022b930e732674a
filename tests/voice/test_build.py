"""What a build makes and what it leaves alone, with an engine of the tests in place of a real one."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ivr.errors import BadInput
from ivr.voice import build as building
from ivr.voice import make as making
from ivr.voice.build import Built, Wanted, build, import_recording
from ivr.voice.engines import Engine
from ivr.voice.lint import RATE, Samples, read_wav
from ivr.voice.manifest import NARROW, RECORDING, WIDE, read_manifest
from ivr.voice.review import check_prompts, review
from ivr.voice.script import SILENCES, Word
from tests.voice.speech import GOOD, hum, noise, overdriven, quiet

TEXT = "こちらは、さくら保健所です。健康観察の、お電話です。"
READING = "コチラワ、サクラホケンジョデス。ケンコーカンサツノ、オデンワデス。"


def line(prompt: str, text: str = TEXT) -> str:
    return f"  {prompt}: {{text: {text}, reading: {READING}}}\n"


@pytest.fixture(autouse=True)
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the engine was asked to say. It reads everything as READING, except 誤り."""
    said: list[str] = []

    def say(text: str) -> list[Samples]:
        said.append(text)
        return [np.asarray(GOOD + len(said) * 1e-5)]

    def load(voice: str, words: Mapping[str, Word]) -> Engine:
        return Engine(voice, RATE, lambda text: "アヤマリ" if "誤" in text else READING, say)

    monkeypatch.setattr(building, "load_engine", load)
    monkeypatch.setattr(making, "load_engine", load)
    return said


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_script(tmp_path, line("a/one") + line("a/two", "米印を、お待ちください。") + line("b"))
    return tmp_path


def write_script(folder: Path, prompts: str, before: str = "") -> None:
    (folder / "ja.yaml").write_text(f"{before}prompts:\n{prompts}", encoding="utf-8")


def wanted(folder: Path, day: str = "2026-11-22", everything: bool = False, wide: bool = False) -> Wanted:
    return Wanted(folder, "ja", day, everything, wide)


def built(folder: Path, day: str = "2026-11-22") -> Built:
    return build(wanted(folder, day))


def record(folder: Path, prompt: str, samples: Samples, rate: int = RATE) -> Path:
    path = folder / "recordings/ja" / f"{prompt}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype="PCM_16")
    return path


def a_person(seconds: float = 0.4, gain: float = 0.3) -> Samples:
    """GOOD as somebody might record it: softer, in a room, with silence around it."""
    whole = np.concatenate([quiet(seconds), GOOD * gain, quiet(seconds)])
    return np.asarray(whole + noise(10, 3e-4)[: whole.size])


def problems(folder: Path) -> set[str]:
    return {each.message for each in check_prompts(folder, "ja")}


def test_everything_once_and_then_nothing(folder: Path, spoken: list[str]) -> None:
    first = built(folder)
    assert set(first.made) == {"ja/a/one", "ja/a/two", "ja/b", *(f"ja/{each}" for each in SILENCES)}
    assert (first.kept, first.problems, first.outdated) == (0, [], [])
    assert check_prompts(folder, "ja") == []
    spoken.clear()
    second = built(folder, "2027-01-01")
    assert (second.made, second.kept, spoken) == ([], 3 + len(SILENCES), [])
    assert second.seconds == pytest.approx(first.seconds)


def test_only_the_line_that_changed(folder: Path, spoken: list[str]) -> None:
    built(folder)
    spoken.clear()
    write_script(folder, line("a/one") + line("a/two", "米印を、お待ちください。") + line("b", "11番です。"))
    assert problems(folder) == {"voice.stale"}
    assert built(folder, "2026-12-01").made == ["ja/b"]
    assert spoken == ["十一番です。"]
    made = read_manifest(folder, NARROW)
    assert (made["ja/b"].text, made["ja/b"].day, made["ja/b"].voice) == ("11番です。", "2026-12-01", "nitech")
    assert made["ja/a/one"].day == "2026-11-22"
    assert check_prompts(folder, "ja") == []


def test_a_word_of_the_dictionary_changes_the_lines_that_hold_it(folder: Path) -> None:
    built(folder)
    text = (folder / "ja.yaml").read_text(encoding="utf-8")
    (folder / "ja.yaml").write_text("words: {米印: {reading: コメジルシ, accent: 3}}\n" + text, encoding="utf-8")
    assert built(folder).made == ["ja/a/two"]


def test_another_voice_speaks_everything_again(folder: Path) -> None:
    built(folder)
    text = (folder / "ja.yaml").read_text(encoding="utf-8")
    (folder / "ja.yaml").write_text("voice: jm_kumo\n" + text, encoding="utf-8")
    assert set(built(folder).made) == {"ja/a/one", "ja/a/two", "ja/b"}
    assert {each.voice for each in read_manifest(folder, NARROW).values()} == {"jm_kumo", ""}


def test_a_text_that_would_be_misread_stops_the_build_before_it_begins(folder: Path) -> None:
    write_script(folder, line("a/one", "誤りです。") + line("b"))
    with pytest.raises(BadInput, match=r"ja\.yaml:2: .*アヤマリ") as caught:
        built(folder)
    assert [each.message for each in caught.value.problems] == ["voice.misread"]
    assert not (folder / "ja").exists()


def test_prompts_that_left_the_script_leave_the_folder(folder: Path) -> None:
    built(folder)
    write_script(folder, line("a/one"))
    assert built(folder).removed == ["ja/a/two.wav", "ja/b.wav"]
    assert "ja/b" not in read_manifest(folder, NARROW)


# --- recordings ---


def test_a_recording_replaces_the_engine_and_goes_through_the_same_chain(folder: Path, spoken: list[str]) -> None:
    built(folder)
    spoken.clear()
    record(folder, "a/one", np.repeat(a_person(), 6), 48000)
    assert problems(folder) == {"voice.not_built"}
    assert built(folder, "2026-12-01").made == ["ja/a/one"]
    assert spoken == []
    made = read_manifest(folder, NARROW)["ja/a/one"]
    assert (made.voice, made.day, made.text) == (RECORDING, "2026-12-01", TEXT)
    assert check_prompts(folder, "ja") == []
    assert built(folder).made == []
    sound = read_wav(folder / "ja/a/one.wav")
    assert sound.size / RATE == pytest.approx(GOOD.size / RATE, abs=0.3)


def test_a_recording_of_other_words_is_not_used(folder: Path) -> None:
    record(folder, "b", a_person())
    built(folder)
    write_script(folder, line("b", "ほかの言葉です。"))
    assert problems(folder) == {"voice.outdated", "voice.stale"}
    again = built(folder)
    assert (again.made, again.outdated) == (["ja/b"], ["ja/b"])
    assert read_manifest(folder, NARROW)["ja/b"].voice == "nitech"
    assert review(folder, "ja")[0].outdated is not None
    assert problems(folder) == {"voice.outdated"}
    # Spoken again: a new file is a recording of the present words.
    record(folder, "b", a_person(gain=0.2))
    assert built(folder).outdated == []
    assert read_manifest(folder, NARROW)["ja/b"].voice == RECORDING


def test_without_its_recording_the_engine_speaks_again(folder: Path) -> None:
    path = record(folder, "b", a_person())
    built(folder)
    path.unlink()
    assert built(folder).made == ["ja/b"]
    assert read_manifest(folder, NARROW)["ja/b"].voice == "nitech"


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (quiet(3), "sound.silence"),
        (hum(3), "sound.no_speech"),
        (overdriven(a_person()), "sound.clipped"),
        (a_person()[: 3200 + GOOD.size // 3], "sound.cut_off"),
        (a_person(gain=0.01), "sound.recorded_too_softly"),
        (np.tile(a_person(), 6), "sound.too_long"),
        (np.concatenate([a_person(), a_person()]), "sound.too_slow"),
    ],
)
def test_a_recording_that_is_not_fit_leaves_the_sound_as_it_was(folder: Path, samples: Samples, message: str) -> None:
    built(folder)
    before = (folder / "ja/b.wav").read_bytes()
    path = record(folder, "b", samples)
    assert message in {each.message for each in built(folder).problems}
    assert (folder / "ja/b.wav").read_bytes() == before
    with pytest.raises(BadInput):
        import_recording(wanted(folder), "b", path)
    assert list(folder.rglob("*.new")) == []


def test_many_are_made_by_several_processes(tmp_path: Path) -> None:
    names = [f"p{number}" for number in range(14)]
    write_script(tmp_path, "".join(line(each) for each in names))
    for number, each in enumerate(names):
        record(tmp_path, each, a_person(gain=0.2 + 0.01 * number))
    assert len(built(tmp_path).made) == 14 + len(SILENCES)
    assert check_prompts(tmp_path, "ja") == []


@pytest.mark.parametrize(("suffix", "rate"), [(".mp3", 44100), (".wav", 22050), (".flac", 16000), (".ogg", 48000)])
def test_any_recording_can_be_imported(folder: Path, tmp_path: Path, suffix: str, rate: int) -> None:
    built(folder)
    mono = np.interp(np.arange(0, a_person().size, RATE / rate), np.arange(a_person().size), a_person())
    file = tmp_path / f"my voice{suffix}"
    soundfile.write(file, np.column_stack([mono, mono]), rate)
    assert import_recording(wanted(folder, "2026-12-24"), "a/two", file).made == ["ja/a/two"]
    made = read_manifest(folder, NARROW)["ja/a/two"]
    assert (made.voice, made.day) == (RECORDING, "2026-12-24")
    kept = soundfile.info(folder / "recordings/ja/a/two.wav")
    assert (kept.samplerate, kept.channels, kept.subtype) == (rate, 1, "PCM_16")
    assert check_prompts(folder, "ja") == []


def test_importing_the_same_file_again_makes_it_right_for_the_present_words(folder: Path) -> None:
    built(folder)
    path = record(folder, "b", a_person())
    import_recording(wanted(folder), "b", path)
    write_script(folder, line("b", "句読点だけ、直しました。"))
    assert built(folder).outdated == ["ja/b"]
    import_recording(wanted(folder), "b", path)
    assert check_prompts(folder, "ja") == []


def test_a_misspelt_prompt_is_answered_with_the_nearest(folder: Path) -> None:
    with pytest.raises(BadInput, match="a/one"):
        import_recording(wanted(folder), "a/onee", record(folder, "b", a_person()))


@pytest.mark.parametrize("content", [b"", b"no sound at all", b"RIFF\0\0\0\0WAVE"])
def test_what_is_no_recording_is_refused(folder: Path, content: bytes) -> None:
    (folder / "x.wav").write_bytes(content)
    with pytest.raises(BadInput, match=r"x\.wav"):
        import_recording(wanted(folder), "b", folder / "x.wav")


# --- 16 kHz ---


def test_wide_sounds_are_kept_up_to_date_once_they_were_wanted(folder: Path) -> None:
    build(wanted(folder, wide=True))
    assert read_wav(folder / "ja/b.wav16", 16000).size == pytest.approx(2 * read_wav(folder / "ja/b.wav").size, abs=800)
    write_script(folder, line("b", "11番です。"))
    assert problems(folder) == {"voice.stale"}
    again = built(folder)
    assert again.made == ["ja/b"]
    assert sorted(again.removed) == ["ja/a/one.wav", "ja/a/one.wav16", "ja/a/two.wav", "ja/a/two.wav16"]
    assert read_manifest(folder, WIDE)["ja/b"].text == "11番です。"
    assert check_prompts(folder, "ja") == []


# --- checks ---


def test_missing_and_foreign_sounds_and_wrong_formats(folder: Path) -> None:
    built(folder)
    (folder / "ja/b.wav").unlink()
    soundfile.write(folder / "ja/a/one.wav", GOOD * 0.5, RATE, subtype="PCM_16")
    soundfile.write(folder / "ja/a/two.wav", np.column_stack([GOOD, GOOD]), 16000, subtype="PCM_16")
    found = {(each.message, each.line) for each in check_prompts(folder, "ja")}
    assert found == {
        ("voice.missing", 4), ("voice.foreign", None), ("sound.too_quiet", None), ("voice.bad_format", None)
    }  # fmt: skip
    said = "\n".join(each.render("en") for each in check_prompts(folder, "ja"))
    assert "16000 Hz, 2 ch, 16 bit" in said
    assert {each.message for each in check_prompts(folder, "ja", {"b"})} == {"voice.missing"}


def test_a_damaged_manifest_is_said_to_be_one(folder: Path) -> None:
    built(folder)
    for content in ("{", "[]", json.dumps({"ja/b": {"key": 1}})):
        (folder / "manifest.json").write_text(content)
        with pytest.raises(BadInput, match=r"manifest\.json"):
            check_prompts(folder, "ja")
