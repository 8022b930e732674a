"""Whether the wall clock may be believed: a step function over what both clocks say. Pure.

Everything here decides by the wall clock. When it jumps (a server without time service, a virtual machine that was
paused), nobody is rung until it is known to be right again.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

log = logging.getLogger(__name__)

#: A difference between the two clocks above this is no drift of a clock that a time service keeps.
JUMP = timedelta(seconds=30)
#: The clock must have gone evenly for so long, and be synchronised, before it is trusted again; seconds.
STEADY_SECONDS = 60.0
#: After so long without anybody's word people are handed to staff by the clock as it is; calls still wait. Seconds.
LONGEST_SUSPECT_SECONDS = 900.0


@dataclass(frozen=True)
class Clock:
    """What is known of the wall clock."""

    wall: datetime
    monotonic: float  #: seconds
    suspect_since: float | None = None  #: monotonic seconds of the last jump; None: trusted

    @property
    def trusted(self) -> bool:
        """Whether calls may be placed by it."""
        return self.suspect_since is None


def observe(
    clock: Clock, wall: datetime, monotonic: float, *, synchronised: bool, confirmed: bool
) -> tuple[Clock, timedelta | None]:
    """What is known after another look, and by how much the clock jumped since the last one (None: it did not).

    `synchronised`: the time service says so. `confirmed`: staff have looked at the clock since the jump; then the time
    service is not needed.
    """
    jumped = (wall - clock.wall) - timedelta(seconds=monotonic - clock.monotonic)
    seen = Clock(wall, monotonic, clock.suspect_since)
    if abs(jumped) > JUMP:
        return replace(seen, suspect_since=monotonic), jumped
    if seen.suspect_since is None:
        return seen, None
    steady = monotonic - seen.suspect_since >= STEADY_SECONDS
    if confirmed or (steady and synchronised):
        return replace(seen, suspect_since=None), None
    return seen, None


class ClockGuard:
    """Remembers what the two clocks said, for `scheduler.clock`."""

    def __init__(
        self, now: Callable[[], datetime], monotonic: Callable[[], float], is_synchronised: Callable[[], bool]
    ) -> None:
        self._now, self._monotonic, self._is_synchronised = now, monotonic, is_synchronised
        self._clock = Clock(now(), monotonic())
        self._jumped_at = self._clock.wall
        self.confirmed = False  #: staff have acknowledged the alarm

    def is_trusted(self) -> bool:
        """Whether the clock may be believed at this very moment; looks first."""
        self.look()
        return self._clock.trusted

    @property
    def suspect_since(self) -> datetime | None:
        """The last jump, by the clock that jumped; None: trusted, as of the last look."""
        return None if self._clock.trusted else self._jumped_at

    def has_given_up(self) -> bool:
        """Suspect for so long that staff must be told by it all the same whom nobody rings."""
        since = self._clock.suspect_since
        return since is not None and self._clock.monotonic - since >= LONGEST_SUSPECT_SECONDS

    def doubt(self) -> None:
        """It is known from elsewhere that the clock is wrong: nobody is rung until it is trusted again."""
        self._clock = replace(self._clock, suspect_since=self._clock.monotonic)
        self._jumped_at = self._clock.wall

    def look(self) -> timedelta | None:
        """Compare the clocks; by how much they jumped apart since the last look."""
        was_trusted = self._clock.trusted
        self._clock, jumped = observe(
            self._clock,
            self._now(),
            self._monotonic(),
            synchronised=not was_trusted and self._is_synchronised(),
            confirmed=self.confirmed,
        )
        if jumped is not None:
            self.confirmed = False
            self._jumped_at = self._clock.wall
            seconds = round(jumped.total_seconds())
            log.error("the clock jumped by %s s: nobody is rung", seconds, extra={"action": "clock_jumped"})
        elif self._clock.trusted and not was_trusted:
            log.warning("the clock is trusted again", extra={"action": "clock_trusted"})
        return jumped
