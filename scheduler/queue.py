"""Who is due: persons in the order in which they get a line, without ever walking through everybody. Pure.

A hint, not the record: who is taken is decided upon with fresh facts, and the rows can make the queue anew. Nobody
leaves it by being taken: only who says what comes next (`put`, `drop`) takes them out, and does so after the rows do.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Iterator
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
    trunk: str = ""  #: by which the person is to be rung; empty: by any

    @property
    def key(self) -> tuple[str, str, str]:
        """What the step is about."""
        return self.person_id, self.day, self.slot


_Ready = tuple[int, datetime, datetime, int, Step]


@dataclass
class Queue:
    """Steps that wait for their time, for a line, or for a telephone to be free."""

    _waiting: list[tuple[datetime, int, Step]] = field(default_factory=list)
    _first: dict[str, list[_Ready]] = field(default_factory=dict)  #: by trunk
    _again: dict[str, list[_Ready]] = field(default_factory=dict)
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

    def take(self, now: datetime, not_by: Collection[str] = (), not_these: Collection[str] = ()) -> Step | None:
        """The step to look at now, if there is one: `put` or `drop` it, or it comes again. In logarithmic time.

        None of those who are to be rung `not_by` these trunks; `not_these` people only if nobody else is due.
        """
        self._wake(now)
        kept: list[tuple[list[_Ready], _Ready]] = []
        found = None
        while found is None and (heap := self._next_heap(now, not_by)):
            ready = heappop(heap)
            step, stamp = ready[4], ready[3]
            if not self._is_valid(step, stamp):
                continue
            if step.person_id in not_these:
                kept.append((heap, ready))
            else:
                found = step
        if found is None and kept:
            found = kept.pop(0)[1][4]
        for heap, ready in kept:
            heappush(heap, ready)
        return found and self._lend(found, now)

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
        ready = [heap[0][2] for heaps in (self._first, self._again) for heap in heaps.values() if heap]
        if ready:
            return min(ready)
        while self._taken and not self._is_valid(self._taken[0][2], self._taken[0][1]):
            self._taken.popleft()
        return min((each[0][0] for each in (self._waiting, self._taken) if each), default=None)

    def due(self, now: datetime) -> int:
        """How many wait for a line."""
        self._wake(now)
        return sum(len(heap) for heaps in (self._first, self._again) for heap in heaps.values())

    def _wake(self, now: datetime) -> None:
        self._take_back(now)
        while self._waiting and self._waiting[0][0] <= now:
            at, stamp, step = heappop(self._waiting)
            if self._is_valid(step, stamp):
                heap = (self._again if step.tried else self._first).setdefault(step.trunk, [])
                heappush(heap, (-step.risk, step.until, at, stamp, step))

    def _next_heap(self, now: datetime, not_by: Collection[str]) -> list[_Ready]:
        firsts, agains = (
            [heap for trunk, heap in heaps.items() if heap and trunk not in not_by]
            for heaps in (self._first, self._again)
        )
        if not firsts or not agains:
            return min(firsts or agains, default=[], key=_head)
        first, again = min(firsts, key=_head), min(agains, key=_head)
        if first[0][0] != again[0][0]:
            return first if first[0][0] < again[0][0] else again
        # First calls first: on a day with more people than lines the last of the list must not wait for every retry.
        return again if again[0][1] - now <= NEAR_END else first


def _head(heap: list[_Ready]) -> tuple[int, datetime, datetime, int]:
    return heap[0][:4]
