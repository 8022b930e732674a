"""Each line of the table: what the network said, and how the attempt ended."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.ari.causes import ending, rang
from ivr.call import Fault, Outcome
from ivr.core.sip_statuses import Rang

NOT_OURS, OURS = False, True


@pytest.mark.parametrize(
    ("tech_cause", "cause", "timed_out", "wanted"),
    [
        (486, 17, NOT_OURS, Outcome.BUSY),
        (600, 17, NOT_OURS, Outcome.BUSY),
        (486, 17, OURS, Outcome.BUSY),  # busy in the last moment is still busy
        (480, 19, NOT_OURS, Outcome.UNREACHABLE),  # a mobile that is off
        (480, 19, OURS, Outcome.NO_ANSWER),  # the originate timeout, 22.10.1
        (487, 127, OURS, Outcome.NO_ANSWER),
        (487, 127, NOT_OURS, Outcome.NO_ANSWER),
        (0, 0, OURS, Outcome.NO_ANSWER),  # the originate timeout before 22.8
        (0, 16, OURS, Outcome.NO_ANSWER),  # our own DELETE of a ringing channel, 22.10.1
        (408, 18, NOT_OURS, Outcome.UNREACHABLE),
        (408, 18, OURS, Outcome.UNREACHABLE),
        (404, 1, NOT_OURS, Outcome.BAD_NUMBER),
        (485, 1, NOT_OURS, Outcome.BAD_NUMBER),
        (604, 1, NOT_OURS, Outcome.BAD_NUMBER),
        (410, 22, NOT_OURS, Outcome.BAD_NUMBER),
        (484, 28, NOT_OURS, Outcome.BAD_NUMBER),
        (603, 21, NOT_OURS, Outcome.REJECTED),
        (401, 21, NOT_OURS, Outcome.REFUSED),
        (403, 21, NOT_OURS, Outcome.REFUSED),
        (407, 21, NOT_OURS, Outcome.REFUSED),
        (302, 23, NOT_OURS, Outcome.UNREACHABLE),
        (488, 58, NOT_OURS, Outcome.FAILED),
        (606, 58, NOT_OURS, Outcome.FAILED),
        (500, 38, NOT_OURS, Outcome.CONGESTION),
        (501, 29, NOT_OURS, Outcome.CONGESTION),
        (502, 27, NOT_OURS, Outcome.CONGESTION),
        (503, 34, NOT_OURS, Outcome.CONGESTION),
        (504, 102, NOT_OURS, Outcome.CONGESTION),
        (580, 127, NOT_OURS, Outcome.CONGESTION),
        (503, 17, NOT_OURS, Outcome.CONGESTION),  # the SIP status is trusted first
        (420, 127, NOT_OURS, Outcome.FAILED),
        (0, 17, NOT_OURS, Outcome.BUSY),
        (0, 19, NOT_OURS, Outcome.NO_ANSWER),
        (0, 18, NOT_OURS, Outcome.UNREACHABLE),
        (0, 20, NOT_OURS, Outcome.UNREACHABLE),
        (0, 1, NOT_OURS, Outcome.BAD_NUMBER),
        (0, 22, NOT_OURS, Outcome.BAD_NUMBER),
        (0, 28, NOT_OURS, Outcome.BAD_NUMBER),
        (0, 21, NOT_OURS, Outcome.REJECTED),
        (0, 34, NOT_OURS, Outcome.CONGESTION),
        (0, 38, NOT_OURS, Outcome.CONGESTION),
        (0, 27, NOT_OURS, Outcome.CONGESTION),
        (0, 102, NOT_OURS, Outcome.CONGESTION),
        (0, 23, NOT_OURS, Outcome.FAILED),
        (0, 58, NOT_OURS, Outcome.FAILED),
        (0, 127, NOT_OURS, Outcome.FAILED),
        (0, 0, NOT_OURS, Outcome.UNKNOWN),  # Asterisk stopped, or the dialplan has no such context
    ],
)
def test_the_table(tech_cause: int, cause: int, timed_out: bool, wanted: Outcome) -> None:
    found = ending(tech_cause, cause, timed_out)
    assert (found.outcome, found.cause, found.tech_cause, found.note) == (wanted, cause, tech_cause, "")


@given(st.integers(), st.integers(), st.booleans(), st.sampled_from(Rang))
def test_a_call_nobody_answered_is_never_counted_as_a_conversation(
    tech: int, cause: int, timed_out: bool, how: Rang
) -> None:
    assert ending(tech, cause, timed_out, how).outcome not in {Outcome.ANSWERED, Outcome.NO_KEY, Outcome.CUT_OFF}


@pytest.mark.parametrize(
    ("ringing", "progress", "seconds", "wanted"),
    [
        (False, False, 60.0, Rang.NEVER),
        (False, True, 60.0, Rang.ANY),  # a voice or music before the answer: no ringing, but somebody is there
        (True, False, 9.9, Rang.YES),
        (True, True, 10.0, Rang.LONG),
    ],
)
def test_whether_it_rang(ringing: bool, progress: bool, seconds: float, wanted: Rang) -> None:
    assert rang(ringing, progress, seconds) is wanted


def test_a_trunk_that_never_rings_is_nobodys_silence() -> None:
    """The originate timeout with a far end that never said a word (22.10.1: 480 and 19, as of one that rings on)."""
    dead, alive = ending(480, 19, OURS, Rang.NEVER), ending(480, 19, OURS, Rang.LONG)
    assert (dead.outcome, dead.fault, dead.note) == (Outcome.NO_ANSWER, Fault.TRUNK, "it never rang")
    assert (alive.outcome, alive.fault, alive.note) == (Outcome.NO_ANSWER, Fault.PERSON, "")
