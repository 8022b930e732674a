"""One call, played, listened to and recorded over FastAGI: implements `ivr.phone.Phone`.

Asterisk does one thing at a time and tells when it is over. A key in the millisecond between two commands is lost, as
one between two prompts is over ARI; never one after a first key, because no two keys come so fast.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from panoramisk.fast_agi import Request

from ivr import recordings
from ivr.core.dtmf_decoder import begin_decoding, decode
from ivr.digits import Entry, Gathering, KeyRules, LastKey, begin, deadline, end_prompt, expire, follow, press
from ivr.endpoints import check_endpoint
from ivr.fastagi import words
from ivr.fastagi.channel import AgiChannel
from ivr.fastagi.settings import AgiSettings
from ivr.phone import HungUp, Recording
from ivr.prompts import Sound
from ivr.questionnaire.model import RecordRules
from ivr.trunks.dialled import dialled
from ivr.trunks.presented import number_for

log = logging.getLogger(__name__)

_AFTER_ANSWER_SECONDS = 0.5
#: Of the silence that ended a recording Asterisk leaves a second, where ARI leaves a fifth (22.10.1).
_LEFT_SECONDS = 0.8
#: By how much less than the longest time a recording is one that silence ended.
_SHORTER_SECONDS = 1.0


class AgiPhone(AgiChannel):
    """Made by `AgiServer`. `now` is a steady clock in seconds, `sleep` waits on it."""

    def __init__(
        self,
        request: Request,
        call_id: str,
        settings: AgiSettings,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        super().__init__(request, call_id)
        self._settings = settings
        self._now = now
        self._sleep = sleep
        self._tapes = 0
        self._last: LastKey | None = None
        self._decoder = begin_decoding(two_ways=settings.two_ways)

    async def answer(self) -> None:
        """Take the call, then 500 ms of silence."""
        if (await self._do(words.command("ANSWER"))).failed:
            await self._require_caller()
        await self._sleep(_AFTER_ANSWER_SECONDS)

    async def say(self, sounds: Sequence[Sound]) -> None:
        """Play to the end; keys pressed meanwhile are thrown away."""
        self._require_live()
        for sound in sounds:
            if (await self._do(words.play(sound.path, "", 0), sound.seconds)).failed:
                await self._without(sound)

    async def ask(self, sounds: Sequence[Sound], rules: KeyRules) -> Entry:
        """Play, gather keys by `rules`, and stop the sound at the first key that counts."""
        self._require_live()
        state = begin(rules, self._now(), self._last)
        for sound in sounds:
            after = await self._play(sound, state)
            if isinstance(after, Entry) or after.keys:
                return await self._gather(after)
            state = after
        return await self._gather(state)

    def _press(self, state: Gathering, key: str) -> Gathering | Entry:
        """A key came: here nobody tells how long it was held, nor when it was let go."""
        self._decoder, pressed = decode(self._decoder, key, 0.0, self._now())
        if pressed is None:
            return state
        self._last = follow(self._last, key, pressed.down)
        return press(state, key, pressed.down)

    async def record(
        self, sounds: Sequence[Sound], rules: KeyRules, limits: RecordRules, target: Path
    ) -> Recording | Entry:
        """Play to the end, then record; a key that counts is an entry instead."""
        entry = await self.ask(sounds, replace(rules, first_key=0.0))
        if entry.keys:
            return entry
        self._tapes += 1
        tape = self._settings.recordings / f"{self._call_id}-{self._tapes}.wav"
        began = self._now()
        try:
            reply = await self._do(words.record(tape, rules, limits), limits.max_seconds)
        except HungUp:
            # Who hangs up instead of pressing # has left a message all the same.
            if seconds := await self._keep(tape, target, 0.0):
                return Recording(seconds)
            raise
        if reply.failed:
            self._log("record_refused")
            await self._require_caller()
            return Recording(0.0)
        if reply.key:
            entry = await self._gather(self._press(begin(replace(rules, guard=0.0, closed=0.0), began), reply.key))
            if entry.keys:
                await asyncio.to_thread(tape.unlink, missing_ok=True)
                return entry
        by_silence = not reply.key and self._now() - began < limits.max_seconds - _SHORTER_SECONDS
        return Recording(await self._keep(tape, target, _LEFT_SECONDS if by_silence else 0.0))

    async def put_through(self, endpoint: str, ring_seconds: float) -> bool:
        """Ring another telephone and join the caller to it, by the application Dial."""
        settings = self._settings
        check_endpoint(endpoint, settings.telephones, settings.trunks, settings.numbering)
        caller = number_for(endpoint, settings.callers)
        said = words.dial(dialled(endpoint, settings.places), ring_seconds, caller)
        if (await self._do(said, settings.longest_call)).failed:
            await self._require_caller()
        return (await self._do(words.command("GET", "VARIABLE", "DIALSTATUS"))).data == "ANSWER"

    async def _play(self, sound: Sound, state: Gathering) -> Gathering | Entry:
        """One of the sounds; one that is stopped by a key that does not count goes on where it was."""
        keys, offset = words.stopping(state.rules), 0
        while True:
            reply = await self._do(words.play(sound.path, keys, offset), sound.seconds)
            if reply.failed:
                await self._without(sound)
            if not reply.key:
                return state
            after = self._press(state, reply.key)
            if isinstance(after, Entry) or after.keys:
                return after
            state, offset = after, reply.end

    async def _gather(self, state: Gathering | Entry) -> Entry:
        """When the prompt is over, or stopped: wait for what is still to come."""
        if isinstance(state, Gathering) and not state.keys:
            state = end_prompt(state, self._now())
        while isinstance(state, Gathering):
            due = deadline(state)
            assert due is not None  # a key was pressed or the prompt has ended
            left = due - self._now()
            if left <= 0:
                state = expire(state, self._now())
                continue
            reply = await self._do(words.wait(left), left)
            if reply.failed:
                await self._require_caller()
            if reply.key:
                state = self._press(state, reply.key)
        return state

    async def _without(self, sound: Sound) -> None:
        """A sound was not played. The caller is there, only the sound is not: we go on. Raises HungUp."""
        await self._require_caller()
        log.warning("not played: %s", sound.prompt, extra={"action": "playback_failed", "call": self._call_id})

    async def _keep(self, tape: Path, target: Path, cut: float) -> float:
        """Bring a finished recording here without its last seconds, and leave none there. Seconds; 0 if there is none.

        Raises StorageError.
        """
        try:
            audio = await asyncio.to_thread(tape.read_bytes)
        except OSError:
            self._log("recording_lost")
            return 0.0
        seconds = await asyncio.to_thread(recordings.store, target, recordings.shortened(audio, cut))
        try:
            await asyncio.to_thread(tape.unlink)
        except OSError:
            self._log("recording_left")
        return seconds
