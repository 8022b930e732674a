"""Attempts and calls: written down before they happen, ended exactly once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

from sqlalchemy import Connection, RowMapping, Table, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from ivr.call import CallEvent, CallState, Direction, Ending, Fault, Outcome, step
from ivr.handover import NextStep, PbxRecord
from ivr.storage.leaving import queue_attempt, queue_partial
from ivr.storage.schema import attempts, calls


class AlreadyCalling(Exception):
    """The person or the number has an active attempt: nothing was planned."""


@dataclass(frozen=True)
class Attempt:
    """The decision to ring one number for one person; several persons of a household share one call."""

    id: str
    person_id: str
    number: str
    day: date  #: local day
    slot: str
    planned_at: datetime
    state: CallState = CallState.PLANNED
    outcome: Outcome | None = None  #: for this person: somebody else of the household may have talked
    ended_at: datetime | None = None
    trunk: str = ""  #: by which it is made; empty: of an earlier version
    #: Whose matter the end was, as the call itself told; None: not over, or nobody knows.
    fault: Fault | None = field(default=None, compare=False)
    together_with: str | None = None  #: the attempt that has the call; None: this one


@dataclass(frozen=True)
class Call:
    """One telephone call."""

    id: str  #: also the channel's
    direction: Direction
    started_at: datetime
    attempt_id: str | None = None  #: outbound only
    number: str | None = None  #: None: withheld
    session_id: str | None = None  #: the latest session held on it
    state: CallState = CallState.DIALING
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    cause: int = 0  #: Q.850
    tech_cause: int = 0  #: SIP status
    note: str = ""
    record: PbxRecord | None = None  #: inbound only: what Asterisk's own record says; None: not read
    next_step: NextStep | None = None  #: inbound only: what it leads to; None: not decided
    pressed: bool = False  #: the person pressed a key on it, for the latest session


@dataclass(frozen=True)
class OpenAttempt:
    """A call that has not ended, or an attempt that came to no call yet."""

    attempt_id: str | None  #: None: inbound
    call_id: str | None  #: None: not dialled

    @property
    def id(self) -> str:
        """That of the attempt; of an inbound call, the call's."""
        return self.attempt_id or self.call_id or ""


# Statements of every call are built once: SQLAlchemy takes three times as long to build one as to run it.
_START = insert(calls)
_CALL = select(calls).where(calls.c.id == bindparam("key"))
_CALL_STANDING = select(calls.c.state, calls.c.attempt_id).where(calls.c.id == bindparam("key"))
_OVERDUE_CALLS = select(calls.c.id).where(calls.c.state != CallState.ENDED, calls.c.started_at < bindparam("before"))
_OVERDUE_ATTEMPTS = select(attempts.c.id).where(
    attempts.c.state != CallState.ENDED, attempts.c.planned_at < bindparam("before")
)
#: The attempt whose call an attempt has part in.
_WITH_CALL = func.coalesce(attempts.c.together_with, attempts.c.id)
_OTHER = calls.alias("other")
#: Other calls that live and are in the same session: what it holds leaves with the end of the last of them.
_OTHERS_THERE = (
    select(_OTHER.c.id)
    .join(calls, calls.c.session_id == _OTHER.c.session_id)
    .where(calls.c.id == bindparam("key"), _OTHER.c.id != calls.c.id, _OTHER.c.state != CallState.ENDED)
    .limit(1)
)
_ATTEMPT = select(attempts).where(attempts.c.id == bindparam("key"))
_TOGETHER = select(attempts).where(attempts.c.together_with == bindparam("key")).order_by(attempts.c.id)
_MOVE_TOGETHER = update(attempts).where(
    attempts.c.together_with == bindparam("key"), attempts.c.state == bindparam("before")
)
_ATTEMPT_END = (
    select(attempts.c.outcome, attempts.c.fault, calls.c.tech_cause, calls.c.answered_at)
    .outerjoin(calls, calls.c.attempt_id == attempts.c.id)
    .where(attempts.c.id == bindparam("key"))
)
_CALL_OF_ATTEMPT = select(calls.c.id).where(calls.c.attempt_id == bindparam("key"))
_ATTEMPT_STATE = select(attempts.c.state).where(attempts.c.id == bindparam("key"))
#: Guarded by the state that was read: of two that end one call only one changes the row, on any database.
_STEP = {
    table: update(table).where(table.c.id == bindparam("key"), table.c.state == bindparam("before"))
    for table in (calls, attempts)
}


