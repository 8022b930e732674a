"""What doctor says of FastAGI."""

import os
import pwd
import socket
from pathlib import Path

import pytest

from ivr.doctor.access import may_write, owner_of
from ivr.doctor.facts import fastagi_listens
from ivr.doctor.judgement import Light, Line
from ivr.doctor.secondway import examine_recordings, examine_second_way, without_ari
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


@pytest.mark.parametrize(
    ("there", "writers", "light", "message"),
    [
        (True, {"asterisk": True, "kenko-call": True}, Light.GREEN, "doctor.recordings"),
        (False, {"asterisk": False}, Light.RED, "doctor.recordings_missing"),
        (True, {"asterisk": None, "kenko-call": False}, Light.RED, "doctor.recordings_closed"),
        (True, {"asterisk": None, "kenko-call": True}, Light.YELLOW, "doctor.recordings_unknown"),
    ],
)
def test_what_is_said_by_the_second_way(
    there: bool, writers: dict[str, bool | None], light: Light, message: str
) -> None:
    line = examine_recordings("/var/lib/asterisk/recording", there, writers)
    assert (line.light, line.says.message) == (light, message)
    assert line.says.render("ja")


def test_who_may_write(tmp_path: Path) -> None:
    me = pwd.getpwuid(os.geteuid()).pw_name
    assert may_write(tmp_path, me)
    assert may_write(tmp_path / "not there", me) is False
    assert may_write(tmp_path, "nobody called so") is None
    assert owner_of(tmp_path) == me
    assert owner_of(tmp_path / "not there") is None
    other = next(each.pw_name for each in pwd.getpwall() if each.pw_uid not in (0, os.geteuid()))
    tmp_path.chmod(0o700)
    # Only root can ask for somebody else.
    assert may_write(tmp_path, other) is (False if os.geteuid() == 0 else None)


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
