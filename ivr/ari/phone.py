"""One call, played and listened to over ARI: implements `ivr.phone.Phone`."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from ivr.ari.causes import ending
from ivr.ari.client import AriClient
from ivr.ari.events import (
    ChannelDestroyed,
    ChannelDtmfReceived,
    Event,
    PlaybackFinished,
    StasisEnd,
    StasisStart,
    Vanished,
)
from ivr.ari.playing import Playing, Tail, hear, longest_wait, media, media_uri
from ivr.call import Ending, Outcome
from ivr.digits import Entry, Gathering, KeyRules, begin, deadline, end_prompt, expire, press
from ivr.errors import PbxError, PbxRefused, PbxSilent, PbxUnreachable
from ivr.phone import HungUp
from ivr.prompts import Sound

log = logging.getLogger(__name__)

#: Playback ids go round, so that after a restart of ours the playback of the process before can be found and stopped:
#: Asterisk has no list of playbacks. Never are more than two of one call alive.
_PLAYBACK_IDS = 4
_AFTER_ANSWER_SECONDS = 0.5
#: How long ChannelDestroyed, which has the cause, may come after StasisEnd (1 ms on 22.10.1).
_CAUSE_SECONDS = 2.0
#: How long the end of a stopped playback may take before the next one (1 ms on 22.10.1).
_SETTLE_SECONDS = 0.25
#: The originate timeout and our clock do not tick together.
_RINGING_SLACK_SECONDS = 0.5
#: How much longer than it may ring we wait for Asterisk to say how it ended.
_OVERDUE_SECONDS = 10.0
#: No call of ours rings longer: Terminal Facilities Rules, Article 32-3.
_LONGEST_RINGING_SECONDS = 120.0
#: 404: no such channel. 409: not in Stasis any more. 412: being hung up.
_GONE = frozenset({404, 409, 412})


class AriPhone:
    """One channel of ours. Made by `AriLine` and `Pbx`, which see to it that its inbox exists before the channel.

    Every method raises HungUp when the call is over.
    """

    def __init__(
        self, client: AriClient, call_id: str, tail: Tail, *, answered: bool, taken_over: bool = False
    ) -> None:
        self._client = client
        self._call_id = call_id
        self._tail = tail
        self._inbox = client.watch(call_id)
        self._answered = answered  #: in Stasis: we may play and listen
        #: Playbacks that may still play although nobody wants them: a process before us began them, or it is not known
        #: whether they were stopped. The next prompt would queue behind their tail, and the apology would be heard.
        self._unstopped = {f"{call_id}.{number}" for number in range(_PLAYBACK_IDS)} if taken_over else set()
        self._plays = 0
        self._stopping: str | None = None
        self._over: Ending | None = None

    @property
    def call_id(self) -> str:
        """Our own id of the call (of an inbound one: Asterisk's); also the channel's id."""
        return self._call_id

    async def wait_answered(self, until: float, ring_until: float) -> None:
        """Wait until an outbound call is answered. Raises HungUp, with an outcome, if it is not; or TimeoutError.

        Times of the client's clock; an end after `ring_until` is our own ringing time being over.
        """
        while not self._answered:
            item = await self._inbox.next(until)
            if item is None:
                raise TimeoutError
            at, event = item
            if isinstance(event, StasisStart):
                self._answered = True
            elif isinstance(event, ChannelDestroyed):
                timed_out = at >= ring_until - _RINGING_SLACK_SECONDS
                # A dead far end looks as one that rings on, but for the state (22.10.1). So does a trunk that sends
                # early media instead of ringing: therefore a note, not an outcome.
                note = "it never rang" if timed_out and event.channel.state == "Down" else ""
                raise self._end(replace(ending(event.tech_cause, event.cause, timed_out), note=note))
            else:
                await self._look(event)

    async def until_answered(self, ring_seconds: float) -> None:
        """A call that a process before us began and that may still ring; so much longer, by what the rows say."""
        await self._until_answered(ring_seconds + _OVERDUE_SECONDS, ring_seconds)

    async def _until_answered(self, wait_seconds: float, ring_seconds: float) -> None:
        now = self._client.now()
        try:
            await self.wait_answered(now + wait_seconds, now + ring_seconds)
        except TimeoutError:
            await self.hang_up()
            raise HungUp(Ending(Outcome.UNKNOWN, note="it rang too long")) from None

    async def answer(self) -> None:
        """Take an inbound call, then 500 ms of silence: a sound before that is cut or becomes early media."""
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

    async def say(self, sounds: Sequence[Sound]) -> None:
        """Play to the end; keys pressed meanwhile are thrown away."""
        await self._settle()
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
        until = self._client.now() + _SETTLE_SECONDS
        while playing.failed and await self._next(until) is not None:
            pass  # Mostly it failed because the caller hung up, and that event is the next.

    async def ask(self, sounds: Sequence[Sound], rules: KeyRules) -> Entry:
        """Play, gather keys by `rules`, and stop the sound at the first key that counts."""
        await self._settle()
        playing = await self._play(sounds, rules.first_key)
        state: Gathering | Entry = begin(rules, playing.asked_at)
        while isinstance(state, Gathering):
            due = deadline(state)
            item = await self._next(playing.watchdog if due is None else due)
            now = self._client.now()
            if item is not None:
                state, playing = await self._heard(state, playing, *item)
            elif due is not None:
                state = expire(state, now)
            else:
                self._log("playback_silent")
                state = end_prompt(state, now)
        await self._stop(playing)
        return state

    async def hang_up(self) -> None:
        """End the call; nothing happens if it is over already."""
        if self._over is not None:
            return
        self._end(Ending(None, note="hung up by us"))
        for last in (False, True):
            try:
                await self._client.request("DELETE", f"/channels/{self._call_id}")
            except PbxRefused as error:
                if error.status not in _GONE:
                    self._log("hang_up_refused", error)
            except PbxError as error:
                # Asking again for an end is harmless. Should both fail, TIMEOUT(absolute) of the dialplan ends it.
                self._log("hang_up_unclear", error)
                if not last:
                    continue
            return

    async def _heard(
        self, state: Gathering, playing: Playing, at: float, event: Event
    ) -> tuple[Gathering | Entry, Playing]:
        """One event while an entry is gathered."""
        if isinstance(event, ChannelDtmfReceived):
            after = press(state, event.digit, at)
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

    async def _play(self, sounds: Sequence[Sound], wait: float, again: bool = False) -> Playing:
        """Ask for the sounds and a tail for a wait of so many seconds."""
        playing = Playing(
            id=f"{self._call_id}.{self._plays % _PLAYBACK_IDS}",
            sounds=tuple(sounds),
            wait=wait,
            silence=media_uri(self._tail.silence),
            asked_at=self._client.now(),
            again=again,
        )
        self._plays += 1
        try:
            await self._client.request(
                "POST",
                f"/channels/{self._call_id}/play/{playing.id}",
                body={"media": media(sounds, self._tail, wait)},
            )
        except PbxRefused as error:
            await self._refused(error)
            # The caller is there, only the sound is not: we go on listening.
            return replace(playing, sounds=(), finished=True, failed=True)
        except PbxSilent as error:
            self._log("play_unclear", error)
        except PbxUnreachable as error:
            # Its HTTP port is closed or it boots: the process that held this call is no more.
            raise self._end(Ending(Outcome.UNKNOWN, note=error.render("en"))) from error
        return playing

    async def _play_again(self, playing: Playing) -> Playing:
        self._log("playback_stopped_by_mistake")
        return await self._play(playing.sounds, playing.wait, again=True)

    async def _stop(self, playing: Playing) -> None:
        """Stop what still plays."""
        if not playing.finished and await self._delete(playing.id):
            self._stopping = playing.id

    async def _delete(self, playback: str) -> bool:
        """Whether the playback is being stopped now. That it is over already is ordinary."""
        self._unstopped.discard(playback)
        try:
            await self._client.request("DELETE", f"/playbacks/{playback}")
        except PbxRefused as error:
            if error.status not in _GONE:
                self._log("stop_refused", error)
            return False
        except PbxError as error:
            self._log("stop_unclear", error)
            self._unstopped.add(playback)
            return False
        return True

    async def _settle(self) -> None:
        """Before a prompt: what came since the last one is dropped, and what was stopped must be over.

        A stop that Asterisk has not carried out yet may otherwise stop the next prompt (read in the source of 22.10.1).
        """
        if self._over is not None:
            raise HungUp(self._over)
        if not self._answered:
            await self._until_answered(_LONGEST_RINGING_SECONDS, _LONGEST_RINGING_SECONDS)
        for playback in sorted(self._unstopped):
            await self._delete(playback)
        while not self._inbox.is_empty():
            await self._next(self._client.now())
        until = self._client.now() + _SETTLE_SECONDS
        while self._stopping is not None and await self._next(until) is not None:
            pass
        self._stopping = None

    async def _next(self, until: float) -> tuple[float, Event] | None:
        """The next event of the channel by `until`, else None. Raises HungUp."""
        item = await self._inbox.next(until)
        if item is not None:
            await self._look(item[1])
        return item

    async def _look(self, event: Event) -> None:
        """What matters whatever we are doing. Raises HungUp."""
        if isinstance(event, ChannelDestroyed):
            raise self._end(Ending(None, event.cause, event.tech_cause))
        if isinstance(event, Vanished):
            raise self._end(Ending(Outcome.UNKNOWN, note="lost while we had no connection to Asterisk"))
        if isinstance(event, StasisEnd):
            raise await self._left(Ending(None, note="the channel left Stasis"))
        if isinstance(event, PlaybackFinished) and event.playback.id == self._stopping:
            self._stopping = None

    async def _refused(self, error: PbxRefused) -> None:
        """Asterisk would not: raises HungUp if that is because the channel is gone."""
        if error.status in _GONE:
            raise await self._left(Ending(None, note=error.reason)) from error
        self._log("refused", error)

    async def _left(self, otherwise: Ending) -> HungUp:
        """The channel is ours no more: wait a little for ChannelDestroyed, which knows why."""
        until = self._client.now() + _CAUSE_SECONDS
        while (item := await self._inbox.next(until)) is not None:
            event = item[1]
            if isinstance(event, ChannelDestroyed):
                return self._end(Ending(None, event.cause, event.tech_cause))
        return self._end(otherwise)

    def _end(self, how: Ending) -> HungUp:
        self._over = how
        self._client.forget(self._call_id)
        return HungUp(how)

    def _log(self, action: str, error: PbxError | None = None, level: int = logging.WARNING) -> None:
        said = error.render("en") if error is not None else ""
        log.log(level, "%s: %s", action, said, extra={"action": action, "call": self._call_id})
