"""Tries of unknown callers to say who they are: judged and written down in one transaction. See ivr.identity."""

import hmac
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, ScalarSelect, bindparam, delete, func, insert, or_, select, update

from ivr.handover import CALLER_LOCKED
from ivr.identity import GUESSING, Failures, Lock, Verdict, after, judge_try, locks_of
from ivr.storage.alarms import raise_alarm
from ivr.storage.columns import Day, Moment
from ivr.storage.decisions import Signed
from ivr.storage.facts import get_fact, set_fact
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.storage.schema import follow_ups, people
from ivr.storage.schema_callers import caller_tries, caller_unlocks

NUMBER_KEY = "callers.number_key"  #: the fact that holds the key of the HMAC
_HOUR = timedelta(hours=1)
_NEVER = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_NO_DATE = "0000-00-00"  #: no keyed date is ever written so


@dataclass(frozen=True)
class Try:
    """An ID and a birth date that a caller keyed."""

    claimed_id: str  #: 6 to 8 digits
    born: date
    number: str | None  #: as the network showed it; None if withheld
    day: date  #: local
    at: datetime


@dataclass(frozen=True)
class Judged:
    """What became of it."""

    verdict: Verdict
    person_id: str | None  #: of somebody under observation, if ID and date fit together, whatever the verdict
    alarmed: bool = False  #: it was one too many: from now on nobody is let in by ID today


def _count(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    failed = caller_tries.c.verdict == Verdict.FAILED
    return select(func.count()).select_from(caller_tries).where(failed, *conditions).scalar_subquery()


_opened = select(func.max(caller_unlocks.c.at)).where(caller_unlocks.c.claimed_id == bindparam("id")).scalar_subquery()
_of_id = caller_tries.c.claimed_id == bindparam("id")
_since = caller_tries.c.at > func.coalesce(_opened, bindparam("never", type_=Moment))
#: One statement, the same for all: what a try costs must not tell what it met.
_FAILURES = select(
    _count(_of_id, _since, caller_tries.c.day == bindparam("day", type_=Day)).label("of_id_today"),
    _count(_of_id, _since).label("of_id"),
    _count(
        caller_tries.c.number_key == bindparam("number"),
        caller_tries.c.at > bindparam("hour", type_=Moment),
    ).label("of_number"),
    _count(caller_tries.c.day == bindparam("day", type_=Day)).label("today"),
)
_PERSON = select(people.c.id, people.c.birth_date).where(people.c.id == bindparam("id"), people.c.closed_at.is_(None))


def try_caller(connection: Connection, given: Try, fresh_key: str) -> Judged:
    """Judge a try and write it down. `fresh_key`: random text, becomes the key for numbers if there is none yet.

    The same statements in the same order, whether the ID exists, the date is right, or anything is locked; only a try
    that brings a lock about writes one row more, for an ID that exists and for one that does not.
    """
    key = get_fact(connection, NUMBER_KEY)
    if key is None:
        key = fresh_key
        set_fact(connection, NUMBER_KEY, key)
    hidden = "" if given.number is None else hmac.new(key.encode(), given.number.encode(), "sha256").hexdigest()
    values = {
        "id": given.claimed_id,
        "never": _NEVER,
        "day": given.day,
        "number": hidden,
        "hour": given.at - _HOUR,
    }
    person = connection.execute(_PERSON, {"id": given.claimed_id}).one_or_none()
    failures = Failures(*connection.execute(_FAILURES, values).one())
    known = person.birth_date.isoformat() if person and person.birth_date else _NO_DATE
    matches = hmac.compare_digest(known, given.born.isoformat())
    verdict = judge_try(matches, locks_of(failures, given.number is None))
    connection.execute(
        insert(caller_tries),
        {
            "at": given.at,
            "day": given.day,
            "claimed_id": given.claimed_id,
            "number_key": hidden,
            "verdict": verdict,
        },
    )
    alarmed = False
    if verdict is Verdict.FAILED:
        locks = locks_of(after(failures), given.number is None)
        alarmed = _tell_staff(connection, given, person.id if person else None, locks)
    return Judged(verdict, person.id if person and matches else None, alarmed)


def _tell_staff(connection: Connection, given: Try, person_id: str | None, locks: frozenset[Lock]) -> bool:
    """This try was the last one before a lock: somebody must look at it. Whether there is an alarm."""
    if locks & {Lock.ID, Lock.ID_TODAY}:
        claimed = None if person_id else given.claimed_id
        open_follow_up(connection, NewFollowUp(given.day, CALLER_LOCKED, person_id, claimed), given.at)
    return Lock.ALL in locks and raise_alarm(connection, GUESSING, given.day.isoformat(), "", given.at)


def unlock_caller(connection: Connection, claimed_id: str, signed: Signed) -> bool:
    """Staff have spoken to the person: the failures until now count no more for the ID, and the task is done.

    False if there were no failures.
    """
    values = {"id": claimed_id, "never": _NEVER, "day": date.min, "number": "", "hour": signed.at}
    if not connection.execute(_FAILURES, values).one().of_id:
        return False
    connection.execute(
        insert(caller_unlocks),
        {"at": signed.at, "claimed_id": claimed_id, "by": signed.by, "reason": signed.reason},
    )
    task = (follow_ups.c.reason == CALLER_LOCKED, follow_ups.c.closed_at.is_(None))
    whose = or_(follow_ups.c.person_id == claimed_id, follow_ups.c.claimed_id == claimed_id)
    connection.execute(update(follow_ups).where(*task, whose).values(closed_at=signed.at))
    return True


def forget_tries(connection: Connection, before: datetime) -> int:
    """Delete the tries before this moment that no limit counts any more; how many.

    Failures for an ID count for ever, until staff open it again: those stay, and there are at most fifty a day. The
    longest of the other counts is a day: `before` must be further back.
    """
    opened = select(caller_unlocks.c.id).where(
        caller_unlocks.c.claimed_id == caller_tries.c.claimed_id, caller_unlocks.c.at >= caller_tries.c.at
    )
    done = or_(caller_tries.c.verdict != Verdict.FAILED, opened.exists())
    return connection.execute(delete(caller_tries).where(caller_tries.c.at < before, done)).rowcount
