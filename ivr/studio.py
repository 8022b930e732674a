"""The call in which staff speak prompts themselves: PIN, number, hear it, speak, hear yourself, accept.

It knows neither the driver of the telephone nor how a sound is made fit for calls: `Studio.keep` does that.
"""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ivr.conversation import Voice
from ivr.digits import Entry, KeyRules
from ivr.errors import BadInput
from ivr.phone import Phone
from ivr.prompts import Sound
from ivr.questionnaire.model import RecordRules

#: So often a wrong PIN; or, one after another, a number that is none or a prompt given up: then the call ends.
TRIES = 3
#: So often the same prompt may be spoken again.
TAKES = 10
#: A prompt may have 20 s; the rest is for taking breath.
LIMITS = RecordRules(max_seconds=30.0, silence_seconds=3.0)

_PIN = KeyRules(length=12, at_once=frozenset())
_NUMBER = KeyRules(length=4, at_once=frozenset())
_CHOICE = KeyRules(length=1, ignored=frozenset("#"), at_once=frozenset())
_NO_KEYS = KeyRules(length=1, ignored=frozenset("0123456789*"), at_once=frozenset())

_ACCEPT, _AGAIN = "1", "2"


@dataclass(frozen=True)
class Studio:
    """What such a call needs."""

    pin: str  #: 4 to 12 digits
    prompts: Sequence[str]  #: prompt ids by their numbers from 1, as `kenko-call prompts list` shows them
    draft: Callable[[], Path]  #: a file for the next take; never the same twice
    beep: Sound  #: after which one speaks
    #: Put a take in place of what speaks this prompt now. Raises BadInput, and changes nothing, if it is not fit.
    keep: Callable[[str, Path], Awaitable[None]]


async def record_prompts(phone: Phone, voice: Voice, studio: Studio) -> list[str]:
    """One such call to its end: the prompts that were recorded. Raises HungUp; what was accepted before is kept."""
    await phone.answer()
    kept: list[str] = []
    if not await _admitted(phone, voice, studio.pin):
        await phone.hang_up()
        return kept
    idle = 0
    while idle < TRIES:
        entry = await _ask(phone, voice, ("studio/enter_number",), _NUMBER)
        if not entry.keys:
            break
        prompt = _by_number(studio.prompts, entry.keys)
        if prompt is None:
            idle += 1
            await voice.say(phone, ("studio/no_such_number",))
            continue
        if await _takes(phone, voice, studio, prompt):
            kept.append(prompt)
            idle = 0
        else:
            idle += 1
    await voice.say(phone, ("studio/goodbye",))
    await phone.hang_up()
    return kept


async def _admitted(phone: Phone, voice: Voice, pin: str) -> bool:
    for _ in range(TRIES):
        entry = await _ask(phone, voice, ("studio/enter_pin",), _PIN)
        if hmac.compare_digest(entry.keys, pin):
            return True
        await voice.say(phone, ("studio/wrong_pin",))
    return False


def _by_number(prompts: Sequence[str], keys: str) -> str | None:
    number = int(keys) if keys.isdecimal() else 0
    return prompts[number - 1] if 1 <= number <= len(prompts) else None


async def _takes(phone: Phone, voice: Voice, studio: Studio, prompt: str) -> bool:
    """Until one is accepted and fit; False if the speaker gives up."""
    await voice.say(phone, ("studio/now", prompt))
    for _ in range(TAKES):
        draft = studio.draft()
        try:
            sounds = (*voice.prompts.resolve(("studio/speak",), voice.language), studio.beep)
            said = await phone.record(sounds, _NO_KEYS, LIMITS, draft)
            if isinstance(said, Entry) or said.seconds == 0:
                return False
            choice = await _ask(
                phone, voice, ("studio/listen", Sound(prompt, draft, said.seconds), "studio/accept"), _CHOICE
            )
            if choice.keys == _ACCEPT:
                await studio.keep(prompt, draft)
                await voice.say(phone, ("studio/kept",))
                return True
            if choice.keys != _AGAIN:
                return False
        except BadInput:
            await voice.say(phone, ("studio/not_fit",))
        finally:
            draft.unlink(missing_ok=True)
    return False


async def _ask(phone: Phone, voice: Voice, say: Sequence[str | Sound], rules: KeyRules) -> Entry:
    sounds: list[Sound] = []
    for each in say:
        sounds += voice.prompts.resolve((each,), voice.language) if isinstance(each, str) else [each]
    return await phone.ask(sounds, rules)