def plan_attempt(connection: Connection, attempt: Attempt) -> None:
    """Write down that a number is about to be rung.

    Raises AlreadyCalling if the person or the number has an attempt that has not ended.
    """
    try:
        with connection.begin_nested():
            connection.execute(insert(attempts), vars(attempt))
    except IntegrityError:
        # Ask which one it was: what databases say in their errors differs. An unknown person is no such case.
        same_number = and_(attempts.c.number == attempt.number, attempts.c.together_with.is_(None))
        same = or_(attempts.c.person_id == attempt.person_id, same_number)
        active = select(attempts.c.id).where(same, attempts.c.state != CallState.ENDED).limit(1)
        if connection.execute(active).first() is None:
            raise
        raise AlreadyCalling from None


def start_call(connection: Connection, call: Call) -> None:
    """Write down a call: an outbound one before the request to dial is sent, an inbound one when it arrives.

    Moves the attempt of an outbound call from planned to dialing. Raises IllegalTransition if that attempt is under
    way or over (then do not dial), LookupError if it is unknown, IntegrityError for a call id that was used before.
    """
    if call.attempt_id is not None:
        _move_attempt(connection, call.attempt_id, CallEvent.DIAL)
    connection.execute(_START, vars(call))


def answer_call(connection: Connection, call_id: str, at: datetime) -> bool:
    """An outbound call was answered, or an inbound one is ours now. Again: nothing happens.

    False if it is over in the rows: it was given up as lost, and lives all the same. Raises LookupError if it is
    unknown.
    """
    state, attempt_id = _standing(connection, call_id)
    if state is CallState.ENDED:
        return False
    if state is CallState.TALKING:
        unanswered = (calls.c.id == call_id, calls.c.answered_at.is_(None))
        connection.execute(update(calls).where(*unanswered), {"answered_at": at})
        return True
    _move(connection, calls, call_id, state, CallEvent.ANSWER, {"answered_at": at})
    if attempt_id is not None:
        _move_attempt(connection, attempt_id, CallEvent.ANSWER)
    return True


def end_call(
    connection: Connection,
    call_id: str,
    ending: Ending,
    outcome: Outcome,
    at: datetime,
    of: Mapping[str, Outcome] = MappingProxyType({}),
) -> bool:
    """The call is over, and its attempts with it; `outcome` is the final word, `ending` what the network said.

    `of`: person -> what the call came to for them, where that is something else (see end_attempt). False if it had
    ended before: the first end stands. Raises LookupError if it is unknown.
    """
    state, attempt_id = _standing(connection, call_id)
    if attempt_id is not None:
        # Somebody took it: the trunk carried the call.
        fault = Fault.PERSON if state is CallState.TALKING else ending.fault
        end_attempt(connection, attempt_id, outcome, at, fault, of)
    said = {"cause": ending.cause, "tech_cause": ending.tech_cause, "note": ending.note}
    ended = _move(connection, calls, call_id, state, CallEvent.END, {"ended_at": at, "outcome": outcome, **said})
    if ended and connection.execute(_OTHERS_THERE, {"key": call_id}).first() is None:
        queue_partial(connection, call_id, at)
    return ended


def end_attempt(
    connection: Connection,
    attempt_id: str,
    outcome: Outcome,
    at: datetime,
    fault: Fault | None = None,
    of: Mapping[str, Outcome] = MappingProxyType({}),
) -> bool:
    """End an attempt, and those that have their call with it. `of`: person -> an outcome of their own.

    False if it had ended before. Raises LookupError if it is unknown.
    """
    ended = False
    for each in (get_attempt(connection, attempt_id), *attempts_together(connection, attempt_id)):
        values = {"ended_at": at, "outcome": of.get(each.person_id, outcome), "fault": fault}
        if _move(connection, attempts, each.id, each.state, CallEvent.END, values):
            queue_attempt(connection, each.id, at)
            ended = ended or each.id == attempt_id
    return ended


