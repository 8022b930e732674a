"""A walk as a test case: what `try --repro` prints is led again, and the same comes of it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ivr.prompts import Sound
from ivr.questionnaire.parse import parse
from ivr.walked import read_texts, to_hear
from tests.cases_runner import CASES, ROOT, Conversation, asked, conversations, daily, lead, read_conversations, short
from tests.cli.conftest import Command

ONE_CALL = [each for each in conversations() if len(each.calls) == 1]
PROMPTS = str(ROOT / "prompts")


@pytest.mark.parametrize("case", ONE_CALL, ids=lambda case: case.name)
def test_a_printed_case_runs_and_is_the_conversation_that_was_led(case: Conversation, command: Command) -> None:
    file = str(CASES / f"{case.questionnaire}.yaml")
    code, out, _ = command("try", file, "--prompts", PROMPTS, "--keys", case.calls[0], "--repro")
    assert code == 0
    (printed,) = read_conversations(out)
    told = lead(asked(case.questionnaire), printed.calls)
    assert {each.question: each.value for each in told.session.answers} == printed.answers == case.answers
    assert told.session.status == printed.status == case.status
    assert tuple(told.follow_ups) == printed.follow_ups == case.follow_ups
    assert tuple(told.alerts) == printed.alerts == case.alerts
    assert told.session.language == printed.language == case.language
    assert (printed.questionnaire, printed.messages) == (case.questionnaire, case.messages)
    assert tuple(told.says) == printed.says
    assert not case.says or printed.says == case.says


def test_what_was_pressed_too_soon_or_too_late_is_not_in_the_case(command: Command) -> None:
    keys = "2@0.1 2#5 1@1.5 365 1 98#@2 1"
    code, out, err = command("try", str(CASES / "short.yaml"), "--prompts", PROMPTS, "--keys", keys, "--repro")
    (printed,) = read_conversations(out)
    assert (code, printed.calls) == (0, ("- 2 1 365 1 98# 1",))
    assert lead(short(), printed.calls).session.status == printed.status == "completed"
    assert "> 98#@2" in err


@pytest.mark.parametrize(
    ("example", "keys", "known"),
    [
        ("conditions", "98# 2", ["--fact", "oximeter=yes"]),
        ("conditions", "1 1", ["--fact", "oximeter=no"]),
        ("alerts", "380 95# 2", ["--last", "oxygen=98", "--last", "temperature=36.5"]),
        ("languages", "1 2", ["--language", "en"]),
        ("next_call", "1", ["--next-call", "2026-11-27 09:00"]),
    ],
)
def test_a_case_knows_what_was_known_of_the_person(example: str, keys: str, known: list[str], command: Command) -> None:
    file = ROOT / "questionnaires" / "examples" / f"{example}.yaml"
    code, out, err = command("try", str(file), "--prompts", PROMPTS, "--keys", keys, "--repro", *known)
    assert (code, "person: {" in out) == (0, True), err
    (printed,) = read_conversations(out)
    told = lead(parse(file.read_bytes(), str(file)), printed.calls, printed.person)
    assert tuple(told.says) == printed.says
    assert {each.question: each.value for each in told.session.answers} == printed.answers
    assert (told.session.status, tuple(told.alerts)) == (printed.status, printed.alerts)


def test_texts_and_sounds_of_all_languages(tmp_path: Path) -> None:
    questionnaire = replace(daily(), languages=("ja", "en"))
    for language in ("ja", "en"):
        line = json.dumps({"prompts": {"frame/ready": {"text": f"ready {language}"}}})
        (tmp_path / f"{language}.yaml").write_text(line)
    texts = read_texts(questionnaire, tmp_path)
    assert texts == {"frame/ready": "ready ja", "en:frame/ready": "ready en"}
    recorded = Sound("frame/ready", tmp_path / "ready.wav", 2.5)
    prompts = to_hear(questionnaire, texts, {("en", "frame/ready"): recorded})
    (english,) = prompts.resolve(["frame/ready"], "en")
    (japanese,) = prompts.resolve(["frame/ready"], "ja")
    assert (texts[english.prompt], english.path, english.seconds) == ("ready en", recorded.path, 2.5)
    assert (texts[japanese.prompt], japanese.path.name) == ("ready ja", "")
    assert prompts.resolve(["daily/opening", "value/temperature_365"], "ja")
