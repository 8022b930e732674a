"""Reads how things stand for the metrics: from the database, and from what the service sees of Asterisk."""

from ivr.ami.alarms import View, up
from ivr.metrics import Figures
from ivr.site import Site
from ivr.storage.figures import count_rows
from ivr.storage.outbox import backlog
from ivr.storage.pulled import get_pulled


async def read_figures(site: Site, view: View, *, connected: bool) -> Figures:
    """The figures of this moment; `connected`: Asterisk answers and is reconciled. Raises StorageError."""
    now = site.now()
    found = await site.database.read(count_rows, now.astimezone(site.config.centre.zone).date(), now)
    unsent, pulled = await site.database.read(backlog), await site.database.read(get_pulled)
    return Figures(
        connected=connected,
        calls=found.calls,
        attempts=found.attempts,
        due=found.due.count,
        due_age=found.due.age(now),
        follow_ups=found.follow_ups.count,
        follow_up_age=found.follow_ups.age(now),
        alerts=found.alerts.count,
        alert_age=found.alerts.age(now),
        alarms=found.alarms.count,
        unsent=unsent.unsent,
        unsent_age=unsent.age(now),
        parked=unsent.parked,
        pull_age=pulled.silence(now) if site.config.sync.pulls else None,
        conflicts=pulled.conflicts,
        trunks=up(view),
        trunk_channels=view.channels,
    )
