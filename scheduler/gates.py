"""Which trunks calls may go out by, and why not by the others. Pure: whoever finds a reason closes, and opens again.

Every reason has one owner: a gate is open when none of them is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class Reason(StrEnum):
    """Why nothing goes out by a trunk."""

    REFUSED = "refused"  #: the provider turned a call down because it was ours (scheduler.health)
    UNREGISTERED = "unregistered"  #: Asterisk is not registered with the provider
    UNREACHABLE = "unreachable"  #: the provider does not answer when Asterisk asks whether it is there


@dataclass
class Gates:
    """The gate of every trunk; those that nobody closed are open."""

    _closed: dict[str, dict[Reason, datetime]] = field(default_factory=dict)

    def close(self, trunk: str, reason: Reason, at: datetime) -> bool:
        """Nothing goes out by it while this reason stands; False if it stood already, then since before `at`."""
        standing = self._closed.setdefault(trunk, {})
        if reason in standing:
            return False
        standing[reason] = at
        return True

    def open(self, trunk: str, reason: Reason) -> bool:
        """This reason is gone; others may stand. False if it did not stand."""
        return self._closed.get(trunk, {}).pop(reason, None) is not None

    def is_open(self, trunk: str) -> bool:
        """Whether calls may go out by it."""
        return not self._closed.get(trunk)

    def reasons(self, trunk: str) -> Mapping[Reason, datetime]:
        """Why it is closed, and since when; empty: it is open."""
        return MappingProxyType(self._closed.get(trunk, {}))
