"""What doctor says of FastAGI, by which callers reach us while ARI has no application. Pure."""

from collections.abc import Mapping, Sequence

from ivr.doctor.judgement import Light, Line
from ivr.errors import problem


def examine_second_way(port: int | None, listens: bool) -> Line:
    """Whether somebody listens where the dialplan would hand a call over."""
    if port is None:
        return Line("second_way", Light.YELLOW, problem("doctor.no_second_way"))
    if listens:
        return Line("second_way", Light.GREEN, problem("doctor.second_way", port=port))
    return Line("second_way", Light.RED, problem("doctor.second_way_closed", port=port))


def examine_recordings(folder: str, there: bool, writers: Mapping[str, bool | None]) -> Line:
    """Whether what people say on such calls can be kept.

    `writers`: user -> whether they may make and delete files there: Asterisk's, and that of the service.
    """
    if not there:
        return Line("recordings", Light.RED, problem("doctor.recordings_missing", folder=folder))
    closed = [user for user, may in writers.items() if may is False]
    if closed:
        said = problem("doctor.recordings_closed", folder=folder, users=", ".join(closed))
        return Line("recordings", Light.RED, said)
    if None in writers.values():
        return Line("recordings", Light.YELLOW, problem("doctor.recordings_unknown", folder=folder))
    return Line("recordings", Light.GREEN, problem("doctor.recordings"))


def without_ari(lines: Sequence[Line], only: bool) -> list[Line]:
    """The lines of a PBX that has no ARI and needs none: nothing of it is asked."""
    return [each for each in lines if not (only and each.check == "asterisk" and each.light is Light.RED)]
