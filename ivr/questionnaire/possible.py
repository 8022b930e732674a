"""Whether conditions can hold together at all, on any answers that can be given. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from ivr.questionnaire.conditions import Known, holds
from ivr.questionnaire.model import Condition, Kind, NumberRule, Question, Questionnaire, When
from ivr.questionnaire.reach import Reach
from ivr.questionnaire.said import MOST_SPOKEN_VALUES, Place
from ivr.questionnaire.values import canonical, typed_bounds


@dataclass(frozen=True)
class _Subject:
    """What some conditions compare, and everything that it can be."""

    name: str
    is_fact: bool
    situations: tuple[Known, ...]

    def __contains__(self, condition: Condition) -> bool:
        return (condition.fact if self.is_fact else condition.question) == self.name


def impossible(questionnaire: Questionnaire, reach: Reach, when: When, position: int | None) -> Iterator[Place]:
    """Places under `when` of conditions that can never hold, alone or together with the others.

    `position`: of the question that they stand at; None for an alert.
    """
    most = 0
    for subject in _subjects(questionnaire, reach, when, position):
        all_of = [(at, each) for at, each in enumerate(when.all_of) if each in subject]
        left = [given for given in subject.situations if all(holds(each, given) for _, each in all_of)]
        if not left:
            yield ("all", all_of[-1][0]) if all_of else ("any",)
            return
        any_of = [(at, each) for at, each in enumerate(when.any_of) if each in subject]
        for at, each in any_of:
            if not any(holds(each, given) for given in left):
                yield "any", at
        most += max(sum(holds(each, given) for _, each in any_of) for given in left)
    if when.any_of and most < when.how_many and when.how_many > 1:
        yield ("how_many",)


def _subjects(questionnaire: Questionnaire, reach: Reach, when: When, position: int | None) -> Iterator[_Subject]:
    conditions = (*when.any_of, *when.all_of)
    for fact in dict.fromkeys(each.fact for each in conditions if each.fact):
        yield _Subject(fact, True, tuple(Known({}, {fact: value}) for value in questionnaire.facts[fact]))
    for at, question in enumerate(questionnaire.questions):
        compared = [each for each in conditions if each.question and each.question == question.id]
        if compared:
            values = [each for each in _answers(question, compared) if _comes(reach, question, at, position, each)]
            lasts = _lasts(question, compared)
            situations = [Known({question.id: value}, {}, last) for value in values for last in lasts]
            yield _Subject(question.id, False, (Known({}), *situations))


def _comes(reach: Reach, question: Question, at: int, position: int | None, value: str) -> bool:
    """Whether the walk can come from this answer to the place where it is looked at."""
    if position is None or question.kind is Kind.MULTI or position not in reach.come_to:
        return True
    return reach.precedes(at, position, value)


def _answers(question: Question, compared: list[Condition]) -> list[str]:
    """Answers enough to tell whether conditions can hold: all, or of a wide range those around the bounds."""
    options = list(dict.fromkeys(question.options.values()))
    if question.kind is Kind.MULTI:
        together = [each for each in options if each not in question.alone]
        return [",".join(together), *options] if together else options
    if question.kind is Kind.VOICE_MESSAGE:
        return ["a recording"]
    return options + (_numbers(question.number, compared) if question.number else [])


def _numbers(number: NumberRule, compared: list[Condition]) -> list[str]:
    typed = typed_bounds(number)
    if typed.stop - typed.start <= MOST_SPOKEN_VALUES:
        return [canonical(number, Decimal(each).scaleb(-number.decimals)) for each in typed]
    step = Decimal(1).scaleb(-number.decimals)
    named = [bound for each in compared for bound in (each.below, each.at_least) if bound is not None]
    near = [number.low, number.high, *(bound + each for bound in named for each in (-step, 0, step))]
    listed = [value for each in compared for value in each.values]
    return [canonical(number, each) for each in near if number.low <= each <= number.high] + listed


def _lasts(question: Question, compared: list[Condition]) -> list[Mapping[str, str]]:
    """Last reports that make a change as wide as it can be."""
    if question.number is None or not any(each.falls_by or each.rises_by for each in compared):
        return [{}]
    return [{question.id: str(bound)} for bound in (question.number.low, question.number.high)]
