"""From a person and the settings to a row of the agenda, and from the facts to a case for the policy. Pure."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from ivr.config import Config, Slot
from ivr.roster import Person
from ivr.storage.agenda import Facts, Row
from ivr.window import Window, window_of
from scheduler.policy import FREE, Attempt, Case, Rules, Use


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


def rows_for(config: Config, people: Sequence[tuple[Person, datetime]], day: date) -> list[Row]:
    """The rows of a day for people who have none: one for each, but for those entered after their slot was over.

    High risk first; with a spread, first calls begin one after another over so many minutes.
    """
    spread = timedelta(minutes=config.dialling.spread_minutes)
    rows = []
    windows = slots_of(config, day)
    chosen = sorted(people, key=lambda each: (-risk_of(each[0]), each[0].id))
    for index, (person, since) in enumerate(chosen):
        window = windows.get(person.slot)
        until = end_of(config, day) if window is None else window.until
        if since >= until:
            continue  # entered after the slot was over: the next day's
        first = since if window is None else window.first + spread * index / len(chosen)
        rows.append(Row(person.id, day, person.slot, risk_of(person), until, first))
    return rows


def risk_of(person: Person) -> int:
    """Higher goes first."""
    return 0


def window_for(config: Config, person: Person, slot: str, day: date) -> Window | None:
    """When this person may be rung in this slot of the day; None if the settings have no such slot."""
    found = config.slots.get(slot)
    return _utc(config, found, day) if found else None


def slots_of(config: Config, day: date) -> dict[str, Window]:
    """The windows of the slots on a day, by name."""
    return {name: _utc(config, slot, day) for name, slot in config.slots.items()}


def end_of(config: Config, day: date) -> datetime:
    """When the last slot of the day is over: who is entered later begins on the next day."""
    last = max(slot.until for slot in config.slots.values())
    return datetime.combine(day, last, config.centre.zone).astimezone(UTC)


def _utc(config: Config, slot: Slot, day: date) -> Window:
    # In UTC from here on: comparing times of two zones costs ten times as much.
    window = window_of(day, slot.first, slot.until, config.centre.zone)
    return Window(window.first.astimezone(UTC), window.until.astimezone(UTC))


def case_of(config: Config, facts: Facts, person: Person, slot: str, day: date) -> Case:
    """The facts as the policy wants them."""
    mine = [each for each in facts.attempts if each.slot == slot]
    before = sum(each.slot != slot and each.outcome not in FREE for each in facts.attempts)
    return Case(
        window_for(config, person, slot, day),
        person.numbers,
        [Attempt(each.number, each.outcome, each.ended_at) for each in mine],
        facts.reported,
        facts.handed_over,
        facts.talking,
        before,
        {number: Use(used.calls, used.vain_until, used.in_use) for number, used in facts.uses.items()},
    )
