"""What stands on the card beside the telephone, without any looks. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from itertools import groupby

from ivr.messages import text
from ivr.questionnaire.model import Kind, Question, Questionnaire
from ivr.questionnaire.values import keys_of
from ivr.questionnaire.words import called, catalogued, example_of


@dataclass(frozen=True)
class Answer:
    """Keys to press one after another, and what they mean."""

    keys: str
    word: str


@dataclass(frozen=True)
class Asked:
    """One question as it is called on paper."""

    number: int  #: from 1, in the order in which they are asked
    word: str
    perhaps: bool  #: not asked of everybody


@dataclass(frozen=True)
class Block:
    """Questions that are answered in the same way."""

    questions: tuple[Asked, ...]
    answers: tuple[Answer, ...]
    how: str = ""  #: a sentence before the keys
    example: Answer | None = None  #: of a number
    confirmed: bool = False  #: read back; 1 is right, 2 is again


@dataclass(frozen=True)
class Site:
    """What the settings say."""

    centre: str
    callers: tuple[str, ...]  #: numbers that calls come from
    call_in: tuple[str, ...]  #: numbers to ring, at any time
    telephone: str | None  #: of staff
    hours: str | None  #: when staff are there
    slots: tuple[tuple[time, time], ...]  #: from and until
    greeting: str  #: the first words of every call


@dataclass(frozen=True)
class Leaflet:
    """Everything on the card."""

    site: Site
    language: str  #: of the catalogue
    slots: tuple[str, ...]
    blocks: tuple[Block, ...]
    patience: str  #: seconds that every question waits at least

    def say(self, message: str, **values: object) -> str:
        """A text of the catalogue in the card's language."""
        return text(f"leaflet.{message}", self.language, **values)


def leaflet_of(questionnaire: Questionnaire, site: Site, language: str) -> Leaflet:
    """The card in `language`, or in English if the catalogue does not speak it."""
    shown = catalogued(language)
    questions = [each for each in questionnaire.questions if each.kind is not Kind.SAY]
    numbered = list(enumerate(questions, 1))
    blocks = [_block(questionnaire, list(together), language) for _, together in groupby(numbered, key=_answered_alike)]
    patience = min((each.times.first_key for each in questions), default=0.0)
    return Leaflet(site, shown, tuple(_slot(each, shown) for each in site.slots), tuple(blocks), f"{patience:g}")


def _answered_alike(numbered: tuple[int, Question]) -> object:
    """Equal for neighbours that share one picture: single keys with the same meaning."""
    number, question = numbered
    single = question.kind in (Kind.CHOICE, Kind.YES_NO_UNKNOWN)
    return sorted(question.options.items()) if single else number


def _block(questionnaire: Questionnaire, numbered: Sequence[tuple[int, Question]], language: str) -> Block:
    shown = catalogued(language)
    question = numbered[0][1]
    asked = tuple(
        Asked(number, called(questionnaire, each.id, language), bool(each.when.any_of or each.when.all_of))
        for number, each in numbered
    )
    end = "#" if question.number is not None else ""
    answers = tuple(
        Answer(keys + end, called(questionnaire, value, language)) for keys, value in question.options.items()
    )
    example, how = None, ""
    if question.number is not None:
        rule = question.number
        value = example_of(rule)
        keys = keys_of(value)
        ended = len(keys) < rule.max_digits
        example = Answer(keys + ("#" if ended else ""), value)
        how = text(
            "leaflet.number_open" if rule.min_digits < rule.max_digits else "leaflet.number",
            shown,
            digits=rule.max_digits,
        )
    elif question.kind is Kind.MULTI:
        how = text("leaflet.multi", shown)
    elif question.record is not None:
        how = text("leaflet.record", shown, seconds=f"{question.record.max_seconds:g}")
    return Block(asked, answers, how, example, confirmed=bool(question.read_back))


def _slot(slot: tuple[time, time], language: str) -> str:
    first, until = slot
    half = _half(until)
    if language == "ja" and half == _half(first):
        half = "leaflet.same_half"
    return text(
        "leaflet.slot", language, first=_time(first, _half(first), language), until=_time(until, half, language)
    )


def _half(at: time) -> str:
    return "leaflet.morning" if at.hour < 12 else "leaflet.afternoon"


def _time(at: time, message: str, language: str) -> str:
    japanese = language == "ja"
    minutes = text("leaflet.minutes", language, minutes=f"{at.minute:02d}") if at.minute or not japanese else ""
    # 12:30 is 午後0時30分, and 12:30 p.m.
    hour = at.hour - 12 if at.hour > 12 or (at.hour == 12 and japanese) else at.hour
    return text(message, language, hour=hour, minutes=minutes)


def grouped(number: str) -> str:
    """A telephone number as people read it, where the digits alone say how; others as they were written.

    The lengths of area codes are the ministry's numbering plan; only those that need no list are known here.
    """
    if not number.isdigit():
        return number
    for prefix, parts in _GROUPS.items():
        if number.startswith(prefix) and len(number) == sum(parts):
            first, second = parts[0], parts[0] + parts[1]
            return f"{number[:first]}-{number[first:second]}-{number[second:]}"
    return number


#: First digits -> lengths of the three parts.
_GROUPS: Mapping[str, tuple[int, int, int]] = {
    "0800": (4, 3, 4),
    **dict.fromkeys(("050", "060", "070", "080", "090"), (3, 4, 4)),
    **dict.fromkeys(("0120", "0570"), (4, 3, 3)),
    **dict.fromkeys(("03", "06"), (2, 4, 4)),
}
