"""What the centre's answers mean and what happens next: acknowledged, again later, parked, or everything stops. Pure.

The classes of errors are those of section 3.5 of our notes on reliability; the table in tests/sync/test_delivery.py
shows every one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from ivr.sync.documents import Kind

#: First wait after a failure and the longest one, seconds. Half of it is left to chance, so that what failed together
#: does not come back together. The longest one is half of the ten minutes within which everything is to be there when
#: the centre is back.
FIRST_WAIT, LONGEST_WAIT = 5.0, 300.0
#: The longest wait that a centre may ask for with Retry-After, seconds: one slip of its must not silence us for a year.
LONGEST_ASKED = 6 * 3600.0
#: How often something that stopped everything is tried again, seconds: a renewed certificate needs nobody to press a
#: button here.
STOPPED_WAIT = 900.0
#: So many tries of one document fail while others get through, and it is parked: it is the document.
MOST_TRIES = 10
#: So many failures in one round and no success: it is the centre, not the documents.
FAILURES_OF_THE_LINK = 3
#: How many documents a round holds, and how many while the centre does not answer. An answer that somebody keys waits
#: while a round is taken or written down, in the one thread that writes: so a round is small.
ROUND, PROBE = 25, 3
#: Between two rounds while there is more to send, seconds: calls go first. 50,000 documents take four minutes so, on a
#: machine with two cores and a centre on the same machine.
PAUSE_SECONDS = 0.05
#: A round takes no new document after so many seconds: an alert that comes meanwhile waits for its end.
ROUND_SECONDS = 5.0


class State(StrEnum):
    """Where a document in the outbox stands."""

    WAITING = "waiting"  #: to be sent at `next_at`
    IN_FLIGHT = "in_flight"  #: being sent; after `next_at` it waits again
    ACKNOWLEDGED = "acknowledged"  #: the centre has it; its record id is known
    PARKED = "parked"  #: the centre will not have it as it is: with staff, by an alarm


#: Alerts go ahead of ordinary reports, and those ahead of the tries to reach somebody. Of somebody who is erased
#: nothing else is left to be sent.
LANES = {Kind.ALERT: 0, Kind.REPORT: 1, Kind.CALL: 2, Kind.ERASURE: 1}


class Fault(StrEnum):
    """Why there was no answer that could be read."""

    UNREACHABLE = "unreachable"  #: no connection
    CUT = "cut"  #: it ended before the answer did
    TIMED_OUT = "timed_out"
    TLS = "tls"  #: one side does not accept the other's certificate, or its version of TLS
    TOO_BIG = "too_big"  #: the answer's body is bigger than any honest one
    UNSENDABLE = "unsendable"  #: the document cannot be written in the form of this way; nothing was sent


class Verdict(StrEnum):
    """What becomes of a document that was sent."""

    ACKNOWLEDGED = "acknowledged"
    RETRY = "retry"
    PARK = "park"
    STOP = "stop"  #: nothing would get through: everything waits


@dataclass(frozen=True)
class Reply:
    """What came of one request."""

    status: int | None = None  #: HTTP; None: no answer
    fault: Fault | None = None
    body: object = None  #: parsed JSON; None: there was none
    retry_after: float | None = None  #: seconds


@dataclass(frozen=True)
class Judged:
    """A reply and its meaning."""

    verdict: Verdict
    reason: str  #: one word for logs and screens, such as `http_400`; empty when acknowledged
    record_id: str | None = None  #: the centre's
    of_link: bool = False  #: it says something about the way there, not about this document
    retry_after: float | None = None  #: seconds


@dataclass(frozen=True)
class Sent:
    """A document of a round, as the outbox knew it before."""

    id: int
    key: str
    sha256: str
    tries: int
    failed_since: datetime | None


@dataclass(frozen=True)
class Settlement:
    """What the outbox is to write down about one document."""

    id: int
    state: State
    next_at: datetime | None
    tries: int
    failed_since: datetime | None
    problem: str
    record_id: str | None = None


@dataclass(frozen=True)
class Link:
    """How the way to the centre stands; survives a restart."""

    failures: int = 0  #: rounds since the last success
    until: datetime | None = None  #: nothing is sent before
    problem: str = ""  #: of the last round that failed; empty: it works
    stopped: bool = False  #: by something that only people mend
    last_success: datetime | None = None


#: These speak about the way there: a busy centre, or a gateway without a centre behind it.
_OF_LINK = frozenset({408, 429, 502, 503, 504})
#: These would meet every document: the credentials, the address, a proxy. So does every redirection.
_STOPS = frozenset({401, 403, 404, 405, 407, 410, 421, 426, 495, 496, 511})
#: Again later: the same request is still under way there, or came too early.
_AGAIN = frozenset({408, 409, 425, 429})
_LONGEST_RECORD_ID = 200


def judge(reply: Reply, key: str, sha256: str) -> Judged:
    """What a reply to the document with this key and hash means."""
    if reply.fault is not None:
        if reply.fault is Fault.TLS:
            return Judged(Verdict.STOP, str(reply.fault), of_link=True)
        if reply.fault is Fault.UNSENDABLE:
            return Judged(Verdict.PARK, str(reply.fault))
        return Judged(Verdict.RETRY, str(reply.fault), of_link=reply.fault is not Fault.TOO_BIG)
    status = reply.status or 0
    if status in (200, 201):
        return _acknowledged(reply.body, key, sha256)
    reason = f"http_{status}"
    if status in _STOPS or 300 <= status < 400:
        return Judged(Verdict.STOP, reason, of_link=True)
    if status in _AGAIN or status >= 500 or status < 400:
        return Judged(Verdict.RETRY, reason, of_link=status in _OF_LINK, retry_after=reply.retry_after)
    return Judged(Verdict.PARK, reason)


def _acknowledged(body: object, key: str, sha256: str) -> Judged:
    """An acknowledgement counts only if it names this document, these bytes, and what the centre made of them."""
    if not isinstance(body, dict):
        return Judged(Verdict.RETRY, "unreadable")
    if body.get("key") != key:
        return Judged(Verdict.RETRY, "wrong_key")
    if body.get("sha256") != sha256:
        return Judged(Verdict.PARK, "other_bytes")
    record = body.get("record_id")
    if not isinstance(record, str) or not 0 < len(record) <= _LONGEST_RECORD_ID or not record.isprintable():
        return Judged(Verdict.RETRY, "no_record_id")
    return Judged(Verdict.ACKNOWLEDGED, "", record)


def wait_after(failures: int, chance: float) -> float:
    """Seconds until the next try after so many failures in a row; `chance` from 0 to 1."""
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures - 1, 20))
    return longest * (0.5 + 0.5 * chance)


def settle(sent: Sent, judged: Judged, link: Link, now: datetime, chance: float) -> Settlement:
    """What to write down about one document. `link`: before this round."""
    match judged.verdict:
        case Verdict.ACKNOWLEDGED:
            return Settlement(
                sent.id, State.ACKNOWLEDGED, None, sent.tries, sent.failed_since, "", record_id=judged.record_id
            )
        case Verdict.PARK:
            return Settlement(sent.id, State.PARKED, None, sent.tries + 1, sent.failed_since or now, judged.reason)
        case Verdict.STOP:
            # Not its fault: it goes first when the way is free.
            return Settlement(sent.id, State.WAITING, now, sent.tries, sent.failed_since, judged.reason)
    tries, since = sent.tries + 1, sent.failed_since or now
    others_pass = link.last_success is not None and link.last_success > since
    if tries >= MOST_TRIES and others_pass and not judged.of_link:
        return Settlement(sent.id, State.PARKED, None, tries, since, judged.reason)
    wait = max(wait_after(tries, chance), min(judged.retry_after or 0.0, LONGEST_ASKED))
    return Settlement(sent.id, State.WAITING, now + timedelta(seconds=wait), tries, since, judged.reason)


def next_link(link: Link, round: Sequence[Judged], now: datetime, chance: float) -> Link:
    """How the way stands after a round. One success and it works, whatever else failed; a stop goes before all."""
    stops = [each for each in round if each.verdict is Verdict.STOP]
    if stops:
        until = now + timedelta(seconds=STOPPED_WAIT)
        return replace(link, failures=link.failures + 1, until=until, problem=stops[0].reason, stopped=True)
    asked = max((each.retry_after or 0.0 for each in round if each.of_link), default=0.0)
    # Parked is an answer, too: the centre is there and has looked at it.
    if any(each.verdict in (Verdict.ACKNOWLEDGED, Verdict.PARK) for each in round):
        asked_for = now + timedelta(seconds=min(asked, LONGEST_ASKED)) if asked else None
        succeeded = any(each.verdict is Verdict.ACKNOWLEDGED for each in round)
        return Link(until=asked_for, last_success=now if succeeded else link.last_success)
    failed = [each for each in round if each.verdict is Verdict.RETRY]
    of_link = [each for each in failed if each.of_link]
    if not of_link and len(failed) < FAILURES_OF_THE_LINK:
        return link
    failures = link.failures + 1
    wait = max(wait_after(failures, chance), min(asked, LONGEST_ASKED))
    problem = (of_link or failed)[0].reason
    return replace(link, failures=failures, until=now + timedelta(seconds=wait), problem=problem, stopped=False)


def round_size(link: Link, now: datetime, most: int = ROUND) -> int:
    """How many documents to send now: none while the way is to be left alone, a few to find out whether it works.

    `most`: while it does.
    """
    if link.until is not None and now < link.until <= now + timedelta(seconds=LONGEST_ASKED):
        return 0
    if link.stopped:
        return 1
    return PROBE if link.failures else most


def ends_round(judged: Judged) -> bool:
    """Whether the rest of the round need not be tried."""
    return judged.verdict is Verdict.STOP or (judged.verdict is Verdict.RETRY and judged.of_link)


def is_over(since: datetime | None, seconds: float, now: datetime) -> bool:
    """Whether so many seconds have passed since then; also when that was never, or the clock went backwards."""
    return since is None or not timedelta() <= now - since < timedelta(seconds=seconds)
