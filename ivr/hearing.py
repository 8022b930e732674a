"""A telephone that is listened to for whether any key ever comes from it, and that is told how to switch to tones.

Old telephones pulse instead of sounding keys: nothing of that arrives. `*` makes most of them go on with tones.
"""

from collections.abc import Sequence
from pathlib import Path

from ivr.conversation import Voice
from ivr.digits import EndedBy, Entry, KeyRules
from ivr.numbers import sends_tones
from ivr.phone import Phone, Recording
from ivr.prompts import PAUSE, Sound
from ivr.questionnaire.model import RecordRules
from ivr.site import Site
from ivr.storage import telephones
from ivr.storage.calls import get_call

#: What is said to such a telephone.
HINT = "frame/tones"


class HeardPhone:
    """Another phone, with a memory for one call. Implements `ivr.phone.Phone`.

    As long as no key came, `hint` is said once `patience` entries in a row were silence; never if it is empty.
    """

    def __init__(self, phone: Phone, number: str | None, hint: tuple[Sound, ...], patience: int) -> None:
        self._phone = phone
        self._hint = hint
        self._patience = patience
        self.number = number  #: whose telephone it is; None: withheld
        self.heard = False  #: a key came
        self.silences = 0  #: entries that were waited for in vain

    @property
    def call_id(self) -> str:
        """That of the phone."""
        return self._phone.call_id

    @property
    def is_silent(self) -> bool:
        """Whether keys were waited for and none came."""
        return self.silences > 0 and not self.heard

    @property
    def was_awaited(self) -> bool:
        """Whether there was time to press."""
        return self.heard or self.silences > 0

    async def answer(self) -> None:
        """As the phone does."""
        await self._phone.answer()

    async def until_answered(self, ring_seconds: float) -> None:
        """As the phone does."""
        await self._phone.until_answered(ring_seconds)

    async def say(self, sounds: Sequence[Sound]) -> None:
        """As the phone does."""
        await self._phone.say(sounds)

    async def ask(self, sounds: Sequence[Sound], rules: KeyRules) -> Entry:
        """As the phone does, with the hint where it is due."""
        return self._hear(await self._phone.ask(self._hinted(sounds), rules))

    async def record(
        self, sounds: Sequence[Sound], rules: KeyRules, limits: RecordRules, target: Path
    ) -> Recording | Entry:
        """As the phone does. Whoever is to speak needs no keys: silence counts for nothing here."""
        said = await self._phone.record(sounds, rules, limits, target)
        return self._hear(said) if isinstance(said, Entry) else said

    async def put_through(self, endpoint: str, ring_seconds: float) -> bool:
        """As the phone does."""
        return await self._phone.put_through(endpoint, ring_seconds)

    async def hang_up(self) -> None:
        """As the phone does."""
        await self._phone.hang_up()

    def _hinted(self, sounds: Sequence[Sound]) -> Sequence[Sound]:
        if self.heard or self.silences < self._patience:
            return sounds
        # After the first sound: "nothing was received" or who calls comes first, and the question last.
        pauses = sum(each.prompt == PAUSE for each in sounds)
        at = pauses + (1 if len(sounds) > pauses + 1 else 0)
        return (*sounds[:at], *self._hint, *sounds[at:])

    def _hear(self, entry: Entry) -> Entry:
        # An entry of `#` alone has no keys, but something was pressed.
        if entry.ended_by is EndedBy.SILENCE:
            self.silences += 1
        else:
            self.heard = True
        return entry


async def listened_to(site: Site, phone: Phone, voice: Voice, patience: int) -> HeardPhone:
    """The phone of a call that is written down already, with what is remembered of its number.

    A telephone from which a key was ever heard gets no hint, nor does a mobile one, which has nothing to switch to; one
    that was silent gets it at once.
    """
    number = (await site.database.read(get_call, phone.call_id)).number
    known = await site.database.read(telephones.telephone_of, number) if number else None
    if (known is not None and known.keys_at is not None) or (number and sends_tones(number)):
        return HeardPhone(phone, number, (), patience)
    hint = voice.prompts.resolve((HINT,), voice.language)
    return HeardPhone(phone, number, hint, patience if known is None else 0)


async def note_hearing(site: Site, phone: HeardPhone) -> None:
    """Remember, at the end of a call, whether its telephone can be understood: now, or as soon as it can be written."""
    if phone.heard and phone.number is not None:
        await site.database.pending.write(telephones.note_keys, phone.number, site.now())
    elif phone.is_silent:
        await site.database.pending.write(telephones.note_silence, phone.call_id, phone.number, site.now())
