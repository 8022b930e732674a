"""Ports for practice networks, of which several start in the same second, in one process and in others."""

import subprocess
import sys
from contextlib import ExitStack

import pytest

from ivr.errors import BadInput
from sandbox import ports
from sandbox.ports import reserved_base_port

#: Others may run practice networks on this machine: these belong to this test.
BASES = range(61000, 61000 + 3 * 7, 7)


@pytest.fixture(autouse=True)
def some_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "BASE_PORTS", BASES)
    monkeypatch.setattr(ports, "_is_free", lambda port: True)


def test_networks_of_one_process_take_different_ones() -> None:
    with ExitStack() as stack:
        given = [stack.enter_context(reserved_base_port()) for _ in BASES]
        assert given == list(BASES)
        with pytest.raises(BadInput):
            stack.enter_context(reserved_base_port())


def test_what_is_given_back_is_taken_again() -> None:
    with reserved_base_port() as first:
        pass
    with reserved_base_port() as second:
        assert first == second == BASES[0]


def test_one_in_use_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_is_free", lambda port: not BASES[0] <= port < BASES[1])
    with reserved_base_port() as base:
        assert base == BASES[1]


def test_another_process_takes_another_one_and_its_death_gives_it_back() -> None:
    program = (
        "from sandbox import ports\n"
        f"ports.BASE_PORTS = {BASES!r}\n"
        "ports._is_free = lambda port: True\n"
        "with ports.reserved_base_port() as base:\n"
        "    print(base, flush=True)\n"
        "    input()\n"
    )
    with subprocess.Popen(
        (sys.executable, "-c", program), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert int(other.stdout.readline()) == BASES[0]
        with reserved_base_port() as base:
            assert base == BASES[1]
        other.kill()
        other.wait()
    with reserved_base_port() as base:
        assert base == BASES[0]
