"""Which alert rules fire on the answers so far. Pure."""

import re
from collections.abc import Iterable
from decimal import Decimal

from ivr.questionnaire.model import AlertRule, Answer, Condition

#: Only what the engine itself writes counts as a number: `Decimal` would also take `nan`, `1e3` or full-width digits.
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def newly_fired(rules: Iterable[AlertRule], answers: Iterable[Answer], already: Iterable[str]) -> tuple[AlertRule, ...]:
    """The rules that hold on `answers` and whose ids are not in `already`, in the order of the questionnaire."""
    values = {answer.question: answer.value for answer in answers}
    fired = frozenset(already)
    return tuple(rule for rule in rules if rule.id not in fired and fires(rule, values))


def fires(rule: AlertRule, values: dict[str, str]) -> bool:
    """Whether the rule holds on `values` (question id -> value). A question not yet answered matches nothing."""
    if not rule.any_of and not rule.all_of:
        return False
    some = not rule.any_of or any(holds(each, values) for each in rule.any_of)
    return some and all(holds(each, values) for each in rule.all_of)


def holds(condition: Condition, values: dict[str, str]) -> bool:
    """Whether one comparison holds. Answers such as `no_thermometer` match no bound."""
    value = values.get(condition.question)
    if value is None:
        return False
    if condition.values and value not in condition.values:
        return False
    if condition.below is None and condition.at_least is None:
        return bool(condition.values)
    number = as_number(value)
    if number is None:
        return False
    if condition.below is not None and number >= condition.below:
        return False
    return condition.at_least is None or number >= condition.at_least


def as_number(value: str) -> Decimal | None:
    """The number that an answer is, or None if it stands for something else."""
    return Decimal(value) if _NUMBER.fullmatch(value) else None
