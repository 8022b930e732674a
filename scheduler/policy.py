"""Decides what happens next with one person in one slot. Pure: facts in, decision out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ivr.call import UNCLEAR, Fault, Outcome
from ivr.handover import HandOver
from ivr.window import Window

#: What a call comes to that may have been turned down for a reason that others meet too.
TURNED_DOWN = (Outcome.REFUSED, Outcome.FAILED, Outcome.UNKNOWN)
#: So often a number is called in one slot that nobody has: the network may be wrong once.
BAD_TWICE = 2


@dataclass(frozen=True, slots=True)
class Attempt:
    """One earlier attempt to reach the person in this slot."""

    number: str
    outcome: Outcome | None  #: None while it is under way
    ended_at: datetime | None
    whose: Fault | None = None  #: whose matter its end was, as far as others tell by now (ivr.core.sip_statuses)

    @property
    def is_free(self) -> bool:
        """It reached nobody, and that was not the person's matter: it uses up no try."""
        return self.outcome is Outcome.CONGESTION or (self.outcome in TURNED_DOWN and self.whose in UNCLEAR)

    @property
    def is_theirs(self) -> bool:
        """It was turned down, and others are not: this number of the person is barred."""
        return self.outcome in TURNED_DOWN and self.whose is Fault.PERSON


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
    tones: bool = True  #: whether a key was ever heard from one of the numbers, or all of them send tones
    known: frozenset[str] = frozenset()  #: numbers that somebody has ever answered, or called us from
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
    tell: HandOver | None = None  #: staff get this task meanwhile


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
        return HandToStaff(_too_late(case))
    if now < due:
        return Wait(due, HandOver.BAD_NUMBER if _nobody_has_any(case) else None)
    # Judged on the moment itself, never on what a plan said.
    if not case.window.allows(now, rules.ring_seconds):
        return HandToStaff(_too_late(case))
    if use.in_use:
        return Wait(None)
    return Dial(number, _after_unknown(case, rules, case.window, now))


_UNUSED = Use()


def _choose(case: Case, rules: Rules) -> tuple[str, datetime] | HandToStaff:
    """The number to ring next and from when on, or why there is none."""
    assert case.window is not None
    alive = _alive(case)
    if not alive:
        return HandToStaff(HandOver.BAD_NUMBER if case.numbers else HandOver.NO_NUMBER)
    due = next_time(case.attempts, rules, case.window, alive)
    if due is None:
        return HandToStaff(_reason(case))
    usable = [each for each in alive if case.uses.get(each, _UNUSED).calls < rules.per_number]
    if not usable or _tries(case.attempts) + case.tried_before >= rules.per_day:
        return HandToStaff(HandOver.LIMIT)
    return _next_number(usable, case.attempts), max(due, case.window.first)


def _alive(case: Case) -> list[str]:
    """The numbers that may be rung. One that nobody has, says the network, gets one more call.

    In its turn if somebody has ever answered there, else once no other number is left.
    """
    bad = {each: _times_bad(each, case.attempts) for each in case.numbers}
    good = [each for each, times in bad.items() if not times or (times < BAD_TWICE and each in case.known)]
    return good or [each for each, times in bad.items() if times < BAD_TWICE]


def _times_bad(number: str, attempts: Sequence[Attempt]) -> int:
    return sum(each.number == number and each.outcome is Outcome.BAD_NUMBER for each in attempts)


def _times_theirs(number: str, attempts: Sequence[Attempt]) -> int:
    return sum(each.number == number and each.is_theirs for each in attempts)


def _nobody_has_any(case: Case) -> bool:
    """Whether the last word of every number of the person was that nobody has it."""
    last = {each.number: each.outcome for each in case.attempts}
    return all(last.get(each) is Outcome.BAD_NUMBER for each in case.numbers)


def _tries(attempts: Sequence[Attempt]) -> int:
    return sum(not each.is_free for each in attempts)


def next_time(
    attempts: Sequence[Attempt], rules: Rules, window: Window, numbers: Sequence[str] = ()
) -> datetime | None:
    """When the next call is due by what the last one came to; None if there is none in this slot.

    `numbers`: those of the person that may still be rung.
    """
    if not attempts:
        return window.first
    last = attempts[-1]
    if _tries(attempts) >= rules.attempts:
        return None
    ended = last.ended_at or window.first
    outcome, before = _how_often(attempts, numbers)
    if before < 0:  # another number of the person: at once
        return ended
    waits = rules.retry_seconds.get(outcome, ())
    return ended + timedelta(seconds=waits[before]) if before < len(waits) else None


def _how_often(attempts: Sequence[Attempt], numbers: Sequence[str]) -> tuple[Outcome, int]:
    """By which outcome the wait after the last call is measured, and how often that was waited for before.

    Below 0: there is nothing to wait for, as another number has met this less often.
    """
    last = attempts[-1]
    assert last.outcome is not None
    if last.is_free:
        return Outcome.CONGESTION, sum(each.is_free for each in attempts) - 1
    if last.outcome is Outcome.BAD_NUMBER or last.is_theirs:
        met = _times_bad if last.outcome is Outcome.BAD_NUMBER else _times_theirs
        here = met(last.number, attempts)
        return last.outcome, -1 if any(met(each, attempts) < here for each in numbers) else here - 1
    return last.outcome, sum(each.outcome is last.outcome and not each.is_free for each in attempts) - 1


def _after_unknown(case: Case, rules: Rules, window: Window, now: datetime) -> datetime:
    """When to look again if the call that begins now is lost: its next try, or the end of the window."""
    lost = Attempt("", Outcome.UNKNOWN, now)
    due = next_time((*case.attempts, lost), rules, window, case.numbers)
    return window.until if due is None else min(due, window.until)


def _next_number(usable: Sequence[str], attempts: Sequence[Attempt]) -> str:
    """The number after the last one rung, in order; a call that was cut off or met a full network goes to the same.

    One that met a full network twice in a row goes to the next: it may be the network of that number alone.
    """
    last = attempts[-1] if attempts else None
    if last is None or last.number not in usable:
        return usable[0]
    full = [each.outcome is Outcome.CONGESTION and each.number == last.number for each in attempts[-2:]]
    if last.outcome in (Outcome.CUT_OFF, Outcome.BUSY) or (full[-1] and full != [True, True]):
        return last.number
    return usable[(usable.index(last.number) + 1) % len(usable)]


def _too_late(case: Case) -> HandOver:
    """Why staff must ring when the window ends before the next call."""
    reason = _reason(case) if case.attempts else HandOver.WINDOW_OVER
    return reason if reason in (HandOver.BAD_NUMBER, HandOver.REFUSED) else HandOver.WINDOW_OVER


def _reason(case: Case) -> HandOver:
    outcomes = [each.outcome for each in case.attempts]
    counted = [each for each in case.attempts if not each.is_free]
    if Outcome.CUT_OFF in outcomes:
        return HandOver.BROKE_OFF
    if all(each.outcome is Outcome.FAILED or each.is_theirs for each in counted):
        refused = any(each.outcome is Outcome.REFUSED or each.is_theirs for each in case.attempts)
        return HandOver.REFUSED if refused else HandOver.NETWORK
    if all(each.outcome is Outcome.BAD_NUMBER or each.is_theirs for each in counted):
        return HandOver.BAD_NUMBER
    if not case.tones and all(each.outcome is Outcome.NO_KEY for each in counted):
        return HandOver.NO_TONES
    return HandOver.NOT_REACHED
