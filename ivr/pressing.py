"""Somebody who presses keys at a prompt, on a clock of its own: what entry comes of it, and when everything happened.
Pure.
"""

from dataclasses import dataclass

from ivr.digits import Entry, Gathering, KeyRules, begin, deadline, end_prompt, expire, press

#: Seconds from the end of a prompt to the first key, and from key to key, unless the rules leave less: who presses the
#: same key again means it.
THINKING = 1.0
BETWEEN_KEYS = 0.4


@dataclass(frozen=True)
class Pressing:
    """What was pressed at one prompt. Times are seconds after the prompt began."""

    entry: Entry
    keys: tuple[tuple[str, float], ...]  #: those pressed before the entry was complete
    stopped: float | None  #: when a key stopped the prompt; None: it played to its end
    over: float  #: when the entry was complete


def press_keys(keys: str, rules: KeyRules, prompt_seconds: float, at: float | None = None) -> Pressing:
    """Press `keys` one after another, and then no more: the first `at` this moment, by default after the prompt and a
    while of thinking. Keys left over when the entry is complete are not pressed.
    """
    now = max(prompt_seconds, rules.guard) + min(THINKING, rules.first_key / 2) if at is None else at
    between = min(BETWEEN_KEYS, rules.inter_key / 2)
    state = begin(rules, 0.0)
    pressed: tuple[tuple[str, float], ...] = ()
    stopped: float | None = None
    for index, key in enumerate(keys):
        moment = now + index * between
        waited, over = _wait(state, prompt_seconds, moment)
        if isinstance(waited, Entry):
            return Pressing(waited, pressed, stopped, over)
        pressed += ((key, moment),)
        step = press(waited, key, moment)
        if stopped is None and moment < prompt_seconds and (isinstance(step, Entry) or step.keys):
            stopped = moment
        if isinstance(step, Entry):
            return Pressing(step, pressed, stopped, moment)
        state = step
    end, over = _wait(state, prompt_seconds, None)
    assert isinstance(end, Entry)  # every entry has its time
    return Pressing(end, pressed, stopped, over)


def _wait(state: Gathering, prompt_seconds: float, until: float | None) -> tuple[Gathering | Entry, float]:
    """Let time pass until this moment (None: for ever): the state then, or the entry and when it was complete."""
    if not state.keys and (until is None or until >= prompt_seconds):
        state = end_prompt(state, prompt_seconds)
    due = deadline(state)
    if due is None or (until is not None and until < due):
        return state, until or 0.0
    return expire(state, due), due
