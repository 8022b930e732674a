"""The reasons for which a person is handed to staff, and how else a slot of a day or a call to us may end. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from ivr.call import Outcome
from ivr.questionnaire.outcomes import SessionStatus

#: The reason of the follow-up "period over, not closed" (ivr.person.is_period_over). Not a hand-over: calling goes on,
#: and no report settles it, only a decision of staff.
PERIOD_OVER = "period_over"
#: ... of one who rang us while all places were taken. Not a hand-over either; a complete report settles it.
TURNED_AWAY = "turned_away"
#: ... of one who rang us and whom nothing of ours could take, or whose call a fault of ours ended. As above.
SERVICE_DOWN = "service_down"
#: Alarm of a day, no follow-up: the provider sent us calls to a number that is not ours.
NOT_OURS = "not_ours"
#: ... that somebody left a spoken message: staff should listen to it.
MESSAGE_LEFT = "message_left"
#: ... of a caller whose ID and birth date we could not take.
UNKNOWN_CALLER = "unknown_caller"
#: ... that too many wrong birth dates were keyed for an ID: it lets nobody in until staff unlock it, or until tomorrow.
CALLER_LOCKED = "caller_locked"
#: ... that a person came from another centre, with a history to be read. Not a hand-over to staff: calling goes on.
TAKEN_OVER = "taken_over"
#: Follow-ups of a day that do not keep the dialler from calling on it. Strangers can bring some of them about.
CALLING_GOES_ON = (PERIOD_OVER, TURNED_AWAY, SERVICE_DOWN, MESSAGE_LEFT, UNKNOWN_CALLER, CALLER_LOCKED, TAKEN_OVER)


class HandOver(StrEnum):
    """Why staff must ring instead of us. Each of these is settled by a complete report of that day, from any source."""

    NOT_REACHED = "not_reached"  #: every allowed attempt was made
    BAD_NUMBER = "bad_number"  #: no number of the person works
    NO_NUMBER = "no_number"  #: the person has none
    NO_SLOT = "no_slot"  #: the person's slot is not in the settings
    BROKE_OFF = "broke_off"  #: hung up in the middle, and the report is still not complete
    NETWORK = "network"  #: the network took no call
    REFUSED = "refused"  #: a network turns calls to this person down, while others are reached
    LIMIT = "limit"  #: the most calls of a day to the person, or to the number, were made
    NO_TONES = "no_tones"  #: answered, but no key was ever heard from any number of the person
    WINDOW_OVER = "window_over"  #: the slot ended before the person was reached


class Settled(StrEnum):
    """How a step of the agenda ended."""

    REPORTED = "reported"
    HANDED_OVER = "handed_over"  #: staff have it, as a follow-up of that day
    EXCLUDED = "excluded"  #: by a decision of staff: observation ended, paused, slot changed, blocked day


class PbxRecord(StrEnum):
    """What Asterisk's own record says of a call to us that is over."""

    TAKEN = "taken"  #: it ended in our application, or before anything answered it
    LAST_WAY = "last_way"  #: the dialplan let the caller go: its last way apologised, or no sound could be played


class NextStep(StrEnum):
    """What a call to us that is over leads to: of every call exactly one."""

    REPORT = "report"  #: a complete report is in
    SESSION = "session"  #: a report that is not complete, and somebody goes on with it: the dialler, or staff
    ORDINARY = "ordinary"  #: the caller was served, or chose to hang up: nothing is owed to them
    TASK = "task"  #: a follow-up for staff, opened because of this call


@dataclass(frozen=True)
class InboundTrace:
    """All that is left of a call to us, in whatever order it was written."""

    record: PbxRecord | None  #: None: not read, or not kept by this PBX
    outcome: Outcome | None  #: of our row; None: there was none, nothing of ours began
    session: SessionStatus | None = None  #: of the latest session on the call
    answered: bool = False  #: that session holds an answer
    reported: bool = False  #: everybody whom it may have been has a complete report since the call began
    provided: bool = False  #: a look of the dialler or an open task for that day is ahead, or its report is in


#: Outcomes of a call to us that the caller did not choose.
_INTERRUPTED = (Outcome.FAILED, Outcome.UNKNOWN)


def next_step(trace: InboundTrace) -> tuple[NextStep, str]:
    """What a call to us leads to, and the reason of the follow-up (empty unless it is TASK).

    A trace that is not complete yet leads to TASK rather than to nothing; a report that comes in later settles that.
    """
    if trace.reported:
        return NextStep.REPORT, ""
    if trace.record is PbxRecord.LAST_WAY or trace.outcome is None or trace.outcome in _INTERRUPTED:
        return NextStep.TASK, SERVICE_DOWN
    match trace.session:
        case SessionStatus.COMPLETED:
            return NextStep.REPORT, ""
        case SessionStatus.ENDED_EARLY | SessionStatus.GAVE_UP:
            return NextStep.SESSION, ""  # its last turn opened the task
        case SessionStatus.WAITING if trace.answered:
            return (NextStep.SESSION, "") if trace.provided else (NextStep.TASK, HandOver.BROKE_OFF)
    return NextStep.ORDINARY, ""
