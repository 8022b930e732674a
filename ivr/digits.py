"""Gathers pressed keys into an entry: a step function over keys, end of prompt and passing time. Pure.

Times are seconds on any steady clock; the caller passes `now`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

#: The same key again within this time is one press heard twice (RFC 4733 and SIP INFO both sent, or a worn key).
#: Asterisk itself keeps 80 ms as the shortest tone.
BOUNCE_SECONDS = 0.08


class EndedBy(StrEnum):
    """Why an entry was complete."""

    FULL = "full"  #: as many keys as the rules allow, or a key that counts at once
    END_KEY = "end_key"  #: `#`
    PAUSE = "pause"  #: some keys, then none for the inter-key or total time
    SILENCE = "silence"  #: no key at all


@dataclass(frozen=True)
class Entry:
    """What somebody keyed in answer to one prompt; empty `keys` with SILENCE if nothing."""

    keys: str
    ended_by: EndedBy


@dataclass(frozen=True)
class KeyRules:
    """How keys are gathered after one prompt."""

    length: int = 1  #: complete at so many keys (1 to 20)
    first_key: float = 15.0  #: seconds to wait for the first key after the prompt ended
    inter_key: float = 15.0  #: seconds to wait for each further key
    total: float = 90.0  #: seconds for the whole entry, from its first key
    at_once: frozenset[str] = frozenset("*")  #: complete the entry by themselves, whenever pressed
    end: frozenset[str] = frozenset("#")  #: complete the entry and are not part of it
    #: Neither stop the prompt nor count. A key that is also in `end` is ignored only while there is nothing to end.
    ignored: frozenset[str] = frozenset()
    #: A key this soon after a prompt began answers the prompt before (a second press, a late `#`): it is dropped.
    guard: float = 0.5


@dataclass(frozen=True)
class Gathering:
    """An entry in the making."""

    rules: KeyRules
    began: float  #: when the prompt began
    prompt_ended: float | None = None
    keys: str = ""
    last_key: tuple[str, float] | None = None
    first_key_at: float | None = None


def begin(rules: KeyRules, now: float) -> Gathering:
    """Start gathering; the prompt begins `now`."""
    return Gathering(rules, now)


def press(state: Gathering, key: str, now: float) -> Gathering | Entry:
    """One key was pressed. The prompt must stop if the result is an entry or has keys."""
    rules = state.rules
    if state.last_key and state.last_key[0] == key and now - state.last_key[1] < BOUNCE_SECONDS:
        return replace(state, last_key=(key, now))
    heard = replace(state, last_key=(key, now))
    if not state.keys and (key in rules.ignored or now - state.began < rules.guard):
        return heard
    if key in rules.at_once:
        return Entry(key, EndedBy.FULL)
    if key in rules.end:
        return Entry(state.keys, EndedBy.END_KEY)
    if key in rules.ignored:
        return heard
    keys = state.keys + key
    if len(keys) >= rules.length:
        return Entry(keys, EndedBy.FULL)
    return replace(heard, keys=keys, first_key_at=now if state.first_key_at is None else state.first_key_at)


def end_prompt(state: Gathering, now: float) -> Gathering:
    """The prompt came to its end (once; a stop because of a key is no end)."""
    return replace(state, prompt_ended=now) if state.prompt_ended is None else state


def deadline(state: Gathering) -> float | None:
    """When `expire` must be called; None while the prompt still plays and no key was pressed."""
    if state.keys and state.last_key and state.first_key_at is not None:
        return min(state.last_key[1] + state.rules.inter_key, state.first_key_at + state.rules.total)
    if state.prompt_ended is not None:
        return state.prompt_ended + state.rules.first_key
    return None


def expire(state: Gathering, now: float) -> Gathering | Entry:
    """Time passed: the entry if its deadline is over, else the same state."""
    due = deadline(state)
    if due is None or now < due:
        return state
    return Entry(state.keys, EndedBy.PAUSE if state.keys else EndedBy.SILENCE)
