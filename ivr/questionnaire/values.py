"""Between keys and values: what an entry means, how a value is spoken, what can be typed at all. Pure."""

import re
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from ivr.questionnaire.model import Kind, NumberRule, Question

#: Only what the engine itself writes counts as a number: `Decimal` would also take `nan`, `1e3` or full-width digits.
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

#: The blank of a statement's prompt: the id of a question.
_BLANK = re.compile(r"\{([a-z0-9_]+)\}")


def value_of(question: Question, keys: str) -> str | None:
    """The canonical value that `keys` stand for (`36.5`, `98`, `yes`, `no_thermometer`), or None if they are wrong."""
    if question.kind is Kind.MULTI:
        return _chosen(question, keys)
    if keys in question.options:
        return question.options[keys]
    if question.number is None:
        return None
    return number_of(question.number, keys)


def _chosen(question: Question, keys: str) -> str | None:
    """The values of a multi, in the order of the file. The same key twice is once; `alone` values go with no other."""
    if not keys or not set(keys) <= question.options.keys():
        return None
    chosen = dict.fromkeys(value for key, value in question.options.items() if key in keys)
    if len(chosen) > 1 and chosen.keys() & question.alone:
        return None
    return ",".join(chosen)


def number_of(rule: NumberRule, keys: str) -> str | None:
    """The number typed as `keys` (365 with one decimal: `36.5`; 098: `98`), or None if it is no such number."""
    if not (keys.isascii() and keys.replace("*", "", 1).isdecimal()):
        return None
    whole, point, tenths = keys.partition("*")
    if point:
        # As on paper: 36*5. The point says where the decimals begin, however many digits there are.
        if not whole or len(tenths) > rule.decimals or not rule.decimals:
            return None
        number = Decimal(f"{whole}.{tenths or 0}")
        return canonical(rule, number) if rule.low <= number <= rule.high else None
    if len(keys) > rule.max_digits and not begins_a_number(rule, "0"):
        keys = keys.lstrip("0")
    if not rule.min_digits <= len(keys) <= rule.max_digits:
        return None
    number = Decimal(int(keys)).scaleb(-rule.decimals)
    return canonical(rule, number) if rule.low <= number <= rule.high else None


def canonical(rule: NumberRule, number: Decimal) -> str:
    """The number with exactly the decimals of the rule."""
    return f"{number:.{rule.decimals}f}"


def read_back_of(question: Question, value: str) -> tuple[str, ...]:
    """Prompt ids that read `value` back; empty if it is taken without asking."""
    match question.kind:
        case Kind.MULTI:
            return _expanded(question.read_back, "{value}", values_in(value))
        case Kind.NUMBER | Kind.CHOICE | Kind.YES_NO_UNKNOWN if value in question.options.values():
            return question.read_back_options.get(value, ())
        case Kind.NUMBER:
            return _expanded(question.read_back, "{keys}", [keys_of(value)])
        case _:
            return question.read_back


def blanks_of(prompt: str) -> list[str]:
    """The questions whose answers a statement's prompt needs."""
    return _BLANK.findall(prompt)


def filled(prompts: Sequence[str], spoken: dict[str, list[str]]) -> tuple[str, ...]:
    """The prompts of a statement with the answers in them; all empty if one of the answers cannot be spoken.

    `spoken`: question -> what `spoken_parts` says of its answer. A prompt is said once for each part.
    """
    said: tuple[str, ...] = ()
    for prompt in prompts:
        each: tuple[str, ...] = (prompt,)
        for question in blanks_of(prompt):
            each = _expanded(each, f"{{{question}}}", spoken.get(question, []))
        if not each:
            return ()
        said += each
    return said


def spoken_parts(question: Question, value: str) -> list[str]:
    """What stands for an answer in prompt ids: the digits of a number, each value chosen; nothing for what has none."""
    if question.kind is Kind.NUMBER:
        return [] if value in question.options.values() else [keys_of(value)]
    return [] if question.kind is Kind.VOICE_MESSAGE else values_in(value)


def _expanded(prompts: Sequence[str], blank: str, parts: Sequence[str]) -> tuple[str, ...]:
    """Each prompt, once for each part if it has the blank."""
    return tuple(each.replace(blank, part) for each in prompts for part in (parts if blank in each else [""]))


def values_in(value: str) -> list[str]:
    """The values that an answer holds: several of a multi, else the one."""
    return value.split(",")


def as_number(value: str) -> Decimal | None:
    """The number that an answer is, or None if it stands for something else."""
    return Decimal(value) if _NUMBER.fullmatch(value) else None


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
