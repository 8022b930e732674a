"""What is wrong with a questionnaire that reads well: everything at once, each problem at its line. Pure."""

from collections.abc import Iterable, Iterator

from ivr.errors import Problem, problem
from ivr.prompts import Prompts, spoken_as
from ivr.questionnaire.comparisons import check_conditions
from ivr.questionnaire.complaints import Complaint, unknown_question
from ivr.questionnaire.entries import check_entry
from ivr.questionnaire.model import Kind, Question, Questionnaire
from ivr.questionnaire.reach import Reach, check_paths, reach_of
from ivr.questionnaire.said import MOST_SPOKEN_VALUES, Place, can_be_spoken, said
from ivr.questionnaire.values import blanks_of
from ivr.questionnaire.words import unknown_words, unreal_examples

#: So many missing prompts are named at one place; the others are counted.
_NAMED = 5


def check(questionnaire: Questionnaire, prompts: Prompts | None, next_times: Iterable[str] = ()) -> list[Problem]:
    """All problems, in the order of the file. Without `prompts`, audio is not looked for.

    `next_times`: the times of day at which the next call may come (`0900`); their audio is looked for if it is said.
    """
    reach = reach_of(questionnaire)
    found = [
        *_asks_something(questionnaire),
        *_ids_twice(questionnaire),
        *(
            each
            for at, question in enumerate(questionnaire.questions)
            for each in check_entry(questionnaire, at, question)
        ),
        *check_paths(questionnaire, reach),
        *check_conditions(questionnaire, reach),
        *_blanks(questionnaire, reach),
        *_languages(questionnaire),
        *_next_call(questionnaire),
        *unknown_words(questionnaire),
        *unreal_examples(questionnaire),
        *(_missing_prompts(questionnaire, prompts, tuple(next_times)) if prompts else ()),
    ]
    problems = [
        problem(message, questionnaire.file or None, _line(questionnaire, place), **values)
        for message, place, values in found
    ]
    return sorted(problems, key=lambda each: each.line or 0)


def _line(questionnaire: Questionnaire, place: Place) -> int | None:
    """The line of the place, or of the nearest place around it; None if the questionnaire came from no file."""
    while place and place not in questionnaire.lines:
        place = place[:-1]
    return questionnaire.lines.get(place)


def _asks_something(questionnaire: Questionnaire) -> Iterator[Complaint]:
    if all(question.kind is Kind.SAY for question in questionnaire.questions):
        yield "questionnaire.asks_nothing", ("questions",), {}


def _ids_twice(questionnaire: Questionnaire) -> Iterator[Complaint]:
    for part, ids in (
        ("questions", [each.id for each in questionnaire.questions]),
        ("alerts", [each.id for each in questionnaire.alerts]),
    ):
        for index, each in enumerate(ids):
            if each in ids[:index]:
                yield "questionnaire.id_twice", (part, index, "id"), {"id": each}


def _blanks(questionnaire: Questionnaire, reach: Reach) -> Iterator[Complaint]:
    """Answers that statements say."""
    asked = {each.id: each for each in questionnaire.questions if each.kind is not Kind.SAY}
    for index, statement in enumerate(questionnaire.questions):
        for at, prompt in enumerate(statement.ask if statement.kind is Kind.SAY else ()):
            for name in blanks_of(prompt):
                place: Place = ("questions", index, "say", at)
                if name in asked:
                    yield from _blank(questionnaire, reach, index, place, asked[name])
                else:
                    yield unknown_question(place, name, asked)


def _blank(
    questionnaire: Questionnaire, reach: Reach, index: int, place: Place, question: Question
) -> Iterator[Complaint]:
    position = questionnaire.questions.index(question)
    if {position, index} <= reach.come_to and not reach.precedes(position, index):
        yield "questionnaire.asked_later", place, {"question": question.id}
    if question.kind is Kind.VOICE_MESSAGE:
        yield "questionnaire.voice_compared", place, {"question": question.id}
    elif not can_be_spoken(question):
        yield "questionnaire.too_many_to_say", place, {"question": question.id, "most": MOST_SPOKEN_VALUES}


def _languages(questionnaire: Questionnaire) -> Iterator[Complaint]:
    known = questionnaire.languages
    named = {"allowed": ", ".join(known)}
    if questionnaire.language not in known:
        yield "questionnaire.language_not_listed", ("language",), {"language": questionnaire.language, **named}
    for index, question in enumerate(questionnaire.questions):
        for key, value in question.options.items() if question.kind is Kind.LANGUAGE else ():
            if value not in known:
                place: Place = ("questions", index, "keys", key)
                yield "questionnaire.language_not_listed", place, {"language": value, **named}
    for place, prompt in said(questionnaire):
        language, _ = spoken_as(prompt, known[0])
        if language not in known:
            yield "questionnaire.language_not_listed", place, {"language": language, **named}


def _next_call(questionnaire: Questionnaire) -> Iterator[Complaint]:
    if questionnaire.next_call and not any("{" in each for each in questionnaire.next_call):
        yield "questionnaire.next_call_without_value", ("next_call",), {}
    if questionnaire.next_call_unknown and not questionnaire.next_call:
        yield "questionnaire.next_call_unknown_alone", ("next_call_unknown",), {}


def _missing_prompts(
    questionnaire: Questionnaire, prompts: Prompts, next_times: tuple[str, ...]
) -> Iterator[Complaint]:
    # By line, so that a question written on one line is one problem.
    at: dict[tuple[int | None, str], tuple[Place, list[str]]] = {}
    for place, written in said(questionnaire, next_times):
        for spoken in questionnaire.languages:
            language, prompt = spoken_as(written, spoken)
            at.setdefault((_line(questionnaire, place), language), (place, []))[1].append(prompt)
    for (_, language), (place, ids) in at.items():
        missing = prompts.missing(ids, language)
        if missing:
            values: dict[str, object] = {
                "prompts": ", ".join(missing[:_NAMED]) + (", …" if len(missing) > _NAMED else ""),
                "count": len(missing),
                "folder": f"{prompts.folder}/{language}",
            }
            yield "questionnaire.prompts_missing", place, values
