"""How far the centre's changes were taken, over a restart: the cursor, how the way stands, and its alarms."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from ivr.errors import Problem, from_stored, to_stored
from ivr.storage.alarms import keep_alarms
from ivr.storage.facts import get_fact, set_fact
from ivr.storage.link import PULL_WISH, get_link, set_link
from ivr.storage.schema_centre import conflicts
from ivr.sync.delivery import Link

#: Facts: what the next page begins after, how the way stands, what is wrong with the page that was refused, since when
#: the centre is asked.
CURSOR, LINK, PROBLEMS, SINCE = "sync.cursor", "sync.pull", "sync.pull_problems", "sync.pull_since"
#: Alarms, as `alarm.<kind>` of the catalogue: the way there, a page that cannot be taken, nothing for long.
STOPPED, REFUSED, OLD = "sync_pull_stopped", "sync_pull_refused", "sync_pull_old"
ALARMS = (STOPPED, REFUSED, OLD)
#: The problem of a link whose page was refused.
BAD_PAGE = "bad_page"
#: An alarm names so many problems, and how many more there are: `sync status` tells all.
_MOST_NAMED = 50


@dataclass(frozen=True)
class Pulled:
    """How it stands."""

    cursor: str  #: empty: from the beginning
    link: Link
    problems: tuple[Problem, ...]  #: of the page that stands there
    conflicts: int  #: that are open
    since: datetime | None  #: when we began to ask; None: we do not

    def age(self, now: datetime) -> float | None:
        """Seconds since the centre last told us everything; None: never."""
        last = self.link.last_success
        return max(0.0, (now - last).total_seconds()) if last else None

    def silence(self, now: datetime) -> float | None:
        """The same; while it never did, seconds since we began to ask. None: we do not."""
        age = self.age(now)
        return age if age is not None or self.since is None else max(0.0, (now - self.since).total_seconds())


def get_pulled(connection: Connection) -> Pulled:
    """How it stands."""
    problems = from_stored(json.loads(get_fact(connection, PROBLEMS) or "[]"))
    link, since = get_link(connection, LINK), get_fact(connection, SINCE)
    began = datetime.fromisoformat(since) if since else None
    return Pulled(get_fact(connection, CURSOR) or "", link, tuple(problems), count_conflicts(connection), began)


def count_conflicts(connection: Connection) -> int:
    """How many differences between the centre and us are open."""
    return connection.execute(select(func.count()).where(conflicts.c.settled_at.is_(None))).scalar_one()


def stand(connection: Connection, link: Link, problems: Sequence[Problem], now: datetime) -> None:
    """Write down how the way stands; `problems` of a page that was refused. The cursor stays."""
    set_link(connection, link, LINK)
    set_fact(connection, PROBLEMS, json.dumps(to_stored(problems), ensure_ascii=False))
    found = []
    if problems:
        found.append((REFUSED, "", _named(problems)))
    if link.stopped and link.problem != BAD_PAGE:
        found.append((STOPPED, "", link.problem))
    keep_alarms(connection, (STOPPED, REFUSED), found, now)


def _named(problems: Sequence[Problem]) -> str:
    more = [f"… ({len(problems)})"] if len(problems) > _MOST_NAMED else []
    return "\n".join([each.render() for each in problems[:_MOST_NAMED]] + more)


def watch(connection: Connection, now: datetime, hours: float) -> None:
    """An alarm while the centre has told us nothing for so many hours, whoever was restarted meanwhile."""
    if not get_fact(connection, SINCE):
        set_fact(connection, SINCE, now.isoformat())
    waits = timedelta(seconds=get_pulled(connection).silence(now) or 0.0)
    found = [(OLD, "", f"{waits / timedelta(hours=1):.0f} h")] if waits > timedelta(hours=hours) else []
    keep_alarms(connection, (OLD,), found, now)


def end_alarms(connection: Connection, now: datetime) -> None:
    """The centre is not asked any more: nothing of it is left to tell."""
    keep_alarms(connection, ALARMS, [], now)
    set_fact(connection, SINCE, "")


def wished(connection: Connection) -> bool:
    """Whether staff want to have it tried at once."""
    return bool(get_fact(connection, PULL_WISH))


def grant(connection: Connection) -> None:
    """Carry out the wish."""
    set_fact(connection, PULL_WISH, "")
