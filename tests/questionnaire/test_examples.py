"""The questionnaires that come with the project: in order, said in full, and walked through."""

from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from ivr.document import parse_document
from ivr.prompt_texts import load_texts
from ivr.prompts import spoken_as
from ivr.questionnaire.checks import check
from ivr.questionnaire.model import Input, Kind, PersonFacts, Questionnaire, Recorded, SessionStatus, Turn
from ivr.questionnaire.parse import parse
from ivr.questionnaire.said import prompt_ids
from ivr.questionnaire.turns import reopen, resume, start
from ivr.sounds import load_prompts
from tests.cases_runner import CASES, ROOT, as_input, through_json

#: Services that are or were in use.
SERVICES = ("daily", *(f"examples/{name}" for name in ("sara_alert", "mimamori", "anshin", "zaitaku", "returnee")))
PROMPTS = load_prompts(ROOT / "prompts")
#: When the slots of config.example.yaml begin, and an odd one.
TIMES = ("0900", "1400", "1635")
FILES = sorted((ROOT / "questionnaires").rglob("*.yaml"))


@dataclass(frozen=True)
class Walk:
    """One walk of examples.yaml."""

    name: str
    questionnaire: str
    presses: str
    answers: dict[str, str]
    person: PersonFacts = field(default_factory=PersonFacts)
    status: str = "completed"
    alerts: list[str] = field(default_factory=list)
    follow_ups: list[str] = field(default_factory=list)
    language: str = "ja"
    says: list[str] = field(default_factory=list)


def read(path: Path) -> Questionnaire:
    return parse(path.read_bytes(), str(path.relative_to(ROOT)))


def walks() -> list[Walk]:
    document = parse_document((CASES / "examples.yaml").read_text(encoding="utf-8"), "examples.yaml")
    return TypeAdapter(list[Walk]).validate_python(document.data)


def turns_of(case: Walk, *, reopened: bool = False) -> list[Turn]:
    """All turns; `reopened`: somebody hangs up and is called again before every input."""
    questionnaire = read(ROOT / "questionnaires" / f"{case.questionnaire}.yaml")
    turns = [start(questionnaire, case.person)]
    recordings = count(1)
    for word in case.presses.split():
        before = through_json(turns[-1].session)
        if reopened and not before.pending:
            before = reopen(questionnaire, before).session
        turns.append(resume(questionnaire, before, given(word, turns[-1], recordings)))
        if turns[-1].rules is None:
            break
    return turns


def given(word: str, turn: Turn, recordings: "count[int]") -> Input:
    kind, _, seconds = word.partition(":")
    return Recorded(f"rec-{next(recordings)}", float(seconds)) if kind == "rec" else as_input(word, turn)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_in_order_and_recorded(path: Path) -> None:
    found = read(path)
    assert check(found, PROMPTS, TIMES) == []
    texts = {each: load_texts(ROOT / "prompts" / f"{each}.yaml") for each in found.languages}
    said = prompt_ids(found, TIMES)
    spoken = {spoken_as(prompt, language) for prompt in said for language in found.languages}
    assert {(language, prompt) for language, prompt in spoken if prompt not in texts[language]} == set()


@pytest.mark.parametrize("case", walks(), ids=lambda case: case.name)
def test_walk(case: Walk) -> None:
    turns = turns_of(case)
    session = turns[-1].session
    assert {each.question: each.value for each in session.answers} == case.answers
    assert session.status == case.status
    assert [rule.id for turn in turns for rule in turn.alerts] == case.alerts
    told = [str(reason) for turn in turns for reason in turn.follow_ups]
    assert told == [*case.follow_ups, *(["could_not_enter"] if case.status == "gave_up" else [])]
    assert session.language == case.language
    if case.says:
        assert [" ".join(turn.say) for turn in turns] == case.says


@pytest.mark.parametrize(
    "case",
    [each for each in walks() if each.status == "completed" and not each.follow_ups],
    ids=lambda case: case.name,
)
def test_hanging_up_before_every_answer_changes_no_answer(case: Walk) -> None:
    session = turns_of(case, reopened=True)[-1].session
    assert {each.question: each.value for each in session.answers} == case.answers
    assert set(session.alerts) == set(case.alerts)


def test_every_example_is_walked_through_and_every_kind_is_there() -> None:
    names = {path.relative_to(ROOT / "questionnaires").with_suffix("").as_posix() for path in FILES}
    assert {case.questionnaire for case in walks()} == names
    assert {question.kind for path in FILES for question in read(path).questions} == set(Kind)
    assert len({case.name for case in walks()}) == len(walks())


def test_only_a_voice_message_records_and_only_while_it_is_asked() -> None:
    case = next(each for each in walks() if each.name == "a message, spoken again")
    turns = turns_of(case)
    assert [turn.record is not None for turn in turns] == [False, True, False, True, False, False]
    assert turns[1].record == read(ROOT / "questionnaires/examples/voice_message.yaml").questions[1].record
    assert turns[1].rules is not None  # keys stop it
    assert turns[-1].session.status is SessionStatus.COMPLETED


def test_who_hangs_up_after_a_message_is_not_asked_for_it_again() -> None:
    questionnaire = read(ROOT / "questionnaires" / "examples" / "voice_message.yaml")
    case = next(each for each in walks() if each.name == "a message counts for who hangs up after it")
    for words in ("", " *", " 0"):
        last = turns_of(replace(case, presses=case.presses + words))[-1]
        turn = reopen(questionnaire, through_json(last.session))
        assert turn.say == ("frame/resume", "frame/thanks")
        assert turn.session.status is SessionStatus.COMPLETED
        assert (turn.answered, turn.session.answers) == ((), last.session.answers)
