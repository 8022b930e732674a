"""One channel that Asterisk has handed over, on panoramisk's Request: one command after another, and its end."""

import asyncio
import logging

from panoramisk.fast_agi import Request

from ivr.call import Ending, Outcome
from ivr.fastagi import words
from ivr.fastagi.words import Reply
from ivr.phone import HungUp

log = logging.getLogger(__name__)

#: How much longer than what it does a command may take.
REPLY_SECONDS = 5.0
#: Q.850 "normal clearing": AGI does not tell the cause.
_NORMAL_CLEARING = 16


class AgiChannel:
    """Every method raises HungUp when the call is over."""

    def __init__(self, request: Request, call_id: str) -> None:
        self._request = request
        self._call_id = call_id
        self._over: Ending | None = None

    @property
    def call_id(self) -> str:
        """Asterisk's id of the channel."""
        return self._call_id

    async def until_answered(self, ring_seconds: float) -> None:
        """Calls of ours never come this way."""
        self._require_live()

    async def hang_up(self) -> None:
        """End the call; nothing happens if it is over already."""
        if self._over is not None:
            return
        try:
            await self._do(words.command("HANGUP"))
        except HungUp:
            return
        self._end(Ending(None, note="hung up by us"))

    async def _do(self, command: str, seconds: float = 0.0) -> Reply:
        """Send a command that takes so many seconds at most, and wait for its reply."""
        self._require_live()
        try:
            async with asyncio.timeout(seconds + REPLY_SECONDS):
                said = await self._request.send_command(command)
        except TimeoutError:
            raise self._end(Ending(Outcome.UNKNOWN, note="Asterisk did not answer")) from None
        except (OSError, ValueError):
            # At the end of the stream panoramisk finds no number in an empty line.
            raise self._end(Ending(Outcome.UNKNOWN, note="the connection to Asterisk ended")) from None
        reply = words.read_reply(said)
        if reply is None:
            raise self._end(Ending(None, _NORMAL_CLEARING))
        return reply

    async def _require_caller(self) -> None:
        """After a command that failed: raises HungUp if that is because the caller has hung up."""
        if (await self._do(words.command("CHANNEL", "STATUS"))).failed:
            raise self._end(Ending(None, _NORMAL_CLEARING))

    def _require_live(self) -> None:
        if self._over is not None:
            raise HungUp(self._over)

    def _end(self, how: Ending) -> HungUp:
        self._over = how
        return HungUp(how)

    def _log(self, action: str) -> None:
        log.warning("%s", action, extra={"action": action, "call": self._call_id})
