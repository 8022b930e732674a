"""What is wrong with how one question is answered: its keys, its range, its read-back, where its answers lead. Pure."""

from collections.abc import Callable, Iterator

from ivr.document import did_you_mean
from ivr.questionnaire.complaints import Complaint, unknown_value
from ivr.questionnaire.model import END, OTHERWISE, Kind, NumberRule, Question, Questionnaire
from ivr.questionnaire.said import MOST_SPOKEN_VALUES, Place, too_many_values
from ivr.questionnaire.values import begins_a_number, typed_bounds


def check_entry(questionnaire: Questionnaire, index: int, question: Question) -> Iterator[Complaint]:
    """The complaints about one question or statement."""
    place: Place = ("questions", index)
    yield from _names(place, question)
    yield from _then(questionnaire, place, question)
    if question.number is not None:
        for look in _NUMBER_CHECKS:
            yield from look(place, question, question.number)
        return
    for key in question.options:
        if key not in "123456789" or len(key) != 1:
            yield "questionnaire.bad_choice_key", (*place, "keys", key), {"key": key}
    if question.kind is Kind.MULTI:
        yield from _multi(place, question)
    record = question.record
    if record and record.silence_seconds >= record.max_seconds:
        yield "questionnaire.silence_too_long", (*place, "silence_seconds"), {"most": f"{record.max_seconds:g}"}


def _names(place: Place, question: Question) -> Iterator[Complaint]:
    if question.id in (END, OTHERWISE):
        yield "questionnaire.reserved_name", (*place, "id"), {"name": question.id}
    for key, value in question.options.items():
        if value == OTHERWISE:
            yield "questionnaire.reserved_name", (*place, "keys", key), {"name": value}


def _then(questionnaire: Questionnaire, place: Place, question: Question) -> Iterator[Complaint]:
    known = [*question.options.values(), OTHERWISE]
    ids = [each.id for each in questionnaire.questions]
    for value, target in question.then.items():
        at = (*place, "then", value)
        if value not in known:
            yield unknown_value(at, value, question.id, known)
        if target != END and target not in ids:
            named: dict[str, object] = {"target": target, "nearest": did_you_mean(target, [*ids, END])}
            yield "questionnaire.unknown_target", at, named


def _multi(place: Place, question: Question) -> Iterator[Complaint]:
    known = list(question.options.values())
    for value in sorted(question.alone - set(known)):
        yield unknown_value((*place, "alone"), value, question.id, known)
    if not any("{value}" in each for each in question.read_back):
        yield "questionnaire.read_back_without_chosen", (*place, "read_back"), {}


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
            yield unknown_value(at, value, question.id, known)


_NUMBER_CHECKS: tuple[Callable[[Place, Question, NumberRule], Iterator[Complaint]], ...] = (
    _digits,
    _range,
    _special_keys,
    _read_back,
)
