"""An event loop whose seconds pass as soon as there is nothing left to do in them. Knows nothing of calls."""

import asyncio
import selectors
from collections.abc import Callable, Mapping
from typing import Any


class Selector(selectors.BaseSelector):
    """Waits for nothing: moves the clock of the loop to the next timer."""

    def __init__(self) -> None:
        self.pass_time: Callable[[float], None] = lambda seconds: None
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = selectors.SelectorKey(fileobj, fileobj if isinstance(fileobj, int) else fileobj.fileno(), events, data)
        self._keys[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everything waits, and nothing will happen")
        if timeout > 0:
            self.pass_time(timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose seconds pass as soon as there is nothing left to do in them."""

    def __init__(self, on_pass: Callable[[float], None]) -> None:
        selector = Selector()
        super().__init__(selector)
        self._seconds = 0.0
        self._on_pass = on_pass
        self._clock_resolution = 1e-6  # rounding must not make a timer wait for itself
        selector.pass_time = self._pass

    def _pass(self, seconds: float) -> None:
        self._on_pass(seconds)
        self._seconds += seconds

    def time(self) -> float:
        return self._seconds
