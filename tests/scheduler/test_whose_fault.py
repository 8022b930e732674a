"""Whole days on a virtual clock in which a network turns some people's calls down: what that means for all others."""

from dataclasses import replace
from datetime import date, datetime
from random import Random

import pytest

from ivr.call import Outcome
from ivr.handover import HandOver, Settled
from ivr.person import Person, Risk
from scheduler.gates import Reason
from scheduler.model import Model, made_up_people
from scheduler.simulate import World
from tests.fakes.site import settings

DAY = date(2025, 1, 6)
ONE_CALL = 110.0
#: Everybody answers, and every conversation is as long.
ANSWERED = Model(answered=1.0, cut_off=0.0, spread=0.0, reports_in=0.0)
EVERYBODY = 41
TWO_TRUNKS = [
    {"name": "east", "total": 4, "reserved_for_inbound": 1, "calls_per_second": 1},
    {"name": "west", "total": 4, "reserved_for_inbound": 1, "calls_per_second": 1},
]


def cast(refused: int, numbers: int, first: bool) -> list[Person]:
    """`refused` of 41 people, who are rung `first`, or spread over the roster; each of them with so many numbers."""
    people = made_up_people(EVERYBODY, ("morning",), household=1000)
    places = range(refused) if first else range(3, EVERYBODY, EVERYBODY // refused)
    for at in list(places)[:refused]:
        mine = tuple(f"07000000{at:02}{each}" for each in range(numbers))
        people[at] = replace(people[at], numbers=mine, risk=Risk.HIGH if first else Risk.NORMAL)
    return people


def barred(people: list[Person]) -> list[Person]:
    return [each for each in people if each.numbers[0].startswith("070")]


def run(people: list[Person], lines: int, outcome: Outcome = Outcome.REFUSED, **other: object) -> World:
    turned_down = {number: (outcome,) for each in barred(people) for number in each.numbers}
    pace = {"total": lines, "reserved_for_inbound": 0, "calls_per_second": 1}
    config = settings(**({"lines": pace} | other))
    world = World(config, people, DAY, replace(ANSWERED, scripts=turned_down), Random(1))
    world.run()
    return world


def finished(world: World, people: list[Person]) -> datetime:
    """When the last of these people's calls was over."""
    return max(each.ended_at for person in people for each in world.rows.attempts[person.id, DAY] if each.ended_at)


@pytest.mark.parametrize(
    ("refused", "numbers", "lines", "first", "outcome"),
    [
        (1, 1, 1, True, Outcome.REFUSED),
        (1, 2, 4, True, Outcome.REFUSED),
        (1, 2, 10, False, Outcome.REFUSED),
        (3, 1, 1, True, Outcome.REFUSED),
        (3, 2, 4, True, Outcome.REFUSED),
        (3, 1, 10, True, Outcome.REFUSED),
        (3, 2, 4, False, Outcome.REFUSED),
        (1, 1, 1, True, Outcome.CONGESTION),
        (1, 2, 4, True, Outcome.CONGESTION),
    ],
)
def test_the_others_finish_as_without_them(
    refused: int, numbers: int, lines: int, first: bool, outcome: Outcome
) -> None:
    people = cast(refused, numbers, first)
    others = [each for each in people if each not in barred(people)]
    without, world = run(others, lines), run(people, lines, outcome)
    assert (finished(world, others) - finished(without, others)).total_seconds() <= ONE_CALL
    for person in barred(people):
        assert {each.number for each in world.rows.attempts[person.id, DAY]} == set(person.numbers)
        wanted = HandOver.REFUSED if outcome is Outcome.REFUSED else HandOver.NETWORK
        assert world.rows.follow_ups[person.id, DAY] is wanted
    assert all((each.id, DAY) in world.rows.reported for each in others)
    # Nothing about the trunk stands, and nothing was raised that the calls after it did not end.
    assert [kind for kind, _ in world.rows.alarms] == []


def test_a_barred_trunk_costs_each_of_them_no_try_and_leaves_nobody_out() -> None:
    """All calls of a slot are turned down: few are made, each by somebody else, and everybody is a task."""
    people = made_up_people(EVERYBODY, ("morning",), household=1000)
    world = World(settings(), people, DAY, replace(ANSWERED, answered=0.0, otherwise={Outcome.REFUSED: 1.0}), Random(1))
    world.run()
    assert all(row.settled is Settled.HANDED_OVER for row in world.rows.rows.values())
    tried = [mine for mine in world.rows.attempts.values() if mine]
    assert sum(map(len, tried)) < 30
    assert max(map(len, tried)) <= 2
    assert ("trunk_refused", "trunk") in {(kind, subject) for _, kind, subject in world.rows.raised}


@pytest.mark.parametrize("count", [6, 20, 40])
def test_a_person_keeps_a_trunk_while_it_is_open(count: int) -> None:
    """Two trunks with own numbers, three tries: nobody sees both."""
    people = made_up_people(count, ("morning",), household=1000)
    twice = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.ANSWERED)
    model = replace(ANSWERED, scripts={each.id: twice for each in people})
    world = World(settings(trunks=TWO_TRUNKS), people, DAY, model, Random(1))
    world.run()
    seen = [{each.trunk for each in mine} for mine in world.rows.attempts.values()]
    assert [len(each) for each in seen] == [1] * count
    assert set().union(*seen) == {"east", "west"}
    assert all((each.id, DAY) in world.rows.reported for each in people)
    assert world.rows.alarms == {}


def test_and_has_another_when_it_is_closed() -> None:
    people = made_up_people(12, ("morning",), household=1000)
    model = replace(ANSWERED, scripts={each.id: (Outcome.NO_ANSWER, Outcome.ANSWERED) for each in people})
    world = World(settings(trunks=TWO_TRUNKS), people, DAY, model, Random(1))
    world.rows.kept = {each.id: "west" for each in people}
    world.dialer.gates.close("west", Reason.UNREGISTERED, world.begin)
    world.run()
    assert {each.trunk for mine in world.rows.attempts.values() for each in mine} == {"east"}
    assert all((each.id, DAY) in world.rows.reported for each in people)
