"""Why an attempt did not reach anybody: what the network said -> Outcome. Pure.

The SIP status (`tech_cause`, since 22.7) is trusted first: the Q.850 cause is Asterisk's own translation of it, wrong
in several cases before 22.9, and different for 5xx between the documentation and the source.
"""

from ivr.call import Ending, Outcome

_BY_SIP: dict[int, Outcome] = {
    486: Outcome.BUSY,
    600: Outcome.BUSY,
    480: Outcome.UNREACHABLE,  # a mobile that is off or out of reach; with our own timeout: NO_ANSWER, see below
    408: Outcome.UNREACHABLE,
    487: Outcome.NO_ANSWER,
    404: Outcome.BAD_NUMBER,
    485: Outcome.BAD_NUMBER,
    604: Outcome.BAD_NUMBER,
    410: Outcome.BAD_NUMBER,
    484: Outcome.BAD_NUMBER,
    603: Outcome.REJECTED,
    # The trunk does not take calls from us: it reached nobody and uses up no try (scheduler.health closes its gate).
    401: Outcome.CONGESTION,
    403: Outcome.CONGESTION,
    407: Outcome.CONGESTION,
    # Our configuration's fault, not the person's.
    488: Outcome.FAILED,
    606: Outcome.FAILED,
}

_BY_Q850: dict[int, Outcome] = {
    1: Outcome.BAD_NUMBER,
    22: Outcome.BAD_NUMBER,
    28: Outcome.BAD_NUMBER,
    17: Outcome.BUSY,
    18: Outcome.UNREACHABLE,
    20: Outcome.UNREACHABLE,
    19: Outcome.NO_ANSWER,
    21: Outcome.REJECTED,
    27: Outcome.CONGESTION,
    29: Outcome.CONGESTION,
    34: Outcome.CONGESTION,
    38: Outcome.CONGESTION,
    41: Outcome.CONGESTION,
    42: Outcome.CONGESTION,
    44: Outcome.CONGESTION,
    102: Outcome.CONGESTION,
    0: Outcome.UNKNOWN,
}

#: What our own cancelling looks like: 480 and cause 19 at the originate timeout (22.10.1); 487 from a far end that
#: confirms it; before 22.8 cause 0; 16 after our DELETE of a ringing channel.
_CANCELLED_SIP = frozenset({0, 480, 487})
_CANCELLED_Q850 = frozenset({0, 16, 18, 19, 127})


def outcome(tech_cause: int, cause: int, timed_out: bool) -> Outcome:
    """How a call that nobody answered ended.

    `tech_cause` is the SIP status (0: none given), `cause` Q.850, `timed_out` whether our own ringing time was over.
    """
    if timed_out and tech_cause in _CANCELLED_SIP and cause in _CANCELLED_Q850:
        return Outcome.NO_ANSWER
    if tech_cause in _BY_SIP:
        return _BY_SIP[tech_cause]
    if 500 <= tech_cause <= 599:
        return Outcome.CONGESTION
    if tech_cause:
        return Outcome.FAILED
    return _BY_Q850.get(cause, Outcome.FAILED)


def ending(tech_cause: int, cause: int, timed_out: bool) -> Ending:
    """`outcome`, with what it was read from."""
    return Ending(outcome(tech_cause, cause, timed_out), cause, tech_cause)
