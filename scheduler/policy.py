"""Decides what happens next with one person in one slot. Pure: facts in, decision out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ivr.call import Outcome
from ivr.handover import HandOver
from ivr.window import Window


@dataclass(frozen=True)
class Attempt:
    """One earlier attempt to reach the person in this slot."""

    number: str
    outcome: Outcome | None  #: None while it is under way
    ended_at: datetime | None


@dataclass(frozen=True)
class Rules:
    """What the settings allow."""

    attempts: int  #: calls that reach the network, to one person in one slot
    retry_seconds: Mapping[Outcome, Sequence[float]]  #: see config.example.yaml, dialling.retry_seconds
    ring_seconds: float


@dataclass(frozen=True)
class Case:
    """One person in one slot of one day."""

    window: Window | None  #: None: the settings have no such slot
    numbers: Sequence[str]  #: in the order in which they are to be tried
    attempts: Sequence[Attempt]  #: oldest first
    reported: bool  #: a complete report exists for the day, from any source
    handed_over: bool  #: staff have the person already
    talking: bool = False  #: a call of the person is in progress, whoever dialled


@dataclass(frozen=True)
class Dial:
    """Ring this number now."""

    number: str


@dataclass(frozen=True)
class Wait:
    """Nothing to do before `until`; None: something under way will change the facts."""

    until: datetime | None


@dataclass(frozen=True)
class HandToStaff:
    """No further call in this slot; open a follow-up."""

    reason: HandOver


@dataclass(frozen=True)
class Done:
    """Nothing more is to be done: reported, or staff have it."""


Decision = Dial | Wait | HandToStaff | Done


def decide(case: Case, rules: Rules, now: datetime) -> Decision:
    """What to do with this person now. Every case ends in Done or HandToStaff once the window is over."""
    if case.reported or case.handed_over:
        return Done()
    window = case.window
    if window is None:
        return HandToStaff(HandOver.NO_SLOT)
    if case.talking or any(each.outcome is None for each in case.attempts):
        return Wait(None)
    usable = [each for each in case.numbers if not _is_dead(each, case.attempts)]
    if not usable:
        return HandToStaff(HandOver.BAD_NUMBER if case.numbers else HandOver.NO_NUMBER)
    due = _next_time(case, rules, window)
    if due is None:
        return HandToStaff(_reason(case.attempts))
    if due + timedelta(seconds=rules.ring_seconds) > window.until:
        return HandToStaff(HandOver.WINDOW_OVER)
    if now < max(due, window.first):
        return Wait(max(due, window.first))
    # Judged on the moment itself, never on what a plan said.
    if not window.allows(now, rules.ring_seconds):
        return HandToStaff(HandOver.WINDOW_OVER)
    return Dial(_next_number(usable, case.attempts))


def _is_dead(number: str, attempts: Sequence[Attempt]) -> bool:
    return any(each.number == number and each.outcome is Outcome.BAD_NUMBER for each in attempts)


def _next_time(case: Case, rules: Rules, window: Window) -> datetime | None:
    """When the next call is due; None if there is none in this slot."""
    if not case.attempts:
        return window.first
    last = case.attempts[-1]
    if sum(each.outcome is not Outcome.CONGESTION for each in case.attempts) >= rules.attempts:
        return None
    ended = last.ended_at or window.first
    if last.outcome is Outcome.BAD_NUMBER:  # another number of the person: at once
        return ended
    assert last.outcome is not None
    waits = rules.retry_seconds.get(last.outcome, ())
    before = sum(each.outcome is last.outcome for each in case.attempts) - 1
    if before >= len(waits):
        return None
    return ended + timedelta(seconds=waits[before])


def _next_number(usable: Sequence[str], attempts: Sequence[Attempt]) -> str:
    """The number after the last one rung, in order; a call that was cut off or met a full network goes to the same."""
    last = attempts[-1] if attempts else None
    if last is None or last.number not in usable:
        return usable[0]
    if last.outcome in (Outcome.CUT_OFF, Outcome.CONGESTION, Outcome.BUSY):
        return last.number
    return usable[(usable.index(last.number) + 1) % len(usable)]


def _reason(attempts: Sequence[Attempt]) -> HandOver:
    outcomes = [each.outcome for each in attempts]
    if Outcome.CUT_OFF in outcomes:
        return HandOver.BROKE_OFF
    if all(each in (Outcome.CONGESTION, Outcome.FAILED) for each in outcomes):
        return HandOver.NETWORK
    return HandOver.NOT_REACHED
