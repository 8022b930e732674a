"""Lines, reserve, rate and rest, of one trunk and of several."""

from datetime import UTC, datetime, timedelta

import pytest

from ivr.call import Outcome
from scheduler.pacing import Load, Trunk, choose_trunk, free_lines, learn, released, started

NOW = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
TRUNK = Trunk("one", lines=4, reserved=1, per_second=2)
OTHER = Trunk("two", lines=2, reserved=0, per_second=1)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("outbound", "inbound", "since_last", "wanted"),
    [
        pytest.param(0, 0, None, (True, None), id="the first call"),
        pytest.param(2, 0, 10, (True, None), id="a line is free"),
        pytest.param(3, 0, 10, (False, None), id="the reserve stays free"),
        pytest.param(2, 1, 10, (True, None), id="a caller uses the reserve"),
        pytest.param(2, 2, 10, (False, None), id="callers past the reserve take our lines"),
        pytest.param(0, 9, 10, (False, None), id="more callers than lines"),
        pytest.param(0, 0, 0.4, (False, at(0.1)), id="too soon: when to ask again"),
        pytest.param(0, 0, 0.5, (True, None), id="soon enough"),
    ],
)
def test_one_trunk(outbound: int, inbound: int, since_last: float | None, wanted: tuple[bool, datetime | None]) -> None:
    last = None if since_last is None else at(-since_last)
    trunk, again = choose_trunk((TRUNK,), {"one": Load(outbound, last)}, inbound, NOW)
    assert (trunk is TRUNK, again) == wanted


@pytest.mark.parametrize(
    ("one", "two", "wanted"),
    [
        pytest.param(Load(), Load(), "two", id="the larger part free: no reserve there"),
        pytest.param(Load(), Load(1), "one", id="more is free on the first"),
        pytest.param(Load(3), Load(1), "two", id="the first is full"),
        pytest.param(Load(3), Load(2), None, id="both are full"),
        pytest.param(Load(rests_until=at(9)), Load(1), "two", id="the first rests"),
        pytest.param(Load(0, NOW), Load(0, NOW), None, id="both too soon"),
    ],
)
def test_two_trunks(one: Load, two: Load, wanted: str | None) -> None:
    trunk, _ = choose_trunk((TRUNK, OTHER), {"one": one, "two": two}, 0, NOW)
    assert (trunk.name if trunk else None) == wanted


def test_the_earlier_of_two_says_when_to_ask_again() -> None:
    loads = {"one": Load(rests_until=at(60)), "two": Load(0, NOW)}
    assert choose_trunk((TRUNK, OTHER), loads, 0, NOW) == (None, at(1))


def test_calls_of_a_process_before_us_use_no_reserve() -> None:
    loads = {"one": Load(1)}
    assert choose_trunk((TRUNK,), loads, 0, NOW, inherited=1) == (TRUNK, None)
    assert choose_trunk((TRUNK,), loads, 0, NOW, inherited=2) == (None, None)
    assert choose_trunk((TRUNK,), loads, 1, NOW, inherited=2) == (None, None)


def test_a_line_is_taken_and_given_back() -> None:
    load = started(Load(), NOW)
    assert (load.outbound, load.last_start, free_lines(TRUNK, load, 0)) == (1, NOW, 2)
    assert released(load).outbound == 0
    assert released(Load()).outbound == 0


def test_a_full_trunk_rests_longer_each_time() -> None:
    load, now = Load(), NOW
    rests: list[float] = []
    for _ in range(5):
        load = learn(TRUNK, load, Outcome.CONGESTION, now, now)
        assert not rests or load.rests == len(rests)  # one alone is no sign
        load = learn(TRUNK, load, Outcome.CONGESTION, now, now)
        assert load.rests_until is not None
        rests.append((load.rests_until - now).total_seconds())
        now = load.rests_until
    assert rests == [60, 120, 300, 600, 600]
    assert choose_trunk((TRUNK,), {"one": load}, 0, now - timedelta(seconds=1)) == (None, now)
    assert choose_trunk((TRUNK,), {"one": load}, 0, now) == (TRUNK, None)


def test_calls_that_had_begun_before_make_the_rest_no_longer() -> None:
    load = Load(rests=1, rests_until=at(60))
    assert learn(TRUNK, load, Outcome.CONGESTION, at(-5), at(3)) == load


@pytest.mark.parametrize("outcome", [Outcome.ANSWERED, Outcome.BUSY, Outcome.NO_ANSWER, Outcome.NO_KEY])
def test_a_call_that_was_carried_shows_that_the_trunk_works(outcome: Outcome) -> None:
    load = learn(TRUNK, Load(in_a_row=1, rests=2), outcome, NOW, NOW)
    assert (load.in_a_row, load.rests) == (0, 0)


@pytest.mark.parametrize("outcome", [None, Outcome.FAILED, Outcome.UNKNOWN])
def test_our_own_faults_say_nothing_about_the_trunk(outcome: Outcome | None) -> None:
    load = Load(in_a_row=1, rests=2)
    assert learn(TRUNK, load, outcome, NOW, NOW) == load