def attempts_together(connection: Connection, attempt_id: str) -> tuple[Attempt, ...]:
    """The attempts to others of the household that share the call of this one."""
    return tuple(attempt_of(row) for row in connection.execute(_TOGETHER, {"key": attempt_id}).mappings())


def _move_attempt(connection: Connection, attempt_id: str, event: CallEvent) -> None:
    """One step of an attempt and of those that share its call. Raises IllegalTransition, LookupError."""
    before = _attempt_state(connection, attempt_id)
    _move(connection, attempts, attempt_id, before, event)
    connection.execute(_MOVE_TOGETHER, {"key": attempt_id, "before": before, "state": step(before, event)})


def _move(
    connection: Connection,
    table: Table,
    key: str,
    before: CallState,
    event: CallEvent,
    values: Mapping[str, object] = MappingProxyType({}),
) -> bool:
    """One step from the state `before`; False if that is the end already. Raises IllegalTransition."""
    after = step(before, event)
    if before is CallState.ENDED:
        return False
    return connection.execute(_STEP[table], {"key": key, "before": before, "state": after, **values}).rowcount == 1


def _standing(connection: Connection, call_id: str) -> tuple[CallState, str | None]:
    found = connection.execute(_CALL_STANDING, {"key": call_id}).first()
    if found is None:
        raise LookupError(f"no call {call_id}")
    return CallState(found.state), found.attempt_id


def _attempt_state(connection: Connection, attempt_id: str) -> CallState:
    found = connection.execute(_ATTEMPT_STATE, {"key": attempt_id}).scalar_one_or_none()
    if found is None:
        raise LookupError(f"no attempt {attempt_id}")
    return CallState(found)


def attempts_of_day(connection: Connection, day: date) -> tuple[Attempt, ...]:
    """All attempts of the local day, in the order in which they were planned."""
    rows = connection.execute(
        select(attempts).where(attempts.c.day == day).order_by(attempts.c.planned_at, attempts.c.id)
    )
    return tuple(attempt_of(row) for row in rows.mappings())


def get_attempt(connection: Connection, attempt_id: str) -> Attempt:
    """Raises LookupError if it is unknown."""
    row = connection.execute(_ATTEMPT, {"key": attempt_id}).mappings().first()
    if row is None:
        raise LookupError(f"no attempt {attempt_id}")
    return attempt_of(row)


def end_of_attempt(connection: Connection, attempt_id: str) -> tuple[Outcome | None, int, bool, Fault | None]:
    """Outcome, SIP status (0: none), whether it was answered, whose matter. Raises LookupError if it is unknown."""
    row = connection.execute(_ATTEMPT_END, {"key": attempt_id}).first()
    if row is None:
        raise LookupError(f"no attempt {attempt_id}")
    return _outcome(row.outcome), row.tech_cause or 0, row.answered_at is not None, _fault(row.fault)


def open_calls(connection: Connection) -> tuple[Call, ...]:
    """Calls that have not ended, oldest first."""
    rows = connection.execute(select(calls).where(calls.c.state != CallState.ENDED).order_by(calls.c.started_at))
    return tuple(_call(row) for row in rows.mappings())


def open_attempts(connection: Connection) -> tuple[OpenAttempt, ...]:
    """Every call that has not ended, and every attempt that has neither ended nor a call."""
    open_calls = select(calls.c.attempt_id, calls.c.id).where(calls.c.state != CallState.ENDED)
    planned = (
        select(_WITH_CALL)
        .distinct()
        .outerjoin(calls, calls.c.attempt_id == _WITH_CALL)
        .where(attempts.c.state != CallState.ENDED, or_(calls.c.id.is_(None), calls.c.state == CallState.ENDED))
    )
    return (
        *(OpenAttempt(row.attempt_id, row.id) for row in connection.execute(open_calls)),
        *(OpenAttempt(each, None) for each in connection.execute(planned).scalars()),
    )


def get_call(connection: Connection, call_id: str) -> Call:
    """Raises LookupError if it is unknown."""
    row = connection.execute(_CALL, {"key": call_id}).mappings().first()
    if row is None:
        raise LookupError(f"no call {call_id}")
    return _call(row)


