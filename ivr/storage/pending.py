"""Writes that must happen, however long the storage fails: kept in their order, and tried until done.

Also the faults that the storage or a part of ours had: they become alarms as soon as alarms can be written.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from sqlalchemy import Connection

from ivr.errors import StorageError
from ivr.storage.alarms import keep_alarms

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

#: Kinds of alarms: the storage failed; a part of ours failed in a way that nobody foresaw.
STORAGE, FAULT = "storage_failed", "fault"
#: Writes kept at once. What comes on top is lost here: the rows still say that it is open, and the sweep of calls that
#: belong to nobody ends it (scheduler.dialer.sweep).
MOST_KEPT = 10_000
#: Seconds between two tries.
PAUSE_SECONDS = 1.0
#: A fault that did not come again for so long is over; its alarm stays listed until staff acknowledge it.
QUIET = timedelta(minutes=10)


class Write(Protocol):
    """As `Database.write`: one transaction."""

    async def __call__(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Raises StorageError and whatever the function raises."""


@dataclass
class _Fault:
    count: int = 0
    about: set[str] = field(default_factory=set)
    at: datetime | None = None  #: when it was told after it last came; None: not yet

    def details(self) -> str:
        return f"{self.count}× {', '.join(sorted(self.about))}"


@dataclass(eq=False)
class _Kept:
    function: Callable[..., Any]  #: of a connection and these
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Any = None


@dataclass
class PendingWrites:
    """Belongs to one database. Every function that is kept must bear being carried out twice."""

    database_write: Write
    _kept: deque[_Kept] = field(default_factory=deque)
    _draining: asyncio.Lock = field(default_factory=asyncio.Lock)
    _failures: int = 0
    _faults: dict[tuple[str, str], _Fault] = field(default_factory=dict)
    _told: dict[tuple[str, str], str] | None = None  #: what stands in the table; None: of a process before us

    def __len__(self) -> int:
        return len(self._kept)

    async def write(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """Carry out `function(connection, …)`, and give what it gives; None: as soon as the storage takes writes.

        Never raises for the storage's sake; what was kept before is written before. One that is cancelled here is
        carried out all the same.
        """
        if len(self._kept) >= MOST_KEPT:
            log.error("too much waits for the storage: a write is lost", extra={"action": "write_lost"})
            return None
        kept = _Kept(function, args, kwargs)
        self._kept.append(kept)
        await self.flush()
        return cast(T | None, kept.result)

    async def flush(self) -> bool:
        """Carry out what is kept, in order, until the first that fails. Whether nothing is left."""
        before = self._failures
        async with self._draining:
            # Who waited here while the storage failed need not wait for it to fail once more: a lock takes 5 s.
            while self._kept and before == self._failures:
                await self._try(self._kept[0])
        return not self._kept

    async def _try(self, kept: _Kept) -> None:
        try:
            kept.result = await self.database_write(kept.function, *kept.args, **kept.kwargs)
        except StorageError as error:
            self._failures += 1
            log.error("kept to be written later: %s", error.render("en"), extra={"action": "write_kept"})
            self.note("write_kept", error)
        except Exception as error:  # a task border: it will never succeed, and keeps back all that come after it
            log.exception("a kept write is impossible", extra={"action": "write_impossible"})
            self.note("write_impossible", error)
            self._kept.popleft()
        else:
            self._kept.popleft()

    def note(self, action: str, error: BaseException) -> None:
        """Something failed: an alarm, as soon as alarms can be written. `action` as in the log; never waits."""
        kind, subject, about = FAULT, action, type(error).__name__
        if isinstance(error, StorageError):
            kind, subject, about = STORAGE, "", action
        fault = self._faults.setdefault((kind, subject), _Fault())
        fault.count, fault.at = fault.count + 1, None
        fault.about.add(about)

    async def tell(self, now: datetime) -> None:
        """Write the alarms of what was noted; end those of what did not come again. Raises StorageError."""
        for key, fault in list(self._faults.items()):
            fault.at = fault.at or now
            if now - fault.at >= QUIET:
                del self._faults[key]
        found = {key: fault.details() for key, fault in self._faults.items()}
        if found == self._told:
            return
        rows = [(*key, details) for key, details in found.items()]
        raised, _ = await self.database_write(keep_alarms, (STORAGE, FAULT), rows, now)
        self._told = found
        for kind in raised:
            log.error("alarm: %s", kind, extra={"action": "alarm", "reason": kind})

    async def run(self, now: Callable[[], datetime], sleep: Callable[[float], Awaitable[None]]) -> None:
        """Try again and again, and tell, until cancelled."""
        while True:
            try:
                if await self.flush():
                    await self.tell(now())
            except StorageError as error:
                log.error("%s", error.render("en"), extra={"action": "alarm_not_written"})
            except Exception:  # a task border: what is kept must go on being tried
                log.exception("alarms cannot be written", extra={"action": "alarm_not_written"})
            await sleep(PAUSE_SECONDS)
