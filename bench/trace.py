"""Reads how long the next prompt took from a trace of keys, commits and prompts. Pure."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import zip_longest


class Kind(StrEnum):
    """What a mark stands for."""

    KEY = "key"  #: Asterisk: a key was let go
    COMMIT = "commit"  #: the service: a turn is stored durably
    PROMPT = "prompt"  #: Asterisk: a sound begins
    WRITE = "write"  #: the service: a transaction of any kind; `what` is its length in seconds


@dataclass(frozen=True)
class Mark:
    """One moment of one call, in seconds of the machine's clock."""

    at: float
    kind: Kind
    call: str
    what: str = ""  #: of a prompt: the id of its playback


def write_marks(marks: Iterable[Mark]) -> str:
    """One line a mark."""
    return "".join(json.dumps(asdict(each)) + "\n" for each in marks)


def read_marks(text: str) -> list[Mark]:
    """What `write_marks` wrote."""
    return [Mark(**given | {"kind": Kind(given["kind"])}) for given in map(json.loads, text.splitlines())]


@dataclass(frozen=True)
class Step:
    """From one key to the prompt that it led to, in milliseconds."""

    total: float
    committed: bool  #: whether the turn was durable before the prompt began


#: Asterisk's times are cut to whole milliseconds.
_RESOLUTION = 0.001


def steps(marks: Iterable[Mark]) -> tuple[Step | None, ...]:
    """One for each key, in the order of the calls; None for a key that led to no prompt."""
    calls: dict[str, list[Mark]] = defaultdict(list)
    for mark in sorted(marks, key=lambda each: each.at):
        calls[mark.call].append(mark)
    return tuple(step for each in calls.values() for step in _steps_of_call(each))


def _steps_of_call(marks: Sequence[Mark]) -> Iterable[Step | None]:
    keys = [each for each in marks if each.kind is Kind.KEY]
    commits = [each for each in marks if each.kind is Kind.COMMIT]
    prompts = [each for each in marks if each.kind is Kind.PROMPT]
    for key, following in zip_longest(keys, keys[1:]):
        before = next((each.what for each in reversed(prompts) if each.at <= key.at), None)
        until = following.at if following else float("inf")
        heard = next((each for each in prompts if key.at < each.at <= until and each.what != before), None)
        if heard is None:
            yield None
            continue
        committed = any(key.at - _RESOLUTION <= each.at <= heard.at + _RESOLUTION for each in commits)
        yield Step((heard.at - key.at) * 1000, committed)


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest of the values that so many percent do not exceed. Raises ValueError if there are none."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("nothing was measured")
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]
