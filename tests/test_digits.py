"""The key collector: each rule in turn, then any keys at all."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ivr.digits import (
    BOUNCE_SECONDS,
    EndedBy,
    Entry,
    Gathering,
    KeyRules,
    begin,
    deadline,
    end_prompt,
    expire,
    press,
)

#: Three keys; no guard, so that times in the tables are plain.
THREE = KeyRules(length=3, first_key=10, inter_key=4, total=9, guard=0)
CHOICE = KeyRules(length=1, first_key=10, inter_key=4, total=9, end=frozenset(), ignored=frozenset("#"), guard=0)
NUMBER = replace(THREE, ignored=frozenset("#"))

#: (seconds since the prompt began, key)
Presses = list[tuple[float, str]]


def gather(rules: KeyRules, presses: Presses, prompt: float | None = None) -> Gathering | Entry:
    """Press keys, with every deadline kept; `prompt` is its length, None: it still plays."""
    state: Gathering | Entry = begin(rules, 0.0)
    ended = False
    for at, key in presses:
        assert isinstance(state, Gathering)
        if prompt is not None and not ended and at >= prompt:
            state, ended = end_prompt(state, prompt), True
        step = expire(state, at)
        state = press(step, key, at) if isinstance(step, Gathering) else step
        if isinstance(state, Entry):
            return state
    if isinstance(state, Gathering) and prompt is not None and not ended:
        state = end_prompt(state, prompt)
    return state


@pytest.mark.parametrize(
    ("rules", "presses", "entry"),
    [
        # full
        (THREE, [(1, "3"), (2, "6"), (3, "5")], Entry("365", EndedBy.FULL)),
        (CHOICE, [(1, "2")], Entry("2", EndedBy.FULL)),
        (THREE, [(1, "A"), (2, "B"), (3, "C")], Entry("ABC", EndedBy.FULL)),
        # the end key is not part of the entry
        (THREE, [(1, "9"), (2, "8"), (3, "#")], Entry("98", EndedBy.END_KEY)),
        (THREE, [(1, "#")], Entry("", EndedBy.END_KEY)),
        # a key that counts at once, with or without keys before it
        (THREE, [(1, "*")], Entry("*", EndedBy.FULL)),
        (THREE, [(1, "3"), (2, "6"), (3, "*")], Entry("*", EndedBy.FULL)),
        (CHOICE, [(1, "*")], Entry("*", EndedBy.FULL)),
        (replace(CHOICE, at_once=frozenset()), [(1, "*")], Entry("*", EndedBy.FULL)),  # an ordinary key then
        # ignored
        (CHOICE, [(1, "#"), (2, "#"), (3, "1")], Entry("1", EndedBy.FULL)),
        (NUMBER, [(1, "#"), (2, "9"), (3, "#")], Entry("9", EndedBy.END_KEY)),
        (
            replace(THREE, ignored=frozenset("0")),
            [(1, "9"), (2, "0"), (3, "8"), (4, "#")],
            Entry("98", EndedBy.END_KEY),
        ),
        # bounce
        (THREE, [(1, "3"), (1.05, "3"), (2, "6"), (3, "5")], Entry("365", EndedBy.FULL)),
        (THREE, [(1, "3"), (1.07, "3"), (1.14, "3"), (1.21, "3"), (2, "#")], Entry("3", EndedBy.END_KEY)),
        (THREE, [(1, "3"), (1 + BOUNCE_SECONDS, "3"), (2, "3")], Entry("333", EndedBy.FULL)),
        (THREE, [(1, "3"), (1.05, "6"), (1.1, "5")], Entry("365", EndedBy.FULL)),
        # guard: from the beginning of the prompt, for every kind of key
        (replace(CHOICE, guard=0.5), [(0.2, "1"), (1, "2")], Entry("2", EndedBy.FULL)),
        (replace(CHOICE, guard=0.5), [(0.2, "*"), (1, "2")], Entry("2", EndedBy.FULL)),
        (replace(THREE, guard=0.5), [(0.2, "#"), (1, "9"), (2, "#")], Entry("9", EndedBy.END_KEY)),
        (replace(CHOICE, guard=0.5), [(0.5, "1")], Entry("1", EndedBy.FULL)),
        (replace(CHOICE, guard=0.5), [(0.45, "1"), (0.52, "1"), (1, "2")], Entry("2", EndedBy.FULL)),
    ],
)
def test_entries(rules: KeyRules, presses: Presses, entry: Entry) -> None:
    assert gather(rules, presses) == entry


@pytest.mark.parametrize(
    ("presses", "prompt", "due"),
    [
        ([], None, None),  # as long as the prompt plays there is time
        ([], 5, 15),
        ([(1, "#")], None, None),
        ([(1, "#")], 5, 15),  # an ignored key gives no extra time
        ([(6, "#")], 5, 15),
        ([(1, "3")], None, 5),  # the prompt has stopped: its end is not waited for
        ([(6, "3")], 5, 10),
        ([(6, "3"), (8, "6")], 5, 12),
        ([(6, "3"), (9.5, "6")], 5, 13.5),
        ([(6, "3"), (6.05, "3")], 5, 10.05),  # the bounced key is still being held
    ],
)
def test_deadlines(presses: Presses, prompt: float | None, due: float | None) -> None:
    state = gather(NUMBER, presses, prompt)
    assert isinstance(state, Gathering)
    assert deadline(state) == (None if due is None else pytest.approx(due))


def test_the_whole_entry_has_its_time() -> None:
    rules = replace(THREE, length=20)
    state = gather(rules, [(1, "1"), (4, "2"), (7, "3")])
    assert isinstance(state, Gathering)
    assert deadline(state) == 10  # 1 + total, not 7 + inter_key
    assert expire(state, 10) == Entry("123", EndedBy.PAUSE)


def test_silence_and_pause() -> None:
    silent = gather(THREE, [], 5)
    assert isinstance(silent, Gathering)
    assert expire(silent, 14.9) is silent
    assert expire(silent, 15) == Entry("", EndedBy.SILENCE)
    begun = gather(THREE, [(6, "9")], 5)
    assert isinstance(begun, Gathering)
    assert expire(begun, 9.9) is begun
    assert expire(begun, 10) == Entry("9", EndedBy.PAUSE)


def test_nothing_expires_while_the_prompt_plays() -> None:
    state = begin(THREE, 0)
    assert expire(state, 1e9) is state


def test_the_prompt_ends_once() -> None:
    once = end_prompt(begin(THREE, 0), 5)
    assert end_prompt(once, 9) is once


def test_times_may_begin_anywhere() -> None:
    state = end_prompt(begin(THREE, 1000.0), 1004.0)
    assert deadline(state) == 1014.0


KEYS = st.sampled_from("0123456789*#")
RULES = st.builds(
    KeyRules,
    length=st.integers(1, 6),
    first_key=st.floats(1, 20),
    inter_key=st.floats(1, 20),
    total=st.floats(1, 60),
    at_once=st.frozensets(st.just("*")),
    end=st.frozensets(st.just("#")),
    ignored=st.frozensets(st.just("#")),
    guard=st.floats(0, 1),
)
WAITS = st.lists(st.tuples(st.floats(0, 8), KEYS), max_size=15)


@given(RULES, WAITS, st.floats(0, 30))
def test_any_keys(rules: KeyRules, waits: Presses, prompt: float) -> None:
    """An entry holds only keys that were pressed, in their order; and without an entry there is a deadline."""
    now, pressed = 0.0, ""
    state: Gathering | Entry = begin(rules, now)
    for wait, key in waits:
        now += wait
        assert isinstance(state, Gathering)
        if now >= prompt:
            state = end_prompt(state, prompt)
        pressed += key
        state = press(state, key, now)
        if isinstance(state, Entry):
            break
        assert len(state.keys) < rules.length
    if isinstance(state, Gathering):
        state = end_prompt(state, max(now, prompt))
        due = deadline(state)
        assert due is not None
        keys = state.keys
        state = expire(state, due)
        assert state == Entry(keys, EndedBy.PAUSE if keys else EndedBy.SILENCE)
    left = iter(pressed)
    assert all(key in left for key in state.keys)
    assert len(state.keys) <= rules.length
    assert (state.ended_by is EndedBy.SILENCE) <= (state.keys == "")


@given(RULES, WAITS)
def test_every_key_heard_twice_is_the_same_entry(rules: KeyRules, waits: Presses) -> None:
    """Two transports of one press (RFC 4733 and SIP INFO), a few milliseconds apart."""
    assume(all(wait > 2 * BOUNCE_SECONDS for wait, _ in waits))
    once: Gathering | Entry = begin(rules, 0.0)
    twice: Gathering | Entry = begin(rules, 0.0)
    now = 0.0
    for wait, key in waits:
        now += wait
        if isinstance(once, Gathering):
            once = press(once, key, now)
        for at in (now, now + BOUNCE_SECONDS / 4):
            if isinstance(twice, Gathering):
                twice = press(twice, key, at)
    if isinstance(once, Entry) or isinstance(twice, Entry):
        assert once == twice
    else:
        assert once.keys == twice.keys
