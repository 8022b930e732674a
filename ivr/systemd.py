"""What the service tells systemd: that it is ready, that it lives, that it stops (sd_notify, without its library).

It does not know what makes the service live: that is measured by whoever starts the loop, and judged here.
"""

import logging
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from ivr.errors import StorageError

log = logging.getLogger(__name__)

#: How often life is looked at, in seconds; a shorter watchdog makes it shorter.
LOOK_SECONDS = 10.0
#: The fact of the last proof that the database takes writes: an ISO moment of the real clock.
HEARTBEAT = "service.heartbeat"
_MOST_LAG = 1.0
_MOST_AGE = 10.0


@dataclass(frozen=True)
class Pulse:
    """What was measured at one look, in seconds."""

    lag: float  #: how much later than asked for the loop woke
    write: float | None  #: how long ago the database last took a write; None: never
    pong: float | None  #: how long ago Asterisk answered a ping; None: we know that we are not connected


def weakness(pulse: Pulse) -> str | None:
    """Why the service must not be taken for living, or None: it lives. Limits: 1 s of lag, 10 s of silence."""
    if pulse.lag >= _MOST_LAG:
        return "lag"
    if pulse.write is None or pulse.write >= _MOST_AGE:
        return "database"
    if pulse.pong is not None and pulse.pong >= _MOST_AGE:
        return "asterisk"
    return None


@dataclass(frozen=True)
class Notifier:
    """Sends to systemd's socket, if it gave one. A message that cannot be sent is lost: it must stop nothing."""

    address: str = ""
    watchdog: float | None = None  #: seconds after which systemd takes silence for death

    def tell(self, *words: str) -> bool:
        """Send such as `READY=1`; whether it went out."""
        if not self.address:
            return False
        # "@": a name of Linux's abstract space, which begins with a zero byte.
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.setblocking(False)
                sender.sendto("\n".join(words).encode(), address)
        except OSError as error:
            log.warning("systemd cannot be told: %s", error.strerror, extra={"action": "notify_failed"})
            return False
        return True

    @property
    def look_seconds(self) -> float:
        """How often to look, so that one look that was missed is not yet a death."""
        return min(LOOK_SECONDS, self.watchdog / 3) if self.watchdog else LOOK_SECONDS


def notifier(environment: Mapping[str, str], pid: int) -> Notifier:
    """As systemd set the environment of this process (sd_notify(3), sd_watchdog_enabled(3))."""
    given = environment.get("WATCHDOG_USEC", "")
    ours = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
    seconds = int(given) / 1e6 if given.isdigit() and ours else None
    return Notifier(environment.get("NOTIFY_SOCKET", ""), seconds or None)


def of_process() -> Notifier:
    """That of this process."""
    return notifier(os.environ, os.getpid())


async def keep_alive(
    told: Notifier,
    probe: Callable[[], Awaitable[None]],
    silence: Callable[[], float | None],
    now: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    """Look and tell, for ever. `probe` writes to the database, `silence` is `Pulse.pong`, `now` a steady clock."""
    written: float | None = None
    weak: str | None = None
    lag = 0.0
    while True:
        try:
            await probe()
            written = now()
        except StorageError as error:
            log.error("%s", error.render("en"), extra={"action": "write_probe_failed"})
        found = weakness(Pulse(lag, None if written is None else now() - written, silence()))
        if found is None:
            told.tell("WATCHDOG=1")
        elif found != weak:
            log.error("not taken for living: %s", found, extra={"action": "weak", "reason": found})
        weak = found
        began = now()
        await sleep(told.look_seconds)
        lag = now() - began - told.look_seconds
