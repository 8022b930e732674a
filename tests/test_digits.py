"""The key collector: each rule in turn, then any keys at all."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.digits import (
    HOLD_SECONDS,
    EndedBy,
    Entry,
    Gathering,
    KeyRules,
    LastKey,
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
POINTED = replace(THREE, point=True, leading=frozenset("0"))

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
        # a hand that trembles: the same key once more, while the others come slowly
        (THREE, [(1, "3"), (1.2, "3"), (2, "6"), (3, "5")], Entry("365", EndedBy.FULL, "3365")),
        (THREE, [(1, "3"), (1.2, "3"), (1.4, "3"), (1.6, "3"), (3, "#")], Entry("3", EndedBy.END_KEY, "3333")),
        (THREE, [(1, "3"), (2.5, "6"), (2.75, "6"), (4, "5")], Entry("365", EndedBy.FULL, "3665")),
        (THREE, [(1, "3"), (1.3, "3"), (2, "3")], Entry("333", EndedBy.FULL)),
        # ... and somebody who types fast
        (THREE, [(1, "3"), (1.05, "6"), (1.1, "5")], Entry("365", EndedBy.FULL)),
        (THREE, [(1, "3"), (1.2, "6"), (1.4, "6")], Entry("366", EndedBy.FULL)),
        (THREE, [(1, "3"), (1.2, "3"), (1.4, "6")], Entry("336", EndedBy.FULL)),
        # ... or whose keys came all at once
        (THREE, [(1, "3"), (5, "6"), (5, "6")], Entry("366", EndedBy.FULL)),
        # guard: from the beginning of the prompt, for every kind of key
        (replace(CHOICE, guard=0.5), [(0.2, "1"), (1, "2")], Entry("2", EndedBy.FULL)),
        (replace(CHOICE, guard=0.5), [(0.2, "*"), (1, "2")], Entry("2", EndedBy.FULL)),
        (replace(THREE, guard=0.5), [(0.2, "#"), (1, "9"), (2, "#")], Entry("9", EndedBy.END_KEY)),
        (replace(CHOICE, guard=0.5), [(0.5, "1")], Entry("1", EndedBy.FULL)),
        # of a burst whose beginning was dropped the rest is dropped too, until it is quiet
        (replace(CHOICE, guard=0.5), [(0.2, "1"), (0.6, "2"), (1, "2"), (1.6, "3")], Entry("3", EndedBy.FULL)),
        (
            replace(CHOICE, closed=2),
            [(0.2, "1"), (1.9, "2"), (2.2, "2"), (2.6, "2"), (3.2, "1")],
            Entry("1", EndedBy.FULL),
        ),
        # only `*` counts before there is anything to answer
        (replace(CHOICE, closed=2), [(1, "1"), (1.6, "*")], Entry("*", EndedBy.FULL)),
        # without a guard what was pressed before the prompt counts
        (CHOICE, [(-0.3, "1")], Entry("1", EndedBy.FULL)),
        # `*` as the point of a number
        (POINTED, [(1, "3"), (2, "6"), (3, "*"), (4, "5")], Entry("36*5", EndedBy.FULL)),
        (POINTED, [(1, "3"), (2, "6"), (3, "*"), (4, "#")], Entry("36*", EndedBy.END_KEY)),
        (POINTED, [(1, "3"), (2, "6"), (3, "*"), (4, "*")], Entry("*", EndedBy.FULL)),
        (POINTED, [(1, "*")], Entry("*", EndedBy.FULL)),
        # zeros before a number that has none
        (POINTED, [(1, "0"), (2, "3"), (3, "6"), (4, "5")], Entry("0365", EndedBy.FULL)),
        (POINTED, [(1, "0"), (2, "#")], Entry("0", EndedBy.END_KEY)),
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
        ([(6, "3"), (6.2, "3")], 5, 10.2),  # a hand that trembles has not left the key
        ([(6, "3"), (7, "6"), (7.2, "6")], 5, 10.2),  # it may be 366: nobody is kept waiting for long
    ],
)
def test_deadlines(presses: Presses, prompt: float | None, due: float | None) -> None:
    state = gather(NUMBER, presses, prompt)
    assert isinstance(state, Gathering)
    # A key that is down then was pressed in time.
    assert deadline(state) == (None if due is None else pytest.approx(due + HOLD_SECONDS))


def test_who_pressed_too_early_is_asked_again_soon() -> None:
    state = gather(replace(NUMBER, guard=0.5), [(0.2, "1"), (0.4, "2")], 5)
    assert isinstance(state, Gathering)
    assert deadline(state) == 5 + 3 + HOLD_SECONDS
    assert expire(state, 9) == Entry("", EndedBy.TOO_EARLY)


def test_a_key_that_is_held_when_the_time_is_over_counts() -> None:
    """Pressed at 14.8 s, let go at 15.2: it is told only then."""
    state = gather(replace(CHOICE, first_key=10), [], 5)
    assert isinstance(state, Gathering)
    assert expire(state, 15.2) is state
    assert press(state, "1", 14.8, 15.2) == Entry("1", EndedBy.FULL)


def test_a_second_press_of_a_trembling_hand_does_not_answer_the_next_prompt() -> None:
    begun = begin(replace(CHOICE, guard=0.0), 10.0, LastKey("1", 9.9))
    dropped = press(begun, "1", 10.1)
    assert isinstance(dropped, Gathering)
    assert press(dropped, "2", 10.3) != Entry("2", EndedBy.FULL)  # the rest of it
    assert press(dropped, "2", 10.8) == Entry("2", EndedBy.FULL)
    assert press(begun, "2", 10.1) == Entry("2", EndedBy.FULL)


@pytest.mark.parametrize(("rules", "presses", "after"), [(THREE, [(1, "3"), (2, "#")], 1), (CHOICE, [(2.5, "1")], 2.5)])
def test_how_long_somebody_listened(rules: KeyRules, presses: Presses, after: float) -> None:
    found = gather(rules, presses)
    assert isinstance(found, Entry)
    assert found.after == after


def test_the_whole_entry_has_its_time() -> None:
    rules = replace(THREE, length=20)
    state = gather(rules, [(1, "1"), (4, "2"), (7, "3")])
    assert isinstance(state, Gathering)
    assert deadline(state) == 10.5  # 1 + total, not 7 + inter_key
    assert expire(state, 10.5) == Entry("123", EndedBy.PAUSE)


def test_silence_and_pause() -> None:
    silent = gather(THREE, [], 5)
    assert isinstance(silent, Gathering)
    assert expire(silent, 15.4) is silent
    assert expire(silent, 15.5) == Entry("", EndedBy.SILENCE)
    begun = gather(THREE, [(6, "9")], 5)
    assert isinstance(begun, Gathering)
    assert expire(begun, 10.4) is begun
    assert expire(begun, 10.5) == Entry("9", EndedBy.PAUSE)


def test_nothing_expires_while_the_prompt_plays() -> None:
    state = begin(THREE, 0)
    assert expire(state, 1e9) is state


def test_the_prompt_ends_once() -> None:
    once = end_prompt(begin(THREE, 0), 5)
    assert end_prompt(once, 9) is once


def test_times_may_begin_anywhere() -> None:
    state = end_prompt(begin(THREE, 1000.0), 1004.0)
    assert deadline(state) == 1014.5


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
    closed=st.floats(0, 3),
    point=st.booleans(),
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
        assert len(state.keys) <= rules.length + rules.point
    if isinstance(state, Gathering):
        state = end_prompt(state, max(now, prompt))
        due = deadline(state)
        assert due is not None
        keys, dropped = state.keys, state.dropped
        state = expire(state, due)
        assert isinstance(state, Entry)
        if keys.endswith("*"):
            assert (state.keys, state.ended_by) == ("*", EndedBy.FULL)
        elif keys:
            assert (state.keys, state.ended_by) == (keys, EndedBy.PAUSE)
        else:
            assert state == Entry("", EndedBy.TOO_EARLY if dropped else EndedBy.SILENCE)
    for keys in (state.keys, state.doubled):
        left = iter(pressed)
        assert all(key in left for key in keys)
    assert len(state.keys) <= rules.length + rules.point
    assert (state.ended_by in (EndedBy.SILENCE, EndedBy.TOO_EARLY)) <= (state.keys == "")
