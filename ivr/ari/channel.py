"""One channel of ours over ARI, from its ringing to its end: what `ivr.ari.phone` talks and listens on."""

import asyncio
import logging

from ivr.ari.causes import ending, rang
from ivr.ari.client import AriClient
from ivr.ari.events import (
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelHold,
    ChannelUnhold,
    Dialling,
    Event,
    StasisEnd,
    StasisStart,
    Vanished,
)
from ivr.call import Ending, Fault, Outcome
from ivr.core.dtmf_decoder import KeyPress, begin_decoding, decode
from ivr.errors import PbxError, PbxRefused
from ivr.phone import HungUp

log = logging.getLogger(__name__)

#: How long ChannelDestroyed, which has the cause, may come after StasisEnd (1 ms on 22.10.1).
_CAUSE_SECONDS = 2.0
#: The originate timeout and our clock do not tick together.
_RINGING_SLACK_SECONDS = 0.5
#: How much longer than it may ring we wait for Asterisk to say how it ended.
_OVERDUE_SECONDS = 10.0
#: So soon after an answer a call is over that had no sound (200 without SDP: 406 and `Up`, 22.10.1) or was taken back.
_AT_ONCE_SECONDS = 3.0
#: The commonest of all redirects, for those of which Asterisk tells no more.
_REDIRECT = 302
#: 404: no such channel. 409: not in Stasis any more. 412: being hung up.
GONE = frozenset({404, 409, 412})


class Interrupted(Exception):
    """The other side put us on hold, or is back: what was being said was not heard."""


