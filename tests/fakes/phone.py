"""A telephone and a line that do what a script says, and remember what was said. No clock, no waiting."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ivr.call import Ending
from ivr.digits import Entry, KeyRules
from ivr.phone import DialOrder, HungUp, Phone, Recording
from ivr.prompts import PAUSE, Sound
from ivr.questionnaire.model import RecordRules
from ivr.terminal import SILENCE, SPEECH, gather, spoken

#: What is pressed after these prompt ids were said: keys or `-`.
Press = Callable[[tuple[str, ...]], str]


def keys(words: str) -> Press:
    """Answers from a script such as `1 365 1 98# -`: one word for each ask, then silence."""
    left = iter(words.split())
    return lambda _: next(left, SILENCE)


def answering(answers: Mapping[str, str]) -> Press:
    """Somebody who listens: the word for the last prompt said that is in `answers`; else silence."""
    return lambda said: next((answers[each] for each in reversed(said) if each in answers), SILENCE)


def silent(_: tuple[str, ...]) -> str:
    """Nobody presses anything."""
    return SILENCE


async def nothing(step: int, said: tuple[str, ...]) -> None:
    """Nobody watches."""


@dataclass
class FakePhone:
    """One live call. Implements `ivr.phone.Phone`. A step is one say or ask, from 0."""

    call_id: str = "call"
    press: Press = silent
    hang_up_before: int | None = None  #: the caller hangs up before anything of this step is heard
    hang_up_after: int | None = None  #: ... or when the prompts of this step were heard, before any key
    faults: Mapping[int, Exception] = field(default_factory=dict)  #: step -> what goes wrong there
    #: Called at the beginning of each step, before anything is heard: look into the database, wait at a barrier.
    watch: Callable[[int, tuple[str, ...]], Awaitable[None]] = nothing
    said: list[tuple[str, ...]] = field(default_factory=list)  #: prompt ids of each step
    rules: list[KeyRules] = field(default_factory=list)  #: of each ask
    answered: bool = False
    unanswered: Ending | None = None  #: how it ends if nobody answers
    rang: list[float] = field(default_factory=list)  #: how much longer it was let ring
    talks: bool = False  #: whether somebody answers the telephone that the caller is put through to
    put_through_to: list[tuple[str, float]] = field(default_factory=list)
    hang_up_through: bool = False  #: the caller hangs up while that rings
    over: bool = False

    async def answer(self) -> None:
        """Take the call. Raises HungUp."""
        self._require_live()
        self.answered = True

    async def until_answered(self, ring_seconds: float) -> None:
        """It rings no more. Raises HungUp."""
        self.rang.append(ring_seconds)
        if self.unanswered is not None:
            self.over = True
            raise HungUp(self.unanswered)
        self._require_live()

    async def say(self, sounds: Sequence[Sound]) -> None:
        """One step. Raises HungUp."""
        await self._step(sounds)

    async def ask(self, sounds: Sequence[Sound], rules: KeyRules) -> Entry:
        """One step, and what is pressed after it. Raises HungUp."""
        await self._step(sounds)
        self.rules.append(rules)
        word = self.press(self.said[-1])
        return gather("" if word == SILENCE else word, rules)

    async def record(
        self, sounds: Sequence[Sound], rules: KeyRules, limits: RecordRules, target: Path
    ) -> Recording | Entry:
        """One step, and what is said (`rec:4`) or pressed after it. Raises HungUp."""
        await self._step(sounds)
        word = self.press(self.said[-1])
        if word.startswith(SPEECH):
            return spoken(word, limits, target)
        entry = gather("" if word == SILENCE else word, rules)
        return entry if entry.keys else Recording(0.0)

    async def put_through(self, endpoint: str, ring_seconds: float) -> bool:
        """It rings, and is answered or not. Raises HungUp."""
        self._require_live()
        self.put_through_to.append((endpoint, ring_seconds))
        self.over = self.over or self.hang_up_through
        self._require_live()
        return self.talks

    async def hang_up(self) -> None:
        """The end."""
        self.over = True

    async def _step(self, sounds: Sequence[Sound]) -> None:
        step = len(self.said)
        said = tuple(each.prompt for each in sounds if each.prompt != PAUSE)
        self.over = self.over or self.hang_up_before == step
        self._require_live()
        await self.watch(step, said)
        self.said.append(said)
        if step in self.faults:
            raise self.faults[step]
        self.over = self.over or self.hang_up_after == step
        self._require_live()

    def _require_live(self) -> None:
        if self.over:
            raise HungUp(Ending(None, 16))


@dataclass
class FakeLine:
    """Places calls. Implements `ivr.phone.Line`; `pick_up` says what comes of an order."""

    pick_up: Callable[[DialOrder], Phone | Ending]
    orders: list[DialOrder] = field(default_factory=list)

    async def dial(self, order: DialOrder) -> Phone | Ending:
        """The order is remembered, and answered at once."""
        self.orders.append(order)
        return self.pick_up(order)
