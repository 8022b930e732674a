"""What is wrong with the conditions of questions, statements and alerts. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from ivr.questionnaire.complaints import Complaint, nearest, unknown_question, unknown_value
from ivr.questionnaire.model import Condition, Kind, NumberRule, Question, Questionnaire, When
from ivr.questionnaire.possible import impossible
from ivr.questionnaire.reach import Reach
from ivr.questionnaire.said import Place
from ivr.questionnaire.values import as_number, canonical


@dataclass(frozen=True)
class Stand:
    """Where conditions stand."""

    place: Place  #: under it are `any` and `all`
    position: int | None  #: of the question or statement; None: an alert, which looks after every answer


def check_conditions(questionnaire: Questionnaire, reach: Reach) -> Iterator[Complaint]:
    """The complaints about all conditions."""
    for index, question in enumerate(questionnaire.questions):
        name = "say_if" if question.kind is Kind.SAY else "ask_if"
        yield from _when(questionnaire, reach, question.when, Stand(("questions", index, name), index))
    for index, rule in enumerate(questionnaire.alerts):
        if not rule.when.any_of and not rule.when.all_of:
            yield "questionnaire.alert_without_condition", ("alerts", index), {"id": rule.id}
        yield from _when(questionnaire, reach, rule.when, Stand(("alerts", index), None))


def _when(questionnaire: Questionnaire, reach: Reach, when: When, stand: Stand) -> Iterator[Complaint]:
    found: list[Complaint] = []
    for part, conditions in (("any", when.any_of), ("all", when.all_of)):
        for index, condition in enumerate(conditions):
            found += _condition(questionnaire, reach, stand, (*stand.place, part, index), condition)
    if when.how_many > max(1, len(when.any_of)):
        named: dict[str, object] = {"given": when.how_many, "count": len(when.any_of)}
        found.append(("questionnaire.how_many", (*stand.place, "how_many"), named))
    yield from found
    if not found:
        for place in impossible(questionnaire, reach, when, stand.position):
            yield "questionnaire.never_holds", (*stand.place, *place), {}


def _condition(
    questionnaire: Questionnaire, reach: Reach, stand: Stand, place: Place, condition: Condition
) -> Iterator[Complaint]:
    if bool(condition.question) == bool(condition.fact):
        yield "questionnaire.condition_subject", place, {}
        return
    if condition.fact:
        yield from _fact(questionnaire, place, condition)
        return
    asked = {each.id: each for each in questionnaire.questions if each.kind is not Kind.SAY}
    question = asked.get(condition.question)
    if question is None:
        yield unknown_question((*place, "question"), condition.question, asked)
        return
    yield from _before(questionnaire, reach, stand, place, question)
    if not _has_form(condition):
        yield "questionnaire.condition_form", place, {}
        return
    if condition.answered is False and stand.position is None:
        yield "questionnaire.unanswered_alert", (*place, "answered"), {}
    yield from _values(place, question, condition)
    if question.number is None:
        if _bounds(condition):
            yield "questionnaire.bound_without_number", place, {"question": question.id}
    else:
        yield from _condition_bounds(place, question.number, condition)


def _before(
    questionnaire: Questionnaire, reach: Reach, stand: Stand, place: Place, question: Question
) -> Iterator[Complaint]:
    """The question must come before what depends on it; one that never comes has its complaint already."""
    if stand.position is None:
        return
    position = questionnaire.questions.index(question)
    if {position, stand.position} <= reach.come_to and not reach.precedes(position, stand.position):
        yield "questionnaire.asked_later", (*place, "question"), {"question": question.id}


def _bounds(condition: Condition) -> list[str]:
    named = ("below", "at_least", "falls_by", "rises_by")
    return [name for name in named if getattr(condition, name) is not None]


def _has_form(condition: Condition) -> bool:
    """One way of comparing: values, or bounds and trends, or whether it was answered."""
    return [bool(condition.values), bool(_bounds(condition)), condition.answered is not None].count(True) == 1


def _fact(questionnaire: Questionnaire, place: Place, condition: Condition) -> Iterator[Complaint]:
    values = questionnaire.facts.get(condition.fact)
    if values is None:
        named = {"fact": condition.fact, **nearest(condition.fact, list(questionnaire.facts))}
        yield "questionnaire.unknown_fact", (*place, "fact"), named
    elif not condition.values or _bounds(condition) or condition.answered is not None:
        yield "questionnaire.fact_form", place, {}
    else:
        for position, value in enumerate(condition.values):
            if value not in values:
                named = {"value": value, "fact": condition.fact, **nearest(value, list(values))}
                yield "questionnaire.unknown_fact_value", (*place, "is", position), named


def _values(place: Place, question: Question, condition: Condition) -> Iterator[Complaint]:
    if question.kind is Kind.VOICE_MESSAGE and condition.values:
        yield "questionnaire.voice_compared", place, {"question": question.id}
        return
    known = list(question.options.values())
    if question.number is not None:
        low, high = (canonical(question.number, each) for each in (question.number.low, question.number.high))
        known.append(f"{low}～{high}")
    for position, value in enumerate(condition.values):
        if value not in question.options.values() and not _can_be_typed(question, value):
            yield unknown_value((*place, "is", position), value, question.id, known)


def _condition_bounds(place: Place, number: NumberRule, condition: Condition) -> Iterator[Complaint]:
    """A bound that every number passes, or none, is a slip of the pen; so is a change that is wider than the range."""
    values: dict[str, object] = {"low": number.low, "high": number.high}
    if condition.below is not None and not number.low < condition.below <= number.high:
        yield "questionnaire.bound_outside", (*place, "below"), {"bound": condition.below, **values}
    if condition.at_least is not None and not number.low <= condition.at_least <= number.high:
        yield "questionnaire.bound_outside", (*place, "at_least"), {"bound": condition.at_least, **values}
    if condition.below is not None and condition.at_least is not None and condition.below <= condition.at_least:
        yield "questionnaire.bounds_cross", place, {"below": condition.below, "at_least": condition.at_least}
    for name, change in (("falls_by", condition.falls_by), ("rises_by", condition.rises_by)):
        if change is not None and change > number.high - number.low:
            yield "questionnaire.change_too_wide", (*place, name), {"change": change, **values}


def _can_be_typed(question: Question, value: str) -> bool:
    number = as_number(value)
    rule = question.number
    if number is None or rule is None:
        return False
    return rule.low <= number <= rule.high and canonical(rule, number) == value
