"""Why an attempt did not reach anybody: what Asterisk says of its end -> Ending, by the table of SIP statuses. Pure.

The SIP status (`tech_cause`, since 22.7) is trusted first: the Q.850 cause is Asterisk's own translation of it, wrong
in several cases before 22.9, different for 5xx between the documentation and the source, 21 for each 403 (22.10.1).
"""

from ivr.call import Ending
from ivr.core.sip_statuses import DECLINED_WITHIN, RANG_OUT, Rang, row_of

#: What our own cancelling looks like: 480 and cause 19 at the originate timeout (22.10.1); 487 from a far end that
#: confirms it; before 22.8 cause 0; 16 after our DELETE of a ringing channel.
_CANCELLED_SIP = frozenset({0, 480, 487})
_CANCELLED_Q850 = frozenset({0, 16, 18, 19, 127})


def rang(ringing: bool, progress: bool, seconds: float) -> Rang:
    """Whether the far end told that it rings; `progress`: it spoke before it answered; `seconds` since the request."""
    if ringing:
        return Rang.LONG if seconds >= DECLINED_WITHIN else Rang.YES
    return Rang.ANY if progress else Rang.NEVER


def ending(tech_cause: int, cause: int, timed_out: bool, how: Rang = Rang.ANY) -> Ending:
    """How a call that nobody answered ended.

    `tech_cause` is the SIP status (0: none given), `cause` Q.850, `timed_out` whether our own ringing time was over.
    """
    own = timed_out and tech_cause in _CANCELLED_SIP and cause in _CANCELLED_Q850
    row = row_of(RANG_OUT if own else tech_cause, cause, how)
    note = "it never rang" if own and how is Rang.NEVER else ""
    return Ending(row.outcome, cause, tech_cause, note, row.fault)
