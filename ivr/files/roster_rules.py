"""What an installation allows in an entry of its roster. Settings know this and no more. Pure."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Self


@dataclass(frozen=True)
class Rules:
    """What this installation allows."""

    #: The national form of a number that may be rung; raises BadNumber (ivr.numbers.dialable).
    check_number: Callable[[str], str]
    slots: Collection[str]
    languages: Collection[str] = ("ja",)
    check_digit: bool = False  #: whether the last digit of every ID must be its check digit
    #: The day of the centre on which the entry is read. Without it no day is too late.
    today: date | None = None

    def on(self, today: date) -> Self:
        """The same on this day."""
        return replace(self, today=today)
