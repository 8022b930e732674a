"""What a call to us leads to: every trace that a call may leave, and the kind of answer each gets."""

from dataclasses import replace
from itertools import product

import pytest

from ivr.call import Outcome
from ivr.handover import SERVICE_DOWN, HandOver, InboundTrace, NextStep, PbxRecord, next_step
from ivr.questionnaire.model import SessionStatus

TASK = (NextStep.TASK, SERVICE_DOWN)
BROKE_OFF = (NextStep.TASK, HandOver.BROKE_OFF)
ORDINARY, SESSION, REPORT = (NextStep.ORDINARY, ""), (NextStep.SESSION, ""), (NextStep.REPORT, "")
TAKEN, LAST_WAY = PbxRecord.TAKEN, PbxRecord.LAST_WAY
WAITING, COMPLETED = SessionStatus.WAITING, SessionStatus.COMPLETED
EVERY = [
    InboundTrace(record, outcome, session, answered, reported, provided)
    for record, outcome, session, answered, reported, provided in product(
        (None, *PbxRecord), (None, *Outcome), (None, *SessionStatus), (False, True), (False, True), (False, True)
    )
]


@pytest.mark.parametrize(
    ("trace", "step"),
    [
        # Nothing of ours: Asterisk's record alone.
        (InboundTrace(LAST_WAY, None), TASK),
        (InboundTrace(TAKEN, None), TASK),
        # C4, C8: the row came late, and says something harmless.
        (InboundTrace(LAST_WAY, Outcome.NO_KEY), TASK),
        (InboundTrace(LAST_WAY, Outcome.CUT_OFF, WAITING, provided=True), TASK),
        (InboundTrace(LAST_WAY, Outcome.ANSWERED, SessionStatus.ENDED_EARLY), TASK),
        # C6: interrupted before we knew who it is, or a fault of ours.
        (InboundTrace(None, Outcome.FAILED), TASK),
        (InboundTrace(TAKEN, Outcome.UNKNOWN), TASK),
        (InboundTrace(TAKEN, Outcome.FAILED, WAITING, answered=True, provided=True), TASK),
        # They came through after all.
        (InboundTrace(LAST_WAY, Outcome.NO_KEY, reported=True), REPORT),
        (InboundTrace(TAKEN, Outcome.FAILED, COMPLETED, answered=True, reported=True), REPORT),
        # Whoever keyed who they are, and is nobody on the roster.
        (InboundTrace(TAKEN, Outcome.ANSWERED, COMPLETED, answered=True), REPORT),
        # Hung up in the middle.
        (InboundTrace(TAKEN, Outcome.CUT_OFF, WAITING, answered=True), BROKE_OFF),
        (InboundTrace(TAKEN, Outcome.CUT_OFF, WAITING, answered=True, provided=True), SESSION),
        (InboundTrace(TAKEN, Outcome.CUT_OFF, WAITING), ORDINARY),
        (InboundTrace(TAKEN, Outcome.ANSWERED, SessionStatus.GAVE_UP), SESSION),
        (InboundTrace(None, Outcome.ANSWERED, SessionStatus.ENDED_EARLY), SESSION),
        # Served, or hung up before anything.
        (InboundTrace(TAKEN, Outcome.ANSWERED), ORDINARY),
        (InboundTrace(TAKEN, Outcome.NO_KEY), ORDINARY),
        (InboundTrace(None, Outcome.NO_KEY), ORDINARY),
        (InboundTrace(TAKEN, Outcome.CONGESTION), ORDINARY),
    ],
)
def test_what_a_call_to_us_leads_to(trace: InboundTrace, step: tuple[NextStep, str]) -> None:
    assert next_step(trace) == step


def test_every_call_leads_to_exactly_one_and_a_task_has_a_reason() -> None:
    for trace in EVERY:
        step, reason = next_step(trace)
        assert (step is NextStep.TASK) == bool(reason)


def test_nothing_is_owed_only_to_whom_something_of_ours_served() -> None:
    for trace in EVERY:
        if next_step(trace)[0] in (NextStep.ORDINARY, NextStep.SESSION):
            assert trace.outcome not in (None, Outcome.FAILED, Outcome.UNKNOWN)
            assert trace.record is not LAST_WAY


def test_what_is_read_later_never_takes_a_task_away_but_for_a_report() -> None:
    """Asterisk's record may come before or after the call was looked at."""
    for trace in EVERY:
        if trace.record is None and not trace.reported and next_step(trace)[0] is NextStep.TASK:
            for record in PbxRecord:
                assert next_step(replace(trace, record=record))[0] is NextStep.TASK
