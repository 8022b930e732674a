"""One call, played, listened to and recorded over ARI: implements `ivr.phone.Phone`."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ivr import recordings
from ivr.ari.events import Event, Gap
from ivr.ari.hold import again_after_hold, ends_without_sound
from ivr.ari.leg import Leg, check
from ivr.ari.player import PLAYBACK_IDS, SETTLE_SECONDS, AriPlayer
from ivr.ari.playing import RINGING, Playing, hear, longest_wait
from ivr.ari.taping import Taping, listen, order
from ivr.call import Ending, Outcome
from ivr.core.dtmf_decoder import KeyPress
from ivr.digits import Entry, Gathering, KeyRules, begin, deadline, end_prompt, expire, follow, press
from ivr.errors import PbxError, PbxRefused, PbxSilent, PbxUnreachable
from ivr.phone import HungUp, Recording
from ivr.prompts import Sound
from ivr.questionnaire.model import RecordRules

log = logging.getLogger(__name__)

_AFTER_ANSWER_SECONDS = 0.5
#: The originate timeout of another telephone and our clock do not tick together.
_RINGING_SLACK_SECONDS = 2.0
#: A minute of speech is a megabyte, and the request waits for its file.
_FETCH_SECONDS = 20.0


class AriPhone(AriPlayer):
    """Made by `AriLine` and `Pbx`, which see to it that its inbox exists before the channel."""

    async def answer(self) -> None:
        """Take an inbound call, then 500 ms of silence: a sound before that is cut or becomes early media."""
        if self._lasting is not None:
            # Behind a sound it would come too late: the dialplan's 2 s would be over first.
            await asyncio.wait({self._lasting})
        await self._settle()
        try:
            await self._client.request("POST", f"/channels/{self._call_id}/answer")
        except PbxRefused as error:
            await self._refused(error)
        except PbxSilent as error:
            self._log("answer_unclear", error)
        except PbxUnreachable as error:
            raise self._end(Ending(Outcome.UNKNOWN, note=error.render("en"))) from error
        await self._client.sleep(_AFTER_ANSWER_SECONDS)

    @again_after_hold
    async def say(self, sounds: Sequence[Sound]) -> None:
        """Play to the end; keys pressed meanwhile are thrown away."""
        await self._settle()
        self._early.clear()
        playing = await self._play(sounds, 0.0)
        while not playing.ended:
            item = await self._next(playing.watchdog)
            if item is None:
                self._log("playback_silent")
                break
            at, event = item
            playing = hear(playing, event, at)
            if playing.stopped_by_mistake(at):
                playing = await self._play_again(playing)
        await self._stop(playing)
        until = self._client.now() + SETTLE_SECONDS
        while playing.failed and await self._next(until) is not None:
            pass  # Mostly it failed because the caller hung up, and that event is the next.

    @ends_without_sound
    @again_after_hold
    async def ask(self, sounds: Sequence[Sound], rules: KeyRules) -> Entry:
        """Play, gather keys by `rules`, and stop the sound at the first key that counts."""
        await self._settle()
        state = self._go_on(begin(rules, self._client.now(), self._last))
        if isinstance(state, Entry):
            return state  # Keyed ahead, by somebody who knows what would be asked.
        if state.keys:
            playing = await self._play((), longest_wait(rules))
        else:
            playing = await self._play(sounds, rules.first_key)
        state = replace(state, began=playing.asked_at)
        while isinstance(state, Gathering):
            due = deadline(state)
            item = await self._next(playing.watchdog if due is None else due)
            now = self._client.now()
            if item is not None and isinstance(item[1], Gap):
                playing = await self._play_after_gap(playing, sounds, rules)
                state = begin(rules, playing.asked_at, self._last)
            elif item is not None:
                state, playing = await self._heard(state, playing, *item)
            elif due is not None:
                state = expire(state, now)
            else:
                self._log("playback_silent")
                state = end_prompt(state, now)
        await self._stop(playing)
        return state

    async def _play_after_gap(self, playing: Playing, sounds: Sequence[Sound], rules: KeyRules) -> Playing:
        """A key may be lost, even one between two others: the question again at once, from its first key."""
        self._log("asked_again", level=logging.INFO)
        self._early.clear()
        await self._stop(playing)
        await self._stop_left_over()
        return await self._play(sounds, rules.first_key)

    def _go_on(self, state: Gathering) -> Gathering | Entry:
        """Press what was put aside; what is left when the entry is complete stays for the next one."""
        after: Gathering | Entry = state
        while self._early and isinstance(after, Gathering):
            after = self._press(after, self._early.pop(0))
        return after

    def _press(self, state: Gathering, pressed: KeyPress) -> Gathering | Entry:
        self._last = follow(self._last, pressed.key, pressed.down, pressed.up)
        return press(state, pressed.key, pressed.down, pressed.up)

    @again_after_hold
    async def record(
        self, sounds: Sequence[Sound], rules: KeyRules, limits: RecordRules, target: Path
    ) -> Recording | Entry:
        """Play to the end, then record; a key that counts is an entry instead."""
        entry = await self.ask(sounds, replace(rules, first_key=0.0))
        if entry.keys:
            return entry
        await self._settle()
        taping = Taping(f"{self._call_id}.{self._tapes % PLAYBACK_IDS}", self._client.now())
        self._tapes += 1
        if not await self._tape(taping, limits):
            return Recording(0.0)
        # Behind the recording waits the tail: should we die meanwhile, nobody is left in silence at its end.
        playing = await self._play((), rules.first_key)
        key, over = await self._listen(taping, rules, limits)
        if key is not None:
            # Discards it; that it is over already is ordinary.
            await self._attempt("DELETE", f"/recordings/live/{taping.name}")
            await self._attempt("DELETE", f"/recordings/stored/{taping.name}")
        seconds = 0.0 if key is not None else await self._fetch(taping.name, target)
        if over is not None and not seconds:
            raise over
        if over is None:
            await self._stop(playing)
        return key or Recording(seconds)

    async def put_through(self, endpoint: str, ring_seconds: float) -> bool:
        """Ring another telephone and join the caller to it, in a bridge."""
        check(endpoint, self._client.settings)
        await self._settle()
        leg = self._leg = Leg(self._client, self._call_id)
        self._client.share(leg.id, self._inbox)
        try:
            if not await leg.ring(endpoint, ring_seconds):
                return await self._part(leg, talked=False)
            playing = await self._play((), 0.0, [RINGING])
            until = self._client.now() + ring_seconds + _RINGING_SLACK_SECONDS
            while not (leg.answered or leg.over) and await self._next(until) is not None:
                pass
            await self._stop(playing)
            if not leg.answered or leg.over or not await leg.join():
                return await self._part(leg, talked=False)
            await self._talk(leg)
        except (HungUp, PbxError):
            await self._part(leg, talked=False)
            raise
        # Should we be cancelled, they go on talking: the process after us finds them.
        return True

    async def _tape(self, taping: Taping, limits: RecordRules) -> bool:
        """Whether a recording was begun."""
        try:
            await self._client.request("POST", f"/channels/{self._call_id}/record", body=order(taping, limits))
        except PbxRefused as error:
            # 500: the folder `recording` in Asterisk's spool is not there, and it makes none (22.10.1).
            await self._refused(error)
            return False
        except PbxSilent as error:
            self._log("record_unclear", error)
        except PbxUnreachable as error:
            raise self._end(Ending(Outcome.UNKNOWN, note=error.render("en"))) from error
        return True

    async def _listen(self, taping: Taping, rules: KeyRules, limits: RecordRules) -> tuple[Entry | None, HungUp | None]:
        """Until the recording is over: the entry if a key that counts was pressed, the end if the call is over."""
        keys = begin(replace(rules, guard=0.0, closed=0.0), taping.began)
        try:
            while not taping.ended:
                item = await self._next(taping.until(limits))
                if item is None:
                    self._log("recording_silent")
                    await self._attempt("POST", f"/recordings/live/{taping.name}/stop")
                    break
                event = item[1]
                if isinstance(event, Gap) and not await self._records(taping):
                    break
                after = self._press(keys, event) if isinstance(event, KeyPress) else keys
                if isinstance(after, Gathering):
                    keys, taping = after, listen(taping, event)
                elif after.keys:
                    return after, None
        except HungUp as over:
            # Who hangs up instead of pressing # has left a message all the same: it is there (22.10.1).
            return None, over
        return None, None

    async def _records(self, taping: Taping) -> bool:
        """Whether a recording still goes on, as far as Asterisk says."""
        try:
            await self._client.request("GET", f"/recordings/live/{taping.name}")
        except PbxRefused:
            return False
        except PbxError as error:
            self._log("recording_unclear", error)
        return True

    async def _fetch(self, name: str, target: Path) -> float:
        """Bring a finished recording here, and leave none there. Seconds; 0 if there is none."""
        try:
            audio = await self._client.fetch(f"/recordings/stored/{name}/file", _FETCH_SECONDS)
        except PbxError as error:
            self._log("recording_lost", error)
            return 0.0
        seconds = await asyncio.to_thread(recordings.store, target, audio)
        await self._attempt("DELETE", f"/recordings/stored/{name}")
        return seconds

    async def _heard(
        self, state: Gathering, playing: Playing, at: float, event: Event | KeyPress
    ) -> tuple[Gathering | Entry, Playing]:
        """One event while an entry is gathered."""
        if isinstance(event, KeyPress):
            after = self._press(state, event)
            if isinstance(after, Gathering) and after.keys and not state.keys:
                # The first of several keys: the prompt stops, the dead-man's tail goes on.
                await self._stop(playing)
                playing = await self._play((), longest_wait(state.rules))
            return after, playing
        heard = hear(playing, event, at)
        if heard.stopped_by_mistake(at):
            return state, await self._play_again(heard)
        if heard.began != playing.began and not state.keys:
            state = replace(state, began=at)
        if heard.ended and not playing.ended:
            if heard.failed:
                # Mostly the caller hung up, and that event is the next.
                self._log("playback_failed", level=logging.DEBUG)
            state = end_prompt(state, at)
        return state, heard
