"""The states of a call: every pair of state and event, and only these."""

from itertools import product

import pytest

from ivr.call import TRANSITIONS, CallEvent, CallState, IllegalTransition, step

PLANNED, DIALING, TALKING, ENDED = CallState.PLANNED, CallState.DIALING, CallState.TALKING, CallState.ENDED

#: State -> what DIAL, ANSWER and END make of it; None: must never happen.
WANTED = {
    PLANNED: (DIALING, None, ENDED),
    DIALING: (None, TALKING, ENDED),
    TALKING: (None, None, ENDED),
    ENDED: (None, None, ENDED),
}


def test_the_table_of_this_test_is_whole() -> None:
    assert set(WANTED) == set(CallState)
    assert list(CallEvent) == [CallEvent.DIAL, CallEvent.ANSWER, CallEvent.END]


@pytest.mark.parametrize(("state", "event"), [*product(CallState, CallEvent)])
def test_every_pair(state: CallState, event: CallEvent) -> None:
    wanted = WANTED[state][list(CallEvent).index(event)]
    if wanted is None:
        with pytest.raises(IllegalTransition, match=f"{event} in state {state}"):
            step(state, event)
    else:
        assert step(state, event) is wanted


def test_every_state_but_the_first_is_reached_and_every_one_can_end() -> None:
    assert set(TRANSITIONS.values()) == set(CallState) - {PLANNED}
    assert {state for (state, event), after in TRANSITIONS.items() if after is ENDED} == set(CallState)
