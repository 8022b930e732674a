"""The generator: callers of the carrier's Asterisk, at a steady rate. The same for both sides of the comparison."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.ari import Ari

#: From the answer: half a second of silence, the cut greeting, and then past the half second in which a key would
#: still belong to the prompt before (ivr.digits).
FIRST_KEY_SECONDS = 2.0
KEY_SECONDS = 0.15
PAUSE_SECONDS = 0.85
HOLD_SECONDS = 20.0
#: How long after the last call began all must be over.
_LONGEST_SECONDS = 60.0
#: What is still written when the last call has ended.
_SETTLE_SECONDS = 0.5


@dataclass(frozen=True)
class Caller:
    """One person, one call."""

    id: str
    number: str
    keys: str


def callers(first: int, count: int) -> tuple[Caller, ...]:
    """So many people, the `first` one by its index; everybody presses other keys."""
    return tuple(Caller(f"{index:06d}", f"0900{index:07d}", keys_of(index)) for index in range(first, first + count))


def keys_of(index: int) -> str:
    """Four keys 1 to 3, as an index counted with three digits."""
    return "".join(str(index // 3**place % 3 + 1) for place in range(4))


async def place(carrier: Ari, endpoint: str, people: Sequence[Caller], rate: float, does: str = "keys") -> None:
    """One call of each, `rate` a second."""
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for index, each in enumerate(people):
            await asyncio.sleep(max(0.0, began + index / rate - time.monotonic()))
            group.create_task(_originate(carrier, endpoint, each, does))


async def _originate(carrier: Ari, endpoint: str, caller: Caller, does: str) -> None:
    order: dict[str, Any] = {
        "endpoint": endpoint,
        "context": "bench",
        "extension": does,
        "priority": 1,
        "callerId": caller.number,
        "timeout": 30,
        "variables": {"KEYS": caller.keys},
    }
    await carrier.request("POST", "/channels", **order)


async def all_over(carrier: Ari) -> bool:
    """Wait until the carrier has no call left; False if some never end."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < deadline:
        if not await carrier.request("GET", "/channels"):
            await asyncio.sleep(_SETTLE_SECONDS)
            return True
        await asyncio.sleep(0.25)
    return False
