"""What makes a questionnaire hard for old, slow or hard-of-hearing people, although it is no mistake. Pure."""

from collections.abc import Iterator

from ivr.errors import Problem, problem
from ivr.questionnaire.model import Kind, Question, Questionnaire
from ivr.questionnaire.said import Place

#: Seconds and tries below which people were lost when each was simulated alone: docs/questionnaires.md, chapter 3.
SHORTEST_FIRST_KEY, SHORTEST_INTER_KEY, FEWEST_TRIES = 15, 10, 3
SHORTEST_GUARD, SHORTEST_BOUNCE = 0.5, 0.2


def find_hints(questionnaire: Questionnaire) -> list[Problem]:
    """All of them, each once for the whole file or at its question, in the order of the file."""
    found = dict.fromkeys(
        each for at, question in enumerate(questionnaire.questions) for each in _of(questionnaire, at, question)
    )
    said = [
        problem(name, questionnaire.file or None, questionnaire.lines.get(place), given=given, least=least)
        for name, place, given, least in found
    ]
    return sorted([*said, *_never_reached(questionnaire)], key=lambda each: each.line or 0)


def _of(questionnaire: Questionnaire, at: int, question: Question) -> Iterator[tuple[str, Place, str, str]]:
    if question.kind is Kind.SAY:
        return
    times = question.times
    several = question.kind in (Kind.NUMBER, Kind.MULTI)
    for name, given, least in (
        ("hint.first_key", times.first_key, SHORTEST_FIRST_KEY),
        ("hint.inter_key", times.inter_key if several else SHORTEST_INTER_KEY, SHORTEST_INTER_KEY),
        ("hint.guard", times.guard, SHORTEST_GUARD),
        ("hint.bounce", times.bounce, SHORTEST_BOUNCE),
    ):
        if given < least:
            key = name.removeprefix("hint.")
            yield (
                name,
                _place(questionnaire, ("questions", at, "times", key), ("times", key)),
                f"{given:g}",
                f"{least:g}",
            )
    if question.tries < FEWEST_TRIES:
        place = _place(questionnaire, ("questions", at, "tries"), ("tries",))
        yield "hint.tries", place, str(question.tries), str(FEWEST_TRIES)


def _place(questionnaire: Questionnaire, own: Place, common: Place) -> Place:
    return own if own in questionnaire.lines else common


def _never_reached(questionnaire: Questionnaire) -> Iterator[Problem]:
    """A `total` that no entry lasts as long as."""
    place: Place = ("times", "total")
    if place not in questionnaire.lines:
        return
    asked = [each for each in questionnaire.questions if each.kind in (Kind.NUMBER, Kind.MULTI)]
    longest = max((_longest(each) for each in asked), default=0.0)
    total = next((each.times.total for each in asked), 0.0)
    if longest < total or not asked:
        yield problem("hint.total", questionnaire.file or None, questionnaire.lines[place], longest=f"{longest:g}")


def _longest(question: Question) -> float:
    keys = question.number.max_digits if question.number else 2 * len(question.options)
    return (keys - 1) * question.times.inter_key
