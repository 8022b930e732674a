"""Accounts for calls to us: each that is over leads to a report, to somebody who goes on, to nothing, or to a task.

The rows may be written in any order, and late: what Asterisk's record says, the call, its session, its report. Calls to
a number that is not ours are counted, with an alarm of the day.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, bindparam, exists, func, or_, select, update

from ivr.call import CallState, Direction, Ending, Outcome
from ivr.handover import NOT_OURS, SERVICE_DOWN, InboundTrace, NextStep, PbxRecord, next_step
from ivr.questionnaire.outcomes import SessionStatus
from ivr.storage import facts
from ivr.storage.alarms import raise_alarm
from ivr.storage.calls import Call, end_call, start_call
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.storage.people import people_by_number
from ivr.storage.schema import agenda, answers, calls, follow_ups, reports, sessions
from ivr.storage.words import Completeness

#: The fact of how far Asterisk's call records were read; and of which numbers that are not ours came how often today.
READ_UNTIL, DIALLED_TODAY = "cdr.read_until", "cdr.not_ours"
#: Forms that are told apart, and the longest one: whoever tries numbers one after another must not fill the table.
_MOST_FORMS, _LONGEST_FORM = 20, 40
_OTHERS = "…"
#: Alarm: callers heard an apology instead of what they rang for. Its subject is the day.
NOT_TAKEN = "calls_not_taken"

# Statements of every call are built once: SQLAlchemy takes three times as long to build one as to run it.
_KNOWN = select(calls.c.record).where(calls.c.id == bindparam("key"))
_RECORDED = update(calls).where(
    calls.c.id == bindparam("key"), calls.c.direction == Direction.INBOUND, calls.c.record.is_(None)
)
_STATE = select(calls.c.state).where(calls.c.id == bindparam("key"))
_OVER_UNSAID = select(calls.c.id).where(
    calls.c.direction == Direction.INBOUND, calls.c.state != CallState.ENDED, calls.c.record.is_not(None)
)
_UNACCOUNTED = (
    select(
        *(calls.c[name] for name in ("id", "number", "started_at", "record", "outcome", "session_id")),
        sessions.c.status,
        sessions.c.person_id,
        sessions.c.claimed_id,
        exists().where(answers.c.session_id == sessions.c.id).label("answered"),
    )
    .outerjoin(sessions, sessions.c.id == calls.c.session_id)
    # Spelt as in the index.
    .where(calls.c.direction == "inbound", calls.c.state == "ended", calls.c.next_step.is_(None))
    .order_by(calls.c.started_at, calls.c.id)
)
_ACCOUNTED = update(calls).where(calls.c.id == bindparam("key"))
_COMPLETE = (
    reports.c.person_id == bindparam("person"),
    reports.c.completeness == Completeness.COMPLETE,
)
_REPORTED_SINCE = select(exists().where(*_COMPLETE, reports.c.updated_at >= bindparam("since")))
_PROVIDED = select(
    or_(
        exists().where(
            agenda.c.person_id == bindparam("person"), agenda.c.day == bindparam("on_day"), agenda.c.settled.is_(None)
        ),
        exists().where(
            follow_ups.c.person_id == bindparam("person"),
            follow_ups.c.day == bindparam("on_day"),
            follow_ups.c.closed_at.is_(None),
        ),
        exists().where(*_COMPLETE, reports.c.day == bindparam("on_day")),
    )
)


@dataclass(frozen=True)
class RecordedCall:
    """A call to us that is over, as Asterisk's own records have it."""

    id: str  #: the channel's
    number: str | None  #: None: withheld
    at: datetime  #: when it began
    record: PbxRecord


@dataclass(frozen=True)
class NotOurs:
    """Calls that the provider sent to a number that is not ours."""

    day: date  #: local day
    dialled: Sequence[str]  #: the number of each, as it came


def note_records(
    connection: Connection,
    found: Sequence[RecordedCall],
    read_until: str,
    at: datetime,
    others: NotOurs | None = None,
    *,
    first: bool,
) -> int:
    """Keep what Asterisk's records say, and how far they were read. How many calls we had not known of.

    A call that we have no row of was never taken: it gets one. Unless this is the `first` reading: the file may be
    older than this database, and then only the last way says that nobody took a call.
    """
    new = 0
    for each in found:
        known = connection.execute(_KNOWN, {"key": each.id}).first()
        if known is None and (each.record is PbxRecord.LAST_WAY or not first):
            call = Call(each.id, Direction.INBOUND, each.at, number=each.number, record=each.record)
            write_late(connection, call, Ending(Outcome.FAILED, note="nothing of ours could take it"), at)
            new += 1
        elif known is not None and known.record is None:
            # It may have been accounted for without this.
            again = {"next_step": None} if each.record is PbxRecord.LAST_WAY else {}
            connection.execute(_RECORDED, {"key": each.id, "record": each.record, **again})
    if others is not None and others.dialled:
        _count_not_ours(connection, others, at)
    facts.set_fact(connection, READ_UNTIL, read_until)
    return new


