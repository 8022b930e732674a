"""From a person and the settings to rows of the agenda, and from the facts to a case for the policy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ivr.config import Config
from ivr.core.sip_statuses import Others, whose
from ivr.handover import Settled
from ivr.numbers import sends_tones
from ivr.person import Person, is_paused
from ivr.storage import calls
from ivr.storage.agenda import Facts, Row
from ivr.window import LATEST, PATIENTS, NoWindow, Window, slot_of, slots_of
from scheduler.policy import Attempt, Case, Rules, Use


def rules_of(config: Config) -> Rules:
    """What the settings say about calls."""
    given = config.dialling
    return Rules(
        given.attempts,
        given.retry_table(),
        given.ring_seconds,
        per_day=given.most_a_day,
        per_number=given.calls_per_number,
        rest_seconds=given.rest_seconds,
    )


Entered = tuple[Person, datetime]  #: somebody, and since when they are under observation


def in_order(people: Sequence[Entered]) -> list[Entered]:
    """As their first calls come one after another: high risk first."""
    return sorted(people, key=lambda each: (-each[0].risk.rank, each[0].id))


def rows_for(config: Config, people: Sequence[Entered], day: date, before: int = 0, total: int = 0) -> list[Row]:
    """The rows of a day: one for each slot of each person, but for slots that were over when the person was entered.

    With a spread, first calls begin one after another over so many minutes; `before` of `total` people are others.
    """
    spread = timedelta(minutes=config.dialling.spread_minutes)
    rows = []
    for index, (person, since) in enumerate(people, before):
        for slot in slots_of(day, person, config.calendar):
            row = _row(person, since, day, slot, spread * index / max(total, len(people)))
            if row is not None:
                rows.append(row)
    return rows


def _row(person: Person, since: datetime, day: date, slot: Window | NoWindow, later: timedelta) -> Row | None:
    if isinstance(slot, Window):
        first = min(slot.first + later, slot.until)
        return Row(person.id, day, slot.slot, person.risk.rank, slot.until, first) if since < slot.until else None
    until = end_of(day)
    if slot.why.needs_staff:
        return Row(person.id, day, slot.slot, person.risk.rank, until, since) if since < until else None
    return Row(person.id, day, slot.slot, person.risk.rank, until, None, Settled.EXCLUDED)


def end_of(day: date) -> datetime:
    """When nobody is rung any more on this day, whatever the settings say."""
    return datetime.combine(day, LATEST, PATIENTS)


@dataclass(frozen=True, slots=True)
class Excluded:
    """Not called by a decision of staff or of the settings; `until`: that ends before the window does."""

    until: datetime | None


def case_of(config: Config, facts: Facts, person: Person, slot: str, day: date, now: datetime) -> Case | Excluded:
    """The facts as the policy wants them, or that somebody decided against calling."""
    if person.closed_at is not None or (slot not in person.slots and (person.slots or slot)):
        return Excluded(None)
    window = slot_of(day, person, slot, config.calendar)
    if isinstance(window, NoWindow) and not window.why.needs_staff:
        return Excluded(None)
    excluded = _paused(person, window.until if isinstance(window, Window) else end_of(day), now)
    if excluded is not None:
        return excluded
    judged = [(each.slot, judge(facts, each)) for each in facts.attempts]
    return Case(
        window if isinstance(window, Window) else None,
        person.numbers,
        [attempt for of, attempt in judged if of == slot],
        facts.reported,
        facts.handed_over,
        facts.talking,
        sum(of != slot and not attempt.is_free for of, attempt in judged),
        {number: Use(used.calls, used.vain_until, used.in_use) for number, used in facts.uses.items()},
        facts.tones or any(map(sends_tones, person.numbers)),
        facts.known,
        in_doubt=any(not is_paused(each, now) for each in facts.missing_mates),
    )


def judge(facts: Facts, attempt: calls.Attempt) -> Attempt:
    """An attempt as the policy wants it: whose matter its end was, by how others fared."""
    others = facts.others.get(attempt.id, Others.NONE)
    alone = sum(each is not Others.REFUSED for each in facts.others.values())
    return Attempt(attempt.number, attempt.outcome, attempt.ended_at, whose(attempt.fault, others, again=alone > 1))


def _paused(person: Person, until: datetime, now: datetime) -> Excluded | None:
    """Whether a pause keeps the person from being called now, or kept them at the end of the window."""
    at = min(now, until)
    if person.pause is None or not is_paused(person, at):
        return None
    # Not settled before the window is over: staff may end the pause.
    return Excluded(min(person.pause.until, until) if now < until else None)
