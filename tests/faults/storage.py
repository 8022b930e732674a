"""Makes the n-th thing that a scenario asks of its database fail, as real storage does.

What really comes was looked at on SQLite 3.53 with a full tmpfs, and with a lock of another process: on a full disk
writes *and reads* fail at once, with "disk I/O error" or "database or disk is full"; behind somebody else's lock a
write fails after 5 s and reads go on; afterwards everything works again without opening the file anew.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ivr.errors import StorageError, problem
from ivr.storage.database import Database

#: How long a write waits for a lock until it fails (ivr.storage.sqlite, BUSY_MS), and how long a slow one takes.
LOCKED_SECONDS, SLOW_SECONDS = 5.0, 4.0


class Kind(StrEnum):
    """What goes wrong."""

    FULL = "full"  #: no write is carried out
    BROKEN = "broken"  #: neither writes nor reads are
    LOCKED = "locked"  #: a write fails after five seconds
    SLOW = "slow"  #: it takes seconds, and is carried out
    CANCELLED = "cancelled"  #: it is carried out, but the task that waits for it is cancelled


@dataclass(frozen=True)
class Fault:
    """One fault: it begins with the `nth` read or write (from 1), and lasts so long; 0: that one only."""

    kind: Kind
    nth: int
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.kind} at {self.nth}" + (f" for {self.seconds:.0f} s" if self.seconds else "")


@dataclass
class FaultyStorage:
    """Stands between everybody and their database, from `install` on. Time is that of the running loop."""

    fault: Fault | None
    asked: list[str] = field(default_factory=list)  #: `write save_turn`, …: what was asked for, in order
    at: list[float] = field(default_factory=list)  #: when, by the loop's clock
    hit: list[str] = field(default_factory=list)  #: those that met the fault
    began: float | None = None

    def install(self, database: Database) -> None:
        """From now on all reads and writes of this database pass by here."""
        for way in ("read", "write"):
            setattr(database, way, self._passing(way, getattr(database, way)))

    def _passing(self, way: str, real: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def passing(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            name = f"{way} {getattr(function, '__name__', 'something')}"
            self.asked.append(name)
            self.at.append(asyncio.get_running_loop().time())
            kind = self._met(way)
            if kind is None:
                return await real(function, *args, **kwargs)
            self.hit.append(name)
            if kind is Kind.SLOW:
                await asyncio.sleep(SLOW_SECONDS)
                return await real(function, *args, **kwargs)
            if kind is Kind.CANCELLED:
                await real(function, *args, **kwargs)
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
                await asyncio.sleep(0)
            if kind is Kind.LOCKED:
                await asyncio.sleep(LOCKED_SECONDS)
            raise StorageError(_PROBLEMS[kind])

        return passing

    def _met(self, way: str) -> Kind | None:
        """What happens to the one that is asked for now; None: nothing."""
        fault = self.fault
        if fault is None or len(self.asked) < fault.nth:
            return None
        now = asyncio.get_running_loop().time()
        if self.began is None:
            self.began = now
        elif fault.seconds == 0 or now - self.began > fault.seconds:
            return None
        suffers = way == "write" or fault.kind in (Kind.BROKEN, Kind.SLOW, Kind.CANCELLED)
        return fault.kind if suffers else None


_PROBLEMS = {
    Kind.FULL: problem("storage.full", "kenko-call.db", reason="database or disk is full"),
    Kind.BROKEN: problem("storage.unusable", "kenko-call.db", reason="disk I/O error"),
    Kind.LOCKED: problem("storage.locked", "kenko-call.db", reason="database is locked"),
}
