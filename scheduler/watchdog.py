"""What must be told to staff about the calling itself: facts in, alarms out. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ivr.call import Fault
from scheduler.health import Health
from scheduler.pacing import Load, Trunk, free_lines

#: A slot has run for so long before it can be behind.
GRACE = timedelta(minutes=10)
#: Placed calls below this part of what was to be expected are an alarm (912 people were not called on a morning in
#: January 2021, and nothing told anybody).
LEAST_PART = 0.5
#: What one person costs a line on average while nothing better is known, seconds: ringing, and a call of 2.5 minutes.
CALL_SECONDS = 180.0
#: Lines stand idle while people wait for so long.
IDLE = timedelta(minutes=2)
#: The gate is closed while people wait for so long.
CLOSED = timedelta(minutes=5)
#: Kinds of alarms about one trunk: nobody answers there; it turns calls down, by whose matter that is.
SILENT = "trunk_silent"
REFUSED, IDENTITY, OURS = "trunk_refused", "identity_refused", "calls_failed"
REFUSALS = {REFUSED: Fault.TRUNK, IDENTITY: Fault.IDENTITY, OURS: Fault.US}


@dataclass(frozen=True)
class Slot:
    """How one slot of today stands."""

    name: str
    first: datetime
    until: datetime
    spread: timedelta  #: over which first calls begin
    people: int
    called: int  #: with a call, or settled without one
    open: int


@dataclass(frozen=True)
class View:
    """All that the watchdog looks at."""

    now: datetime
    slots: Sequence[Slot]
    observed: int  #: people under observation
    planned: int  #: rows of today
    due: int  #: people who wait for a line
    trunks: Sequence[Trunk]
    loads: Mapping[str, Load]
    inbound: int
    idle_since: datetime  #: last start of a call, or since when people wait
    closed_since: datetime | None  #: the gate
    call_seconds: float = CALL_SECONDS
    healths: Mapping[str, Health] = field(default_factory=dict)  #: of the trunks
    shut: frozenset[str] = frozenset()  #: trunks whose gate is closed


@dataclass(frozen=True)
class Finding:
    """Something that must be told."""

    kind: str  #: catalogue id `alarm.<kind>`
    subject: str
    details: str


def findings(view: View) -> list[Finding]:
    """Everything that is wrong now."""
    trunks = [each for name, health in view.healths.items() for each in of_trunk(name, health)]
    found = [*_behind(view), *_nobody(view), *_closed(view), *_full(view), *trunks]
    if not found:
        found += _idle(view)
    return found


def of_trunk(name: str, health: Health) -> list[Finding]:
    """That calls by it are turned down, or that nobody answers there."""
    # Of a request that Asterisk itself did not take one is enough: that is no person's matter.
    if health.is_refused or (health.fault is Fault.US and not health.status):
        kind = next((kind for kind, fault in REFUSALS.items() if fault is health.fault), REFUSED)
        answer = "ARI" if kind == OURS and not health.status else f"SIP {health.status or '?'}"
        return [Finding(kind, name, f"{answer} ×{health.refusals}")]
    return [Finding(SILENT, name, str(health.silent))] if health.is_suspect else []


def expected(slot: Slot, usable: int, call_seconds: float, now: datetime) -> int:
    """How many people must have been called by now if the lines were used: what is due, or what they can carry."""
    elapsed = min(now, slot.until) - slot.first
    if elapsed <= timedelta():
        return 0
    due = slot.people if elapsed >= slot.spread else int(slot.people * (elapsed / slot.spread))
    return min(due, int(usable * elapsed.total_seconds() / call_seconds))


def _behind(view: View) -> list[Finding]:
    usable = sum(each.usable for each in view.trunks)
    found = []
    for slot in view.slots:
        wanted = expected(slot, usable, view.call_seconds, view.now)
        late = view.now >= slot.first + GRACE and slot.open
        if late and slot.called < LEAST_PART * wanted:
            found.append(Finding("behind", slot.name, f"{slot.called}/{wanted}/{slot.people}"))
    return found


def _nobody(view: View) -> list[Finding]:
    if view.observed and not view.planned and any(view.now >= each.first for each in view.slots):
        return [Finding("nobody_due", "", str(view.observed))]
    return []


def _closed(view: View) -> list[Finding]:
    if view.due and view.closed_since is not None and view.now - view.closed_since >= CLOSED:
        return [Finding("gate_closed", "", str(view.due))]
    return []


def _full(view: View) -> list[Finding]:
    return [
        Finding("trunk_full", each.name, str(view.loads[each.name].rests))
        for each in view.trunks
        if view.loads[each.name].rests >= 2
    ]


def _idle(view: View) -> list[Finding]:
    usable = [each for each in view.trunks if each.name not in view.shut]
    free = sum(free_lines(each, view.loads[each.name], view.inbound) for each in usable)
    if view.due and free and view.closed_since is None and view.now - view.idle_since >= IDLE:
        return [Finding("lines_idle", "", f"{free}/{view.due}")]
    return []
