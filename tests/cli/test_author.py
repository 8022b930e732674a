"""`check` and `try`: for those who write questions."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cases_runner import ROOT
from tests.cli.conftest import Command


def test_check_finds_nothing_wrong_with_the_example(command: Command) -> None:
    assert command("check") == (0, "問題ありません。\n", "")
    code, out, _ = command("check", "--json")
    assert (code, json.loads(out)) == (0, {"problems": []})


def test_check_finds_everything_at_once(command: Command, folder: Path) -> None:
    daily = folder / "questionnaires" / "daily.yaml"
    daily.write_text(daily.read_text(encoding="utf-8").replace("closing: [daily/closing]", "closing: [daily/none]"))
    code, out, err = command("check")
    assert (code, out) == (2, "1 件の問題があります。\n")
    assert "daily/none" in err
    daily.write_text(daily.read_text(encoding="utf-8").replace("kind: number", "kind: nummer"))
    code, out, err = command("check", "--json")
    found = json.loads(out)["problems"]
    assert (code, err, len(found)) == (2, "", 2)
    assert {each["file"] for each in found} == {str(daily)}
    assert all(isinstance(each["line"], int) and "nummer" in each["text"] for each in found)


def test_check_without_settings(command: Command, folder: Path) -> None:
    (folder / "config.yaml").unlink()
    code, _, err = command("check")
    assert code == 2
    assert "config.yaml" in err
    assert "Traceback" not in err


def test_a_missing_frame_prompt_is_a_problem(command: Command, folder: Path) -> None:
    shutil.copytree(ROOT / "prompts" / "ja", folder / "sounds" / "ja")
    (folder / "sounds" / "ja" / "frame" / "apology.wav").unlink()
    config = folder / "config.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace(f"{ROOT / 'prompts'} ", "sounds "))
    code, _, err = command("check")
    assert code == 2
    assert err.count("\n") == 1
    assert "frame/apology" in err


TRY = ("try", str(ROOT / "questionnaires" / "daily.yaml"), "--prompts", str(ROOT / "prompts"))


def test_try_says_what_a_caller_would_hear(command: Command) -> None:
    code, out, _ = command(*TRY, "--keys", "390 1 93# 1 2 2 1 2 2 2 2 2 2")
    assert code == 0
    assert "今日の体温を" in out
    assert "> 390" in out
    assert "39度" in out
    lines = out.splitlines()
    assert "temperature: 39.0" in lines
    assert lines[-1] == "結果: 完了　警告: fever, oxygen_very_low, warning_signs"


def test_try_for_machines(command: Command) -> None:
    code, out, err = command(*TRY, "--keys", "365 1 0 2", "--json")
    assert json.loads(out) == {
        "status": "ended_early",
        "answers": {"temperature": "36.5"},
        "alerts": [],
        "call_wished": True,
    }
    assert code == 0
    assert "> 365" in err


def test_try_from_the_keyboard(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = iter(["365", "1", "hangup"])
    monkeypatch.setattr("builtins.input", lambda _: next(lines))
    monkeypatch.setattr("ivr.cli.author.typed", lambda show: lines)
    code, out, _ = command(*TRY)
    assert code == 0
    assert "temperature: 36.5" in out
    assert out.splitlines()[-1].startswith("結果: 途中")


def test_check_knows_sounds_of_other_words(command: Command, folder: Path) -> None:
    shutil.copytree(ROOT / "prompts", folder / "prompts")
    config = folder / "config.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace(str(ROOT / "prompts"), "prompts"), encoding="utf-8")
    script = folder / "prompts/ja.yaml"
    script.write_text(script.read_text(encoding="utf-8").replace("咳や、鼻水が、ありますか", "咳は、ありますか"))
    code, _, err = command("check")
    assert code == 2
    assert err.count("\n") == 1
    assert "ja.yaml:" in err
    assert "daily/cough" in err
