"""Which alert rules fire on the answers so far. Pure."""

from collections.abc import Iterable

from ivr.questionnaire.conditions import Known, meets
from ivr.questionnaire.model import AlertRule


def newly_fired(rules: Iterable[AlertRule], given: Known, already: Iterable[str]) -> tuple[AlertRule, ...]:
    """The rules that hold on what is known and whose ids are not in `already`, in the order of the questionnaire."""
    fired = frozenset(already)
    return tuple(rule for rule in rules if rule.id not in fired and fires(rule, given))


def fires(rule: AlertRule, given: Known) -> bool:
    """Whether the rule holds. One without conditions never does."""
    return bool(rule.when.any_of or rule.when.all_of) and meets(rule.when, given)
