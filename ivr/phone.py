"""The seam between a conversation and a telephone. Drivers implement it; it knows neither of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ivr.call import Ending
from ivr.digits import Entry, KeyRules
from ivr.prompts import Sound
from ivr.questionnaire.model import RecordRules


class HungUp(Exception):
    """The call is over. Any method of a phone may raise it; `conversation` catches it in one place.

    `ending` says how, as far as the driver knows.
    """

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending = ending


@dataclass(frozen=True)
class Recording:
    """Something that was said and is stored."""

    seconds: float  #: of what was said, its pauses among it; 0: nothing was, and there is no file


class Phone(Protocol):
    """One live call."""

    @property
    def call_id(self) -> str:
        """Our own id of the call, chosen before it began; also the channel's id."""

    async def answer(self) -> None:
        """Take an inbound call and leave 500 ms of silence, without which the first word is lost. Raises HungUp."""

    async def until_answered(self, ring_seconds: float) -> None:
        """A call of ours that may still ring: wait for its answer; it may ring so much longer. At once if it talks.

        Raises HungUp, with an outcome, if nobody answers.
        """

    async def say(self, sounds: Sequence[Sound]) -> None:
        """Play to the end. Keys pressed meanwhile are thrown away. Raises HungUp."""

    async def ask(self, sounds: Sequence[Sound], rules: KeyRules) -> Entry:
        """Play, gather keys by `rules` (see ivr.digits), and stop the sound at the first key that counts.

        An entry without keys is silence. Raises HungUp.
        """

    async def record(
        self, sounds: Sequence[Sound], rules: KeyRules, limits: RecordRules, target: Path
    ) -> Recording | Entry:
        """Play to the end, then record what is said until `#`, silence, the longest time or the end of the call.

        A key that counts by `rules`, before or while something is said, is an entry, and nothing is recorded. The
        recording is a WAV file at `target` (8 kHz, 16 bit, mono) and on the disk when this returns. Somebody who hung
        up while they spoke has said it all the same: the next thing that is tried raises HungUp.

        Raises HungUp; StorageError if it cannot be written.
        """

    async def put_through(self, endpoint: str, ring_seconds: float) -> bool:
        """Ring another telephone, and join the caller to it: True when somebody answered and has hung up again.

        `endpoint` is as Asterisk names it (`desk`, `0310000001@trunk`). False if nobody answered within `ring_seconds`,
        or it could not be rung; the caller is still there then. The caller hears it ring. Raises HungUp when the caller
        hangs up, at whatever moment: the other telephone is then free again.
        """

    async def hang_up(self) -> None:
        """End the call; nothing happens if it is over already."""


@dataclass(frozen=True)
class DialOrder:
    """What is needed to ring one number."""

    call_id: str  #: our own; also the channel's id. Never used twice.
    number: str  #: national form `0…`, already allowed by ivr.numbers
    ring_seconds: float  #: how long to let it ring, at most 110 (Terminal Facilities Rules, Article 32-3: 2 min)
    trunk: str = ""  #: by which to ring; empty: the only one, or the first
    #: Seconds from now to the end of the window: what was not placed by then, or is not answered, is taken back.
    within: float = math.inf


class Line(Protocol):
    """Places calls."""

    async def dial(self, order: DialOrder) -> Phone | Ending:
        """Ring the number: a live call if somebody (or something) answered, else how it ended.

        The attempt must be committed before this is called; the request is never sent twice.
        """
