"""Everything that happens on one channel, in order of arrival."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from ivr.ari.events import Event


class Inbox:
    """The queue of one channel. It never drops: its length is bounded by what one telephone call can bring.

    Times are seconds of `now`, any steady clock.
    """

    def __init__(self, now: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self._now = now
        self._sleep = sleep
        self._waiting: deque[tuple[float, Event]] = deque()
        self._arrived: asyncio.Future[None] | None = None  #: who waits for the next event

    def put(self, event: Event) -> None:
        """Add an event, with the time of its arrival."""
        self._waiting.append((self._now(), event))
        _wake(self._arrived)

    def is_empty(self) -> bool:
        """Whether nothing came that was not taken."""
        return not self._waiting

    async def next(self, until: float) -> tuple[float, Event] | None:
        """The next event and when it arrived; None if none came by `until`. What is there already always counts."""
        if self._waiting:
            return self._waiting.popleft()
        left = until - self._now()
        if left <= 0:
            return None
        # One timer and a bare future: a task for either side would cost twice as much, at every event of every call.
        arrived = self._arrived = asyncio.get_running_loop().create_future()
        timer = asyncio.ensure_future(self._sleep(left))
        timer.add_done_callback(lambda _: _wake(arrived))
        try:
            await arrived
        finally:
            timer.cancel()
        return self._waiting.popleft() if self._waiting else None


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)
