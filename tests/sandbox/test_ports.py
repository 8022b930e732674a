"""Ports for practice networks: there are fewer than a whole test run starts networks."""

import pytest

from ivr.errors import BadInput
from sandbox import ports
from sandbox.ports import BASE_PORTS, free_base_port


@pytest.fixture(autouse=True)
def nothing_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_taken", [])
    monkeypatch.setattr(ports, "_is_free", lambda port: True)


def test_all_of_them_first_and_then_the_one_given_away_longest_ago() -> None:
    given = [free_base_port() for _ in range(len(BASE_PORTS) + 2)]
    assert given == [*BASE_PORTS, *BASE_PORTS[:2]]


def test_one_in_use_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_is_free", lambda port: not BASE_PORTS[0] <= port < BASE_PORTS[1])
    assert free_base_port() == BASE_PORTS[1]


def test_none_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_is_free", lambda port: False)
    with pytest.raises(BadInput):
        free_base_port()
