"""One call from answer to hang-up: the engine's turns spoken by a phone, each committed before it is heard.

Knows neither the database nor which telephone it is.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil
from pathlib import Path

from ivr.call import Ending, Outcome
from ivr.digits import EndedBy, Entry, KeyRules
from ivr.errors import PbxError
from ivr.phone import HungUp, Phone, Recording
from ivr.prompts import PAUSE, PAUSE_SECONDS, Prompts, Sound
from ivr.questionnaire.model import Input, Pressed, Questionnaire, Recorded, SessionStatus, Silence, Turn
from ivr.questionnaire.turns import MOST_REPEATS, resume

log = logging.getLogger(__name__)

#: Stores a turn durably, with the input that led to it (None: the first one), and does what cannot wait; nothing of the
#: turn is spoken before it returned.
Commit = Callable[[Turn, Input | None], Awaitable[None]]

#: Where the next thing that is said is to be stored; its name without `.wav` is never used twice, and tells nothing.
NewFile = Callable[[], Path]

#: Q.850 "normal clearing": what a call ends with that came to its end.
NORMAL_CLEARING = 16


@dataclass(frozen=True)
class Voice:
    """The recordings of one language."""

    prompts: Prompts
    language: str

    async def ask(self, phone: Phone, say: tuple[str, ...], rules: KeyRules) -> Input:
        """Speak the prompts and take one input. Raises HungUp."""
        sounds = self.prompts.resolve(say, self.language)
        if say[:1] == ("frame/wrong_key",):
            # Whoever goes on pressing while they hear that it was wrong has not heard it yet.
            rules = replace(rules, closed=sounds[0].seconds)
        return _input_of(await phone.ask(sounds, rules), sounds, rules.closed)

    def of(self, turn: Turn) -> "Voice":
        """The voice that speaks a turn: whoever chose a language hears it at once."""
        return replace(self, language=turn.session.language or self.language)

    async def take(self, phone: Phone, turn: Turn, rules: KeyRules, new_file: NewFile) -> Input:
        """Speak a turn and take its input. Raises HungUp."""
        # Into the silence falls what is pressed a second time; its seconds are rounded up to whole sounds.
        silence = (PAUSE,) * ceil(rules.pause / PAUSE_SECONDS)
        sounds = self.prompts.resolve((*silence, *turn.say), self.language)
        if turn.closed:
            heard = sounds[: len(silence) + turn.closed]
            rules = replace(rules, closed=sum(each.seconds for each in heard))
        if turn.record is None:
            return _input_of(await phone.ask(sounds, rules), sounds, rules.closed)
        beep = (self.prompts.beep,) if self.prompts.beep else ()
        target = new_file()
        said = await phone.record((*sounds, *beep), rules, turn.record, target)
        return Recorded(target.stem, said.seconds) if isinstance(said, Recording) else _input_of(said, sounds)

    async def say(self, phone: Phone, say: tuple[str, ...]) -> None:
        """Speak the prompts to their end. Raises HungUp."""
        await phone.say(self.prompts.resolve(say, self.language))


def _input_of(entry: Entry, sounds: Sequence[Sound], closed: float = 0.0) -> Input:
    """What an entry means for what was asked by these sounds, of which the first `closed` seconds take no answer."""
    if not entry.keys:
        return Silence(too_early=entry.ended_by is EndedBy.TOO_EARLY)
    half = (closed + sum(each.seconds for each in sounds)) / 2
    return Pressed(entry.keys, entry.ended_by, entry.doubled, early=entry.after is not None and entry.after < half)


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
    await commit(turn, None)
    while turn.rules is not None:
        given = await voice.of(turn).take(phone, turn, turn.rules, new_file)
        turn = resume(questionnaire, turn.session, given)
        await commit(turn, given)
    await voice.of(turn).say(phone, turn.say)
    return turn


#: Wrong keys at the greeting. Machines press none: whoever does is a person, and gets as many tries as at a number.
MOST_WRONG = 5


class Greeted(StrEnum):
    """What the gate of an outbound call found."""

    READY = "ready"
    CALL_WISHED = "call_wished"  #: 0: "please have somebody call me"
    LOST = "lost"  #: keys, but never the one that was asked for: somebody is there who cannot
    NOBODY = "nobody"  #: no key: a machine, the wrong person, mistrust


async def greet(phone: Phone, voice: Voice, times: int, wait_seconds: float) -> Greeted:
    """Say who calls and ask for 1, again and again: the only test for a person at the other end.

    Machine detection would take people who answer slowly for machines; and phones that first read out a notice have
    nobody listening yet, so the whole greeting is repeated. Raises HungUp.
    """
    rules = KeyRules(first_key=wait_seconds, ignored=frozenset("#"))
    first: tuple[str, ...] = ("frame/greeting",)
    said = repeats = wrong = 0
    while said < times and repeats <= MOST_REPEATS and wrong < MOST_WRONG:
        match await voice.ask(phone, (*first, "frame/ready"), rules):
            case Pressed("1"):
                return Greeted.READY
            case Pressed("0"):
                return Greeted.CALL_WISHED
            case Pressed("*") | Silence(too_early=True):
                repeats += 1
            case Pressed():
                # Somebody is there, and looks for the key.
                wrong, first = wrong + 1, ("frame/wrong_key",)
            case _:
                said, first = said + 1, ("frame/greeting", "frame/doubt")
    return Greeted.LOST if wrong else Greeted.NOBODY


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


async def apologise(phone: Phone, voice: Voice) -> None:
    """Answer if nobody did, say that we cannot take the call, and hang up. Needs neither row nor file of ours."""
    with suppress(HungUp, PbxError):
        await phone.answer()
        await voice.say(phone, ("frame/apology",))
    # Also when nothing could be said: somebody may still be waiting on the line.
    with suppress(HungUp, PbxError):
        await phone.hang_up()


#: Who hangs up, or is cut off, so many seconds after the answer has not heard yet what to press.
AT_ONCE = 3.0


def judge(any_key: bool, status: SessionStatus | None, seconds: float = AT_ONCE) -> Outcome:
    """The outcome of an answered call: `status` of its session, None if none was opened; how many seconds it lasted."""
    if not any_key:
        # A line that breaks, a far end without sound (200 without SDP): nobody was silent, so nobody answered.
        return Outcome.NO_KEY if seconds >= AT_ONCE else Outcome.NO_ANSWER
    if status is SessionStatus.WAITING:
        return Outcome.CUT_OFF
    return Outcome.ANSWERED
