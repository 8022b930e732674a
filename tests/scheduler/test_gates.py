"""The gates of the trunks: closed while any reason stands, whoever found it."""

from datetime import UTC, datetime, timedelta

from scheduler.gates import Gates, Reason

NOW = datetime(2026, 11, 4, 0, 0, tzinfo=UTC)


def test_a_gate_that_nobody_closed_is_open() -> None:
    gates = Gates()
    assert gates.is_open("east")
    assert gates.reasons("east") == {}
    assert not gates.open("east", Reason.REFUSED)


def test_a_gate_opens_when_its_last_reason_is_gone() -> None:
    gates = Gates()
    assert gates.close("east", Reason.UNREGISTERED, NOW)
    assert gates.close("east", Reason.REFUSED, NOW)
    assert gates.open("east", Reason.UNREGISTERED)
    assert not gates.is_open("east")
    assert gates.open("east", Reason.REFUSED)
    assert gates.is_open("east")


def test_a_reason_stands_since_it_was_first_found() -> None:
    gates = Gates()
    gates.close("east", Reason.REFUSED, NOW)
    assert not gates.close("east", Reason.REFUSED, NOW + timedelta(minutes=1))
    assert gates.reasons("east") == {Reason.REFUSED: NOW}


def test_the_gate_of_one_trunk_is_not_that_of_another() -> None:
    gates = Gates()
    gates.close("east", Reason.REFUSED, NOW)
    assert gates.is_open("west")
