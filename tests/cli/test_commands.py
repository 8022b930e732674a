"""The roster, what stays in the foreground, help in both languages, and wrong input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ivr.cli import _language_wanted
from ivr.cli.output import word
from ivr.config import Config
from ivr.service import World
from tests.cases_runner import ROOT
from tests.cli.conftest import Command

TRY = ("try", str(ROOT / "questionnaires" / "daily.yaml"), "--prompts", str(ROOT / "prompts"))
ROSTER = "id,name,kana,number1,slot\n123456,見本 太郎,ミホン タロウ,09000000001,morning\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("try", "none.yaml"), "none.yaml"),
        ((*TRY, "--keys", "36.5"), "36.5"),
        ((*TRY[:2], "--prompts", "none", "--keys", "1"), "none"),
        (("check", "--nothing"), "--nothing"),
        (("nothing",), "nothing"),
        (("status", "--date", "tomorrow"), "tomorrow"),
        (("--lang", "de", "check"), "ja, en"),
        (("reports", "export", "--format", "xml"), "xml"),
        (("people", "import", "none.csv"), "none.csv"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_2(command: Command, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_importing_the_roster(command: Command, folder: Path) -> None:
    file = folder / "people.csv"
    file.write_text(ROSTER, encoding="utf-8")
    code, out, err = command("people", "import", str(file))
    assert (code, err.count("\n")) == (0, 1)
    assert out.startswith("1 人を取り込みました（新規 1、変更 0）。\n")
    code, out, _ = command("people", "import", str(file), "--json")
    told = json.loads(out)
    assert (code, told["people"], told["added"], told["changed"], told["stored"]) == (0, 1, 0, 0, True)
    assert [each["person_id"] for each in json.loads(command("status", "--json")[1])["people"]] == ["123456"]


@pytest.mark.parametrize(
    ("number", "said"),
    [("05000000100", "自分の番号"), ("0570000000", "練習用の番号"), ("119", "110 や 119")],
)
def test_a_number_that_may_not_be_rung_is_not_imported(command: Command, folder: Path, number: str, said: str) -> None:
    file = folder / "people.csv"
    file.write_text(ROSTER.replace("09000000001", number), encoding="utf-8")
    code, out, err = command("people", "import", str(file))
    assert (code, out) == (2, "")
    where, _, why = err.partition(":2: ")
    assert where == str(file)
    assert said in why
    assert number not in why.replace("110 や 119", "")
    assert command("status")[0] == 2  # not even a database was made


def test_what_stays_in_the_foreground(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is started, and that its exit code is the command's."""
    started: list[object] = []

    async def serve(config: Config, world: World) -> int:
        started.append((config.numbers, world.now().astimezone(config.centre.zone).strftime("%H:%M")))
        return 0

    async def show(**options: object) -> int:
        started.append(options["once"])
        return 1

    monkeypatch.setattr("ivr.logs.log_to_stderr", lambda: None)
    monkeypatch.setattr("ivr.service.serve", serve)
    monkeypatch.setattr("sandbox.demo.run_demo", show)
    assert command("run")[0] == 0
    assert command("demo", "--once")[0] == 1
    assert started == [("practice", "09:00"), True]
    monkeypatch.setitem(sys.modules, "sandbox.demo", None)
    code, _, err = command("demo")
    assert code == 2
    assert "sandbox/" in err


ALL = (
    "run",
    "demo",
    "check",
    "try",
    "status",
    "calls",
    "people",
    *(f"people {each}" for each in ("import", "export", "list", "show", "pause", "resume", "close")),
    "reports",
    "reports export",
)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_command_has_help_in_both_languages(language: str) -> None:
    """In a process of its own: help texts are made when the commands are imported."""
    script = f"""
import os
os.environ["KENKO_LANG"] = {language!r}
from ivr.cli.commands import run
for command in {ALL!r}:
    print("@", command)
    assert run([*command.split(), "--help"]) == 0
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    parts = done.stdout.split("@ ")[1:]
    assert [each.splitlines()[0] for each in parts] == list(ALL)
    for part in parts:
        said = " ".join(part.splitlines()[3:])
        japanese = any("ぁ" <= each <= "ん" for each in said)
        assert japanese == (language == "ja"), part


def test_the_language_is_taken_before_the_commands_are_imported() -> None:
    assert _language_wanted(["--lang", "en", "check"]) == "en"
    assert _language_wanted(["check", "--lang=ja"]) == "ja"
    assert _language_wanted(["--lang", "de"]) is None
    assert _language_wanted(["check", "--lang"]) is None
    done = subprocess.run(
        [sys.executable, "-c", "from ivr.cli import main; main()", "--lang", "en", "try", "none.yaml"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (done.returncode, done.stderr) == (2, "none.yaml: there is no such file; check the path\n")


def test_a_value_without_a_word_is_shown_as_it_is() -> None:
    assert word("outcome", "of_a_later_version") == "of_a_later_version"
    assert word("outcome", None) == ""
