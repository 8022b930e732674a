"""What both sides hold of a day, held against each other: digests, differences, and which days are due. Pure.

A document belongs to the UTC day of its `frozen_at`: the first ten letters of that field, which both sides have in the
bytes and nobody's clock or time zone changes. docs/centre-api.yaml tells the centre so.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from ivr.sync.delivery import State

#: How the other side may write a document's key and its hash.
KEY, SHA256 = re.compile(r"[!-~]{1,200}"), re.compile(r"[0-9a-f]{64}")
#: A day is compared so long after its end: what was frozen in its last minutes has left by then.
SETTLE = timedelta(hours=1)
#: A day is compared once a day until it has agreed so long after its end.
RECHECK = timedelta(days=7)
#: No day further back is made up for: a clock that once stood in 1970 must not ask for twenty thousand days.
LONGEST_BACK = 366
#: So long after its end a day that could not be compared yet is an alarm.
PATIENCE = timedelta(days=3)
#: So many of each sort are named in an alarm; `kenko-call sync reconcile` names all.
_MOST_NAMED = 20


class Sort(StrEnum):
    """In what both sides differ about one document."""

    MISSING = "missing"  #: acknowledged, and the centre does not name it on its day
    OTHER_BYTES = "other_bytes"  #: the same key with other bytes
    OTHER_DAY = "other_day"  #: the centre names it on a day that is not its own
    UNKNOWN = "unknown"  #: the centre has it from us, and it was never here


@dataclass(frozen=True)
class Held:
    """A document of ours, as far as comparing needs it."""

    id: int  #: of the outbox
    key: str
    sha256: str
    state: State
    day: date


@dataclass(frozen=True)
class Digest:
    """What one side holds of a day, in two values."""

    documents: int
    sha256: str  #: of one line `key SHA-256 LF` for each, sorted by key; hex


@dataclass(frozen=True)
class Difference:
    """One document about which the sides differ."""

    sort: Sort
    key: str
    id: int | None  #: of the outbox; None: not there
    ours: str | None  #: SHA-256, hex
    theirs: str | None


@dataclass(frozen=True)
class Outcome:
    """What comparing a day brought."""

    day: date
    here: int  #: acknowledged
    there: int
    unsent: int  #: still to be settled: these may be there or not
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Compared:
    """When a day was compared last."""

    at: datetime
    open: bool  #: it differed, or something was unsent


def begin_of(day: date) -> datetime:
    """The moment at which a day begins."""
    return datetime.combine(day, time(), UTC)


def last_day(now: datetime) -> date:
    """The last day that is over, and settled."""
    return (now.astimezone(UTC) - SETTLE).date() - timedelta(days=1)


def digest_of(pairs: Mapping[str, str]) -> Digest:
    """Of key -> SHA-256."""
    lines = "".join(f"{key} {pairs[key]}\n" for key in sorted(pairs))
    return Digest(len(pairs), hashlib.sha256(lines.encode()).hexdigest())


def acknowledged(ours: Iterable[Held]) -> dict[str, str]:
    """Key -> SHA-256 of what the centre must have."""
    return {each.key: each.sha256 for each in ours if each.state is State.ACKNOWLEDGED}


def compare(
    day: date, ours: Sequence[Held], theirs: Mapping[str, str], elsewhere: Iterable[Held]
) -> tuple[Difference, ...]:
    """Every difference, by sort and then in our order.

    `ours`: all of the day, read before the centre was asked: what it acknowledges meanwhile may be there or not.
    `elsewhere`: what else is known of `theirs`, read after that.
    """
    known = {each.key: each for each in (*elsewhere, *ours)}
    found = []
    for each in ours:
        if each.state is State.ACKNOWLEDGED and each.key not in theirs:
            found.append(Difference(Sort.MISSING, each.key, each.id, each.sha256, None))
    for key, sha256 in theirs.items():
        one = known.get(key)
        if one is None:
            found.append(Difference(Sort.UNKNOWN, key, None, None, sha256))
        elif one.sha256 != sha256:
            found.append(Difference(Sort.OTHER_BYTES, key, one.id, one.sha256, sha256))
        elif one.day != day:
            found.append(Difference(Sort.OTHER_DAY, key, one.id, one.sha256, sha256))
    order = list(Sort)
    return tuple(sorted(found, key=lambda each: (order.index(each.sort), each.id or 0, each.key)))


def named(differences: Sequence[Difference]) -> str:
    """The rows for an alarm: `missing #3 #7; unknown 5f0b…`; numbers of the outbox, keys where there is none."""
    parts = []
    for sort in Sort:
        of_sort = [each for each in differences if each.sort is sort]
        words = [each.key if each.id is None else f"#{each.id}" for each in of_sort[:_MOST_NAMED]]
        more = [f"+{len(of_sort) - _MOST_NAMED}"] if len(of_sort) > _MOST_NAMED else []
        if of_sort:
            parts.append(" ".join([sort, *words, *more]))
    return "; ".join(parts)


def due_days(first: date | None, compared: Mapping[date, Compared], now: datetime) -> list[date]:
    """The days to compare now, oldest first. `first`: of the oldest document; None: there is none."""
    last = last_day(now)
    # Each day is looked at once after this moment.
    since = begin_of(last) + timedelta(days=1) + SETTLE
    day = last + timedelta(days=1) if first is None else max(first, last - timedelta(days=LONGEST_BACK - 1))
    found = []
    while day <= last:
        if _is_due(day, compared.get(day), since, now):
            found.append(day)
        day += timedelta(days=1)
    return found


def _is_due(day: date, before: Compared | None, since: datetime, now: datetime) -> bool:
    if before is None or before.at > now:  # a clock that was wrong
        return True
    if before.at >= since:
        return False
    return before.open or before.at < begin_of(day) + timedelta(days=1) + RECHECK


def is_late(day: date, now: datetime) -> bool:
    """Whether a day that was never compared should have been long ago."""
    return now - begin_of(day) - timedelta(days=1) > PATIENCE
