"""What is wrong with a questionnaire that reads well: everything at once, each problem at its line. Pure."""

from collections.abc import Callable, Iterable, Iterator

from ivr.document import did_you_mean
from ivr.errors import Problem, problem
from ivr.prompts import Prompts
from ivr.questionnaire.model import AlertRule, Condition, Kind, NumberRule, Question, Questionnaire
from ivr.questionnaire.said import MOST_SPOKEN_VALUES, Place, said, too_many_values
from ivr.questionnaire.values import as_number, begins_a_number, canonical, typed_bounds

#: A complaint about one place: message id, the place, and the values of the message.
Complaint = tuple[str, Place, dict[str, object]]

#: So many missing prompts are named at one place; the others are counted.
_NAMED = 5


def check(questionnaire: Questionnaire, prompts: Prompts | None, next_times: Iterable[str] = ()) -> list[Problem]:
    """All problems, in the order of the file. Without `prompts`, audio is not looked for.

    `next_times`: the times of day at which the next call may come (`0900`); their audio is looked for if it is said.
    """
    found = [
        *_asks_something(questionnaire),
        *_ids_twice(questionnaire),
        *(each for index, question in enumerate(questionnaire.questions) for each in _question(index, question)),
        *(each for index, rule in enumerate(questionnaire.alerts) for each in _alert(questionnaire, index, rule)),
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


def _question(index: int, question: Question) -> Iterator[Complaint]:
    place: Place = ("questions", index)
    if question.number is None:
        for key in question.options:
            if key not in "123456789" or len(key) != 1:
                yield "questionnaire.bad_choice_key", (*place, "keys", key), {"key": key}
        return
    for look in _NUMBER_CHECKS:
        yield from look(place, question, question.number)


def _digits(place: Place, question: Question, number: NumberRule) -> Iterator[Complaint]:
    if number.min_digits > number.max_digits:
        yield "questionnaire.digits_order", (*place, "digits"), {}
    elif number.min_digits == 1 and number.low <= 0 <= number.high:
        yield "questionnaire.zero_alone", (*place, "digits"), {}


def _range(place: Place, question: Question, number: NumberRule) -> Iterator[Complaint]:
    if number.low > number.high:
        yield "questionnaire.range_order", (*place, "range"), {}
        return
    for end, bound in enumerate((number.low, number.high)):
        typed = bound.scaleb(number.decimals)
        if typed < 0 or typed != typed.to_integral_value() or typed >= 10**number.max_digits:
            values = {"bound": bound, "digits": number.max_digits, "decimals": number.decimals}
            yield "questionnaire.range_not_typed", (*place, "range", end), values


def _special_keys(place: Place, question: Question, number: NumberRule) -> Iterator[Complaint]:
    for key, value in question.options.items():
        at = (*place, "keys", key)
        if not (key.isascii() and key.isdecimal()) or key == "0":
            yield "questionnaire.bad_number_key", at, {"key": key}
        elif len(key) > number.max_digits:
            yield "questionnaire.long_number_key", at, {"key": key, "digits": number.max_digits}
        elif begins_a_number(number, key):
            values = {"key": key, "value": value, "low": number.low, "high": number.high}
            yield "questionnaire.key_begins_number", at, values


def _read_back(place: Place, question: Question, number: NumberRule) -> Iterator[Complaint]:
    if question.read_back and not any("{keys}" in each for each in question.read_back):
        yield "questionnaire.read_back_without_value", (*place, "read_back"), {}
    if too_many_values(question):
        valid = typed_bounds(number)
        values: dict[str, object] = {"count": valid.stop - valid.start, "most": MOST_SPOKEN_VALUES}
        yield "questionnaire.too_many_values", (*place, "range"), values
    known = list(question.options.values())
    for value in question.read_back_options:
        if value not in known:
            at = (*place, "read_back_keys", value)
            yield "questionnaire.unknown_value", at, _unknown(value, question.id, known)


_NUMBER_CHECKS: tuple[Callable[[Place, Question, NumberRule], Iterator[Complaint]], ...] = (
    _digits,
    _range,
    _special_keys,
    _read_back,
)


def _alert(questionnaire: Questionnaire, index: int, rule: AlertRule) -> Iterator[Complaint]:
    place: Place = ("alerts", index)
    if not rule.when.any_of and not rule.when.all_of:
        yield "questionnaire.alert_without_condition", place, {"id": rule.id}
    for part, conditions in (("any", rule.when.any_of), ("all", rule.when.all_of)):
        for position, condition in enumerate(conditions):
            yield from _condition(questionnaire, (*place, part, position), condition)


def _condition(questionnaire: Questionnaire, place: Place, condition: Condition) -> Iterator[Complaint]:
    asked = {each.id: each for each in questionnaire.questions if each.kind is not Kind.SAY}
    question = asked.get(condition.question)
    bounds = [each for each in (condition.below, condition.at_least) if each is not None]
    if question is None:
        yield (
            "questionnaire.unknown_question",
            (*place, "question"),
            {"id": condition.question, "nearest": did_you_mean(condition.question, list(asked))},
        )
    elif bool(condition.values) == bool(bounds):
        yield "questionnaire.condition_form", place, {}
    elif question.number is None:
        if bounds:
            yield "questionnaire.bound_without_number", place, {"question": question.id}
        yield from _condition_values(place, question, condition)
    else:
        yield from _condition_bounds(place, question.number, condition)
        yield from _condition_values(place, question, condition)


def _condition_values(place: Place, question: Question, condition: Condition) -> Iterator[Complaint]:
    known = list(question.options.values())
    for position, value in enumerate(condition.values):
        if value not in known and not _can_be_typed(question, value):
            at = (*place, "is", position)
            yield "questionnaire.unknown_value", at, _unknown(value, question.id, known)


def _condition_bounds(place: Place, number: NumberRule, condition: Condition) -> Iterator[Complaint]:
    """A bound that every number passes, or none, is a slip of the pen."""
    values: dict[str, object] = {"low": number.low, "high": number.high}
    if condition.below is not None and not number.low < condition.below <= number.high:
        yield "questionnaire.bound_outside", (*place, "below"), {"bound": condition.below, **values}
    if condition.at_least is not None and not number.low <= condition.at_least <= number.high:
        yield "questionnaire.bound_outside", (*place, "at_least"), {"bound": condition.at_least, **values}
    if condition.below is not None and condition.at_least is not None and condition.below <= condition.at_least:
        yield "questionnaire.bounds_cross", place, {"below": condition.below, "at_least": condition.at_least}


def _can_be_typed(question: Question, value: str) -> bool:
    number = as_number(value)
    rule = question.number
    if number is None or rule is None:
        return False
    return rule.low <= number <= rule.high and canonical(rule, number) == value


def _unknown(value: str, question: str, known: list[str]) -> dict[str, object]:
    return {
        "value": value,
        "question": question,
        "nearest": did_you_mean(value, known),
        "allowed": ", ".join(dict.fromkeys(known)) or "–",
    }


def _missing_prompts(
    questionnaire: Questionnaire, prompts: Prompts, next_times: tuple[str, ...]
) -> Iterator[Complaint]:
    # By line, so that a question written on one line is one problem.
    at: dict[int | None, tuple[Place, list[str]]] = {}
    for place, prompt in said(questionnaire, next_times):
        at.setdefault(_line(questionnaire, place), (place, []))[1].append(prompt)
    for place, ids in at.values():
        for language in questionnaire.languages:
            missing = prompts.missing(ids, language)
            if missing:
                values: dict[str, object] = {
                    "prompts": ", ".join(missing[:_NAMED]) + (", …" if len(missing) > _NAMED else ""),
                    "count": len(missing),
                    "folder": f"{prompts.folder}/{language}",
                }
                yield "questionnaire.prompts_missing", place, values