def close_lost_calls(
    connection: Connection, live_ids: Collection[str], at: datetime, found: Mapping[str, Outcome]
) -> tuple[Call, ...]:
    """End every call without a live channel and every attempt without a live call. The calls ended.

    Their outcome is unknown, unless it was `found` elsewhere (call id -> outcome).

    For recovery, while nothing dials: an attempt planned but not dialled yet ends too, and can then not be dialled.
    """
    lost = tuple(call for call in open_calls(connection) if call.id not in live_ids)
    for call in lost:
        outcome = found.get(call.id, Outcome.UNKNOWN)
        end_call(connection, call.id, Ending(outcome), outcome, at)
    alive = select(calls.c.attempt_id).where(calls.c.state != CallState.ENDED, calls.c.attempt_id.is_not(None))
    orphans = select(attempts.c.id).where(attempts.c.state != CallState.ENDED, _WITH_CALL.not_in(alive))
    for attempt_id in connection.execute(orphans).scalars().all():
        end_attempt(connection, attempt_id, Outcome.UNKNOWN, at)
    return lost


def close_overdue(connection: Connection, begun_before: datetime, at: datetime) -> int:
    """End, as unknown, what began before `begun_before` and has not ended: whoever had to end it could not. How many.

    Nothing stays open for ever: an open call keeps its person from being rung and from being handed to staff.
    """
    overdue = connection.execute(_OVERDUE_CALLS, {"before": begun_before}).scalars().all()
    for call_id in overdue:
        end_call(connection, call_id, Ending(Outcome.UNKNOWN), Outcome.UNKNOWN, at)
    orphans = connection.execute(_OVERDUE_ATTEMPTS, {"before": begun_before}).scalars().all()
    for attempt_id in orphans:
        end_attempt(connection, attempt_id, Outcome.UNKNOWN, at)
    return len(overdue) + len(orphans)


def end_lost(
    connection: Connection, attempt_id: str | None, call_id: str | None, outcome: Outcome, at: datetime
) -> None:
    """End an attempt, and its call if it has one, that whoever held it cannot end any more. The first end stands."""
    if call_id is None:
        call_id = connection.execute(_CALL_OF_ATTEMPT, {"key": attempt_id}).scalar_one_or_none()
    if call_id is not None:
        end_call(connection, call_id, Ending(outcome), outcome, at)
    if attempt_id is not None:
        end_attempt(connection, attempt_id, outcome, at)


def recent_ends(connection: Connection, until: date, limit: int = 20_000) -> tuple[tuple[Outcome, float], ...]:
    """How the latest attempts up to this local day ended, and how long each occupied its line, seconds."""
    wanted = (
        select(attempts.c.outcome, attempts.c.planned_at, attempts.c.ended_at)
        .where(attempts.c.outcome.is_not(None), attempts.c.day <= until, attempts.c.together_with.is_(None))
        .order_by(attempts.c.planned_at.desc())
        .limit(limit)
    )
    return tuple(
        (Outcome(row.outcome), max(0.0, (row.ended_at - row.planned_at).total_seconds()))
        for row in connection.execute(wanted)
    )


def attempt_of(row: RowMapping) -> Attempt:
    """A row of the table of attempts as a record."""
    fixed = {"state": CallState(row["state"]), "outcome": _outcome(row["outcome"]), "fault": _fault(row["fault"])}
    return Attempt(**{**row, **fixed})


def _call(row: RowMapping) -> Call:
    fixed = {
        "direction": Direction(row["direction"]),
        "state": CallState(row["state"]),
        "outcome": _outcome(row["outcome"]),
        "record": None if row["record"] is None else PbxRecord(row["record"]),
        "next_step": None if row["next_step"] is None else NextStep(row["next_step"]),
        "pressed": bool(row["pressed"]),
    }
    return Call(**{**row, **fixed})


def _outcome(stored: str | None) -> Outcome | None:
    return None if stored is None else Outcome(stored)


def _fault(stored: str | None) -> Fault | None:
    return None if stored is None else Fault(stored)
