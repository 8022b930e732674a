"""One call from answer to hang-up: the engine's turns spoken by a phone, each committed before it is heard.

Knows neither the database nor which telephone it is.
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from ivr.call import Ending, Outcome
from ivr.digits import KeyRules
from ivr.errors import PbxError
from ivr.phone import HungUp, Phone, Recording
from ivr.prompts import Prompts
from ivr.questionnaire.model import Input, Pressed, Questionnaire, Recorded, SessionStatus, Silence, Turn
from ivr.questionnaire.turns import resume

log = logging.getLogger(__name__)

#: Stores a turn durably, and does what cannot wait; nothing of the turn is spoken before it returned.
Commit = Callable[[Turn], Awaitable[None]]

#: Where the next thing that is said is to be stored; its name without `.wav` is never used twice, and tells nothing.
NewFile = Callable[[], Path]

#: Q.850 "normal clearing": what a call ends with that came to its end.
NORMAL_CLEARING = 16

#: `*` costs no try; a key that is stuck must come to an end all the same.
MOST_REPEATS = 20


@dataclass(frozen=True)
class Voice:
    """The recordings of one language."""

    prompts: Prompts
    language: str

    async def ask(self, phone: Phone, say: tuple[str, ...], rules: KeyRules) -> Input:
        """Speak the prompts and take one input. Raises HungUp."""
        entry = await phone.ask(self.prompts.resolve(say, self.language), rules)
        return Pressed(entry.keys, entry.ended_by) if entry.keys else Silence()

    def of(self, turn: Turn) -> "Voice":
        """The voice that speaks a turn: whoever chose a language hears it at once."""
        return replace(self, language=turn.session.language or self.language)

    async def take(self, phone: Phone, turn: Turn, rules: KeyRules, new_file: NewFile) -> Input:
        """Speak a turn and take its input. Raises HungUp."""
        if turn.record is None:
            return await self.ask(phone, turn.say, rules)
        beep = (self.prompts.beep,) if self.prompts.beep else ()
        target = new_file()
        said = await phone.record((*self.prompts.resolve(turn.say, self.language), *beep), rules, turn.record, target)
        if isinstance(said, Recording):
            return Recorded(target.stem, said.seconds)
        return Pressed(said.keys, said.ended_by) if said.keys else Silence()

    async def say(self, phone: Phone, say: tuple[str, ...]) -> None:
        """Speak the prompts to their end. Raises HungUp."""
        await phone.say(self.prompts.resolve(say, self.language))


async def say_and_end(phone: Phone, voice: Voice, *say: str) -> None:
    """Speak the prompts to their end, and hang up. Raises HungUp."""
    await voice.say(phone, say)
    await phone.hang_up()


async def converse(
    phone: Phone, voice: Voice, questionnaire: Questionnaire, first: Turn, commit: Commit, new_file: NewFile
) -> Turn:
    """Walk through a questionnaire from its `first` turn to its last one, said to the end. Raises HungUp.

    Gives the last turn; the call goes on: whoever began the walk says what comes after it.
    """
    turn = first
    await commit(turn)
    while turn.rules is not None:
        given = await voice.of(turn).take(phone, turn, turn.rules, new_file)
        turn = resume(questionnaire, turn.session, given)
        await commit(turn)
    await voice.of(turn).say(phone, turn.say)
    return turn


class Greeted(StrEnum):
    """What the gate of an outbound call found."""

    READY = "ready"
    CALL_WISHED = "call_wished"  #: 0: "please have somebody call me"
    NOBODY = "nobody"  #: no key: a machine, the wrong person, mistrust


async def greet(phone: Phone, voice: Voice, times: int, wait_seconds: float) -> Greeted:
    """Say who calls and ask for 1, again and again: the only test for a person at the other end.

    Machine detection would take people who answer slowly for machines; and phones that first read out a notice have
    nobody listening yet, so the whole greeting is repeated. Raises HungUp.
    """
    rules = KeyRules(first_key=wait_seconds, ignored=frozenset("#"))
    said = repeats = 0
    while said < times and repeats <= MOST_REPEATS:
        doubt = ("frame/doubt",) if said else ()
        match await voice.ask(phone, ("frame/greeting", *doubt, "frame/ready"), rules):
            case Pressed("1"):
                return Greeted.READY
            case Pressed("0"):
                return Greeted.CALL_WISHED
            case Pressed("*"):
                repeats += 1
                continue
        said += 1
    return Greeted.NOBODY


#: Tells staff of a fault of ours, by its action in the log.
Note = Callable[[str, BaseException], None]


async def hold(phone: Phone, voice: Voice, talk: Awaitable[None], note: Note) -> Ending:
    """Run a conversation to its end and hang up: where the other side's hanging up is caught, and a call's faults end.

    A fault of ours (disk full, Asterisk refused) is apologised for, told to staff, and hurts no other call.
    """
    try:
        await talk
        await phone.hang_up()
    except HungUp as over:
        return over.ending
    except Exception as error:
        log.exception("a call failed", extra={"action": "call_failed", "call": phone.call_id})
        note("call_failed", error)
        try:
            await voice.say(phone, ("frame/apology",))
        except (HungUp, PbxError):
            log.info("nobody left to apologise to", extra={"action": "call_gone", "call": phone.call_id})
        # Also when nothing could be said: somebody may still be waiting on the line.
        with suppress(HungUp, PbxError):
            await phone.hang_up()
        return Ending(Outcome.FAILED)
    return Ending(None, NORMAL_CLEARING)


def judge(any_key: bool, status: SessionStatus | None) -> Outcome:
    """The outcome of an answered call: `status` of its session, None if none was opened."""
    if not any_key:
        return Outcome.NO_KEY
    if status is SessionStatus.WAITING:
        return Outcome.CUT_OFF
    return Outcome.ANSWERED
