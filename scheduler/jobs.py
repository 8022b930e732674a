"""When each part of the loop runs. APScheduler wakes; the rows say what is due, so a missed wake-up loses nothing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from scheduler.dialer import Dialer, plan_days, reap, settle_days, sweep, tick
from scheduler.watch import watch

log = logging.getLogger(__name__)

#: Seconds between two ticks, at most.
TICK = 1.0


@dataclass(frozen=True)
class Job:
    """One part of the loop and its pace."""

    id: str
    run: Callable[[], Awaitable[object]]
    seconds: float


def jobs_of(dialer: Dialer) -> tuple[Job, ...]:
    """The parts of the loop. A simulation runs the same ones on a clock of its own."""
    fastest = max(each.per_second for each in dialer.trunks)
    return (
        Job("reap", lambda: reap(dialer), 60.0),
        Job("sweep", lambda: sweep(dialer), 30.0),
        Job("plan", lambda: plan_days(dialer), 2.0),
        Job("tick", lambda: tick(dialer), min(TICK, 1 / fastest)),
        Job("settle", lambda: settle_days(dialer), 60.0),
        Job("watch", lambda: watch(dialer), 60.0),
    )


async def run_jobs(dialer: Dialer) -> None:
    """Run the loop until cancelled; calls under way then go on without it."""
    for job in jobs_of(dialer):  # in this order once: a start must not wait for the first interval
        await guarded(dialer, job)
    scheduler = AsyncIOScheduler(timezone=dialer.config.centre.zone)
    for job in jobs_of(dialer):
        # However late, and once for all that were missed: what is due stands in the rows.
        scheduler.add_job(
            guarded,
            "interval",
            (dialer, job),
            seconds=job.seconds,
            id=job.id,
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )
    # A tick that takes longer than its interval is no news, nor a job that the end cut short; what fails, we tell.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    scheduler.start()
    try:
        await asyncio.Event().wait()
    finally:
        scheduler.shutdown(wait=False)


async def guarded(dialer: Dialer, job: Job) -> None:
    """One look; if it fails, the next one finds in the rows all that this one would have done."""
    try:
        await job.run()
    except Exception as error:  # a task border: one bad look must not end the calling, and the rows are still there
        log.exception("%s failed", job.id, extra={"action": "dialer_failed"})
        dialer.rows.note("dialer_failed", error)
