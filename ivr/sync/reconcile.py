"""Compares days with the centre, and once a day by itself. What is due and what differs is decided in `comparison`."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from ivr.storage import comparisons
from ivr.storage.database import Database
from ivr.sync.comparison import Difference, Outcome, acknowledged, compare, digest_of, due_days, is_late
from ivr.sync.delivery import State, is_over
from ivr.sync.digests import Source, Unanswered, ask
from ivr.sync.settings import Sync, Way

log = logging.getLogger(__name__)

#: Between two looks whether a day is due, and after a comparison that failed, seconds.
POLL_SECONDS, AGAIN_SECONDS = 60.0, 3600.0
#: A document may arrive between a centre's two answers: then they do not fit, and it is asked again.
_TRIES = 2
#: So many days that cannot be compared end a look.
_MOST_FAILURES = 3


async def compare_day(database: Database, source: Source, day: date, now: datetime) -> Outcome:
    """Compare a day and write down what came of it, with its alarm. Raises Unanswered: then nothing is written."""
    for _ in range(_TRIES):
        # Ours first: what the centre gets between this and its answer may then be there or not.
        ours = await database.read(comparisons.held_on, day)
        expected = acknowledged(ours)
        told = await source.digest(day)
        differences: tuple[Difference, ...] = ()
        if told != digest_of(expected):
            theirs = await source.documents(day)
            if told != digest_of(theirs):
                continue
            strange = theirs.keys() - {each.key for each in ours}
            elsewhere = await database.read(comparisons.held_with, sorted(strange))
            differences = compare(day, ours, theirs, elsewhere)
        unsent = sum(each.state in (State.WAITING, State.IN_FLIGHT) for each in ours)
        outcome = Outcome(day, len(expected), told.documents, unsent, differences)
        if await database.write(comparisons.keep, outcome, now):
            log.warning("the centre holds other documents", extra={"action": "sync_differs", "reason": str(day)})
        return outcome
    raise Unanswered("wrong_digest")


@dataclass
class Reconciler:
    """Compares what is due."""

    database: Database
    settings: Sync
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    failed_at: datetime | None = field(default=None, init=False)
    _failed: set[date] = field(default_factory=set, init=False)  #: days that could not be compared when last tried
    _noted: tuple[date | None, str] | None = field(default=None, init=False)  #: None: nothing since the start

    async def run(self) -> None:
        """Until cancelled, whatever goes wrong; at once over where the way or the settings leave nothing to ask."""
        while True:
            try:
                if self.settings.way is not Way.HTTP or not self.settings.reconcile:
                    await self.database.write(comparisons.note_late, None, "", self.now())
                    return
                await self.turn()
            except Exception as error:
                # A full disk, or a fault of ours: sending and calls go on, and so does this.
                log.exception("comparing failed", extra={"action": "sync_compare_failed"})
                self.database.pending.note("sync_compare_failed", error)
            await self.sleep(POLL_SECONDS)

    async def turn(self) -> None:
        """One look: every day that is due, unless the centre did not answer a while ago."""
        now = self.now()
        if not is_over(self.failed_at, AGAIN_SECONDS, now):
            return
        first, compared = await self.database.read(comparisons.standing)
        due = due_days(first, compared, now)
        done, reason = await self._compare(due, now) if due else (set(), "")
        self.failed_at = now if reason else None
        never = [each for each in due if each not in done and each not in compared]
        late = never[0] if never and is_late(never[0], now) else None
        if (late, reason) != self._noted:
            await self.database.write(comparisons.note_late, late, reason, now)
            self._noted = (late, reason)

    async def _compare(self, days: Sequence[date], now: datetime) -> tuple[set[date], str]:
        """Those that were compared, and why others were not; empty: all were."""
        done, reason, failures = set[date](), "", 0
        try:
            async with ask(self.settings, self.now) as source:
                # Those that failed come last: one that fails for ever keeps no other from being compared.
                for day in sorted(days, key=lambda each: (each in self._failed, each)):
                    try:
                        await compare_day(self.database, source, day, now)
                    except Unanswered as unanswered:
                        reason, failures = str(unanswered), failures + 1
                        self._failed.add(day)
                        if failures == _MOST_FAILURES:
                            break
                    else:
                        done.add(day)
                        self._failed.discard(day)
        except Unanswered as unanswered:
            reason = str(unanswered)
        if reason:
            log.warning("nothing to compare with", extra={"action": "sync_not_compared", "reason": reason})
        return done, reason
