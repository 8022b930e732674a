"""Gathers pressed keys into an entry: a step function over keys, end of prompt and passing time. Pure.

Times are seconds on any steady clock; the caller passes them. What one press is, `ivr.core.dtmf_decoder` says; here it
is decided which presses answer, and what somebody meant who pressed too early, too often or too much.
"""

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum

#: Seconds. A key that is down when the time is over was pressed in time: it is told only when it is let go.
HOLD_SECONDS = 0.5
#: Seconds from key to key below which somebody types fast: the same key twice is then no tremor. Old people take 1.5 to
#: 4 s, a hand that trembles presses again within 0.15 to 0.4 s.
FAST_SECONDS = 0.5
#: Seconds. No finger is so fast: the keys came in a burst, and what was between them nobody knows. Both were pressed.
_TOGETHER = 0.04


class EndedBy(StrEnum):
    """Why an entry was complete."""

    FULL = "full"  #: as many keys as the rules allow, or a key that counts at once
    END_KEY = "end_key"  #: `#`
    PAUSE = "pause"  #: some keys, then none for the inter-key or total time
    SILENCE = "silence"  #: no key at all
    TOO_EARLY = "too_early"  #: only keys that could not be an answer yet, and then none


@dataclass(frozen=True)
class Entry:
    """What somebody keyed in answer to one prompt; empty `keys` with SILENCE or TOO_EARLY if nothing."""

    keys: str
    ended_by: EndedBy
    #: The other reading: with keys that may be one press of a trembling hand counted twice. Empty: there is none.
    doubled: str = ""
    #: Seconds from the beginning of the prompt to the first key that counted; None: there was none, or nobody knows.
    after: float | None = field(default=None, compare=False)


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
    #: Whether `*` between digits is the point of a number, as on paper: 36*5. Pressed first it repeats, and last too.
    point: bool = False
    #: Keys that do not count to `length` as long as nothing else was pressed: the 0 of 0365.
    leading: frozenset[str] = frozenset()
    #: A key this soon after a prompt began answers the prompt before (a second press, a late `#`): it is dropped.
    #: 0: what was pressed before the prompt answers it too, because the person knows what it asks.
    guard: float = 0.5
    #: Seconds from the beginning of the prompt on in which only `at_once` keys count: what there is to answer is not
    #: said yet.
    closed: float = 0.0
    #: Seconds of silence to put before the prompt, for whoever makes the sound: a second press falls into it.
    pause: float = 0.0
    #: Seconds from key up to the same key down below which it is one press of a trembling hand, unless the person types
    #: fast.
    bounce: float = 0.3
    #: When one key of a burst was dropped, the rest is dropped until so many seconds were quiet: half of what somebody
    #: typed ahead would answer other questions than it was meant for.
    quiet: float = 0.5
    #: Seconds to wait after a prompt whose answer was dropped, or after an entry that is complete in its other reading.
    again: float = 3.0


@dataclass(frozen=True)
class LastKey:
    """The last key that was pressed, whether it counted or not."""

    key: str
    up: float  #: when it was let go
    gap: float = math.inf  #: seconds from the key before it, if that was another one


@dataclass(frozen=True)
class Gathering:
    """An entry in the making."""

    rules: KeyRules
    began: float  #: when the prompt began
    prompt_ended: float | None = None
    keys: str = ""
    doubled: str = ""  #: as `keys`, with every key that may be the trembling of the one before
    doubt: bool = False  #: the last key that was pressed is only in `doubled`
    last: LastKey | None = None
    dropped: bool = False  #: a key came too early to answer
    dropping: bool = False  #: ... and its burst goes on
    first_key_at: float | None = None


def begin(rules: KeyRules, now: float, last: LastKey | None = None) -> Gathering:
    """Start gathering; the prompt begins `now`. `last`: the last key before it."""
    return Gathering(rules, now, last=last)


def follow(last: LastKey | None, key: str, down: float, up: float | None = None) -> LastKey:
    """The last key after one more."""
    up = down if up is None else up
    if last is None:
        return LastKey(key, up)
    return LastKey(key, up, last.gap if last.key == key else down - last.up)


