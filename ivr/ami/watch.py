"""Looks at the trunks through Asterisk's manager, for ever: at every event that tells something, and every few seconds.

It knows neither alarms nor gates: whoever started it is told what was seen, and when nothing can be seen.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ivr.ami.link import AmiSettings, Link, open_link
from ivr.ami.state import FAILURES, TELLING, Seen, count_channels, read_devices, read_registrations
from ivr.errors import PbxError

log = logging.getLogger(__name__)

_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 15.0
#: Events come in twos and threes: so long they are gathered before the look.
_GATHER_SECONDS = 0.2


@dataclass
class Watch:
    """One watch. `saw` is told what every look found, or None when the manager cannot be reached."""

    settings: AmiSettings
    poll_seconds: float
    saw: Callable[[Seen | None], Awaitable[None]]
    turned_away: Callable[[], None]  #: somebody failed to come in
    note: Callable[[str, BaseException], None]  #: tells staff of a fault of ours, by its action in the log
    sleep: Callable[[float], Awaitable[None]]
    jitter: Callable[[], float]  #: 0 to 1
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Stay connected until cancelled."""
        tries = 0
        while True:
            try:
                link = await open_link(self.settings, self._heard)
                log.info("connected to the manager", extra={"action": "ami_ready"})
                tries = 0
                await self._stay(link)
            except PbxError as error:
                if not tries:
                    log.warning("%s", error.render("en"), extra={"action": "ami_lost"})
                tries += 1
            except Exception as error:  # a task border: what looks after the trunks must not end the calls
                log.exception("the watch failed", extra={"action": "watch_failed"})
                self.note("watch_failed", error)
                tries += 1
            await self.saw(None)
            longest = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2.0 ** min(tries, 10))
            await self.sleep(longest * (0.5 + self.jitter() / 2))

    async def _stay(self, link: Link) -> None:
        """Until the connection ends, which raises PbxError."""
        try:
            while True:
                self._told.clear()
                await self.saw(await _look(link))
                await self._wait()
        finally:
            link.close()

    async def _wait(self) -> None:
        """For an event that tells something, or the time of the next look."""
        waiting = {asyncio.ensure_future(self.sleep(self.poll_seconds)), asyncio.ensure_future(self._told.wait())}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
        if self._told.is_set():
            await self.sleep(_GATHER_SECONDS)

    def _heard(self, event: str) -> None:
        if event in FAILURES:
            self.turned_away()
        elif event in TELLING or event == "Shutdown":
            self._told.set()


async def _look(link: Link) -> Seen:
    registrations = await link.listed("PJSIPShowRegistrationsOutbound")
    devices = await link.listed("DeviceStateList")
    channels = await link.listed("CoreShowChannels")
    return Seen(
        None if registrations is None else read_registrations(registrations),
        None if devices is None else read_devices(devices),
        count_channels(channels or ()),
    )
