"""What the watch's findings mean for staff and for the gates of the trunks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ivr.ami.alarms import HOLD, Finding, Rules, View, findings, lost, outside, up
from ivr.ami.state import Failures, Standing, State, count_failure, follow

NOW = datetime(2026, 11, 4, tzinfo=UTC)
RULES = Rules(timedelta(seconds=10), 3)


def stands(state: State, detail: str = "") -> Standing:
    return follow(None, state, detail, NOW)


def told(view: View, seconds: float) -> list[Finding]:
    return findings(view, RULES, NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (State.UNREACHABLE, "trunk_unreachable"),
        (State.UNREGISTERED, "trunk_unregistered"),
        (State.REFUSED, "registration_refused"),
        (State.PASSWORD, "trunk_password"),
    ],
)
def test_a_trunk_that_stays_down_is_told(state: State, kind: str) -> None:
    view = View({"east": stands(state, "403"), "west": stands(State.WELL)})
    assert told(view, 9) == []
    assert told(view, 10) == [Finding(kind, "east", "403")]


def test_an_unknown_trunk_is_not_told() -> None:
    view = View({"trunk": stands(State.UNKNOWN)})
    assert told(view, 60) == []


def test_one_fault_after_another_is_told_without_a_gap() -> None:
    view = View({"trunk": follow(stands(State.UNREACHABLE), State.REFUSED, "403", NOW + timedelta(seconds=60))})
    assert told(view, 60) == [Finding("registration_refused", "trunk", "403")]


def test_a_lost_manager_is_told_and_what_was_known_stands_for_a_while() -> None:
    before = View({"trunk": stands(State.UNREACHABLE)}, channels={"trunk": 2})
    just = lost(before, NOW)
    assert told(just, 10) == [Finding("trunk_unreachable", "trunk", ""), Finding("ami_lost", "", "")]
    soon = lost(just, NOW + HOLD - timedelta(seconds=1))
    assert soon.trunks == before.trunks
    assert soon.lost_since == NOW
    late = lost(soon, NOW + HOLD)
    assert (late.trunks["trunk"].state, late.channels) == (State.UNKNOWN, {})
    assert findings(late, RULES, NOW + HOLD) == [Finding("ami_lost", "", "")]


def test_many_who_are_turned_away_are_told() -> None:
    failures = Failures()
    for _ in range(2):
        failures = count_failure(failures, NOW)
    assert told(View(failures=failures), 1) == []
    assert told(View(failures=count_failure(failures, NOW)), 1) == [Finding("turned_away", "", "3")]


def test_a_provider_that_left_its_networks_is_told() -> None:
    view = replace(View(), outside={"trunk": ("192.0.2.1", "192.0.2.2")})
    assert told(view, 0) == [Finding("trunk_address", "trunk", "192.0.2.1, 192.0.2.2")]


def test_addresses_outside_the_networks() -> None:
    networks = ("198.51.100.0/24", "192.0.2.7")
    assert outside(["198.51.100.9", "192.0.2.7"], networks) == ()
    assert outside(["203.0.113.10", "203.0.113.9", "192.0.2.7"], networks) == ("203.0.113.9", "203.0.113.10")
    assert outside([], networks) == ()


def test_for_monitoring() -> None:
    view = View({"a": stands(State.WELL), "b": stands(State.REFUSED), "c": stands(State.UNKNOWN)})
    assert up(view) == {"a": 1, "b": 0}
