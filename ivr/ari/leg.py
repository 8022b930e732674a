"""The other telephone that a caller is put through to: its channel, and the bridge in which both talk.

Channel and bridge have one id, made of the caller's: whoever finds them after a restart knows whose they are.
"""

import logging
import math

from ivr.ari.channel import GONE
from ivr.ari.client import AriClient
from ivr.ari.events import Channel, ChannelDestroyed, Event, StasisEnd, StasisStart, Vanished
from ivr.ari.settings import PbxSettings
from ivr.endpoints import check_endpoint
from ivr.errors import PbxError, PbxRefused, PbxSilent
from ivr.trunks.dialled import dialled
from ivr.trunks.presented import number_for
from ivr.trunks.sound import offered

log = logging.getLogger(__name__)


def leg_id(settings: PbxSettings, caller: str) -> str:
    """The id of the leg of this caller's channel."""
    return f"{_prefix(settings)}{caller}"


def caller_of(settings: PbxSettings, channel_id: str) -> str | None:
    """Whose leg this channel is; None if it is no leg."""
    return channel_id.removeprefix(_prefix(settings)) if channel_id.startswith(_prefix(settings)) else None


def _prefix(settings: PbxSettings) -> str:
    return f"{settings.id_prefix}leg-"


class Leg:
    """From its ringing to its end; `hear` gets its events."""

    def __init__(self, client: AriClient, caller: str, *, answered: bool = False) -> None:
        self._client = client
        self._caller = caller
        self.id = leg_id(client.settings, caller)
        self.answered = answered
        self.over = False

    def hear(self, event: Event) -> None:
        """Something happened to it."""
        match event:
            case StasisStart():
                self.answered = True
            case ChannelDestroyed() | StasisEnd() | Vanished():
                self.over = True

    async def ring(self, endpoint: str, ring_seconds: float) -> bool:
        """Ask Asterisk to ring it; `check` must have found it good. False: it does not ring."""
        settings = self._client.settings
        body = {
            "endpoint": dialled(endpoint, settings.places),
            # As a call of ours to a person: were we away at the answer, it would hear an apology.
            "context": settings.context,
            "extension": settings.extension,
            "priority": 1,
            "timeout": math.ceil(ring_seconds),
            # A channel without one counts as withheld: "Anonymous" (22.10.1).
            "callerId": number_for(endpoint, settings.callers),
            **offered(endpoint),
        }
        try:
            await self._client.request("POST", f"/channels/{self.id}", body=body)
        except PbxSilent as error:
            self._log("leg_unclear", error)  # It may ring: its events tell, and `clear` ends it.
        except PbxError as error:
            self._log("leg_refused", error)
            return False
        return True

    async def join(self) -> bool:
        """Put both into a bridge; False: they cannot hear each other."""
        both = f"{self._caller},{self.id}"
        try:
            await self._client.request("POST", "/bridges", body={"type": "mixing", "bridgeId": self.id})
            await self._client.request("POST", f"/bridges/{self.id}/addChannel", params={"channel": both})
        except PbxError as error:
            # Mostly one of them has just hung up.
            self._log("leg_not_joined", error)
            return False
        return True

    async def is_joined(self) -> bool:
        """Whether both are in the bridge, as Asterisk says."""
        try:
            found = await self._client.request("GET", f"/bridges/{self.id}")
        except PbxError:
            return False
        channels = found.get("channels") if isinstance(found, dict) else None
        return isinstance(channels, list) and {self._caller, self.id} <= set(channels)

    async def clear(self) -> None:
        """Leave nothing of it: what is gone already is ordinary."""
        self._client.forget(self.id)
        for path in (f"/channels/{self.id}", f"/bridges/{self.id}"):
            try:
                await self._client.request("DELETE", path)
            except PbxRefused as error:
                if error.status not in GONE:
                    self._log("leg_left", error)
            except PbxError as error:
                # Not harmful: the originate timeout and TIMEOUT(absolute) of the dialplan end it.
                self._log("leg_left", error)

    def _log(self, action: str, error: PbxError) -> None:
        log.warning("%s: %s", action, error.render("en"), extra={"action": action, "call": self._caller})


def check(endpoint: str, settings: PbxSettings) -> None:
    """Raises ValueError unless this may be rung: see `check_endpoint`."""
    check_endpoint(endpoint, settings.telephones, (settings.trunk, *settings.more_trunks), settings.numbering)


async def sort_legs(client: AriClient, ours: dict[str, Channel]) -> set[str]:
    """Callers who talk to a telephone that a process before us put them through to; its other legs end.

    Takes the legs out of `ours`, the living channels of ours by id: they are no calls of their own.
    """
    talking: set[str] = set()
    for channel_id in list(ours):
        caller = caller_of(client.settings, channel_id)
        if caller is None:
            continue
        del ours[channel_id]
        if channel_id in client.watched():
            continue
        leg = Leg(client, caller)
        if caller in ours and await leg.is_joined():
            talking.add(caller)
        else:
            await leg.clear()
    return talking
