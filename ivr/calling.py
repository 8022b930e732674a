"""What a caller is asked before the line knows whose report it takes: ID, birth date, which person of a household.

Knows no database. Says nothing about whether anything that was keyed exists: the line is write-only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from ivr.conversation import Voice
from ivr.digits import KeyRules
from ivr.identity import ERA_LENGTH, ID_LENGTHS, WESTERN_LENGTH, has_check_digit, read_birth_date
from ivr.person import MOST_PLACES, Member
from ivr.phone import Phone
from ivr.questionnaire.model import Pressed, Silence
from ivr.questionnaire.turns import MOST_REPEATS

#: Entries without the right form, for each question; they are slips and no guesses.
FORM_TRIES = 3
#: Seconds of the question whose report it is in which no key counts: its first words, before any place is offered.
CHOICE_GUARD = 3.0
#: Somebody looks for the card.
FIRST_KEY_SECONDS = 30.0

_ONE_KEY = KeyRules(ignored=frozenset("#"))

T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """Something to be keyed."""

    say: tuple[str, ...]
    hint: tuple[str, ...]  #: said first after an entry of the wrong form
    rules: KeyRules


async def ask_until(
    phone: Phone, voice: Voice, question: Question, read: Callable[[str], T | None], first: tuple[str, ...] = ()
) -> T | None:
    """Ask, with the `first` words before, until `read` makes something of the keys; None if no try had the form.

    Raises HungUp.
    """
    say = (*first, *question.say)
    tries = repeats = 0
    while tries < FORM_TRIES and repeats <= MOST_REPEATS:
        match await voice.ask(phone, say, question.rules):
            case Pressed("*") | Silence(too_early=True):
                repeats += 1
                continue
            case Pressed(keys, doubled=doubled):
                found = read(keys)
                if found is None and doubled:
                    found = read(doubled)
                if found is not None:
                    return found
                say = (*question.hint, *question.say)
            case Silence():
                say = ("frame/silence", *question.say)
        tries += 1
    return None


async def ask_for_id(
    phone: Phone, voice: Voice, check_digit: bool, first: tuple[str, ...] = (), first_key: float = FIRST_KEY_SECONDS
) -> str | None:
    """The person ID that an unknown caller keys; None if no try had its form. Raises HungUp.

    `first` is said before, once; a caller who knows what comes may press in it. `first_key`: seconds for the first key.
    """

    def read(keys: str) -> str | None:
        return keys if len(keys) in ID_LENGTHS and (not check_digit or has_check_digit(keys)) else None

    hint = ("frame/wrong_key",) if check_digit else ("frame/id_form",)
    rules = KeyRules(length=ID_LENGTHS[-1], first_key=first_key, ignored=frozenset("#"))
    return await ask_until(phone, voice, Question(("frame/enter_id",), hint, rules), read, first)


async def ask_for_birth_date(
    phone: Phone, voice: Voice, today: date, first_key: float = FIRST_KEY_SECONDS
) -> date | None:
    """The birth date, in the Japanese or the western calendar; None if no try was one. Raises HungUp."""

    def read(keys: str) -> date | None:
        return read_birth_date(keys, today) if len(keys) in (ERA_LENGTH, WESTERN_LENGTH) else None

    say = ("frame/enter_birth_date", "frame/birth_date_example")
    rules = KeyRules(length=WESTERN_LENGTH, first_key=first_key, ignored=frozenset("#"))
    return await ask_until(phone, voice, Question(say, ("frame/birth_date_form",), rules), read)


async def choose_place(phone: Phone, voice: Voice, places: Sequence[int]) -> int | None:
    """Whose report it is: one of the `places` (1 to 9) on the card, said again and confirmed; None if no try said so.

    Raises HungUp.
    """
    offered = {str(place): place for place in places}
    say = ("frame/household", *(f"frame/household_{place}" for place in places))
    # The key that answered the question before must choose nobody when it is pressed twice.
    question = Question(say, ("frame/wrong_key",), KeyRules(ignored=frozenset("#"), guard=CHOICE_GUARD))
    for _ in range(FORM_TRIES):
        chosen = await ask_until(phone, voice, question, offered.get)
        if chosen is None:
            return None
        right = Question((f"frame/household_is_{chosen}", "frame/household_right"), ("frame/wrong_key",), _ONE_KEY)
        match await ask_until(phone, voice, right, lambda keys: keys if keys in "12" else None):
            case "1":
                return chosen
            case None:
                return None
    return None


async def choose_member(phone: Phone, voice: Voice, members: Sequence[Member]) -> Member | None:
    """Whose report it is, on a call of ours; None if no try said so. Raises HungUp.

    By place; where more share a telephone than there are keys, by the ID on the card, without a birth date: our own
    calls never ask for one.
    """
    if max(each.place for each in members) <= MOST_PLACES:
        place = await choose_place(phone, voice, [each.place for each in members])
        return next((each for each in members if each.place == place), None)
    first: tuple[str, ...] = ()
    for _ in range(FORM_TRIES):
        claimed = await ask_for_id(phone, voice, check_digit=False, first=first)
        found = next((each for each in members if each.person.id == claimed), None)
        if found is not None or claimed is None:
            return found
        first = ("frame/wrong_key",)
    return None


async def wish_for_another(phone: Phone, voice: Voice) -> bool:
    """Whether another person of the household wants to report now; silence is no. Raises HungUp."""
    question = Question(("frame/household_another",), ("frame/wrong_key",), _ONE_KEY)
    return await ask_until(phone, voice, question, lambda keys: keys if keys in "12" else None) == "1"
