"""When keys are pressed at a prompt, and when they stop it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.digits import EndedBy, Entry, KeyRules
from ivr.pressing import BETWEEN_KEYS, THINKING, Pressing, press_keys

NUMBER = KeyRules(length=3, first_key=15, inter_key=5, total=20, ignored=frozenset("#"))
CHOICE = KeyRules(length=1, first_key=15, inter_key=5, total=20, end=frozenset(), ignored=frozenset("#"))


def test_somebody_listens_to_the_end_thinks_and_presses() -> None:
    found = press_keys("365", NUMBER, prompt_seconds=4.0)
    moments = [at for _, at in found.keys]
    assert moments == pytest.approx([4 + THINKING, 4 + THINKING + BETWEEN_KEYS, 4 + THINKING + 2 * BETWEEN_KEYS])
    assert (found.entry, found.stopped, found.over) == (Entry("365", EndedBy.FULL), None, moments[-1])


def test_the_first_key_that_counts_stops_the_prompt() -> None:
    assert press_keys("365", NUMBER, 4.0, at=1.5).stopped == 1.5
    assert press_keys("1", CHOICE, 4.0, at=1.5) == Pressing(Entry("1", EndedBy.FULL), (("1", 1.5),), 1.5, 1.5)
    # The late # of the entry before stops nothing.
    found = press_keys("#1", CHOICE, 4.0, at=1.0)
    assert (found.stopped, [key for key, _ in found.keys]) == (1.0 + BETWEEN_KEYS, ["#", "1"])


def test_a_key_right_at_the_beginning_belongs_to_the_prompt_before() -> None:
    found = press_keys("1", CHOICE, 4.0, at=0.2)
    assert (found.entry, found.stopped, found.over) == (Entry("", EndedBy.TOO_EARLY), None, 7.5)


def test_silence_lasts_until_the_time_is_over() -> None:
    assert press_keys("", CHOICE, 4.0) == Pressing(Entry("", EndedBy.SILENCE), (), None, 19.5)
    found = press_keys("98", NUMBER, 4.0)
    assert (found.entry, found.over) == (Entry("98", EndedBy.PAUSE), found.keys[-1][1] + 5.5)
    late = press_keys("1", CHOICE, 4.0, at=30)
    assert (late.entry, late.keys, late.over) == (Entry("", EndedBy.SILENCE), (), 19.5)


def test_keys_left_over_are_not_pressed() -> None:
    found = press_keys("123#", CHOICE, 1.0)
    assert (found.entry.keys, [key for key, _ in found.keys]) == ("1", ["1"])


@given(
    st.text("0123456789*#", max_size=6),
    st.floats(0, 60),
    st.one_of(st.none(), st.floats(0, 90)),
    st.sampled_from([NUMBER, CHOICE]),
)
def test_every_entry_ends_and_nothing_happens_after_its_end(
    keys: str, prompt: float, at: float | None, rules: KeyRules
) -> None:
    found = press_keys(keys, rules, prompt, at)
    assert all(moment <= found.over for _, moment in found.keys)
    assert found.over <= prompt + rules.first_key + rules.total
    assert found.stopped is None or found.stopped < prompt
    assert keys.startswith("".join(key for key, _ in found.keys))
