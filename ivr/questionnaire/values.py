"""Between keys and values: what an entry means, how a value is read back, what can be typed at all. Pure."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from ivr.questionnaire.model import NumberRule, Question


def value_of(question: Question, keys: str) -> str | None:
    """The canonical value that `keys` stand for (`36.5`, `98`, `yes`, `no_thermometer`), or None if they are wrong."""
    if keys in question.options:
        return question.options[keys]
    if question.number is None:
        return None
    return number_of(question.number, keys)


def number_of(rule: NumberRule, keys: str) -> str | None:
    """The number typed as `keys` (365 with one decimal: `36.5`; 098: `98`), or None if it is no such number."""
    if not (keys.isascii() and keys.isdecimal() and rule.min_digits <= len(keys) <= rule.max_digits):
        return None
    number = Decimal(int(keys)).scaleb(-rule.decimals)
    return canonical(rule, number) if rule.low <= number <= rule.high else None


def canonical(rule: NumberRule, number: Decimal) -> str:
    """The number with exactly the decimals of the rule."""
    return f"{number:.{rule.decimals}f}"


def read_back_of(question: Question, value: str) -> tuple[str, ...]:
    """Prompt ids that read `value` back; empty if it is taken without asking."""
    if value in question.options.values():
        return question.read_back_options.get(value, ())
    return tuple(each.replace("{keys}", keys_of(value)) for each in question.read_back)


def keys_of(value: str) -> str:
    """The digits of a number without point and leading zeros: `36.5` -> 365, `0.5` -> 5, `0` -> 0."""
    return str(int(value.replace(".", "")))


def typed_bounds(rule: NumberRule) -> range:
    """All numbers of the range as the whole numbers that are typed: 34.0-42.0 with one decimal is 340 to 420."""
    low = rule.low.scaleb(rule.decimals).to_integral_value(rounding=ROUND_CEILING)
    high = rule.high.scaleb(rule.decimals).to_integral_value(rounding=ROUND_FLOOR)
    return range(int(low), int(high) + 1)


def begins_a_number(rule: NumberRule, keys: str) -> bool:
    """Whether some valid number, typed with or without leading zeros, begins with `keys` or is `keys`."""
    valid = typed_bounds(rule)
    for length in range(max(rule.min_digits, len(keys)), rule.max_digits + 1):
        spread = 10 ** (length - len(keys))
        first = int(keys) * spread
        if max(first, valid.start) < min(first + spread, valid.stop):
            return True
    return False
