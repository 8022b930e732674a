"""The least time that given calls take on given lines, when each may begin from a moment of its own on. Pure."""

from collections.abc import Sequence


def lower_bound(releases: Sequence[float], seconds: Sequence[float], lines: int) -> float:
    """When the last call ends at the earliest, in seconds of the same clock as `releases`, whatever the order.

    `releases`: from when on each call may begin; `seconds`: how long it has its line. Identical machines with release
    dates (M. Pinedo, Scheduling, chapter 5): whatever may begin only from r on keeps the lines busy after r, and a
    call ends no earlier than its own release and length. All released at once, this is the bound by which the
    longest-processing-time rule is judged. 0 without calls.
    """
    best = work = 0.0
    for release, length in sorted(zip(releases, seconds, strict=True), reverse=True):
        work += length
        best = max(best, release + work / lines, release + length)
    return best
