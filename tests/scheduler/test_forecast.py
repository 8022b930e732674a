"""Looking ahead: who, when, why not, with how many lines, and what a change does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from ivr.call import CallState, Outcome
from ivr.config import Config
from ivr.person import Pause, Person, Risk
from ivr.storage.agenda import Row
from ivr.storage.calls import Attempt
from ivr.storage.sofar import SoFar
from scheduler.forecast import LEAST_HISTORY, changes, forecast, mean_seconds, model_for, who
from scheduler.model import Model, made_up_people
from scheduler.simulate import World
from tests.fakes.site import settings
from tests.storage.records import HANAKO, SACHIKO, TARO

DAY = date(2025, 1, 6)
NINE = datetime(2025, 1, 6, 0, 0, tzinfo=UTC)
LINES = {"total": 5, "reserved_for_inbound": 1, "calls_per_second": 20}
ROSTER = [HANAKO, TARO, SACHIKO]
#: Everybody answers, and each call takes a minute.
SURE = [(Outcome.ANSWERED, 60.0)] * LEAST_HISTORY


def config(**other: object) -> Config:
    return settings(lines=LINES, **other)


def test_who_is_called_and_who_is_not_and_why() -> None:
    nowhere = replace(TARO, id="000001", slots=("noon",))
    silent = replace(TARO, id="000002", numbers=())
    away = replace(TARO, id="000003", pause=Pause(NINE, NINE + timedelta(days=3), "見本", "入院"))
    planned, absent = who(config(), [*ROSTER, nowhere, silent, away], DAY)
    assert [(each.person_id, each.slot) for each in planned] == [
        (HANAKO.id, "morning"),
        (TARO.id, "morning"),
        (SACHIKO.id, "afternoon"),
    ]
    assert {each.person_id: (each.why, each.needs_staff) for each in absent} == {
        "000001": ("no_slot", True),
        "000002": ("no_number", True),
        "000003": ("paused", False),
    }


def test_when_each_is_called_and_when_it_ends() -> None:
    people = made_up_people(40, ("morning",), household=99)
    high = replace(people[-1], risk=Risk.HIGH)
    found = forecast(config(), [*people[:-1], high], DAY, model_for(config(), SURE))
    assert found.called[0].person_id == high.id
    assert found.called[0].call_at == NINE
    assert (found.reported, found.follow_up) == (40, 0)
    assert found.finished_at is not None
    # 40 calls of a minute on four lines, one way or the other.
    assert timedelta(minutes=9) < found.finished_at - NINE < timedelta(minutes=13)
    (slot,) = found.slots
    assert slot.people == 40
    assert slot.last_first_at == max(each.call_at for each in found.called if each.call_at)
    assert (slot.lines_for_an_hour, found.lines) == (2, 5)


@pytest.mark.parametrize("seed", [101, 102])
def test_the_plan_and_the_slot_agree_on_the_end(seed: int) -> None:
    """As tests/acceptance/test_slot.py holds it for a real slot: the plan knows of the calls what the record says."""
    soon = {"retry_seconds": {str(each): [60, 60] for each in Model().otherwise if each is not Outcome.BAD_NUMBER}}
    settings = config(dialling={**soon, "rest_seconds": 0})
    people = made_up_people(120, ("morning",))
    # Shorter calls and fewer answers than is usual: only the record can tell.
    real = replace(model_for(settings), answered=0.5, seconds=dict(Model().seconds) | {Outcome.ANSWERED: 75.0})
    world = World(settings, people, DAY, real, Random(seed))
    slot = world.run()
    ends = [
        (each.outcome, (each.ended_at - each.planned_at).total_seconds())
        for mine in world.rows.attempts.values()
        for each in mine
        if each.outcome is not None and each.ended_at is not None
    ]
    found = forecast(settings, people, DAY, model_for(settings, ends))
    assert found.finished_at is not None
    foreseen = (found.finished_at - NINE).total_seconds()
    assert slot.attempts > 150
    assert foreseen == pytest.approx(slot.makespan, rel=0.1)
    assert (found.reported, found.follow_up) == pytest.approx((slot.reported, slot.follow_up), abs=12)


def test_who_cannot_be_reached_in_time_is_said() -> None:
    short = {"morning": {"from": "9:00", "until": "9:05"}}
    people = made_up_people(60, ("morning",), household=99)
    found = forecast(config(slots=short), people, DAY, model_for(config(), SURE))
    late = [each for each in found.called if each.call_at is None]
    assert found.follow_up == len(late) > 20
    assert found.reported + found.follow_up == 60


def test_what_is_expected_comes_from_the_record_if_there_is_one() -> None:
    usual = model_for(config())
    assert model_for(config(), SURE[:-1]) == usual
    assert usual.seconds[Outcome.NO_ANSWER] == 60
    half = [*SURE, *[(Outcome.BUSY, 2.0)] * LEAST_HISTORY, (Outcome.CUT_OFF, 30.0), (Outcome.NO_ANSWER, 40.0)]
    known = model_for(config(), half)
    assert known.answered == (LEAST_HISTORY + 1) / len(half)
    assert known.cut_off == 1 / (LEAST_HISTORY + 1)
    assert known.seconds[Outcome.BUSY] == 2.0
    assert known.seconds[Outcome.NO_ANSWER] == 40.0
    assert abs(mean_seconds(known) - sum(seconds for _, seconds in half) / len(half)) < 1e-9


def test_what_a_change_does_to_a_day() -> None:
    before = config()
    after = config(slots={"morning": {"from": "10:00", "until": "11:30"}})
    found = changes((before, ROSTER), (after, [HANAKO, replace(TARO, id="000009"), SACHIKO]), DAY)
    assert (found.before, found.after) == (3, 2)
    assert [each.person_id for each in found.added] == ["000009"]
    assert [each.person_id for each in found.gone] == [TARO.id, SACHIKO.id]
    ((one, other),) = found.moved
    assert (one.person_id, other.first - one.first) == (HANAKO.id, timedelta(hours=1))
    assert [(each.person_id, each.why) for each in found.needs_staff] == [(SACHIKO.id, "no_slot")]
    assert changes((before, ROSTER), (before, ROSTER), DAY).moved == ()


def middle(people: list[Person], *, calls: Mapping[str, Sequence[Outcome | None]], at: datetime, **other: Any) -> SoFar:
    """A morning up to `at`: how the calls to some ended, a minute each."""
    made = [
        Attempt(
            f"{person_id}-{index}",
            person_id,
            next(each.numbers[0] for each in people if each.id == person_id),
            DAY,
            "morning",
            at - timedelta(minutes=2),
            CallState.DIALING if outcome is None else CallState.ENDED,
            outcome,
            None if outcome is None else at - timedelta(minutes=1),
        )
        for person_id, ends in calls.items()
        for index, outcome in enumerate(ends)
    ]
    until = NINE + timedelta(minutes=150)
    rows = [
        Row(each.id, DAY, "morning", each.risk.rank, until, NINE, None, len(calls.get(each.id, ()))) for each in people
    ]
    return SoFar(tuple(rows), tuple(made), **other)


def test_what_has_happened_today_is_taken_off() -> None:
    people = made_up_people(6, ("morning",), household=99)
    ids = [each.id for each in people]
    at = NINE + timedelta(minutes=30)
    before = middle(
        people,
        calls={ids[0]: [Outcome.ANSWERED], ids[1]: [Outcome.NO_ANSWER, Outcome.NO_ANSWER], ids[2]: [None]},
        at=at,
        reported=frozenset({ids[0], ids[3]}),
        with_staff=frozenset({ids[4]}),
    )
    found = forecast(config(), people, DAY, model_for(config(), SURE), before, at)
    assert {each.person_id: (each.why, each.needs_staff) for each in found.not_called} == {
        ids[0]: ("reported", False),
        ids[3]: ("reported", False),
        ids[4]: ("with_staff", False),
    }
    called = {each.person_id: each for each in found.called}
    assert {key: each.attempts for key, each in called.items()} == {ids[1]: 2, ids[2]: 1, ids[5]: 0}
    # The third try an hour after the second one ended; the one under way is answered and needs no other call.
    assert called[ids[1]].call_at == at + timedelta(minutes=59)
    assert called[ids[2]].call_at is None
    assert called[ids[5]].call_at == at
    assert (found.reported, found.follow_up) == (5, 1)


def test_tries_that_are_used_up_are_not_made_again() -> None:
    people = made_up_people(1, ("morning",))
    at = NINE + timedelta(minutes=30)
    before = middle(people, calls={people[0].id: [Outcome.NO_ANSWER] * 3}, at=at)
    found = forecast(config(), people, DAY, model_for(config(), SURE), before, at)
    assert [each.call_at for each in found.called] == [None]
    assert (found.reported, found.follow_up, found.finished_at) == (0, 1, None)


def test_after_its_end_a_slot_has_nothing_left() -> None:
    people = made_up_people(3, ("morning",))
    at = NINE + timedelta(hours=3)
    found = forecast(config(), people, DAY, model_for(config(), SURE), middle(people, calls={}, at=at), at)
    assert [each.why for each in found.not_called] == ["slot_over"] * 3
    assert (found.called, found.follow_up) == ((), 3)


def test_calls_under_way_hold_their_lines() -> None:
    people = made_up_people(8, ("morning",), household=99)
    at = NINE + timedelta(minutes=30)
    four = {each.id: [None] for each in people[:4]}
    before = middle(people, calls=four, at=at)
    slow = [(Outcome.ANSWERED, 600.0)] * LEAST_HISTORY
    found = forecast(config(), people, DAY, replace(model_for(config(), slow), spread=0.0), before, at)
    assert min(each.call_at for each in found.called if each.call_at) == at + timedelta(minutes=8)
    assert found.reported == 8