def press(state: Gathering, key: str, down: float, up: float | None = None) -> Gathering | Entry:
    """One key was pressed at `down` and let go at `up`, if that is known.

    The prompt must stop if the result is an entry or has keys.
    """
    rules, last = state.rules, state.last
    heard = replace(state, last=follow(last, key, down, up))
    gap = down - last.up if last else math.inf
    if state.dropping and gap < rules.quiet:
        return heard
    heard = replace(heard, dropping=False)
    trembled = last is not None and last.key == key and _TOGETHER <= gap < rules.bounce and last.gap >= FAST_SECONDS
    if not state.keys:
        if key in rules.ignored:
            return heard
        if trembled or _is_too_early(state, key, down):
            return replace(heard, dropped=True, dropping=True)
    return _take(state, heard, key, down, trembled)


def _is_too_early(state: Gathering, key: str, down: float) -> bool:
    rules, after = state.rules, down - state.began
    return 0 < rules.guard > after or (0 < rules.closed > after and key not in rules.at_once)


def _take(state: Gathering, heard: Gathering, key: str, down: float, trembled: bool) -> Gathering | Entry:
    """A key that may count."""
    rules = state.rules
    if key == "*" and rules.point and state.keys and "*" not in state.keys:
        return _add(heard, key, down)
    if key in rules.at_once:
        return _entry(heard, key, EndedBy.FULL, key, down)
    if key in rules.end:
        return _entry(heard, state.keys, EndedBy.END_KEY, state.doubled, down)
    if key in rules.ignored:
        return heard
    if trembled:
        return replace(heard, doubled=state.doubled + key, doubt=True)
    fast = state.last is not None and down - state.last.up < FAST_SECONDS
    if state.doubt and fast and _counted(rules, state.doubled) < rules.length:
        # Somebody who goes on so fast does not tremble: the key before was meant twice.
        heard = replace(heard, keys=state.doubled)
    return _add(heard, key, down)


def _add(state: Gathering, key: str, down: float) -> Gathering | Entry:
    first = down if state.first_key_at is None else state.first_key_at
    keys, doubled = state.keys + key, state.doubled + key
    added = replace(state, keys=keys, doubled=doubled, doubt=False, first_key_at=first)
    if _counted(added.rules, keys) >= added.rules.length:
        return _entry(added, keys, EndedBy.FULL, doubled, down)
    return added


def _entry(state: Gathering, keys: str, ended_by: EndedBy, doubled: str, down: float) -> Entry:
    first = down if state.first_key_at is None else state.first_key_at
    return Entry(keys, ended_by, doubled if doubled != keys else "", max(0.0, first - state.began))


def _counted(rules: KeyRules, keys: str) -> int:
    """How many of the keys count to the length of an entry."""
    digits = keys.replace("*", "") if rules.point else keys
    leading = next((at for at, key in enumerate(digits) if key not in rules.leading), len(digits))
    return len(digits) - leading


def end_prompt(state: Gathering, now: float) -> Gathering:
    """The prompt came to its end (once; a stop because of a key is no end)."""
    return replace(state, prompt_ended=now) if state.prompt_ended is None else state


def deadline(state: Gathering) -> float | None:
    """When `expire` must be called; None while the prompt still plays and no key was pressed."""
    rules = state.rules
    if state.keys and state.last and state.first_key_at is not None:
        complete = _counted(rules, state.doubled) >= rules.length
        wait = min(rules.inter_key, rules.again) if complete else rules.inter_key
        return min(state.last.up + wait, state.first_key_at + rules.total) + HOLD_SECONDS
    if state.prompt_ended is not None:
        wait = min(rules.first_key, rules.again) if state.dropped else rules.first_key
        return state.prompt_ended + wait + (HOLD_SECONDS if wait else 0.0)
    return None


def expire(state: Gathering, now: float) -> Gathering | Entry:
    """Time passed: the entry if its deadline is over, else the same state."""
    due = deadline(state)
    if due is None or now < due:
        return state
    if state.keys.endswith("*"):
        # A point that no digit follows: they meant to hear it again.
        return _entry(state, "*", EndedBy.FULL, "*", now)
    if state.keys:
        return _entry(state, state.keys, EndedBy.PAUSE, state.doubled, now)
    return Entry("", EndedBy.TOO_EARLY if state.dropped else EndedBy.SILENCE)
