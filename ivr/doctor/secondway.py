"""What doctor says of FastAGI, by which callers reach us while ARI has no application. Pure."""

from collections.abc import Sequence

from ivr.doctor.judgement import Light, Line
from ivr.errors import problem


def examine_second_way(port: int | None, listens: bool) -> Line:
    """Whether somebody listens where the dialplan would hand a call over."""
    if port is None:
        return Line("second_way", Light.YELLOW, problem("doctor.no_second_way"))
    if listens:
        return Line("second_way", Light.GREEN, problem("doctor.second_way", port=port))
    return Line("second_way", Light.RED, problem("doctor.second_way_closed", port=port))


def without_ari(lines: Sequence[Line], only: bool) -> list[Line]:
    """The lines of a PBX that has no ARI and needs none: nothing of it is asked."""
    return [each for each in lines if not (only and each.check == "asterisk" and each.light is Light.RED)]
