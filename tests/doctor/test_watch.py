"""What doctor says of the watch and of the test call."""

from datetime import UTC, datetime, timedelta

import pytest

from ivr.ami.state import State
from ivr.doctor.judgement import Light
from ivr.doctor.watch import Watched, examine_call, examine_watch, read_watched
from ivr.selftest import Answer, Verdict

NOW = datetime(2026, 11, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("is_on", "found", "light", "message"),
    [
        (False, None, Light.YELLOW, "doctor.not_watched"),
        (True, None, Light.YELLOW, "doctor.watch_young"),
        (True, Watched(NOW - timedelta(seconds=61), True, {}), Light.YELLOW, "doctor.watch_old"),
        (True, Watched(NOW, False, {"trunk": (State.WELL, "")}), Light.RED, "doctor.watch_lost"),
        (True, Watched(NOW, True, {"trunk": (State.WELL, "")}), Light.GREEN, "doctor.watch_trunk"),
        (True, Watched(NOW, True, {"trunk": (State.UNKNOWN, "")}), Light.YELLOW, "doctor.watch_trunk"),
        (True, Watched(NOW, True, {"trunk": (State.UNREACHABLE, "")}), Light.RED, "doctor.watch_trunk"),
    ],
)
def test_the_watch(is_on: bool, found: Watched | None, light: Light, message: str) -> None:
    (line,) = examine_watch(is_on, found, NOW)
    assert (line.light, line.says.message) == (light, message)
    assert line.says.render("ja")


def test_each_trunk_has_a_line_with_the_reason() -> None:
    trunks = '{"west": {"state": "refused", "detail": "403"}, "east": {"state": "well", "detail": ""}}'
    found = read_watched(f'{{"at": "2026-11-04T00:00:00+00:00", "connected": true, "trunks": {trunks}}}')
    assert [each.says.render("en") for each in examine_watch(True, found, NOW)] == [
        "east: in order",
        "west: registration refused (403)",
    ]
    assert read_watched(None) is None


def test_the_test_call() -> None:
    heard = examine_call(Answer("w", Verdict.HEARD, 1.94), 25)
    assert (heard.light, "1.9 s" in heard.says.render("en")) == (Light.GREEN, True)
    deaf = examine_call(Answer("w", Verdict.NOT_HEARD, 10.0), 25)
    assert (deaf.light, "(-)" in deaf.says.render("en")) == (Light.RED, True)
    refused = examine_call(Answer("w", Verdict.NOT_ANSWERED, 0.0, "Allocation failed"), 25)
    assert (refused.light, "Allocation failed" in refused.says.render("en")) == (Light.RED, True)
    nobody = examine_call(None, 25)
    assert (nobody.light, nobody.says.message) == (Light.RED, "doctor.call_unanswered")
