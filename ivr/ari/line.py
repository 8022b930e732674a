"""Places calls over ARI: implements `ivr.phone.Line`."""

import logging
import math
import re
from collections.abc import Callable

from ivr.ari.channel import GONE
from ivr.ari.client import AriClient
from ivr.ari.phone import AriPhone
from ivr.ari.playing import Tail
from ivr.call import Ending, Fault, Outcome
from ivr.errors import PbxError, PbxRefused, PbxSilent, PbxUnreachable
from ivr.numbers import BadNumber, Numbering, dialable
from ivr.phone import DialOrder, HungUp
from ivr.trunks.dialled import dialled
from ivr.trunks.presented import number_for
from ivr.trunks.sound import offered

log = logging.getLogger(__name__)

#: How much longer than the ringing time we wait for Asterisk to say how it went.
_OVERDUE_SECONDS = 10.0
#: The far end of the test call, in our own dialplan: it answers, listens, and presses 1 if there was something to hear.
_OURSELVES = "Local/key@kenko-test/n"
_OURSELVES_SECONDS = 5.0
#: After a request whose fate is not known: so much later the channel must be there if there is one.
_APPEARS_SECONDS = 2.0
#: How long a call is taken back again and again while Asterisk says nothing, and between two tries. One that stood
#: still so long has rung out by its own clock.
_TAKE_BACK_SECONDS = 180.0
_AGAIN_SECONDS = 0.5


