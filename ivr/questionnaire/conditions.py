"""Whether a condition holds on what was answered and what is known of the person. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from ivr.questionnaire.model import Answer, Condition, PersonFacts, Questionnaire, When
from ivr.questionnaire.values import as_number, values_in


@dataclass(frozen=True)
class Known:
    """What conditions look at."""

    values: Mapping[str, str]  #: question -> its answer, of this session
    facts: Mapping[str, str] = field(default_factory=dict)  #: fact of the person -> value
    last_report: Mapping[str, str] = field(default_factory=dict)  #: question -> its answer, of the report before


def conditions_of(questionnaire: Questionnaire) -> Iterator[Condition]:
    """Every condition of questions, statements and alerts."""
    for when in (*(each.when for each in questionnaire.questions), *(each.when for each in questionnaire.alerts)):
        yield from (*when.any_of, *when.all_of)


def known(answers: Iterable[Answer], person: PersonFacts) -> Known:
    """What is known at one point of a session."""
    return Known({each.question: each.value for each in answers}, person.facts, person.last_report)


def meets(when: When, given: Known) -> bool:
    """Whether `when` holds; one without conditions always does."""
    if not all(holds(each, given) for each in when.all_of):
        return False
    return not when.any_of or sum(holds(each, given) for each in when.any_of) >= when.how_many


def holds(condition: Condition, given: Known) -> bool:
    """Whether one comparison holds. Answers such as `no_thermometer` match no bound and no trend."""
    value = given.facts.get(condition.fact) if condition.fact else given.values.get(condition.question)
    if condition.answered is False:
        return value is None
    if value is None:
        return False
    if condition.values and not set(values_in(value)) & set(condition.values):
        return False
    if not _has_bounds(condition):
        return bool(condition.values) or condition.answered is not None
    number = as_number(value)
    return number is not None and _within(condition, number, given.last_report.get(condition.question))


def _has_bounds(condition: Condition) -> bool:
    return any(
        each is not None for each in (condition.below, condition.at_least, condition.falls_by, condition.rises_by)
    )


def _within(condition: Condition, number: Decimal, last_value: str | None) -> bool:
    if condition.below is not None and number >= condition.below:
        return False
    if condition.at_least is not None and number < condition.at_least:
        return False
    if condition.falls_by is None and condition.rises_by is None:
        return True
    last = as_number(last_value) if last_value else None
    if last is None:
        return False
    fell = condition.falls_by is None or last - number >= condition.falls_by
    return fell and (condition.rises_by is None or number - last >= condition.rises_by)
