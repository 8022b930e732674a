"""Words that stand in columns and mean something outside them. Pure."""

from enum import StrEnum


class Completeness(StrEnum):
    """How much of a questionnaire a report holds."""

    COMPLETE = "complete"
    PARTIAL = "partial"  #: at least one answer


class Source(StrEnum):
    """How a report came to be."""

    AUTOMATIC_CALL = "automatic_call"  #: we rang
    HEALTH_CALL = "health_call"  #: the person rang us
    SELF_ENTRY = "self_entry"  #: the person wrote it, in a form or another system


class Decided(StrEnum):
    """What staff decided about a person; the only thing that keeps somebody under observation from being called."""

    PAUSE = "pause"
    RESUME = "resume"
    CLOSE = "close"
    REOPEN = "reopen"


class Auth(StrEnum):
    """What made us take the caller for the person."""

    REGISTERED_NUMBER = "registered_number"
    KEYED_ID = "keyed_id"  #: nothing but an ID, as versions before the birth date took it
    OUTBOUND = "outbound"  #: we rang a number of theirs
    OTHER_NUMBER = "other_number"  #: ID and birth date, from a number that is not theirs
    WITHHELD = "withheld"  #: ID and birth date, from a number that was not shown
    UNCONFIRMED = "unconfirmed"  #: nothing: somebody who could not say who they are left a message
    ELSEWHERE = "elsewhere"  #: no caller: the centre says who reported by another way

    @property
    def is_their_telephone(self) -> bool:
        """Whether a number of theirs vouches for them: whoever only keys something hears nothing of what is known."""
        return self in (Auth.REGISTERED_NUMBER, Auth.OUTBOUND)


class Cause(StrEnum):
    """Why a version of the questionnaire was to go live."""

    STARTED = "started"  #: the service started
    SAVED = "saved"  #: the file, or a recording, was changed
    RELOAD = "reload"  #: an operator wanted the file to be read
    ACTIVATE = "activate"  #: an operator wanted this version


class Verdict(StrEnum):
    """What came of it."""

    WISHED = "wished"  #: a service has still to look at it
    DONE = "done"
    REFUSED = "refused"  #: what was live stays


class Figure(StrEnum):
    """What of somebody who was erased still counts on a day."""

    ATTEMPT = "attempt"  #: its value: how it ended
    REPORT = "report"  #: complete or partial
    STEP = "step"  #: of the agenda: how it was settled


class Transfer(StrEnum):
    """Which way somebody went."""

    OUT = "out"  #: handed over to another centre; they stay with us until staff close
    IN = "in"  #: taken over from one
