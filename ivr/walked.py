"""A walk through a questionnaire without a telephone: what can be heard on it, and how it reads as a test case."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ivr.errors import BadInput, Problem, problem
from ivr.prompt_texts import load_texts
from ivr.prompts import Prompts, Sound
from ivr.questionnaire.model import Kind, NextCall, PersonFacts, Questionnaire, Session, Turn
from ivr.questionnaire.said import prompt_ids
from ivr.terminal import unrecorded

#: What YAML takes as text without quotes, whatever it looks like to a number or a truth value.
_PLAIN = re.compile(r"[a-z][a-z0-9_]*")
_NOT_TEXT = ("true", "false", "null")


def read_texts(questionnaire: Questionnaire, folder: Path) -> Mapping[str, str]:
    """Prompt id -> text, of all languages of the questionnaire; ids of others than its first are `en:frame/ready`.

    Raises BadInput for a language whose texts are missing or wrong.
    """
    texts: dict[str, str] = {}
    for language in questionnaire.languages:
        for prompt, said in load_texts(folder / f"{language}.yaml").items():
            texts[_named(questionnaire, language, prompt)] = said
    return texts


def person_of(
    questionnaire: Questionnaire,
    facts: Iterable[str],
    last_report: Iterable[str],
    language: str | None,
    next_call: NextCall | None,
) -> PersonFacts:
    """Whoever is to be tried: `oximeter=no` for a fact, `oxygen=98` for an answer of the last report.

    Raises BadInput for what the questionnaire does not know.
    """
    problems: list[Problem] = []
    asked = {each.id: () for each in questionnaire.questions}
    given = PersonFacts(
        _pairs(facts, questionnaire.facts, problems), language or "", _pairs(last_report, asked, problems), next_call
    )
    if language and language not in questionnaire.languages:
        allowed = ", ".join(questionnaire.languages)
        problems.append(problem("questionnaire.language_not_listed", language=language, allowed=allowed))
    if problems:
        raise BadInput(*problems)
    return given


def _pairs(given: Iterable[str], known: Mapping[str, Sequence[str]], problems: list[Problem]) -> dict[str, str]:
    """`name=value`, of the names known and, where there are any, the values known."""
    found: dict[str, str] = {}
    for pair in given:
        name, _, value = pair.partition("=")
        allowed = [f"{each}={one}" for each, values in known.items() for one in values or ("…",)]
        if name not in known or not value or (known[name] and value not in known[name]):
            problems.append(problem("questionnaire.bad_pair", given=pair, allowed=", ".join(allowed) or "–"))
        found[name] = value
    return found


def to_hear(
    questionnaire: Questionnaire,
    texts: Mapping[str, str],
    recordings: Mapping[tuple[str, str], Sound],
    next_call: NextCall | None = None,
) -> Prompts:
    """A sound for everything that a walk can say: the recording, or a silent one."""
    said = prompt_ids(questionnaire, [next_call.time] if next_call else [])
    plain = {each.rpartition(":")[2] for each in (*said, *texts)}
    sounds: dict[tuple[str, str], Sound] = {}
    for language in questionnaire.languages:
        sounds |= unrecorded(plain, language).sounds
    sounds |= recordings
    return Prompts(Path(), {key: replace(each, prompt=_named(questionnaire, *key)) for key, each in sounds.items()})


def _named(questionnaire: Questionnaire, language: str, prompt: str) -> str:
    return prompt if language == questionnaire.language else f"{language}:{prompt}"


def as_case(questionnaire: Questionnaire, script: str, turns: Sequence[Turn]) -> str:
    """The walk in the form of tests/cases/conversations.yaml: what was pressed, and what came of it. `turns` has all
    its turns, the first among them.
    """
    session = turns[-1].session
    spoken = [each.id for each in questionnaire.questions if each.kind is Kind.VOICE_MESSAGE]
    # Each that was spoken is kept, also one that was spoken again.
    messages = sum(each.question in spoken for turn in turns for each in turn.answered)
    answers = _mapping({each.question: each.value for each in session.answers})
    lines = [
        f"- name: {_text(questionnaire.id)}",
        f"  questionnaire: {_text(Path(questionnaire.file).stem)}",
        *_person(questionnaire, turns[0].session),
        f'  calls: ["{script}"]',
        f"  answers: {answers}",
        f"  status: {session.status}",
        *([f"  language: {session.language}"] if session.language != questionnaire.language else []),
        *([f"  messages: {messages}"] if messages else []),
        *_list("follow_ups", [each for turn in turns for each in turn.follow_ups]),
        *_list("alerts", [rule.id for turn in turns for rule in turn.alerts]),
        "  says:",
        *(f"    - {_text(' '.join(turn.say))}" for turn in turns),
    ]
    return "\n".join(lines) + "\n"


def _person(questionnaire: Questionnaire, session: Session) -> Iterator[str]:
    """What was known of the person and is needed to come to the same."""
    person, call = session.person, session.person.next_call
    language = session.language if session.language != questionnaire.language else ""
    known = {
        "facts": _mapping(person.facts) if person.facts else "",
        "language": language,
        "last_report": _mapping(person.last_report) if person.last_report else "",
        "next_call": _mapping({"day": call.day, "time": call.time}) if call else "",
    }
    if any(known.values()):
        yield f"  person: {{{', '.join(f'{key}: {value}' for key, value in known.items() if value)}}}"


def _mapping(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {_text(value)}" for key, value in values.items()) + "}"


def _list(key: str, values: Sequence[str]) -> Iterator[str]:
    if values:
        yield f"  {key}: [{', '.join(map(_text, values))}]"


def _text(value: str) -> str:
    """Text that no reader of YAML takes for something else."""
    plain = all(_PLAIN.fullmatch(each) for each in re.split("[/ ]", value)) and value not in _NOT_TEXT
    return value if plain else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
