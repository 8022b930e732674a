"""A clock that jumps is not believed until it is right again."""

from datetime import UTC, datetime, timedelta

import pytest

from scheduler.clock import JUMP, LONGEST_SUSPECT_SECONDS, STEADY_SECONDS, Clock, ClockGuard, observe

NOW = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)


class Clocks:
    """Two clocks; only one can be moved."""

    def __init__(self) -> None:
        self.wall, self.monotonic, self.synchronised = NOW, 1000.0, False
        self.guard = ClockGuard(lambda: self.wall, lambda: self.monotonic, lambda: self.synchronised)

    def passes(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.monotonic += seconds


@pytest.mark.parametrize(("seconds", "believed"), [(30, True), (-30, True), (30.1, False), (-30.1, False)])
def test_a_jump_of_more_than_half_a_minute(seconds: float, believed: bool) -> None:
    clocks = Clocks()
    clocks.passes(5)
    assert clocks.guard.is_trusted()
    clocks.wall += timedelta(seconds=seconds)
    assert clocks.guard.is_trusted() is believed


def test_it_is_trusted_again_when_steady_and_synchronised() -> None:
    clocks = Clocks()
    clocks.wall += timedelta(hours=5)
    assert not clocks.guard.is_trusted()
    assert clocks.guard.suspect_since == clocks.wall
    clocks.synchronised = True
    clocks.passes(STEADY_SECONDS - 1)
    assert not clocks.guard.is_trusted()
    clocks.wall -= timedelta(hours=5)  # put right: again a jump
    assert not clocks.guard.is_trusted()
    clocks.passes(STEADY_SECONDS)
    assert clocks.guard.is_trusted()
    assert clocks.guard.suspect_since is None


def test_without_a_time_service_staff_must_confirm() -> None:
    clocks = Clocks()
    clocks.wall += timedelta(hours=5)
    assert not clocks.guard.is_trusted()
    clocks.passes(LONGEST_SUSPECT_SECONDS)
    assert not clocks.guard.is_trusted()
    assert clocks.guard.has_given_up()
    clocks.guard.confirmed = True
    assert clocks.guard.is_trusted()
    assert not clocks.guard.has_given_up()
    clocks.wall += timedelta(hours=5)  # the word was about the jump before
    assert not clocks.guard.is_trusted()


def test_doubt_from_elsewhere_closes_it_as_a_jump_does() -> None:
    clocks = Clocks()
    clocks.guard.doubt()
    assert not clocks.guard.is_trusted()
    clocks.synchronised = True
    clocks.passes(STEADY_SECONDS)
    assert clocks.guard.is_trusted()


def test_many_small_steps_are_drift() -> None:
    clock = Clock(NOW, 0.0)
    for each in range(1, 100):
        clock, jumped = observe(
            clock, NOW + each * (JUMP + timedelta(seconds=60)), each * 60.0, synchronised=False, confirmed=False
        )
        assert jumped is None
    assert clock.trusted
