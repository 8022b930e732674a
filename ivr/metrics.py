"""Figures for Prometheus, on this machine only: counts and ages, never a name, a number or an answer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ivr.errors import BadInput, problem

ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class Figures:
    """How things stand at one moment. Ages in seconds; 0 where there is nothing of which to tell one."""

    connected: bool  #: the gate: Asterisk answers and is reconciled
    calls: Mapping[str, int]  #: direction -> calls in progress
    attempts: Mapping[str, int]  #: outcome -> attempts that ended so, ever
    due: int  #: people whose next step is due now
    due_age: float  #: how long the first of them has been waiting
    follow_ups: int  #: open
    follow_up_age: float  #: of the oldest that is open
    alerts: int  #: that nobody has acknowledged
    alert_age: float
    alarms: int  #: that are not over
    unsent: int = 0  #: documents that the centre has not got
    unsent_age: float = 0.0  #: of the oldest of them
    parked: int = 0  #: documents that the centre refuses
    pull_age: float | None = None  #: since the centre last told what has changed, or was first asked; None: it is not
    conflicts: int = 0  #: differences with the centre that nobody has settled
    trunks: Mapping[str, int] = field(default_factory=dict)  #: trunk -> 1: in order, 0: down; unknown ones are not told
    trunk_channels: Mapping[str, int] = field(default_factory=dict)


def exposition(figures: Figures) -> bytes:
    """In the text format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(figures))
    return generate_latest(registry)


class _Once(Collector):
    """What prometheus_client wants to be handed."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """One family for each figure."""
        now = self._figures
        yield _by("calls_in_progress", "Calls in progress", "direction", now.calls)
        yield _by("trunk_up", "1 while the trunk is registered and answers, 0 while it is down", "trunk", now.trunks)
        yield _by("trunk_channels", "Channels of the trunk in Asterisk", "trunk", now.trunk_channels)
        attempts = CounterMetricFamily("kenko_attempts", "Attempts that have ended", labels=["outcome"])
        for outcome, count in now.attempts.items():
            attempts.add_metric([outcome], count)
        yield attempts
        for name, says, value in (
            ("connected", "1 while Asterisk is connected and calls can be placed", now.connected),
            ("due", "People whose next step is due", now.due),
            ("due_age_seconds", "Waiting time of the first of them", now.due_age),
            ("follow_ups_open", "Follow-ups that are open", now.follow_ups),
            ("follow_up_age_seconds", "Age of the oldest open follow-up", now.follow_up_age),
            ("alerts_unacknowledged", "Alerts that nobody has acknowledged", now.alerts),
            ("alert_age_seconds", "Age of the oldest unacknowledged alert", now.alert_age),
            ("alarms_standing", "Alarms that are not over", now.alarms),
            ("unsent", "Documents that the centre has not acknowledged", now.unsent),
            ("unsent_age_seconds", "Age of the oldest of them", now.unsent_age),
            ("parked", "Documents that the centre refuses", now.parked),
            ("pull_age_seconds", "Time since the centre last told all that has changed", now.pull_age),
            ("conflicts", "Differences with the centre that nobody has settled", now.conflicts),
        ):
            if value is not None:
                yield GaugeMetricFamily(f"kenko_{name}", says, value=value)


def _by(name: str, says: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(f"kenko_{name}", says, labels=[label])
    for each, count in values.items():
        family.add_metric([each], count)
    return family


async def serve(port: int | None, collect: Callable[[], Awaitable[Figures]]) -> None:
    """Answer `GET /metrics` until cancelled; with no port only wait. Raises BadInput if the port is taken."""
    if port is None:
        await asyncio.Event().wait()
        return

    async def asked(_: web.Request) -> web.Response:
        return web.Response(body=exposition(await collect()), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/metrics", asked)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, ADDRESS, port).start()
        except OSError as error:
            raise BadInput(problem("metrics.port", port=port, reason=error.strerror or str(error))) from None
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