class AriLine:
    """The trunk. `is_open` tells whether the connection is up and reconciled."""

    def __init__(self, client: AriClient, tail: Tail, is_open: Callable[[], bool]) -> None:
        self._client = client
        self._tail = tail
        self._is_open = is_open

    async def dial(self, order: DialOrder) -> AriPhone | Ending:
        """Ring the number: the live call if it was answered, else how it ended. The request is sent at most once.

        Ending(FAILED) while Asterisk is out of reach: nothing was sent. Ending(UNKNOWN) if nobody can say what became
        of it. Raises ValueError for an order that must never leave this machine.
        """
        check(order, self._client.settings.numbering)
        settings = self._client.settings
        trunk = order.trunk or settings.trunk
        if trunk not in (settings.trunk, *settings.more_trunks):
            raise ValueError("not a trunk of the settings")
        named = f"{order.number}@{trunk}"
        return await self._place(order, dialled(named, settings.places), named)

    async def dial_ourselves(self, call_id: str) -> AriPhone | Ending:
        """The test call: as `dial`, but to the far end that our own dialplan has for it. No line is used."""
        return await self._place(DialOrder(call_id, "", _OURSELVES_SECONDS), _OURSELVES, "")

    async def _place(self, order: DialOrder, endpoint: str, named: str) -> AriPhone | Ending:
        if not self._is_open():
            return Ending(Outcome.FAILED, note="no connection to Asterisk")
        # The last door before the network: own id, inbox first, then send.
        phone = AriPhone(self._client, order.call_id, self._tail, answered=False)
        handed_over = False
        try:
            answer = await self._dial(order, endpoint, named, phone)
            handed_over = answer is phone
            return answer
        finally:
            if not handed_over:
                self._client.forget(order.call_id)

    async def _dial(self, order: DialOrder, endpoint: str, named: str, phone: AriPhone) -> AriPhone | Ending:
        sent_at = self._client.now()
        ring_until, latest = sent_at + order.ring_seconds, sent_at + order.within
        sent = await self._originate(order, endpoint, named)
        if isinstance(sent, Ending):
            return sent
        try:
            await phone.wait_answered(min(ring_until + _OVERDUE_SECONDS, latest), ring_until)
        except HungUp as hung_up:
            return hung_up.ending
        except TimeoutError:
            log.warning("no word of a call", extra={"action": "dial_overdue", "call": order.call_id})
            await self._take_back(order.call_id)
            if self._client.now() >= latest:
                return Ending(Outcome.NO_ANSWER, note="taken back at the end of the window")
            # Not a word of a request that was not answered either: Asterisk takes none, and no telephone has rung.
            fault = None if sent or phone.was_told else Fault.US
            return Ending(Outcome.UNKNOWN, note="Asterisk did not say how it ended", fault=fault)
        if self._client.now() > latest:
            # Asterisk, or we, stood still meanwhile: it rang too long.
            await self._take_back(order.call_id)
            return Ending(Outcome.NO_ANSWER, note="answered after the end of the window")
        return phone

    async def _take_back(self, call_id: str) -> None:
        """Not before nothing of the call can ring any more: until then its person must not be rung by another one.

        An Asterisk that stands still carries out what it was asked for before as soon as it goes on: the request to
        dial, too. So it is asked to end the channel until it says that there is none, and once more a little later.
        """
        give_up = self._client.now() + _TAKE_BACK_SECONDS
        gone = False
        while self._client.now() < give_up:
            pause = _AGAIN_SECONDS
            try:
                await self._client.request("DELETE", f"/channels/{call_id}")
                return
            except PbxRefused as error:
                if error.status in GONE and gone:
                    return
                gone, pause = error.status in GONE, _APPEARS_SECONDS
            except PbxError:
                gone = False
            await self._client.sleep(pause)
        log.error("a call could not be taken back", extra={"action": "take_back_failed", "call": call_id})

    async def _originate(self, order: DialOrder, endpoint: str, named: str) -> Ending | bool:
        """Send the request, once. True: there is a call; False: there may be one, go on waiting."""
        settings = self._client.settings
        body = {
            "endpoint": endpoint,
            # Never `app`: were we away at the answer, the person would hear nothing and be cut off (22.10.1). The
            # dialplan has an apology for that.
            "context": settings.context,
            "extension": settings.extension,
            "priority": 1,
            "timeout": math.ceil(min(order.ring_seconds, order.within)),
            # Goes out as From, or, where the endpoint has a `from_user` of its own, as P-Asserted-Identity if it sends
            # one. A channel without a number counts as withheld: From then says "Anonymous" (22.10.1).
            "callerId": number_for(named, settings.callers),
            # The endpoint allows more, so that calls in with other sound are seen.
            **offered(named),
        }
        try:
            await self._client.request("POST", f"/channels/{order.call_id}", body=body)
        except PbxUnreachable as error:
            return Ending(Outcome.FAILED, note=error.render("en"))
        except PbxRefused as error:
            if error.status == 409:
                return True  # This very call lives already: adopt it.
            if error.status < 500 or error.reason == "Allocation failed":
                # "Allocation failed" (22.10.1): no such endpoint, or `maxcalls` reached. There is no channel.
                return Ending(Outcome.FAILED, note=error.reason, fault=Fault.US)
            return await self._look_for(order.call_id, error.reason)
        except PbxSilent as error:
            return await self._look_for(order.call_id, error.render("en"))
        return True

    async def _look_for(self, call_id: str, note: str) -> Ending | bool:
        """The request may or may not have been carried out: look, twice. True: the channel lives; False: who knows."""
        log.warning("unclear whether a call was placed", extra={"action": "dial_unclear", "call": call_id})
        try:
            if await self.lives(call_id):
                return True
            await self._client.sleep(_APPEARS_SECONDS)
            if await self.lives(call_id) or not self._client.watch(call_id).is_empty():
                return True  # Or it lived and is over: its events tell more than we know.
        except PbxError:
            return False
        return Ending(Outcome.UNKNOWN, note=note, fault=Fault.US)

    async def lives(self, call_id: str) -> bool:
        """Whether the channel exists. Raises PbxError if that cannot be told: while Asterisk boots, all are 404."""
        try:
            await self._client.request("GET", f"/channels/{call_id}")
        except PbxRefused as error:
            if error.status != 404:
                raise
            await self._client.request("GET", "/asterisk/info")
            return False
        return True


def check(order: DialOrder, numbering: Numbering) -> None:
    """Raises ValueError unless the order can be nothing but a national number that may be rung, and an id of ours.

    ARI takes any text as endpoint: this is the last door, whatever was checked before.
    """
    try:
        allowed = dialable(order.number, numbering)
    except BadNumber:
        allowed = None
    if allowed != order.number:
        raise ValueError("not a number that may be dialled")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,119}", order.call_id):
        raise ValueError("not an id that a channel may have")
    if not 0 < order.ring_seconds <= 110:
        raise ValueError("ringing time must be above 0 and at most 110 s")
    if order.within <= 0:
        raise ValueError("the window is over")
