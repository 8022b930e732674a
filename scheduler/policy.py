"""Decides what happens next with one person in one slot. Pure: facts in, decision out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ivr.call import Outcome
from ivr.handover import HandOver
from ivr.window import Window

#: Such a call reached nobody: it uses up no try and needs no rest.
FREE = (Outcome.CONGESTION,)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One earlier attempt to reach the person in this slot."""

    number: str
    outcome: Outcome | None  #: None while it is under way
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Use:
    """What one telephone went through on this day, for whomever it was rung."""

    calls: int = 0  #: that the network took
    vain_until: datetime | None = None  #: when it last stopped ringing without a conversation
    in_use: bool = False  #: a call to it is under way


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings allow."""

    attempts: int  #: calls that reach the network, to one person in one slot
    retry_seconds: Mapping[Outcome, Sequence[float]]  #: see config.example.yaml, dialling.retry_seconds
    ring_seconds: float
    per_day: int = 15  #: calls to one person, all slots of a day together
    per_number: int = 15  #: calls to one number on a day, for whomever
    rest_seconds: float = 0.0  #: between two calls to one number that nobody took, for whomever


@dataclass(frozen=True, slots=True)
class Case:
    """One person in one slot of one day."""

    window: Window | None  #: None: the settings have no such slot
    numbers: Sequence[str]  #: in the order in which they are to be tried
    attempts: Sequence[Attempt]  #: in this slot, oldest first
    reported: bool  #: a complete report exists for the day, from any source
    handed_over: bool  #: staff have the person already
    talking: bool = False  #: a call of the person is in progress, whoever dialled
    tried_before: int = 0  #: calls that reached the network in other slots of the day
    uses: Mapping[str, Use] = field(default_factory=dict)  #: number -> what it went through
    tones: bool = True  #: whether a key was ever heard from one of the numbers
    in_doubt: bool = False  #: the report may be that of somebody else of the household, who has none


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring this number now."""

    number: str
    then: datetime  #: when to look again if nobody ever says what became of it: the next step, to be written down first


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before `until`; None: something under way will change the facts."""

    until: datetime | None


@dataclass(frozen=True, slots=True)
class HandToStaff:
    """No further call in this slot; open a follow-up."""

    reason: HandOver


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more is to be done: reported, or staff have it."""


Decision = Dial | Wait | HandToStaff | Done


def decide(case: Case, rules: Rules, now: datetime) -> Decision:
    """What to do with this person now. Every case ends in Done or HandToStaff once the window is over."""
    if case.handed_over or (case.reported and not _asks_again(case)):
        return Done()
    decision = _decide(case, rules, now)
    return Done() if case.reported and isinstance(decision, HandToStaff) else decision


def _asks_again(case: Case) -> bool:
    """Who was perhaps not the one who reported is rung all the same, until they have been spoken to."""
    return case.in_doubt and all(each.outcome is not Outcome.ANSWERED for each in case.attempts)


def _decide(case: Case, rules: Rules, now: datetime) -> Decision:
    if case.window is None:
        return HandToStaff(HandOver.NO_SLOT)
    if case.talking or any(each.outcome is None for each in case.attempts):
        return Wait(None)
    chosen = _choose(case, rules)
    if isinstance(chosen, HandToStaff):
        return chosen
    number, due = chosen
    use = case.uses.get(number, _UNUSED)
    if use.vain_until is not None:
        due = max(due, use.vain_until + timedelta(seconds=rules.rest_seconds))
    if due + timedelta(seconds=rules.ring_seconds) > case.window.until:
        return HandToStaff(HandOver.WINDOW_OVER)
    if now < due:
        return Wait(due)
    # Judged on the moment itself, never on what a plan said.
    if not case.window.allows(now, rules.ring_seconds):
        return HandToStaff(HandOver.WINDOW_OVER)
    if use.in_use:
        return Wait(None)
    return Dial(number, _after_unknown(case, rules, case.window, now))


_UNUSED = Use()


def _choose(case: Case, rules: Rules) -> tuple[str, datetime] | HandToStaff:
    """The number to ring next and from when on, or why there is none."""
    assert case.window is not None
    alive = [each for each in case.numbers if not _is_dead(each, case.attempts)]
    if not alive:
        return HandToStaff(HandOver.BAD_NUMBER if case.numbers else HandOver.NO_NUMBER)
    due = next_time(case.attempts, rules, case.window)
    if due is None:
        return HandToStaff(_reason(case))
    usable = [each for each in alive if case.uses.get(each, _UNUSED).calls < rules.per_number]
    if not usable or _tries(case.attempts) + case.tried_before >= rules.per_day:
        return HandToStaff(HandOver.LIMIT)
    return _next_number(usable, case.attempts), max(due, case.window.first)


def _is_dead(number: str, attempts: Sequence[Attempt]) -> bool:
    return any(each.number == number and each.outcome is Outcome.BAD_NUMBER for each in attempts)


def _tries(attempts: Sequence[Attempt]) -> int:
    return sum(each.outcome not in FREE for each in attempts)


def next_time(attempts: Sequence[Attempt], rules: Rules, window: Window) -> datetime | None:
    """When the next call is due by what the last one came to; None if there is none in this slot."""
    if not attempts:
        return window.first
    last = attempts[-1]
    if _tries(attempts) >= rules.attempts:
        return None
    ended = last.ended_at or window.first
    if last.outcome is Outcome.BAD_NUMBER:  # another number of the person: at once
        return ended
    assert last.outcome is not None
    waits = rules.retry_seconds.get(last.outcome, ())
    before = sum(each.outcome is last.outcome for each in attempts) - 1
    if before >= len(waits):
        return None
    return ended + timedelta(seconds=waits[before])


def _after_unknown(case: Case, rules: Rules, window: Window, now: datetime) -> datetime:
    """When to look again if the call that begins now is lost: its next try, or the end of the window."""
    lost = Attempt("", Outcome.UNKNOWN, now)
    due = next_time((*case.attempts, lost), rules, window)
    return window.until if due is None else min(due, window.until)


def _next_number(usable: Sequence[str], attempts: Sequence[Attempt]) -> str:
    """The number after the last one rung, in order; a call that was cut off or met a full network goes to the same."""
    last = attempts[-1] if attempts else None
    if last is None or last.number not in usable:
        return usable[0]
    if last.outcome in (Outcome.CUT_OFF, Outcome.CONGESTION, Outcome.BUSY):
        return last.number
    return usable[(usable.index(last.number) + 1) % len(usable)]


def _reason(case: Case) -> HandOver:
    outcomes = [each.outcome for each in case.attempts]
    if Outcome.CUT_OFF in outcomes:
        return HandOver.BROKE_OFF
    if all(each in (Outcome.CONGESTION, Outcome.FAILED) for each in outcomes):
        return HandOver.NETWORK
    if not case.tones and all(each is Outcome.NO_KEY for each in outcomes if each not in FREE):
        return HandOver.NO_TONES
    return HandOver.NOT_REACHED
