"""How many calls may start now, and on which trunk. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ivr.call import Outcome

#: A trunk is taken for full when so many calls in a row, begun since it last rested, met congestion: a single one may
#: be the fault of the far network alone, and everybody else would wait for it.
IN_A_ROW = 2
#: Seconds that a full trunk rests: the first, second, … time in a row.
BACK_OFF = (60.0, 120.0, 300.0, 600.0)


@dataclass(frozen=True, slots=True)
class Trunk:
    """What one trunk carries."""

    name: str
    lines: int
    reserved: int  #: lines that outbound calls leave free for callers
    per_second: float  #: new calls a second
    back_off: Sequence[float] = BACK_OFF

    @property
    def usable(self) -> int:
        """Lines for calls of ours."""
        return self.lines - self.reserved


@dataclass(frozen=True, slots=True)
class Load:
    """How a trunk stands."""

    outbound: int = 0  #: calls of ours in progress
    last_start: datetime | None = None
    in_a_row: int = 0  #: people whose calls met congestion since one was carried, or since the last rest
    rests: int = 0  #: in a row
    rests_until: datetime | None = None
    full: frozenset[str] = frozenset()  #: those people
    #: Whose calls met congestion while others were carried: the far network's matter, maybe, and not the trunk's.
    far: frozenset[str] = frozenset()


def started(load: Load, now: datetime) -> Load:
    """A call of ours began."""
    return replace(load, outbound=load.outbound + 1, last_start=now)


def released(load: Load) -> Load:
    """A call of ours is over: its line is free."""
    return replace(load, outbound=max(0, load.outbound - 1))


def learn(
    trunk: Trunk, load: Load, outcome: Outcome | None, began: datetime, now: datetime, person_id: str = ""
) -> Load:
    """What a call that `began` then came to says about the trunk: a full one rests, longer each time."""
    if outcome is Outcome.CONGESTION:
        if load.rests_until is not None and began < load.rests_until:
            return load  # it had begun before the trunk was found full
        if person_id and (person_id in load.full or person_id in load.far):
            return load
        full = load.full | {person_id}
        if load.in_a_row + 1 < IN_A_ROW or not trunk.back_off:
            return replace(load, in_a_row=load.in_a_row + 1, full=full)
        pause = trunk.back_off[min(load.rests, len(trunk.back_off) - 1)]
        until = now + timedelta(seconds=pause)
        return replace(load, in_a_row=0, rests=load.rests + 1, rests_until=until, full=frozenset(), far=load.far | full)
    if outcome in (None, *_NO_WORD) or not (load.in_a_row or load.rests):
        return load  # says nothing about the network, or nothing new
    return replace(load, in_a_row=0, rests=0, full=frozenset(), far=load.far | load.full)


#: Ends that say nothing of how full the network is.
_NO_WORD = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.REFUSED)


def free_lines(trunk: Trunk, load: Load, inbound: int, inherited: int = 0) -> int:
    """Lines on which a call of ours could begin. Inbound calls use the reserve first; past it they take ours.

    `inherited`: calls that a process before us began and that go on; they use no reserve.
    """
    return max(0, trunk.lines - load.outbound - inherited - max(trunk.reserved, inbound))


def may_start_at(trunk: Trunk, load: Load) -> datetime | None:
    """The earliest moment that rate and rest leave for the next call; None: any."""
    next_by_rate = None if load.last_start is None else load.last_start + timedelta(seconds=1 / trunk.per_second)
    if load.rests_until is None or next_by_rate is None:
        return next_by_rate or load.rests_until
    return max(next_by_rate, load.rests_until)


@dataclass(frozen=True, slots=True)
class Room:
    """By which trunks a call may begin now."""

    free: tuple[Trunk, ...]  #: the one with the largest part free first
    waiting: frozenset[str]  #: full with calls of ours, or at their pace: soon one may begin there
    again: datetime | None  #: when to ask again; None with nothing free: the end of a call will tell


def room(trunks: Sequence[Trunk], loads: Mapping[str, Load], inbound: int, now: datetime, inherited: int = 0) -> Room:
    """Which trunks have a line for a call that begins now.

    Which trunk inbound and inherited calls use is not known, so all of them count against each.
    """
    free: list[tuple[float, Trunk]] = []
    waiting = set()
    again = None
    for trunk in trunks:
        load = loads[trunk.name]
        lines = free_lines(trunk, load, inbound, inherited)
        at = may_start_at(trunk, load) if lines else None
        if at is not None and now < at:
            again = at if again is None else min(again, at)
            if load.rests_until is None or load.rests_until <= now:
                waiting.add(trunk.name)
        elif lines:
            free.append((lines / trunk.lines, trunk))
        elif load.outbound:
            waiting.add(trunk.name)
    free.sort(key=lambda each: -each[0])
    return Room(tuple(each for _, each in free), frozenset(waiting), again)


def choose_trunk(
    trunks: Sequence[Trunk], loads: Mapping[str, Load], inbound: int, now: datetime, inherited: int = 0
) -> tuple[Trunk | None, datetime | None]:
    """The trunk on which a call may begin now: the one with the largest part free. Else when to ask again.

    Neither: no line is free, and the end of a call will tell.
    """
    found = room(trunks, loads, inbound, now, inherited)
    return (found.free[0], None) if found.free else (None, found.again)
