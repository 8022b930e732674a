"""What each answer of a telephone network means: outcome, whose matter it is, and why. One table, also of the docs.

Knows no telephone. `docs/dialler.md` holds the same table, rendered by `as_markdown`; a test compares.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ivr.call import UNCLEAR, Fault, Outcome

#: In place of a SIP status: our own ringing time was over, and we ended the call.
RANG_OUT = -1
#: Who declines a call does it within so many seconds of ringing. After more, the same answer is that of a network or a
#: telephone that gave up ringing: nobody came.
DECLINED_WITHIN = 10.0


class Rang(StrEnum):
    """Whether the far end told us that it rings."""

    ANY = "-"
    NEVER = "never"  #: no ringing, no announcement, no word at all before the end
    YES = "yes"
    LONG = "10 s or more"  #: DECLINED_WITHIN


class Others(StrEnum):
    """What became of calls to other people by the same trunk, next to a call that was turned down."""

    NONE = "none"  #: nobody else was rung, or nobody knows yet
    THROUGH = "through"  #: the next one got through
    REFUSED = "refused"  #: the one before or the next one was turned down too, and nobody got through between


@dataclass(frozen=True)
class Row:
    """One line of the table; the first that fits is the one."""

    statuses: Sequence[int | range]  #: SIP, or RANG_OUT
    outcome: Outcome
    fault: Fault | None  #: as the call's own end tells; None: nobody knows
    why: str
    rang: Rang = Rang.ANY
    causes: Sequence[int] = ()  #: Q.850, for an end without a status
    through: Fault | None = None  #: whose it is once others got through; None: the same

    def fits(self, status: int, rang: Rang) -> bool:
        """Whether it is about such an answer."""
        told = (rang is Rang.LONG and self.rang is Rang.YES) or self.rang in (Rang.ANY, rang)
        return told and any(status in each if isinstance(each, range) else status == each for each in self.statuses)


_REFUSALS = (401, 402, 403, 407, 430, 439)
_IDENTITY = (428, 433, 436, 437, 438, 608)
_REQUEST = (400, 405, 406, 414, 415, 416, 417, 420, 421, 422, 423, 424, 425, 429, 488, 489, 493, 494, 606)
_MEDIA = (406, 415, 488, 606)
_NO_SUCH = (301, 404, 410, 484, 485, 604)

TABLE: tuple[Row, ...] = (
    Row(
        (RANG_OUT,),
        Outcome.NO_ANSWER,
        Fault.TRUNK,
        "our ringing time was over and not a word had come: nobody is there, or our request never arrived",
        Rang.NEVER,
        through=Fault.PERSON,
    ),
    Row((RANG_OUT,), Outcome.NO_ANSWER, Fault.PERSON, "it rang as long as we let it"),
    Row((486, 600), Outcome.BUSY, Fault.PERSON, "their telephone is in use", causes=(17,)),
    Row(
        _MEDIA,
        Outcome.FAILED,
        Fault.PERSON,
        "it rang, so the trunk carries our calls: their telephone cannot talk as we do",
        Rang.YES,
    ),
    Row(
        (range(300, 700),),
        Outcome.NO_ANSWER,
        Fault.PERSON,
        "people decline sooner: a network or telephone gave up ringing, whatever it calls that",
        Rang.LONG,
    ),
    Row(
        (408, 480, *_NO_SUCH),
        Outcome.NO_ANSWER,
        Fault.PERSON,
        "it rang: the number exists, and nobody took the call",
        Rang.YES,
    ),
    Row(
        (*_REFUSALS, *_IDENTITY, range(600, 700)),
        Outcome.REJECTED,
        Fault.PERSON,
        "it rang, so the trunk carries our calls: this is the word of the far end",
        Rang.YES,
    ),
    Row((487,), Outcome.NO_ANSWER, Fault.PERSON, "the call was taken back while it rang", causes=(19,)),
    Row(
        (480,),
        Outcome.UNREACHABLE,
        Fault.PERSON,
        "a mobile that is off or out of reach, a telephone that is not registered",
        causes=(18, 20),
    ),
    Row(
        (408,),
        Outcome.UNREACHABLE,
        Fault.TRUNK,
        "nobody answered our request; three in a row are no chance",
        through=Fault.PERSON,
    ),
    Row(_NO_SUCH, Outcome.BAD_NUMBER, Fault.NUMBER, "nobody has the number, or it has changed", causes=(1, 22, 28)),
    Row(
        (300, 302, 380),
        Outcome.UNREACHABLE,
        Fault.PERSON,
        "their calls are sent elsewhere: a redirect is never followed, nobody knows who answers there",
    ),
    Row(
        (469, 470, 603, 607),
        Outcome.REJECTED,
        Fault.PERSON,
        "they, or what they set up, do not want the call",
        causes=(21,),
    ),
    Row(
        _REFUSALS,
        Outcome.REFUSED,
        Fault.TRUNK,
        "contract, password or fees; or a network that bars this one number",
        through=Fault.PERSON,
    ),
    Row(
        _IDENTITY,
        Outcome.REFUSED,
        Fault.IDENTITY,
        "our number is withheld, not vouched for, or taken for a nuisance",
        through=Fault.PERSON,
    ),
    Row(
        _REQUEST,
        Outcome.FAILED,
        Fault.US,
        "our request is not as they want it: codec, address, extension",
        through=Fault.PERSON,
    ),
    Row((440, 481, 482, 483, 491), Outcome.CONGESTION, Fault.TRUNK, "the network lost the call on its way"),
    Row((305, 505, 513), Outcome.FAILED, Fault.US, "they want another way or form of request", through=Fault.PERSON),
    # What no line above names, by its class.
    Row((range(300, 400),), Outcome.UNREACHABLE, Fault.PERSON, "any other redirect: never followed"),
    Row(
        (range(400, 500),),
        Outcome.FAILED,
        Fault.US,
        "any other 4xx: as 400 (RFC 3261, 8.1.3.2)",
        through=Fault.PERSON,
    ),
    Row(
        (range(500, 600),),
        Outcome.CONGESTION,
        Fault.TRUNK,
        "any 5xx: the network is full or broken; one alone may be the far network",
        causes=(27, 29, 34, 38, 41, 42, 44, 102),
    ),
    Row((range(600, 700),), Outcome.REJECTED, Fault.PERSON, "any other 6xx: no other way to them would do (21.6)"),
)
#: What no line of the table fits: by its Q.850 cause 0, nobody said anything.
NO_WORD = Row((), Outcome.UNKNOWN, None, "the end came without a word", causes=(0,))
NO_LINE = Row((), Outcome.FAILED, Fault.US, "no answer that a network gives", through=Fault.PERSON)


def row_of(status: int, cause: int, rang: Rang) -> Row:
    """The line for an end: `status` is SIP or RANG_OUT, 0 if none was given; `cause` Q.850, then looked at."""
    if status:
        return next((each for each in TABLE if each.fits(status, rang)), NO_LINE)
    return next((each for each in (*TABLE, NO_WORD) if cause in each.causes), NO_LINE)


def whose(fault: Fault | None, others: Others, again: bool) -> Fault | None:
    """Whose matter a call is that was turned down, once it is known how `others` fared.

    `again`: the same person was turned down more than once, and not as one of several in a row.
    """
    if fault in UNCLEAR and (others is Others.THROUGH or (again and others is Others.NONE)):
        return Fault.PERSON
    return fault


def as_markdown() -> Iterator[str]:
    """The table as lines of Markdown."""
    yield "| answer | rang | outcome | whose | others got through | why |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for each in (*TABLE, NO_WORD, NO_LINE):
        through = each.through or each.fault or "-"
        yield f"| {_answers(each)} | {each.rang} | {each.outcome} | {each.fault or '-'} | {through} | {each.why} |"


def _answers(row: Row) -> str:
    named = [_status(each) for each in row.statuses]
    if row.causes:
        named.append(f"Q.850 {', '.join(map(str, row.causes))}")
    return ", ".join(named) or "anything else"


def _status(each: int | range) -> str:
    if isinstance(each, range):
        return f"{each.start // 100}xx" if len(each) == 100 else f"{each.start} to {each.stop - 1}"
    return "our time over" if each == RANG_OUT else str(each)
