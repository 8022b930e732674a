"""What a day will bring: who is called when, who is not and why, and whether the lines suffice. Touches nothing."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from random import Random

from ivr.call import Outcome
from ivr.config import Config
from ivr.handover import Settled
from ivr.person import Person, is_paused
from ivr.storage.sofar import NOTHING, SoFar
from ivr.window import NoWindow, Window, slots_of
from scheduler.model import Model
from scheduler.simulate import World

#: With fewer calls than this on record, the times and parts of `Model` are better than those of the record.
LEAST_HISTORY = 30
#: "Within the hour": so long may the first calls of a slot take, seconds.
HOUR = 3600.0


@dataclass(frozen=True)
class Planned:
    """One person who will be called in one slot."""

    person_id: str
    slot: str
    risk: int
    first: datetime  #: when the window begins
    until: datetime
    call_at: datetime | None  #: when the next call is to be expected; None: not within the window
    attempts: int = 0  #: made already


@dataclass(frozen=True)
class NotPlanned:
    """One person who will not be called in one slot."""

    person_id: str
    slot: str
    why: str  #: id of the catalogue, `off.<why>`
    needs_staff: bool


@dataclass(frozen=True)
class SlotForecast:
    """How one slot will go."""

    slot: str
    people: int
    last_first_at: datetime | None
    lines_for_an_hour: int  #: lines of the trunks, reserve included, with which every first call ends within the hour


@dataclass(frozen=True)
class Forecast:
    """A day, or what is left of it."""

    day: date
    called: tuple[Planned, ...]
    not_called: tuple[NotPlanned, ...]
    slots: tuple[SlotForecast, ...]
    lines: int
    finished_at: datetime | None  #: end of the last call
    reported: int  #: how many reports to expect, those that are there among them
    follow_up: int  #: how many people staff will have to ring, or have had to


#: So many days are run for a roster up to `FEW`, and the middle one is told; chance weighs less in bigger ones.
DAYS, FEW = 7, 2000


def forecast(
    config: Config,
    people: Sequence[Person],
    day: date,
    model: Model,
    before: SoFar = NOTHING,
    now: datetime | None = None,
) -> Forecast:
    """Run the day on the virtual clock with the people of the roster: of several runs the middle one.

    `before` and `now`: what has become of the day already, and until when; the rest of it is run.
    """
    planned, absent = _left(*who(config, people, day), before, now)
    observed = [each for each in people if each.closing is None]
    seeds = range(DAYS if len(people) <= FEW else 1)
    worlds = [World(config, observed, day, model, Random(seed), before, now) for seed in seeds]
    runs = sorted(((each.run(), each) for each in worlds), key=lambda pair: pair[0].makespan)
    result, world = runs[len(runs) // 2]
    called = tuple(replace(each, call_at=world.first_calls.get((each.person_id, each.slot))) for each in planned)
    return Forecast(
        day,
        tuple(sorted(called, key=lambda each: (each.call_at or each.until, -each.risk, each.person_id))),
        tuple(absent),
        _slots(config, called, model),
        sum(each.total for each in config.all_trunks()),
        result.finished_at,
        result.reported,
        result.follow_up,
    )


def who(config: Config, people: Sequence[Person], day: date) -> tuple[list[Planned], list[NotPlanned]]:
    """Who is to be called on a day, and who is not and why; those whom staff closed are neither."""
    planned: list[Planned] = []
    absent: list[NotPlanned] = []
    # Of thousands of people most have the same hours.
    known: dict[tuple[object, ...], tuple[Window | NoWindow, ...]] = {}
    for person in people:
        if person.closing is not None:
            continue
        key = (person.slots, person.own_time, person.hours, person.begins)
        if key not in known:
            known[key] = slots_of(day, person, config.calendar)
        for slot in known[key]:
            reason = _why_not(person, slot)
            if isinstance(slot, Window) and reason is None:
                planned.append(Planned(person.id, slot.slot, person.risk.rank, slot.first, slot.until, None))
            elif reason is not None:
                absent.append(NotPlanned(person.id, slot.slot, *reason))
    return planned, absent


def _left(
    planned: Sequence[Planned], absent: Sequence[NotPlanned], before: SoFar, now: datetime | None
) -> tuple[list[Planned], list[NotPlanned]]:
    """Without those who need no call any more, who are told why; with the calls that were made."""
    settled = {(row.person_id, row.slot): row.settled for row in before.rows}
    tried = Counter((each.person_id, each.slot) for each in before.attempts)
    left, done = [], list(absent)
    for each in planned:
        key = (each.person_id, each.slot)
        if each.person_id in before.reported:
            done.append(NotPlanned(*key, "reported", needs_staff=False))
        elif each.person_id in before.with_staff or settled.get(key) is Settled.HANDED_OVER:
            done.append(NotPlanned(*key, "with_staff", needs_staff=False))
        elif now is not None and each.until <= now:
            done.append(NotPlanned(*key, "slot_over", needs_staff=False))
        else:
            left.append(replace(each, attempts=tried[key]))
    return left, done


def _why_not(person: Person, slot: Window | NoWindow) -> tuple[str, bool] | None:
    if isinstance(slot, NoWindow):
        return slot.why, slot.why.needs_staff
    if is_paused(person, slot.until):
        return "paused", False
    if not person.numbers:
        return "no_number", True
    return None


def _slots(config: Config, called: Sequence[Planned], model: Model) -> tuple[SlotForecast, ...]:
    found = []
    reserve = sum(each.reserved_for_inbound for each in config.all_trunks())
    for name in dict.fromkeys(each.slot for each in called):
        mine = [each for each in called if each.slot == name]
        times = [each.call_at for each in mine if each.call_at is not None]
        lines = math.ceil(len(mine) * mean_seconds(model) / HOUR) + reserve
        found.append(SlotForecast(name, len(mine), max(times, default=None), lines))
    return tuple(found)


def mean_seconds(model: Model) -> float:
    """What one call costs a line on average."""
    total = sum(model.otherwise.values()) or 1.0
    vain = sum(part / total * model.seconds[each] for each, part in model.otherwise.items())
    talk = model.cut_off * model.seconds[Outcome.CUT_OFF] + (1 - model.cut_off) * model.seconds[Outcome.ANSWERED]
    return model.answered * talk + (1 - model.answered) * vain


def model_for(config: Config, ends: Sequence[tuple[Outcome, float]] = ()) -> Model:
    """What to expect: how calls ended lately and how long they took, seconds; or the usual, if too few are known."""
    plain = Model(reports_in=0.0)
    ring = config.dialling.ring_seconds
    plain = replace(plain, seconds=dict(plain.seconds) | {Outcome.NO_ANSWER: ring, Outcome.UNKNOWN: ring})
    if len(ends) < LEAST_HISTORY:
        return plain
    by: dict[Outcome, list[float]] = {}
    for outcome, seconds in ends:
        by.setdefault(outcome, []).append(seconds)
    talked = len(by.get(Outcome.ANSWERED, ())) + len(by.get(Outcome.CUT_OFF, ()))
    vain: Mapping[Outcome, float] = {
        each: float(len(found)) for each, found in by.items() if each not in (Outcome.ANSWERED, Outcome.CUT_OFF)
    }
    return replace(
        plain,
        answered=talked / len(ends),
        cut_off=len(by.get(Outcome.CUT_OFF, ())) / talked if talked else 0.0,
        otherwise=vain or plain.otherwise,
        seconds=dict(plain.seconds) | {each: sum(found) / len(found) for each, found in by.items()},
    )


@dataclass(frozen=True)
class Changes:
    """What a change of the roster or of the settings does to a day."""

    day: date
    before: int  #: calls planned
    after: int
    added: tuple[Planned, ...]
    gone: tuple[Planned, ...]
    moved: tuple[tuple[Planned, Planned], ...]  #: other hours, before and after
    needs_staff: tuple[NotPlanned, ...]  #: whom nobody would ring


def changes(before: tuple[Config, Sequence[Person]], after: tuple[Config, Sequence[Person]], day: date) -> Changes:
    """Compare a day under the old settings and roster with the same day under the new ones."""
    old = {(each.person_id, each.slot): each for each in who(*before, day)[0]}
    planned, absent = who(*after, day)
    new = {(each.person_id, each.slot): each for each in planned}
    both = old.keys() & new.keys()
    moved = [(old[key], new[key]) for key in sorted(both)]
    return Changes(
        day,
        len(old),
        len(new),
        tuple(new[key] for key in sorted(new.keys() - both)),
        tuple(old[key] for key in sorted(old.keys() - both)),
        tuple((one, other) for one, other in moved if (one.first, one.until) != (other.first, other.until)),
        tuple(each for each in absent if each.needs_staff),
    )
