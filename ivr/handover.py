"""The reasons for which the dialler hands a person to staff, and how else a slot of a day may end. Pure."""

from enum import StrEnum

#: The reason of the follow-up "period over, not closed" (ivr.person.is_period_over). Not a hand-over: calling goes on,
#: and no report settles it, only a decision of staff.
PERIOD_OVER = "period_over"
#: ... of one who rang us while all places were taken. Not a hand-over either; a complete report settles it.
TURNED_AWAY = "turned_away"
#: ... of one who rang us while nothing of ours could take the call. As above.
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