class AriChannel:
    """Its inbox exists before the channel does. Every method raises HungUp when the call is over."""

    def __init__(self, client: AriClient, call_id: str, *, answered: bool) -> None:
        self._client = client
        self._call_id = call_id
        self._inbox = client.watch(call_id)
        self._answered = answered  #: in Stasis: we may play and listen
        self._lasting: asyncio.Task[None] | None = None  #: the request of `take_up`, under way
        self.was_told = False  #: something came of it while it was not answered
        self._over: Ending | None = None
        self._on_hold = False
        self._speaks = False  #: something is being said or asked that nobody hears during a hold
        self._decoder = begin_decoding(two_ways=client.settings.two_ways)

    @property
    def call_id(self) -> str:
        """Our own id of the call (of an inbound one: Asterisk's); also the channel's id."""
        return self._call_id

    def take_up(self, seconds: str) -> None:
        """Take an inbound call up: the dialplan ends one that nothing took up within 2 s, so that nobody waits in vain.

        `seconds`: how long it may last from now on, in the dialplan's own words. Does not wait for the reply: a channel
        that plays, as one that another process answered, holds that up. `answer` does.
        """
        self._lasting = asyncio.create_task(self._let_last(seconds))

    async def _let_last(self, seconds: str) -> None:
        params = {"variable": "TIMEOUT(absolute)", "value": seconds}
        try:
            await self._client.request("POST", f"/channels/{self._call_id}/variable", params=params)
        except PbxError as error:
            # If it is gone, its events say so.
            if not (isinstance(error, PbxRefused) and error.status in GONE):
                self._log("let_last_unclear", error)

    async def wait_answered(self, until: float, ring_until: float) -> None:
        """Wait until an outbound call is answered. Raises HungUp, with an outcome, if it is not; or TimeoutError.

        Times of the client's clock; an end after `ring_until` is our own ringing time being over.
        """
        begun = self._client.now()
        ringing_at = taken_at = None
        progress = redirected = False
        while not self._answered:
            item = await self._inbox.next(until)
            if item is None:
                raise TimeoutError
            self.was_told = True
            at, event = item
            if isinstance(event, StasisStart):
                self._answered = True
            elif isinstance(event, Dialling):
                if event.status == "RINGING" and ringing_at is None:
                    ringing_at = at
                if event.status == "ANSWER":
                    taken_at = at
                progress |= event.status == "PROGRESS"
                redirected |= event.status == "CANCEL"
            elif isinstance(event, ChannelDestroyed):
                at_once = event.tech_cause or (taken_at is not None and at - taken_at < _AT_ONCE_SECONDS)
                if event.channel.state == "Up" and at_once:
                    # The two applications are told in no order: it was gone before we heard of its answer.
                    note = "gone as soon as it was answered"
                    raise self._end(Ending(Outcome.NO_ANSWER, event.cause, event.tech_cause, note, Fault.PERSON))
                timed_out = at >= ring_until - _RINGING_SLACK_SECONDS
                # A dead far end looks as one that rings on, but for this (22.10.1).
                ringing = ringing_at is not None or event.channel.state == "Ringing"
                how = rang(ringing, progress, at - (begun if ringing_at is None else ringing_at))
                # Asterisk does not follow a redirect, and gives neither status nor cause: only that word (22.10.1).
                status = _REDIRECT if redirected and not event.tech_cause else event.tech_cause
                raise self._end(ending(status, event.cause, timed_out, how))
            else:
                await self._look(event)

    async def until_answered(self, ring_seconds: float) -> None:
        """A call that a process before us began and that may still ring; so much longer, by what the rows say."""
        # No second longer if its time is over: then Asterisk stood still, and would let it ring on.
        overdue = _OVERDUE_SECONDS if ring_seconds > 0 else 0.0
        await self._until_answered(ring_seconds + overdue, ring_seconds)

    async def _until_answered(self, wait_seconds: float, ring_seconds: float) -> None:
        now = self._client.now()
        try:
            await self.wait_answered(now + wait_seconds, now + ring_seconds)
        except TimeoutError:
            await self.hang_up()
            raise HungUp(Ending(Outcome.UNKNOWN, note="it rang too long")) from None

    async def hang_up(self) -> None:
        """End the call; nothing happens if it is over already."""
        if self._over is not None:
            return
        self._end(Ending(None, note="hung up by us"))
        for last in (False, True):
            try:
                await self._client.request("DELETE", f"/channels/{self._call_id}")
            except PbxRefused as error:
                if error.status not in GONE:
                    self._log("hang_up_refused", error)
            except PbxError as error:
                # Asking again for an end is harmless. Should both fail, TIMEOUT(absolute) of the dialplan ends it.
                self._log("hang_up_unclear", error)
                if not last:
                    continue
            return

    async def _next(self, until: float) -> tuple[float, Event | KeyPress] | None:
        """What happens next on the channel by `until`, else None. Raises HungUp.

        A key that was let go comes as the press that it ends: once, however often it was told.
        """
        while (item := await self._inbox.next(until)) is not None:
            at, event = item
            await self._look(event)
            if not isinstance(event, ChannelDtmfReceived) or event.channel.id != self._call_id:
                return item
            held = event.duration_ms / 1000
            self._decoder, press = decode(self._decoder, event.digit, held, at, event.stamped)
            if press is not None:
                return at, press
        return None

    async def _look(self, event: Event) -> None:
        """What matters whatever we are doing. Raises HungUp."""
        if isinstance(event, ChannelDestroyed):
            raise self._end(Ending(None, event.cause, event.tech_cause))
        if isinstance(event, Vanished):
            raise self._end(Ending(Outcome.UNKNOWN, note="lost while we had no connection to Asterisk"))
        if isinstance(event, ChannelHold | ChannelUnhold):
            self._on_hold = isinstance(event, ChannelHold)
            if self._speaks:
                raise Interrupted
        if isinstance(event, StasisEnd):
            raise await self._left(Ending(None, note="the channel left Stasis"))

    async def _refused(self, error: PbxRefused) -> None:
        """Asterisk would not: raises HungUp if that is because the channel is gone."""
        if error.status in GONE:
            raise await self._left(Ending(None, note=error.reason)) from error
        self._log("refused", error)

    async def _left(self, otherwise: Ending) -> HungUp:
        """The channel is ours no more: wait a little for ChannelDestroyed, which knows why."""
        until = self._client.now() + _CAUSE_SECONDS
        while (item := await self._inbox.next(until)) is not None:
            event = item[1]
            if isinstance(event, ChannelDestroyed) and event.channel.id == self._call_id:
                return self._end(Ending(None, event.cause, event.tech_cause))
        return self._end(otherwise)

    def _end(self, how: Ending) -> HungUp:
        self._over = how
        if self._lasting is not None:
            self._lasting.cancel()
        self._client.forget(self._call_id)
        return HungUp(how)

    def _log(self, action: str, error: PbxError | None = None, level: int = logging.WARNING) -> None:
        said = error.render("en") if error is not None else ""
        log.log(level, "%s: %s", action, said, extra={"action": action, "call": self._call_id})
