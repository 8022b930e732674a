"""How the way to the centre stands, over a restart; how a round of sending is written down, and its alarms."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from ivr.storage.alarms import end_alarm, raise_alarm
from ivr.storage.facts import get_fact, set_fact
from ivr.storage.outbox import count_parked, hurry, is_due, oldest_unsent, put_back, settle
from ivr.sync.delivery import Link, Settlement

#: The fact under which the link is kept, and the one by which staff ask for a try now.
LINK, WISH = "sync.link", "sync.wish"
#: ... and the same wish, as it concerns what comes in.
PULL_WISH = "sync.pull_wish"
#: Alarms, as `alarm.<kind>` of the catalogue.
STOPPED, PARKED, OLD = "sync_stopped", "sync_parked", "sync_old"
DIFFERS, UNCOMPARED = "sync_differs", "sync_uncompared"
ALARMS = (STOPPED, PARKED, OLD, DIFFERS, UNCOMPARED)


def get_link(connection: Connection, key: str = LINK) -> Link:
    """How a way stands."""
    stored = get_fact(connection, key)
    told: dict[str, Any] = json.loads(stored) if stored else {}
    moments = {name: datetime.fromisoformat(told[name]) for name in _MOMENTS if told.get(name)}
    return Link(**{**told, **moments})


_MOMENTS = ("until", "last_success")


def set_link(connection: Connection, link: Link, key: str = LINK) -> None:
    """Remember how a way stands."""
    set_fact(connection, key, json.dumps(vars(link), default=datetime.isoformat))


def wish_now(connection: Connection, at: datetime) -> None:
    """Staff want everything that waits to be tried at once, in both directions."""
    set_fact(connection, WISH, at.isoformat())
    set_fact(connection, PULL_WISH, at.isoformat())


def wished(connection: Connection) -> str:
    """The wish that was made last; empty: none ever, or it has been carried out."""
    return get_fact(connection, WISH) or ""


def look(connection: Connection, now: datetime) -> tuple[str, Link, bool]:
    """The wish of staff, how the way stands, and whether anything is due: what a round begins with, read at once."""
    return wished(connection), get_link(connection), is_due(connection, now)


def grant(connection: Connection, now: datetime) -> None:
    """Carry out the wish: no wait counts any more."""
    hurry(connection, now)
    set_link(connection, replace(get_link(connection), until=None))
    set_fact(connection, WISH, "")


def close_round(
    connection: Connection, settlements: Sequence[Settlement], unsent: Iterable[int], link: Link, now: datetime
) -> None:
    """Write down what a round brought, all at once. `unsent`: documents that were taken and not tried."""
    settle(connection, settlements, now)
    put_back(connection, unsent, now)
    set_link(connection, link)
    stand(connection, STOPPED, link.stopped, link.problem, now)
    parked = count_parked(connection)
    stand(connection, PARKED, parked > 0, str(parked), now)


def watch(connection: Connection, now: datetime, hours: float) -> None:
    """An alarm while the oldest document that has not left is older than so many hours."""
    oldest = oldest_unsent(connection)
    waits = now - oldest if oldest else timedelta()
    stand(connection, OLD, waits > timedelta(hours=hours), f"{waits / timedelta(hours=1):.0f} h", now)


def stand(connection: Connection, kind: str, stands: bool, details: str, now: datetime, subject: str = "") -> None:
    """Raise an alarm, or end it."""
    if stands:
        raise_alarm(connection, kind, subject, details, now)
    else:
        end_alarm(connection, kind, subject, now)
