"""The call in which staff speak prompts themselves: PIN, number, hear it, speak, hear yourself, accept.

It knows neither the driver of the telephone nor how a sound is made fit for calls: `Studio.keep` does that.
"""

import hmac
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ivr.conversation import Voice
from ivr.digits import Entry, KeyRules
from ivr.errors import BadInput
from ivr.phone import Phone
from ivr.prompts import Sound
from ivr.questionnaire.model import RecordRules

log = logging.getLogger(__name__)

#: All that such a call says besides the prompts themselves.
FRAME = (
    "studio/enter_pin",
    "studio/wrong_pin",
    "studio/enter_number",
    "studio/no_such_number",
    "studio/now",
    "studio/speak",
    "studio/listen",
    "studio/accept",
    "studio/kept",
    "studio/not_fit",
    "studio/goodbye",
)

#: So often a wrong PIN; or, one after another, a number that is none or a prompt given up: then the call ends.
TRIES = 3
#: After each wrong PIN so much silence: guessing takes its time.
WRONG_PIN_SECONDS = 3.0
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

    pin: str  #: 4 to 8 digits
    prompts: Sequence[str]  #: prompt ids by their numbers from 1, as `kenko-call prompts list` shows them
    present: Callable[[str], Sound | None]  #: what speaks a prompt now; None: nothing does yet
    draft: Callable[[], Path]  #: a file for the next take; never the same twice
    reveal: Callable[[Path], None]  #: lets the telephone play a take. Raises StorageError
    beep: Sound  #: after which one speaks
    #: Put a take in place of what speaks this prompt now. Raises BadInput, and changes nothing, if it is not fit.
    keep: Callable[[str, Path], Awaitable[None]]
    sleep: Callable[[float], Awaitable[None]]  #: seconds


async def record_prompts(phone: Phone, voice: Voice, studio: Studio) -> list[str]:
    """One such call to its end: the prompts that were recorded. Raises HungUp; what was accepted before is kept."""
    await phone.answer()
    kept: list[str] = []
    if not await _admitted(phone, voice, studio):
        await voice.say(phone, ("studio/goodbye",))
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


async def _admitted(phone: Phone, voice: Voice, studio: Studio) -> bool:
    for _ in range(TRIES):
        entry = await _ask(phone, voice, ("studio/enter_pin",), _PIN)
        if hmac.compare_digest(entry.keys, studio.pin):
            return True
        log.warning("a wrong PIN for the studio", extra={"action": "studio_wrong_pin", "call": phone.call_id})
        await studio.sleep(WRONG_PIN_SECONDS)
        await voice.say(phone, ("studio/wrong_pin",))
    return False


def _by_number(prompts: Sequence[str], keys: str) -> str | None:
    number = int(keys) if keys.isdecimal() else 0
    return prompts[number - 1] if 1 <= number <= len(prompts) else None


async def _takes(phone: Phone, voice: Voice, studio: Studio, prompt: str) -> bool:
    """Until one is accepted and fit; False if the speaker gives up."""
    present = studio.present(prompt)
    if present is not None:
        await phone.say((*voice.prompts.resolve(("studio/now",), voice.language), present))
    for _ in range(TAKES):
        draft = studio.draft()
        try:
            sounds = (*voice.prompts.resolve(("studio/speak",), voice.language), studio.beep)
            said = await phone.record(sounds, _NO_KEYS, LIMITS, draft)
            if isinstance(said, Entry) or said.seconds == 0:
                return False
            studio.reveal(draft)
            choice = await _ask(
                phone, voice, ("studio/listen", Sound(prompt, draft, said.seconds), "studio/accept"), _CHOICE
            )
            if choice.keys == _ACCEPT:
                await studio.keep(prompt, draft)
                log.info("recorded: %s", prompt, extra={"action": "prompt_recorded", "call": phone.call_id})
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
