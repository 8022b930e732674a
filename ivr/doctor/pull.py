"""What doctor says of the changes that come in from the centre. Pure."""

from datetime import timedelta

from ivr.doctor.judgement import Light, Line
from ivr.errors import problem


def examine_pull(is_on: bool, trouble: str, age: float | None, hours: float) -> Line:
    """`trouble`: why the last look failed; `age`: seconds since one succeeded, None: never; after `hours` it is red."""
    minutes = "-" if age is None else str(round(age / 60))
    if not is_on:
        return Line("pull", Light.GREEN, problem("doctor.pull_off"))
    old = age is not None and timedelta(seconds=age) > timedelta(hours=hours)
    if trouble or old:
        light = Light.RED if old or age is None else Light.YELLOW
        return Line("pull", light, problem("doctor.pull_fails", problem=trouble or "-", minutes=minutes))
    if age is None:
        return Line("pull", Light.YELLOW, problem("doctor.pull_never"))
    return Line("pull", Light.GREEN, problem("doctor.pull", minutes=minutes))
