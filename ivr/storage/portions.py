"""Lists of values that may be too long for one statement, in parts."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

Value = TypeVar("Value")

#: Below the number of values that one statement of SQLite can have (32,766).
AT_ONCE = 10_000


def portions(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    """All of them, in order, so many at once as a statement takes."""
    return (values[first : first + AT_ONCE] for first in range(0, len(values), AT_ONCE))
