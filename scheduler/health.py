"""What the ends of its calls say about a trunk: that nobody answers there, or that it refuses us. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ivr.call import Outcome

#: The provider does not take calls from us: a password, an unpaid bill, a number that is not ours (RFC 3261). Not the
#: fault of whoever was rung, and every further call would meet the same.
REFUSALS = frozenset({401, 403, 407})
#: Nobody answered our request in time, or so says the far side.
SILENCE = 408
#: So many in a row are no chance: it is the trunk, not the people.
SILENT_CALLS = 3
#: Seconds until one call finds out whether a trunk that refused us takes calls again: after the first, second, …
#: refusal in a row. As long as a full trunk rests (scheduler.pacing).
PROBE_AFTER = (60.0, 120.0, 300.0, 600.0)


#: What a call without a word from the trunk may end as by our own doing: never sent, refused by ourselves, lost.
_OURS = (None, Outcome.FAILED, Outcome.UNKNOWN, Outcome.BAD_NUMBER)


@dataclass(frozen=True, slots=True)
class End:
    """How one call by a trunk ended."""

    outcome: Outcome | None  #: None: nobody knows
    status: int = 0  #: SIP, of the last answer; 0: none came
    answered: bool = False  #: somebody or something took the call

    @property
    def is_refusal(self) -> bool:
        """The trunk, not the person, turned the call down."""
        return self.status in REFUSALS and not self.answered

    @property
    def is_silence(self) -> bool:
        """The trunk said nothing at all."""
        return self.status == SILENCE and not self.answered

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
    probe_at: datetime | None = None  #: when one call may find out whether it still refuses; None: it does not
    probe: str = ""  #: id of the attempt that finds out, while it is under way

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


def inherited(now: datetime) -> Health:
    """A trunk that refused calls when the process before us ended: the first call finds out, before any other."""
    return Health(refusals=1, probe_at=now)


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
        return health
    if end.is_refusal:
        return Health(0, health.refusals + 1, end.status, now + _pause(probe_after, health.refusals))
    if end.says_nothing:
        if not health.is_refused:
            return health
        return replace(health, probe="", probe_at=now + _pause(probe_after, health.refusals - 1))
    return Health(silent=health.silent + 1 if end.is_silence else 0)


def _pause(probe_after: Sequence[float], before: int) -> timedelta:
    return timedelta(seconds=probe_after[min(before, len(probe_after) - 1)])
