"""What plays on one channel of ours: one list of sounds at a time, and what was stopped is over before the next."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from ivr.ari.channel import GONE, AriChannel, Interrupted
from ivr.ari.client import AriClient
from ivr.ari.events import Event, PlaybackFinished, channel_of
from ivr.ari.leg import Leg
from ivr.ari.playing import Playing, Tail, media, media_uri
from ivr.call import Ending, Outcome
from ivr.core.dtmf_decoder import KeyPress
from ivr.digits import EndedBy, Entry, LastKey
from ivr.errors import PbxError, PbxRefused, PbxSilent, PbxUnreachable
from ivr.phone import HungUp
from ivr.prompts import Sound

#: Ids of playbacks and recordings go round, so that after a restart of ours those of the process before can be found
#: and stopped: Asterisk has no list of them. Never are more than two of one call alive.
PLAYBACK_IDS = 4
#: How long the end of a stopped playback may take before the next one (1 ms on 22.10.1).
SETTLE_SECONDS = 0.25
#: So many silences in a row with no sound at all, after a first one, and nothing more will come: each waits as long as
#: its question may.
_SILENT_ENTRIES = 2
#: No call of ours rings longer: Terminal Facilities Rules, Article 32-3.
_LONGEST_RINGING_SECONDS = 120.0


class AriPlayer(AriChannel):
    """The half of `AriPhone` that plays."""

    def __init__(
        self,
        client: AriClient,
        call_id: str,
        tail: Tail,
        *,
        answered: bool,
        taken_over: bool = False,
        talks: bool = False,
    ) -> None:
        super().__init__(client, call_id, answered=answered)
        self._tail = tail
        #: The telephone that the caller is put through to; of a process before us: they still talk.
        self._leg = Leg(client, call_id, answered=True) if talks else None
        if self._leg is not None:
            client.share(self._leg.id, self._inbox)
        #: Playbacks that may still play although nobody wants them: a process before us began them, or it is not known
        #: whether they were stopped. The next prompt would queue behind their tail, and the apology would be heard.
        self._unstopped = {f"{call_id}.{number}" for number in range(PLAYBACK_IDS)} if taken_over else set()
        #: Recordings of a process before us: as long as one goes on, nothing else is heard.
        self._undone = {f"{call_id}.{number}" for number in range(PLAYBACK_IDS)} if taken_over else set()
        self._plays = self._tapes = 0
        self._stopping: str | None = None
        self._received_before: int | None = None  #: packets, at the last entry that was silence
        self._unheard = 0  #: silent entries in a row during which no packet came
        self._last: LastKey | None = None
        self._early: list[KeyPress] = []  #: keys that were pressed since the last entry was complete

    async def _play(
        self, sounds: Sequence[Sound], wait: float, instead: Sequence[str] = (), again: bool = False
    ) -> Playing:
        """Ask for the sounds and a tail for a wait of so many seconds, or for other media `instead`."""
        playing = Playing(
            id=f"{self._call_id}.{self._plays % PLAYBACK_IDS}",
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
                body={"media": list(instead) or media(sounds, self._tail, wait)},
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
            if error.status not in GONE:
                self._log("stop_refused", error)
            return False
        except PbxError as error:
            self._log("stop_unclear", error)
            self._unstopped.add(playback)
            return False
        return True

    async def _stop_left_over(self) -> None:
        """Stop what may still play although nobody wants it."""
        for playback in sorted(self._unstopped):
            await self._delete(playback)

    async def _settle(self) -> None:
        """Before a prompt: the keys that came since the last one are put aside, and what was stopped must be over.

        A stop that Asterisk has not carried out yet may otherwise stop the next prompt (read in the source of 22.10.1).
        """
        if self._over is not None:
            raise HungUp(self._over)
        if self._leg is not None:
            await self._until_parted(self._leg)
        if not self._answered:
            await self._until_answered(_LONGEST_RINGING_SECONDS, _LONGEST_RINGING_SECONDS)
        for tape in sorted(self._undone):
            # Whoever spoke hears that we were interrupted, and is asked again.
            await self._attempt("DELETE", f"/recordings/live/{tape}")
        self._undone.clear()
        await self._stop_left_over()
        while not self._inbox.is_empty():
            self._put_aside(await self._next(self._client.now()))
        until = self._client.now() + SETTLE_SECONDS
        while self._stopping is not None and (item := await self._next(until)) is not None:
            self._put_aside(item)
        self._stopping = None

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """What happens here is of no use during a hold: Interrupted is raised then."""
        before, self._speaks = self._speaks, True
        try:
            yield
        except Interrupted:
            self._drop_all()
            raise
        finally:
            self._speaks = before

    async def wait_out_hold(self) -> None:
        """Until the other side listens again, up to the longest call: the dialplan ends that. Raises HungUp."""
        while self._on_hold:
            await self._next(math.inf)

    def _drop_all(self) -> None:
        """What plays or is recorded now is not wanted any more: the next prompt stops it."""
        ids = {f"{self._call_id}.{number}" for number in range(PLAYBACK_IDS)}
        self._unstopped |= ids
        self._undone |= ids

    async def end_without_sound(self, entry: Entry) -> None:
        """End a call from which nothing comes any more, not even silence, entry after entry. Raises HungUp.

        The sound comes from another port since a router forgot us (Asterisk drops that: strictrtp), or the other end is
        gone. It would end all the same as somebody who presses nothing; so it ends as cut off, and the next call goes
        on at the open question. Who never sent any sound is not meant.
        """
        received = await self._received() if entry.ended_by is EndedBy.SILENCE else None
        same = bool(received) and received == self._received_before
        self._unheard, self._received_before = self._unheard + 1 if same else 0, received
        if self._unheard >= _SILENT_ENTRIES:
            self._log("nothing_received")
            await self.hang_up()
            raise HungUp(Ending(None, note="nothing came from them any more"))

    async def _received(self) -> int | None:
        """Packets of sound that came until now; None: Asterisk does not say."""
        try:
            found = await self._client.request("GET", f"/channels/{self._call_id}/rtp_statistics")
        except PbxError:
            return None
        count = found.get("rxcount") if isinstance(found, dict) else None
        return count if isinstance(count, int) else None

    def _put_aside(self, item: tuple[float, Event | KeyPress] | None) -> None:
        if item is not None and isinstance(item[1], KeyPress):
            self._early.append(item[1])

    async def _attempt(self, method: str, path: str) -> None:
        """A request whose fate changes nothing for the caller."""
        try:
            await self._client.request(method, path)
        except PbxError as error:
            if not (isinstance(error, PbxRefused) and error.status in GONE):
                self._log("recording_left", error)

    async def _talk(self, leg: Leg) -> None:
        """Until the other side hangs up. Raises HungUp."""
        while not leg.over:
            await self._next(math.inf)
        await self._part(leg, talked=True)

    async def _part(self, leg: Leg, *, talked: bool) -> bool:
        self._leg = None
        await leg.clear()
        return talked

    async def _until_parted(self, leg: Leg) -> None:
        """A process before us put them through, and they talk: nobody speaks in between. Raises HungUp."""
        try:
            await self._talk(leg)
        except HungUp:
            await self._part(leg, talked=True)
            raise

    async def _look(self, event: Event) -> None:
        if channel_of(event) != self._call_id:
            # Of the leg. Its end comes twice, once by each application: the second time nobody waits for it any more.
            if self._leg is not None:
                self._leg.hear(event)
            return
        await super()._look(event)
        if isinstance(event, PlaybackFinished) and event.playback.id == self._stopping:
            self._stopping = None
