"""`check` and `try`: for those who write questions."""

import json
import shutil
from pathlib import Path

import pytest

from tests.acceptance import audio
from tests.cases_runner import ROOT
from tests.cli.conftest import Command


def test_check_finds_nothing_wrong_with_the_example(command: Command) -> None:
    assert command("check") == (0, "問題ありません。\n", "")
    code, out, _ = command("check", "--json")
    assert (code, json.loads(out)) == (0, {"problems": [], "hints": []})


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


def test_check_of_another_questionnaire_than_the_one_in_use(command: Command, folder: Path) -> None:
    examples = ROOT / "questionnaires" / "examples"
    assert command("check", str(examples / "sara_alert.yaml")) == (0, "問題ありません。\n", "")
    other = folder / "other.yaml"
    other.write_text(
        (examples / "jumps.yaml").read_text(encoding="utf-8").replace("yes: check_again", "yes: chek_again")
    )
    code, out, err = command("check", str(other))
    assert (code, out) == (2, "1 件の問題があります。\n")
    assert "other.yaml:" in err
    assert "「check_again」のことですか。" in err


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
    code, out, _ = command(*TRY, "--keys", "390 1 93# 1 2 2 1 1 2 2 2 2 2 2")
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


EXAMPLES = ROOT / "questionnaires" / "examples"


def test_try_as_somebody_who_is_known(command: Command) -> None:
    known = ("--prompts", str(ROOT / "prompts"), "--json", "--keys")
    code, out, err = command("try", str(EXAMPLES / "conditions.yaml"), "--fact", "oximeter=no", *known, "2")
    assert (code, json.loads(out)["answers"]) == (0, {"fever": "no"})
    assert "酸素" not in err
    alerts = ("try", str(EXAMPLES / "alerts.yaml"), "--last", "oxygen=98", "--last", "temperature=36.5")
    code, out, _ = command(*alerts, *known, "380 96# 2")
    assert (code, json.loads(out)["alerts"]) == (0, ["temperature_rises", "oxygen_falls"])
    code, _, err = command("try", str(EXAMPLES / "languages.yaml"), "--language", "en", *known, "- 2 1")
    assert code == 0
    assert "Thank you very much." in err
    next_call = ("--next-call", "2099-11-22 09:00")
    code, _, err = command("try", str(EXAMPLES / "next_call.yaml"), *next_call, *known, "1")
    assert code == 0
    assert "次の、お電話は、" in err


@pytest.mark.parametrize(
    "option",
    [
        ("--fact", "oxymeter=no"),
        ("--fact", "oximeter=maybe"),
        ("--fact", "oximeter"),
        ("--last", "oxigen=98"),
        ("--language", "fr"),
    ],
)
def test_try_as_somebody_whom_the_questionnaire_does_not_know(command: Command, option: tuple[str, str]) -> None:
    code, out, err = command("try", str(EXAMPLES / "conditions.yaml"), *option, "--keys", "1")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert option[1] in err


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


def test_try_writes_the_whole_call_as_sound(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "call.wav"
    short = (str(ROOT / "tests" / "cases" / "short.yaml"), "--prompts", str(ROOT / "prompts"))
    code, _, err = command("try", *short, "--keys", "2@1.5 - 2 365@1.3 1 98# 1", "--audio", str(file))
    assert code == 0
    assert str(file) in err
    heard = audio.prompts_in(ROOT / "prompts" / "ja", file, "*_[39][68]*")
    assert [each.prompt for each in heard] == [
        # The first key stopped the opening, long before the question was over.
        *("daily/breathless", "frame/yes_no_unknown"),
        *("frame/silence", "daily/breathless", "frame/yes_no_unknown"),
        # ... and so it was with the temperature.
        *("daily/temperature_is", "value/temperature_365", "frame/confirm"),
        *("daily/oxygen", "daily/oxygen_is", "value/oxygen_98", "frame/confirm", "daily/closing"),
    ]
    # 2 s for a key, as the questionnaire says, and nobody pressed one; half a second for one that is held then.
    assert heard[2].at - heard[1].until == pytest.approx(2.5, abs=0.05)
    opening = audio.read(ROOT / "prompts" / "ja" / "daily" / "opening.wav")
    assert audio.stopped_after(opening, audio.read(file), 0.0, moment=1.5) < 0.15


def test_what_is_not_recorded_is_silent_and_a_person_is_needed(command: Command, folder: Path) -> None:
    daily = (ROOT / "questionnaires" / "daily.yaml").read_text(encoding="utf-8")
    (folder / "new.yaml").write_text(daily.replace("opening: [daily/opening]", "opening: [daily/hello]"))
    script = (str(folder / "new.yaml"), "--prompts", str(ROOT / "prompts"), "--keys", "365 hangup")
    code, out, err = command("try", *script, "--audio", str(folder / "call.wav"))
    assert code == 1
    assert "daily/hello" in err
    assert out.startswith("daily/hello\n")
    assert not audio.read(folder / "call.wav")[:8000].any()
    assert command("try", *script)[0] == 0
    code, _, err = command("try", *script, "--audio", str(folder / "none" / "call.wav"))
    assert code == 2
    assert "none/call.wav" in err
