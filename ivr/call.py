"""States and outcomes of one telephone call: enums and one transition table. Pure."""

from dataclasses import dataclass, field
from enum import StrEnum


class Direction(StrEnum):
    """Who dialled."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"


class Outcome(StrEnum):
    """How an attempt to reach somebody ended; the words of tables, lists and exports."""

    ANSWERED = "answered"  #: a person pressed a key and the conversation came to its end
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    BAD_NUMBER = "bad_number"
    REJECTED = "rejected"
    REFUSED = "refused"  #: turned down before it rang, by a network and not by the person: see `Fault` for whose it is
    CONGESTION = "congestion"  #: the network or the trunk is full; uses up no try
    NO_KEY = "no_key"  #: answered, but nobody pressed a key: machine, wrong person, mistrust. Not reached.
    CUT_OFF = "cut_off"  #: some keys, then hung up before the end
    FAILED = "failed"  #: never sent, or not as the network wants it: our own fault
    UNKNOWN = "unknown"  #: lost: recovery could not find out


class Fault(StrEnum):
    """Whose matter it is that a call ended as it did."""

    PERSON = "person"  #: theirs, their telephone's, or that of the network behind it: the trunk carried the call
    NUMBER = "number"  #: the number that was rung: nobody has it
    IDENTITY = "identity"  #: our number, or how it is shown
    TRUNK = "trunk"  #: the trunk, the contract, or the network beside it
    US = "us"  #: our request, our settings, our Asterisk


#: The call went through as far as the person's side: the trunk takes calls from us.
CARRIED = (Fault.PERSON, Fault.NUMBER)
#: It did not, for a reason that might meet every call: who else got through tells whose matter it is.
UNCLEAR = (Fault.IDENTITY, Fault.TRUNK, Fault.US)


class CallState(StrEnum):
    """Where a call stands."""

    PLANNED = "planned"  #: row written, nothing sent
    DIALING = "dialing"  #: request to dial sent, or about to be
    TALKING = "talking"  #: answered (outbound) or arrived (inbound)
    ENDED = "ended"


class CallEvent(StrEnum):
    """What moves a call from state to state."""

    DIAL = "dial"
    ANSWER = "answer"
    END = "end"


TRANSITIONS: dict[tuple[CallState, CallEvent], CallState] = {
    (CallState.PLANNED, CallEvent.DIAL): CallState.DIALING,
    (CallState.PLANNED, CallEvent.END): CallState.ENDED,
    (CallState.DIALING, CallEvent.ANSWER): CallState.TALKING,
    (CallState.DIALING, CallEvent.END): CallState.ENDED,
    (CallState.TALKING, CallEvent.END): CallState.ENDED,
    # The hang-up can overtake our own farewell: ending twice is ordinary.
    (CallState.ENDED, CallEvent.END): CallState.ENDED,
}


class IllegalTransition(Exception):
    """An event came in a state that has no answer to it: a mistake of ours."""


def step(state: CallState, event: CallEvent) -> CallState:
    """The state after `event`. Raises IllegalTransition for a pair that the table lacks."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(f"{event} in state {state}") from None


@dataclass(frozen=True)
class Ending:
    """How a call ended, as the network said it."""

    outcome: Outcome | None  #: None while only the conversation can tell (it was answered)
    cause: int = 0  #: Q.850 cause
    tech_cause: int = 0  #: SIP status, 0 if none was given
    note: str = ""  #: the driver's or Asterisk's own words, for staff; never digits or numbers
    #: Of a call that nobody answered, as its own end tells, which says all that equality asks; None: it does not tell.
    fault: Fault | None = field(default=None, compare=False)
