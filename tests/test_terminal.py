"""The telephone in the terminal, and the golden conversations over it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.conversation import Voice, converse
from ivr.digits import EndedBy, Entry, KeyRules
from ivr.errors import BadInput
from ivr.phone import HungUp, Phone, Recording
from ivr.prompt_texts import load_texts
from ivr.questionnaire.model import Input, RecordRules, Turn
from ivr.questionnaire.said import prompt_ids
from ivr.questionnaire.turns import reopen, start
from ivr.recordings import length_of
from ivr.terminal import TerminalPhone, gather, scripted, typed, unrecorded
from tests.cases_runner import ROOT, SPOKEN, Conversation, asked, conversations

TEXTS = {"a/b": "押してください。"}
NUMBER = KeyRules(length=3, ignored=frozenset("#"))
CHOICE = KeyRules(length=1, end=frozenset(), ignored=frozenset("#"))


def phone(keys: str, shown: list[str]) -> Phone:
    return TerminalPhone("call", TEXTS, scripted(keys, shown.append), shown.append)


async def test_it_shows_what_is_said_and_pressed() -> None:
    shown: list[str] = []
    line = phone("365 -", shown)
    sounds = unrecorded(["a/b", "a/c"], "ja").resolve(["a/b", "a/c"], "ja")
    await line.answer()
    await line.say(sounds[:1])
    assert await line.ask(sounds, NUMBER) == Entry("365", EndedBy.FULL)
    assert await line.ask((), CHOICE) == Entry("", EndedBy.SILENCE)
    assert shown == ["押してください。", "押してください。", "a/c", "> 365", "> -"]
    assert line.call_id == "call"


@pytest.mark.parametrize("keys", ["", "hangup", "hangup 1"])
async def test_the_end_of_the_script_is_a_hang_up(keys: str) -> None:
    line = phone(keys, [])
    for _ in range(2):
        with pytest.raises(HungUp):
            await line.ask((), CHOICE)
    with pytest.raises(HungUp):
        await line.say(())


RECORDED = RecordRules(20, 2)


async def test_what_is_said_is_silence_of_its_length(tmp_path: Path) -> None:
    line = phone("rec:4 rec:30 - # 5 rec:3", [])
    file = tmp_path / "said.wav"
    assert await line.record((), CHOICE, RECORDED, file) == Recording(4.0)
    assert length_of(file) == 4.0
    assert await line.record((), CHOICE, RECORDED, file) == Recording(20.0)
    file.unlink()
    assert await line.record((), CHOICE, RECORDED, file) == Recording(0.0)
    assert await line.record((), CHOICE, RECORDED, file) == Recording(0.0)
    assert await line.record((), CHOICE, RECORDED, file) == Entry("5", EndedBy.FULL)
    assert not file.exists()
    # Where keys are asked for, whoever speaks presses nothing.
    assert await line.ask((), CHOICE) == Entry("", EndedBy.SILENCE)
    with pytest.raises(HungUp):
        await line.record((), CHOICE, RECORDED, file)


async def test_after_our_own_hang_up_nothing_more_can_be_said() -> None:
    line = phone("1", [])
    await line.hang_up()
    await line.hang_up()
    with pytest.raises(HungUp):
        await line.answer()


@pytest.mark.parametrize(
    ("keys", "rules", "entry"),
    [
        ("1", CHOICE, Entry("1", EndedBy.FULL)),
        ("1#", CHOICE, Entry("1", EndedBy.FULL)),
        ("123", CHOICE, Entry("1", EndedBy.FULL)),
        ("#", CHOICE, Entry("", EndedBy.SILENCE)),
        ("", CHOICE, Entry("", EndedBy.SILENCE)),
        ("98#", NUMBER, Entry("98", EndedBy.END_KEY)),
        ("98", NUMBER, Entry("98", EndedBy.PAUSE)),
        ("988", NUMBER, Entry("988", EndedBy.FULL)),
        ("98*", NUMBER, Entry("*", EndedBy.FULL)),
        ("1", KeyRules(length=2, guard=5), Entry("1", EndedBy.PAUSE)),
    ],
)
def test_gather(keys: str, rules: KeyRules, entry: Entry) -> None:
    assert gather(keys, rules) == entry


def test_a_script_with_other_words_is_refused_at_once_and_whole() -> None:
    with pytest.raises(BadInput) as caught:
        scripted("1 x 36.5 hangup", print)
    assert [each.values["given"] for each in caught.value.problems] == ["x", "36.5"]


def test_typing() -> None:
    lines = iter(["365", "", "abc", " 1 ", "hangup"])

    def read(_: str) -> str:
        line = next(lines, None)
        if line is None:
            raise EOFError
        return line

    shown: list[str] = []
    answers: Iterator[str] = typed(shown.append, read)
    assert list(answers) == ["365", "-", "1", "hangup"]
    assert len(shown) == 1


def test_texts_of_prompts_and_of_values() -> None:
    texts = load_texts(ROOT / "prompts" / "ja.yaml")
    assert "36度、5分" in texts["value/temperature_365"]
    assert "98パーセント" in texts["value/oxygen_98"]
    assert texts["frame/ready"].endswith("押してください。")


@pytest.mark.parametrize("case", conversations(), ids=lambda case: case.name)
async def test_conversation(case: Conversation, tmp_path: Path) -> None:
    found = asked(case.questionnaire)
    voice = Voice(unrecorded(prompt_ids(found), "ja", "en"), found.language)
    turns: list[Turn] = []

    async def commit(turn: Turn, given: Input | None) -> None:
        turns.append(turn)

    for keys in case.calls:
        first = reopen(found, turns[-1].session) if turns else start(found)
        line = TerminalPhone("call", {}, scripted(keys, lambda _: None), lambda _: None)
        try:
            await converse(line, voice, found, first, commit, lambda: tmp_path / f"{SPOKEN}.wav")
        except HungUp:
            assert turns[-1].session.status == "waiting"
    session = turns[-1].session
    assert {answer.question: answer.value for answer in session.answers} == case.answers
    assert (session.status, session.alerts) == (case.status, case.alerts)
    assert [each for turn in turns for each in turn.follow_ups] == list(case.follow_ups)
