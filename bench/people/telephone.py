"""A telephone in virtual time: real prompt lengths, the real collector of keys, and a simulated person at its end."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.people.body import Asked, Body, Prompt
from ivr.call import Ending
from ivr.digits import Entry, KeyRules, LastKey, begin, deadline, end_prompt, expire, follow, press
from ivr.phone import HungUp, Recording
from ivr.prompts import PAUSE, Sound
from ivr.questionnaire.model import Questionnaire, RecordRules, Turn

#: Seconds from a key to the next prompt.
SWITCH = 0.1
#: Seconds that somebody speaks who is asked to.
SPEECH = 4.0
#: Prompt id -> what it asks; the questions of a questionnaire are told by the turn.
_MENUS: Mapping[str, Asked] = {
    "frame/ready": Asked.READY,
    "frame/household": Asked.PLACE,
    "frame/household_right": Asked.PLACE_RIGHT,
    "frame/household_another": Asked.ANOTHER,
    "frame/enter_id": Asked.ID,
    "frame/enter_birth_date": Asked.BIRTH_DATE,
    "frame/attend": Asked.MENU,
}
_ERRORS = ("frame/wrong_key", "frame/silence")


@dataclass
class PeoplePhone:
    """One call. Implements `ivr.phone.Phone`; `now` is the virtual clock, in seconds."""

    questionnaire: Questionnaire
    body: Body
    asks_to_fetch: bool = False
    now: float = 0.0
    last: LastKey | None = None  #: as the drivers keep it from prompt to prompt
    turn: Turn | None = None  #: of the questionnaire, while it asks
    call_id: str = "call"
    asked_at: dict[str, float] = field(default_factory=dict)  #: question -> seconds spent at it
    on_ask: Callable[[Prompt], None] = lambda prompt: None

    async def answer(self) -> None:
        """It is."""

    async def until_answered(self, ring_seconds: float) -> None:
        """It is."""

    async def say(self, sounds: Sequence[Sound]) -> None:
        """The clock goes on; keys pressed meanwhile are thrown away."""
        self.now += SWITCH + sum(each.seconds for each in sounds)
        while self.body.take_key(self.now):
            pass

    async def ask(self, sounds: Sequence[Sound], rules: KeyRules) -> Entry:
        """Gather what the person presses. Raises HungUp."""
        prompt = self._prompt(sounds)
        self.on_ask(prompt)
        if self.body.hears(prompt):
            self.now = prompt.began + prompt.seconds
            raise HungUp(Ending(None, 16))
        entry = self._gather(prompt, rules)
        if not entry.keys:
            self.body.begins_anew(self.now)
        if prompt.question is not None:
            spent = self.asked_at.get(prompt.question.id, 0.0)
            self.asked_at[prompt.question.id] = spent + self.now - prompt.began
        return entry

    def _gather(self, prompt: Prompt, rules: KeyRules) -> Entry:
        """The collector's loop, from event to event."""
        state = begin(rules, prompt.began - prompt.silence, self.last)
        end: float = prompt.began + prompt.seconds
        while True:
            due = deadline(state)
            until = min(math.inf if due is None else due, end)
            key = self.body.take_key(until)
            if key is not None:
                self.now = max(prompt.began - prompt.silence, key[1])
                self.last = follow(self.last, key[2], key[0], key[1])
                step = press(state, key[2], key[0], key[1])
                if isinstance(step, Entry):
                    return step
                if step.keys:
                    end = math.inf  # it stops the prompt
                state = step
                continue
            self.now = until
            if until == end:
                state, end = end_prompt(state, end), math.inf
                continue
            over = expire(state, until)
            if isinstance(over, Entry):
                return over
            state = over

    def _prompt(self, sounds: Sequence[Sound]) -> Prompt:
        ids = [each.prompt for each in sounds]
        spoken = next((at for at, each in enumerate(ids) if each != PAUSE), len(ids))
        silence = sum(each.seconds for each in sounds[:spoken])
        asked = next((_MENUS[each] for each in ids if each in _MENUS), Asked.QUESTION)
        said = {
            "asked": asked,
            "began": self.now + SWITCH + silence,
            "seconds": sum(each.seconds for each in sounds[spoken:]),
            "silence": silence,
            "is_error": any(each in _ERRORS for each in ids),
            "explains_tones": "frame/tones" in ids,
            "asks_to_fetch": asked is Asked.READY and self.asks_to_fetch,
            "place": next((int(each[-1]) for each in ids if each.startswith("frame/household_is_")), 0),
        }
        if asked is Asked.QUESTION and self.turn is not None:
            session = self.turn.session
            question = next(each for each in self.questionnaire.questions if each.id == session.question)
            said |= {"question": question, "phase": session.phase, "pending": session.pending}
        return Prompt(**said)  # type: ignore[arg-type]

    async def record(
        self, sounds: Sequence[Sound], rules: KeyRules, limits: RecordRules, target: Path
    ) -> Recording | Entry:
        """Somebody speaks for a while."""
        await self.say(sounds)
        seconds = min(SPEECH, limits.max_seconds)
        self.now += seconds + limits.silence_seconds
        return Recording(seconds)

    async def put_through(self, endpoint: str, ring_seconds: float) -> bool:
        """Nobody sits there."""
        self.now += ring_seconds
        return False

    async def hang_up(self) -> None:
        """The end."""
