"""What a walk may come to, in the words that are stored. Pure: who only reads the tables needs no questionnaire."""

from enum import StrEnum


class Level(StrEnum):
    """How urgent an alert is."""

    EMERGENCY = "emergency"  #: ring at once
    URGENT = "urgent"  #: ring today


class SessionStatus(StrEnum):
    """Where a session stands. WAITING sessions can be resumed on another call."""

    WAITING = "waiting"
    COMPLETED = "completed"  #: came to the end: every question answered that was to be asked
    ENDED_EARLY = "ended_early"  #: asked for a call and chose to end
    GAVE_UP = "gave_up"  #: no valid key in all tries


class FollowUpReason(StrEnum):
    """Why the engine wants staff to ring."""

    CALL_WISHED = "call_wished"
    COULD_NOT_ENTER = "could_not_enter"
