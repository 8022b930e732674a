"""What the ends of its calls say about a trunk: that nobody answers there, or that calls are turned down. Pure.

One call that is turned down may be the matter of whoever was rung; two people's in a row are the trunk's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ivr.call import CARRIED, UNCLEAR, Fault, Outcome

#: So many calls in a row to which nobody said a word are no chance: it is the trunk, not the people.
SILENT_CALLS = 3
#: So many different people in a row whose calls were turned down are none either.
REFUSED_PEOPLE = 2
#: Seconds until one call finds out whether a trunk that turned calls down takes them again: after the first, second, …
#: time in a row. As long as a full trunk rests (scheduler.pacing), but for the first time.
PROBE_AFTER = (60.0, 120.0, 300.0, 600.0)
#: The first time is shorter: three people in a row whose numbers are barred must not hold up all others.
FIRST_PROBE_AFTER = 10.0

#: What a call without a word from the trunk may end as by our own doing: never sent, refused by ourselves, lost.
_OURS = (None, Outcome.FAILED, Outcome.UNKNOWN, Outcome.BAD_NUMBER)
_TURNED_DOWN = (Outcome.REFUSED, Outcome.FAILED, Outcome.UNKNOWN)
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class End:
    """How one call by a trunk ended."""

    outcome: Outcome | None  #: None: nobody knows
    status: int = 0  #: SIP, of the last answer; 0: none came
    answered: bool = False  #: somebody or something took the call
    fault: Fault | None = None  #: whose matter, as the call itself told
    person_id: str = ""  #: who was rung
    began: datetime = _BEFORE_ALL  #: when the call was planned

    @property
    def is_refusal(self) -> bool:
        """It was turned down for a reason that every call might meet."""
        return self.outcome in _TURNED_DOWN and self.fault in UNCLEAR and not self.answered

    @property
    def is_silence(self) -> bool:
        """The trunk said nothing at all."""
        silent = self.fault is Fault.TRUNK and self.outcome in (Outcome.UNREACHABLE, Outcome.NO_ANSWER)
        return silent and not self.answered

    @property
    def is_carried(self) -> bool:
        """The trunk brought it to the person's side."""
        return self.answered or self.fault in CARRIED

    @property
    def says_nothing(self) -> bool:
        """The call never came so far as the trunk, or nobody knows."""
        return not (self.answered or self.status) and self.outcome in _OURS


@dataclass(frozen=True, slots=True)
class Health:
    """How a trunk stands."""

    silent: int = 0  #: calls in a row that got no answer from the trunk
    refusals: int = 0  #: in a row; 0: the trunk takes our calls
    status: int = 0  #: SIP status of the last refusal
    probe_at: datetime | None = None  #: when one call may find out whether it still refuses; None: its gate is open
    probe: str = ""  #: id of the attempt that finds out, while it is under way
    fault: Fault | None = None  #: whose matter the last refusal was, if it is not the person's
    people: tuple[str, ...] = ()  #: whose calls were turned down since it last carried one, each once
    since: datetime = _BEFORE_ALL  #: when the first of these calls began; one that began earlier clears nobody
    closed: int = 0  #: how often in a row it was closed, or stayed so
    #: Whose calls were turned down while others got through: what they meet tells nothing of the trunk.
    barred: frozenset[str] = frozenset()

    @property
    def is_refused(self) -> bool:
        """Calls must not go out by it, but for one to find out."""
        return self.probe_at is not None

    @property
    def is_suspect(self) -> bool:
        """Nobody seems to be there."""
        return self.silent >= SILENT_CALLS

    def may_probe(self, now: datetime) -> bool:
        """Whether one call may go out to find out."""
        return self.probe_at is not None and not self.probe and self.probe_at <= now


def inherited(now: datetime, fault: Fault | None = None) -> Health:
    """A trunk that refused calls when the process before us ended: the first call finds out, before any other."""
    return Health(refusals=1, probe_at=now, fault=fault, closed=1)


def began(health: Health, attempt_id: str) -> Health:
    """A call begins: by a trunk that refuses, it is the one that finds out."""
    return replace(health, probe=attempt_id) if health.is_refused else health


def judge(
    health: Health, attempt_id: str, end: End, now: datetime, probe_after: Sequence[float] = PROBE_AFTER
) -> Health:
    """What is known after a call has ended, or was answered; `probe_after`: seconds.

    A call that had begun before the trunk was found to refuse neither opens the gate nor makes the wait longer.
    """
    if health.is_refused and health.probe != attempt_id:
        return _with(health, end) if end.is_refusal else health
    if end.is_refusal:
        known = end.person_id in health.barred and not health.is_refused
        return health if known else _refused(health, end, now, probe_after)
    if end.says_nothing:
        if not health.is_refused:
            return health
        return replace(health, probe="", probe_at=now + _pause(probe_after, health.closed))
    silent = health.silent + 1 if end.is_silence else 0
    if not health.is_refused and health.people and (end.began < health.since or not end.is_carried):
        return replace(health, silent=silent)  # it does not tell of the calls that were turned down
    return Health(silent, barred=health.barred.union(health.people))


def _refused(health: Health, end: End, now: datetime, probe_after: Sequence[float]) -> Health:
    known = _with(replace(health, silent=0, since=health.since if health.people else end.began), end)
    told = replace(known, refusals=health.refusals + 1, status=end.status, fault=end.fault)
    if not health.is_refused and len(told.people) < REFUSED_PEOPLE:
        return told
    closed = health.closed + 1
    return replace(told, probe="", closed=closed, probe_at=now + _pause(probe_after, closed))


def _with(health: Health, end: End) -> Health:
    return replace(health, people=tuple(dict.fromkeys((*health.people, end.person_id))))


def _pause(probe_after: Sequence[float], closed: int) -> timedelta:
    """Until a trunk that was closed so often in a row is tried."""
    pauses = (min(FIRST_PROBE_AFTER, probe_after[0]), *probe_after)
    return timedelta(seconds=pauses[min(max(closed, 1), len(pauses)) - 1])
