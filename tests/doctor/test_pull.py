"""What doctor says of what comes in from the centre."""

import pytest

from ivr.doctor.judgement import Light
from ivr.doctor.pull import examine_pull


@pytest.mark.parametrize(
    ("is_on", "trouble", "age", "light", "message"),
    [
        (False, "cut", None, Light.GREEN, "doctor.pull_off"),
        (True, "", None, Light.YELLOW, "doctor.pull_never"),
        (True, "", 20.0, Light.GREEN, "doctor.pull"),
        (True, "cut", 20.0, Light.YELLOW, "doctor.pull_fails"),
        (True, "cut", None, Light.RED, "doctor.pull_fails"),
        (True, "", 4 * 3600 + 1, Light.RED, "doctor.pull_fails"),
        (True, "bad_page", 4 * 3600 + 1, Light.RED, "doctor.pull_fails"),
    ],
)
def test_the_line(is_on: bool, trouble: str, age: float | None, light: Light, message: str) -> None:
    line = examine_pull(is_on, trouble, age, 4)
    assert (line.light, line.says.message) == (light, message)
    assert line.says.render("ja")