def write_late(connection: Connection, call: Call, ending: Ending, at: datetime) -> None:
    """Write a call to us down that is over and could not be written while it went on; what is known of it stays."""
    state = connection.execute(_STATE, {"key": call.id}).scalar_one_or_none()
    if state is None:
        start_call(connection, call)
    if state != CallState.ENDED:
        end_call(connection, call.id, ending, ending.outcome or Outcome.UNKNOWN, at)


def end_failed(connection: Connection, call_id: str, at: datetime) -> None:
    """A fault of ours ended a call; if it stands open in the rows, end it there."""
    if connection.execute(_STATE, {"key": call_id}).scalar_one_or_none() not in (None, CallState.ENDED):
        end_call(connection, call_id, Ending(Outcome.FAILED), Outcome.FAILED, at)


def close_recorded(connection: Connection, live_ids: Collection[str], at: datetime) -> int:
    """End calls to us that are over by Asterisk's records, although nobody could write their end. How many.

    Not those in `live_ids`: their end is about to be written.
    """
    left = [each for each in connection.execute(_OVER_UNSAID).scalars().all() if each not in live_ids]
    for call_id in left:
        end_call(connection, call_id, Ending(Outcome.UNKNOWN), Outcome.UNKNOWN, at)
    return len(left)


def account_for_calls(
    connection: Connection, day_of: Callable[[datetime], date], due_at: datetime, at: datetime
) -> int:
    """Decide what every call to us that is over leads to, and open the tasks. How many calls led to one.

    `day_of` gives the local day of a moment.
    """
    tasks = 0
    for call in connection.execute(_UNACCOUNTED).all():
        day = day_of(call.started_at)
        known = _whose(connection, call)
        waiting = [each for each in known if not _is(connection, _REPORTED_SINCE, each, since=call.started_at)]
        step, reason = next_step(
            InboundTrace(
                record=None if call.record is None else PbxRecord(call.record),
                outcome=Outcome(call.outcome),
                session=None if call.status is None else SessionStatus(call.status),
                answered=bool(call.answered),
                reported=bool(known) and not waiting,
                provided=bool(known) and all(_is(connection, _PROVIDED, each, on_day=day) for each in known),
            )
        )
        if step is NextStep.TASK:
            tasks += 1
            for person_id in waiting or (None,):
                unknown = {} if person_id else {"claimed_id": call.claimed_id, "number": call.number}
                open_follow_up(connection, NewFollowUp(day, reason, person_id, due_at=due_at, **unknown), at)
            if reason == SERVICE_DOWN:
                _raise(connection, day, at)
        connection.execute(_ACCOUNTED, {"key": call.id, "next_step": step})
    return tasks


def _whose(connection: Connection, call: object) -> tuple[str, ...]:
    """The people whom a call may have been from: of its session, else all of its number."""
    person_id, session_id, number = (getattr(call, name) for name in ("person_id", "session_id", "number"))
    if session_id is not None:
        return (person_id,) if person_id else ()
    return tuple(each.id for each in people_by_number(connection, number)) if number else ()


def _is(connection: Connection, question: object, person_id: str, **values: object) -> bool:
    return bool(connection.execute(question, {"person": person_id, **values}).scalar_one())  # type: ignore[call-overload]


def _raise(connection: Connection, day: date, at: datetime) -> None:
    open_tasks = select(func.count()).where(follow_ups.c.day == day, follow_ups.c.reason == SERVICE_DOWN)
    raise_alarm(connection, NOT_TAKEN, day.isoformat(), str(connection.execute(open_tasks).scalar_one()), at)


def _count_not_ours(connection: Connection, others: NotOurs, at: datetime) -> None:
    """Most likely our number in a form that we do not know, or the provider's mistake: nobody gets through to us."""
    day = others.day.isoformat()
    before = json.loads(facts.get_fact(connection, DIALLED_TODAY) or "{}")
    counted: Counter[str] = Counter(before["forms"] if before.get("day") == day else {})
    for each in others.dialled:
        form = each[:_LONGEST_FORM]
        counted[form if form in counted or len(counted) < _MOST_FORMS else _OTHERS] += 1
    facts.set_fact(connection, DIALLED_TODAY, json.dumps({"day": day, "forms": counted}, ensure_ascii=False))
    raise_alarm(connection, NOT_OURS, day, ", ".join(f"{form} ({n})" for form, n in counted.most_common()), at)
