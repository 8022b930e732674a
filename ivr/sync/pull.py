"""The loop that fetches what has changed at the centre. What anything means is decided elsewhere; this only acts."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo
from functools import partial

from ivr.errors import BadInput, Problem
from ivr.roster import Rules
from ivr.storage import arriving, pulled
from ivr.storage.database import Database
from ivr.sync.changes import parse_page
from ivr.sync.delivery import LONGEST_ASKED, Judged, Link, Reply, Verdict, is_over, judge, next_link
from ivr.sync.push import POLL_SECONDS, WATCH_SECONDS
from ivr.sync.settings import Sync
from ivr.sync.source import Source

log = logging.getLogger(__name__)


def judge_page(reply: Reply) -> Judged:
    """What an answer means before anybody has read the page: acknowledged is one that can be read.

    There is nothing that could be parked: an answer by which a document would be stops everything, until people see
    to it.
    """
    if reply.fault is None and reply.status == 200:
        if isinstance(reply.body, dict):
            return Judged(Verdict.ACKNOWLEDGED, "")
        return Judged(Verdict.RETRY, "unreadable", of_link=True)
    if reply.fault is None and reply.status == 201:
        return Judged(Verdict.RETRY, "http_201", of_link=True)
    judged = judge(reply, "", "")
    verdict = Verdict.STOP if judged.verdict is Verdict.PARK else judged.verdict
    return replace(judged, verdict=verdict, of_link=True)


@dataclass
class Pull:
    """Fetches what has changed."""

    database: Database
    source: Source
    settings: Sync
    rules: Rules
    zone: tzinfo  #: of the centre's days
    now: Callable[[], datetime]
    chance: Callable[[], float]  #: 0 to 1
    sleep: Callable[[float], Awaitable[None]]
    looked_at: datetime | None = field(default=None, init=False)
    watched_at: datetime | None = field(default=None, init=False)

    async def run(self) -> None:
        """Until cancelled, whatever goes wrong."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.source.close)
            while True:
                more = False
                try:
                    more = await self.turn()
                except Exception as error:
                    # A full disk, or a fault of ours: calls go on, and so does this, from the cursor of the rows.
                    log.exception("fetching failed", extra={"action": "pull_failed"})
                    self.database.pending.note("pull_failed", error)
                await self.sleep(0.0 if more else POLL_SECONDS)

    async def turn(self) -> bool:
        """One look, and a page if it is time. Whether there is more."""
        now = self.now()
        if is_over(self.watched_at, WATCH_SECONDS, now):
            self.watched_at = now
            await self.database.write(pulled.watch, now, self.settings.alarm_hours)
        before = await self.database.read(pulled.get_pulled)
        if await self.database.read(pulled.wished):
            await self.database.write(pulled.grant)
        elif not self._is_due(before.link, now):
            return False
        self.looked_at = now
        reply = await self.source.fetch(before.cursor)
        judged = judge_page(reply)
        if judged.verdict is Verdict.ACKNOWLEDGED:
            return await self._take(reply, before)
        # What is wrong with a page stays told while nobody can look at it again.
        await self._stand(before.link, judged, before.problems)
        return False

    def _is_due(self, link: Link, now: datetime) -> bool:
        if link.until is not None and now < link.until <= now + timedelta(seconds=LONGEST_ASKED):
            return False
        return bool(link.problem) or is_over(self.looked_at, self.settings.pull_seconds, now)

    async def _take(self, reply: Reply, before: pulled.Pulled) -> bool:
        address, now = self.source.address, self.now()
        well = Judged(Verdict.ACKNOWLEDGED, "")
        try:
            parse = partial(parse_page, reply.body, before.cursor, address, self.rules, self._today(now))
            page = await asyncio.to_thread(parse)
            link = next_link(before.link, (well,), now, self.chance())
            arrived = await self.database.write(arriving.take_page, page, link, address, self.zone, now)
        except BadInput as bad:
            log.warning("what the centre says cannot be taken", extra={"action": "pull_refused"})
            refused = Judged(Verdict.STOP, pulled.BAD_PAGE, of_link=True)
            await self._stand(before.link, refused, bad.problems)
            return False
        if before.link.problem:
            log.warning("the centre's changes come in again", extra={"action": "pull_works"})
        if page.changes.people or page.changes.reports:
            counts = f"{arrived.added + arrived.changed} people, {arrived.closed} closed, {arrived.reports} reports"
            log.info("taken from the centre: %s", counts, extra={"action": "pulled"})
        if page.more:
            self.looked_at = None
        return page.more

    def _today(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()

    async def _stand(self, before: Link, judged: Judged, problems: Sequence[Problem]) -> None:
        """No page: the cursor stays where it is, so that nothing is lost."""
        now = self.now()
        link = next_link(before, (judged,), now, self.chance())
        await self.database.write(pulled.stand, link, problems, now)
        if link.problem != before.problem:
            log.warning("the centre's changes do not come in", extra={"action": "pull_failing", "reason": link.problem})
        await self.source.close()
