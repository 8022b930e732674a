"""What doctor says of FastAGI."""

import socket

import pytest

from ivr.doctor.facts import fastagi_listens
from ivr.doctor.judgement import Light, Line
from ivr.doctor.secondway import examine_second_way, without_ari
from ivr.errors import problem


@pytest.mark.parametrize(
    ("port", "listens", "light", "message"),
    [
        (None, False, Light.YELLOW, "doctor.no_second_way"),
        (4573, True, Light.GREEN, "doctor.second_way"),
        (4573, False, Light.RED, "doctor.second_way_closed"),
    ],
)
def test_the_second_way(port: int | None, listens: bool, light: Light, message: str) -> None:
    line = examine_second_way(port, listens)
    assert (line.light, line.says.message) == (light, message)
    assert line.says.render("ja")


async def test_whether_somebody_listens() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        assert not await fastagi_listens(port)
        other.listen()
        assert await fastagi_listens(port)


def test_a_pbx_without_ari_is_not_blamed_for_it() -> None:
    red, green = (Line("asterisk", light, problem("pbx.unreachable", url="x")) for light in (Light.RED, Light.GREEN))
    clock = Line("clock", Light.RED, problem("doctor.clock"))
    assert without_ari([red, clock], only=True) == [clock]
    assert without_ari([red, clock], only=False) == [red, clock]
    assert without_ari([green, clock], only=True) == [green, clock]
