"""Reads the conversations of tests/cases and leads them through the engine alone, as a driver would."""

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter

from ivr.digits import EndedBy
from ivr.document import parse_document
from ivr.questionnaire.model import (
    Answer,
    FollowUpReason,
    Input,
    PersonFacts,
    Pressed,
    Questionnaire,
    Recorded,
    Session,
    Silence,
    Turn,
)
from ivr.questionnaire.parse import parse
from ivr.questionnaire.turns import reopen, resume, start
from ivr.storage.sessions import session_from_json, session_to_json
from ivr.terminal import HANG_UP, SILENCE, SPEECH, gather

ROOT = Path(__file__).parent.parent
#: The command, as it is installed beside this Python.
PROGRAM = str(Path(sys.executable).with_name("kenko-call"))
CASES = ROOT / "tests" / "cases"
NOBODY = PersonFacts()


#: In place of the id of a recording, which is another one each time.
SPOKEN = "spoken"


@dataclass(frozen=True)
class Conversation:
    """One conversation of conversations.yaml: what is pressed, and what must come of it."""

    name: str
    calls: tuple[str, ...]  #: words, one for each ask; see the file
    answers: dict[str, str]
    status: str
    follow_ups: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    says: tuple[str, ...] = ()  #: prompt ids of each turn, one blank between; empty: not compared
    person: PersonFacts = NOBODY  #: what is known when the first call begins
    questionnaire: str = "short"
    language: str = "ja"
    messages: int = 0  #: recordings that are kept


@dataclass(frozen=True)
class Told:
    """What came of a conversation."""

    session: Session
    says: list[str] = field(default_factory=list)
    answered: list[Answer] = field(default_factory=list)
    follow_ups: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)


def conversations() -> list[Conversation]:
    """All of them, in the order of the file."""
    return read_conversations((CASES / "conversations.yaml").read_text(encoding="utf-8"))


def read_conversations(source: str) -> list[Conversation]:
    """Those of a YAML text."""
    return TypeAdapter(list[Conversation]).validate_python(parse_document(source, "conversations.yaml").data)


def asked(name: str) -> Questionnaire:
    """A questionnaire that conversations go through."""
    return parse((CASES / f"{name}.yaml").read_bytes(), f"tests/cases/{name}.yaml")


def short() -> Questionnaire:
    """The questionnaire that most conversations go through."""
    return asked("short")


def daily() -> Questionnaire:
    """The worked example that comes with the project."""
    return parse((ROOT / "questionnaires" / "daily.yaml").read_bytes(), "questionnaires/daily.yaml")


def through_json(session: Session) -> Session:
    """The session as it comes back from the store: a field that the store forgets would be lost here."""
    return session_from_json(session_to_json(session))


def as_input(word: str, turn: Turn) -> Input:
    """What a driver hands the engine when `word` is pressed after `turn`."""
    assert turn.rules is not None
    if turn.record and word.startswith(SPEECH):
        return Recorded(SPOKEN, float(word.removeprefix(SPEECH)))
    entry = gather("" if word == SILENCE else word, turn.rules)
    return Silence() if entry.ended_by is EndedBy.SILENCE else Pressed(entry.keys, entry.ended_by)


def lead(questionnaire: Questionnaire, calls: tuple[str, ...], person: PersonFacts = NOBODY) -> Told:
    """Lead the calls one after another; the session goes through JSON before every step."""
    told: Told | None = None
    for words in calls:
        turn = reopen(questionnaire, through_json(told.session)) if told else start(questionnaire, person)
        told = _tell(told or Told(turn.session), turn)
        for word in words.split():
            if word == HANG_UP:
                break
            turn = resume(questionnaire, through_json(turn.session), as_input(word, turn))
            told = _tell(told, turn)
    assert told is not None
    return told


def _tell(told: Told, turn: Turn) -> Told:
    return replace(
        told,
        session=turn.session,
        says=[*told.says, " ".join(turn.say)],
        answered=[*told.answered, *turn.answered],
        follow_ups=[*told.follow_ups, *(FollowUpReason(each).value for each in turn.follow_ups)],
        alerts=[*told.alerts, *(rule.id for rule in turn.alerts)],
    )
