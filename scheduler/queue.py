"""Who is due: persons in the order in which they get a line, without ever walking through everybody. Pure.

A hint, not the record: who is taken is decided upon with fresh facts, and the rows can make the queue anew. Nobody
leaves it by being taken: only who says what comes next (`put`, `drop`) takes them out, and does so after the rows do.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

#: So long before a window ends, second tries go before first ones: their time is running out as well, and a person who
#: did not answer yet is the one to worry about (surveda #2306).
NEAR_END = timedelta(minutes=30)

#: A step that was taken is due again after so long, unless somebody said before what comes next: whatever failed then.
LOOK_AGAIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Step:
    """One person in one slot of one day, and when to look at them next."""

    person_id: str
    day: str  #: ISO date; a text is smaller and quicker to compare
    slot: str
    risk: int  #: higher goes first
    until: datetime  #: end of the window
    tried: bool = False  #: not the first call in this slot

    @property
    def key(self) -> tuple[str, str, str]:
        """What the step is about."""
        return self.person_id, self.day, self.slot


_Ready = tuple[int, datetime, datetime, int, Step]


@dataclass
class Queue:
    """Steps that wait for their time, for a line, or for a telephone to be free."""

    _waiting: list[tuple[datetime, int, Step]] = field(default_factory=list)
    _first: list[_Ready] = field(default_factory=list)
    _again: list[_Ready] = field(default_factory=list)
    _closing: list[tuple[datetime, int, Step]] = field(default_factory=list)  #: by the end of the window
    _parked: dict[str, list[tuple[Step, int]]] = field(default_factory=lambda: defaultdict(list))
    _taken: deque[tuple[datetime, int, Step]] = field(default_factory=deque)  #: by when they are due again
    #: key -> the only valid entry, and when it is due
    _stamps: dict[tuple[str, str, str], tuple[int, datetime]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def __len__(self) -> int:
        return len(self._stamps)

    def __contains__(self, key: tuple[str, str, str]) -> bool:
        return key in self._stamps

    def due_at(self, key: tuple[str, str, str]) -> datetime | None:
        """When it is looked at next; None: never."""
        found = self._stamps.get(key)
        return None if found is None else found[1]

    def put(self, step: Step, at: datetime, number: str | None = None) -> None:
        """Look at it `at`, or as soon as the telephone `number` is free. Replaces what was known of it."""
        stamp = next(self._numbers)
        self._stamps[step.key] = stamp, at
        heappush(self._waiting, (at, stamp, step))
        heappush(self._closing, (max(at, step.until), stamp, step))
        if number is not None:
            self._parked[number].append((step, stamp))

    def drop(self, key: tuple[str, str, str]) -> None:
        """Nothing more is to be done."""
        self._stamps.pop(key, None)

    def free(self, number: str, now: datetime) -> None:
        """The telephone is free: whoever waits for it is due."""
        for step, stamp in self._parked.pop(number, ()):
            if self._is_valid(step, stamp):
                self.put(step, now)

    def take(self, now: datetime) -> Step | None:
        """The step to look at now, if there is one: `put` or `drop` it, or it comes again. In logarithmic time."""
        self._wake(now)
        while heap := self._next_heap(now):
            step, stamp = heap[0][4], heap[0][3]
            heappop(heap)
            if self._is_valid(step, stamp):
                return self._lend(step, now)
        return None

    def take_over(self, now: datetime) -> Step | None:
        """A step whose window is over and that nobody is to ring any more, whether a line is free or not."""
        self._take_back(now)
        while self._closing and self._closing[0][0] <= now:
            _, stamp, step = heappop(self._closing)
            if self._is_valid(step, stamp):
                return self._lend(step, now)
        return None

    def _lend(self, step: Step, now: datetime) -> Step:
        stamp, at = next(self._numbers), now + LOOK_AGAIN
        self._stamps[step.key] = stamp, at
        self._taken.append((at, stamp, step))
        return step

    def _take_back(self, now: datetime) -> None:
        """Who was taken, and of whom nobody said what comes next. A clock that was put back must not keep them."""
        while self._taken:
            at, stamp, step = self._taken[0]
            if self._is_valid(step, stamp):
                if now < at <= now + LOOK_AGAIN:
                    return
                self.put(step, now)
            self._taken.popleft()

    def _is_valid(self, step: Step, stamp: int) -> bool:
        return self._stamps.get(step.key, (None,))[0] == stamp

    def next_at(self) -> datetime | None:
        """When somebody is due next; the past if somebody is."""
        if self._first or self._again:
            return (self._first or self._again)[0][2]
        while self._taken and not self._is_valid(self._taken[0][2], self._taken[0][1]):
            self._taken.popleft()
        return min((each[0][0] for each in (self._waiting, self._taken) if each), default=None)

    def due(self, now: datetime) -> int:
        """How many wait for a line."""
        self._wake(now)
        return len(self._first) + len(self._again)

    def _wake(self, now: datetime) -> None:
        self._take_back(now)
        while self._waiting and self._waiting[0][0] <= now:
            at, stamp, step = heappop(self._waiting)
            if self._is_valid(step, stamp):
                heappush(self._again if step.tried else self._first, (-step.risk, step.until, at, stamp, step))

    def _next_heap(self, now: datetime) -> list[_Ready]:
        if not self._first or not self._again:
            return self._first or self._again
        first, again = self._first[0], self._again[0]
        if first[0] != again[0]:
            return self._first if first[0] < again[0] else self._again
        # First calls first: on a day with more people than lines the last of the list must not wait for every retry.
        return self._again if again[1] - now <= NEAR_END else self._first
