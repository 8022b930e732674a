"""What is known of the trunks beyond their lines, and what the loop does about one that refuses us or does not answer.

Closes and opens the gate of a trunk, lets one call find out, and tells staff at once. Knows no person.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ivr.storage.calls import Attempt
from scheduler.gates import Gates, Reason
from scheduler.health import PROBE_AFTER, End, Health, began, inherited, judge
from scheduler.pacing import Trunk
from scheduler.rows import Rows
from scheduler.watchdog import REFUSALS, of_trunk

log = logging.getLogger(__name__)


@dataclass
class Standing:
    """How every trunk stands."""

    gates: Gates
    healths: dict[str, Health]  #: by name, of all trunks
    probe_after: Sequence[float] = PROBE_AFTER  #: seconds
    probes: dict[str, Attempt] = field(default_factory=dict)  #: trunk -> the call that finds out
    live: dict[str, dict[str, Attempt]] = field(default_factory=dict)  #: trunk -> calls under way, by id
    read: bool = False  #: what the process before us had found is known


async def take_over(standing: Standing, rows: Rows, now: datetime) -> None:
    """A trunk that refused calls when the process before us ended is closed but for one call that finds out."""
    if standing.read:
        return
    found = await rows.standing_alarms()
    standing.read = True  # only now: a read that failed is made again by the next look
    for kind, trunk in found:
        if kind in REFUSALS and trunk in standing.healths:
            standing.healths[trunk] = inherited(now, REFUSALS[kind])
            standing.gates.close(trunk, Reason.REFUSED, now)


def passable(standing: Standing, trunks: Sequence[Trunk], now: datetime) -> list[Trunk]:
    """The trunks by which a call may go out now: the open ones, and those that one call may try."""
    found = []
    for each in trunks:
        reasons = standing.gates.reasons(each.name)
        tried = set(reasons) == {Reason.REFUSED} and standing.healths[each.name].may_probe(now)
        if not reasons or tried:
            found.append(each)
    return found


def next_probe(standing: Standing) -> datetime | None:
    """When a call may find out next whether a closed trunk takes calls again; None: none waits for that."""
    waits = (each.probe_at for each in standing.healths.values() if not each.probe)
    return min((each for each in waits if each is not None), default=None)


def not_to_probe(standing: Standing, trunks: Sequence[Trunk]) -> frozenset[str]:
    """Whose calls were turned down by trunks that are closed: whether they still are, calls to others find out."""
    closed = (standing.healths[each.name] for each in trunks)
    return frozenset(each for health in closed if health.is_refused for each in (*health.people, *health.barred))


def begin(standing: Standing, trunk: str, attempt: Attempt) -> None:
    """A call goes out by it: maybe the one that finds out if the trunk takes calls again."""
    standing.live.setdefault(trunk, {})[attempt.id] = attempt
    standing.healths[trunk] = began(standing.healths[trunk], attempt.id)
    if standing.healths[trunk].probe:
        standing.probes[trunk] = attempt


async def look_after(standing: Standing, rows: Rows, now: datetime) -> None:
    """Whether a call that finds out was answered: nobody need wait for the end of the conversation."""
    for trunk, attempt in list(standing.probes.items()):
        ended = await rows.end_of(attempt)
        if ended.answered:
            await end(standing, rows, trunk, attempt, ended, now)


async def _cleared(standing: Standing, rows: Rows, trunk: str, health: Health, now: datetime) -> Health:
    """What is known of a trunk that turned somebody down, if somebody has answered since: they still talk."""
    for each in [each for each in standing.live.get(trunk, {}).values() if each.planned_at >= health.since]:
        ended = await rows.end_of(each)
        if ended.answered:
            return judge(health, each.id, ended, now)
    return health


async def end(standing: Standing, rows: Rows, trunk: str, attempt: Attempt, ended: End, now: datetime) -> None:
    """A call by it is over, or was answered: close, open, or tell staff that nobody answers there."""
    if not ended.answered or ended.outcome is not None:
        standing.live.get(trunk, {}).pop(attempt.id, None)
    before = standing.healths[trunk]
    if ended.is_refusal and before.people and not before.is_refused:
        before = await _cleared(standing, rows, trunk, before, now)
    health = standing.healths[trunk] = judge(before, attempt.id, ended, now, standing.probe_after)
    if not health.probe:
        standing.probes.pop(trunk, None)
    if health.is_refused:
        standing.gates.close(trunk, Reason.REFUSED, now)
    elif standing.gates.open(trunk, Reason.REFUSED):
        log.warning("a trunk takes calls again", extra={"action": "trunk_taken", "reason": trunk})
    for found in of_trunk(trunk, health):
        # Now, not when the watchdog looks next: until then a hundred calls would go the same way.
        if health != before and await rows.raise_alarm(found.kind, found.subject, found.details, now):
            log.error("alarm: %s", found.kind, extra={"action": "alarm", "reason": found.kind})
