"""Sessions, and what each of their turns leaves behind: answers, alerts, follow-ups and the report, in one go.

Two calls of one person can be in one session: they ring while we ring them, or ring again while the first call has no
far end any more. The newest living call on which a key came for it holds the session. Nothing is lost of what is
pressed on another call; but silence there ends nothing, fails nothing, and wishes nothing of staff, and its end leaves
the session to the one that holds it. The call that notices this says good-bye.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, bindparam, exists, insert, or_, select, update

from ivr.call import CallState, Ending, Outcome
from ivr.handover import MESSAGE_LEFT
from ivr.questionnaire.model import (
    Answer,
    FollowUpReason,
    NextCall,
    PersonFacts,
    Phase,
    Session,
    SessionStatus,
    Turn,
)
from ivr.storage.calls import end_call
from ivr.storage.followups import (
    NewFollowUp,
    open_follow_up,
    raise_alert,
    settle_could_not_enter,
    settle_hand_overs,
    withdraw_alert,
)
from ivr.storage.leaving import queue_report
from ivr.storage.reports import report_exists
from ivr.storage.schema import answers, calls, reports, sessions
from ivr.storage.voice_messages import Said, store_message
from ivr.storage.words import Auth, Completeness, Source


class AlreadyWaiting(Exception):
    """The person has a session of this day that can be resumed: no second one was opened."""


class HeldElsewhere(Exception):
    """Nobody pressed anything on this call, and its session is held by another one or over: nothing was stored."""


@dataclass(frozen=True)
class StoredSession:
    """A session and whose it is."""

    id: str
    person_id: str | None
    claimed_id: str | None  #: what an unknown caller keyed as ID
    day: date  #: local day the report is for
    language: str
    source: Source
    auth: Auth
    state: Session
    started_at: datetime
    updated_at: datetime


def session_to_json(session: Session) -> str:
    """The session as text; `session_from_json` gives the same back."""
    return json.dumps(session, default=vars, separators=(",", ":"))


def session_from_json(text: str) -> Session:
    """The session that became this text. Fields that a later version adds take their defaults."""
    given: dict[str, Any] = json.loads(text)
    return Session(**{name: _MAKE[name](value) if name in _MAKE else value for name, value in given.items()})


def _person(given: dict[str, Any]) -> PersonFacts:
    call = given.get("next_call")
    return PersonFacts(**{**given, "next_call": NextCall(**call) if call else None})


#: How fields that JSON cannot hold are made from what it holds.
_MAKE: dict[str, Callable[[Any], Any]] = {
    "phase": Phase,
    "status": SessionStatus,
    "answers": lambda given: tuple(Answer(**each) for each in given),
    "alerts": tuple,
    "person": _person,
    "lead_in": tuple,
    "heard": tuple,
    "unsure": tuple,
}


# Statements of every call are built once: SQLAlchemy takes three times as long to build one as to run it.
_BY_ID = select(sessions).where(sessions.c.id == bindparam("key"))
_WAITING = select(sessions).where(
    sessions.c.person_id == bindparam("person"),
    sessions.c.day == bindparam("on_day"),
    sessions.c.status == SessionStatus.WAITING,
)
_THIS = calls.alias("this")
_OTHER = calls.alias("other")
#: Whether a newer call that lives holds the session.
_HELD_ELSEWHERE = (
    exists()
    .where(
        _THIS.c.id == bindparam("call"),
        _OTHER.c.session_id == sessions.c.id,
        _OTHER.c.pressed == 1,
        _OTHER.c.state != CallState.ENDED,
        or_(
            _OTHER.c.started_at > _THIS.c.started_at,
            and_(_OTHER.c.started_at == _THIS.c.started_at, _OTHER.c.id > _THIS.c.id),
        ),
    )
    .correlate(sessions)
)
#: What a turn must know of its session and of its call.
_STANDING = (
    select(
        *(sessions.c[name] for name in ("id", "status", "person_id", "claimed_id", "day", "source", "auth")),
        calls.c.session_id.label("linked"),
        calls.c.pressed,
        _HELD_ELSEWHERE.label("held_elsewhere"),
    )
    .outerjoin(calls, calls.c.id == bindparam("call"))
    .where(sessions.c.id == bindparam("key"))
)
_OPEN = insert(sessions)
_ANSWER = insert(answers)
_CHANGE = update(sessions).where(sessions.c.id == bindparam("key"))
_NUMBER = select(calls.c.number).where(calls.c.id == bindparam("key"))
_LINK = update(calls).where(calls.c.id == bindparam("key"))
_REPORT = insert(reports)
_HAS_REPORT = select(reports.c.id).where(reports.c.session_id == bindparam("key"))
_REPORT_AGAIN = update(reports).where(reports.c.session_id == bindparam("key"))
_STATUS_OF_CALL = (
    select(sessions.c.status)
    .select_from(calls)
    .outerjoin(sessions, sessions.c.id == calls.c.session_id)
    .where(calls.c.id == bindparam("key"))
)


def open_session(connection: Connection, session: StoredSession) -> None:
    """Store a new session. Its questionnaire must be stored before.

    Raises AlreadyWaiting if the person has a waiting session of the day.
    """
    if session.person_id is not None and waiting_session(connection, session.person_id, session.day):
        raise AlreadyWaiting
    _insert(connection, session)


def keep_message(connection: Connection, session: StoredSession, call_id: str, said: Said, at: datetime) -> None:
    """Store a session that is over and holds nothing but a spoken message, and the task of listening to it."""
    _insert(connection, session)
    connection.execute(_LINK, {"key": call_id, "session_id": session.id})
    store_message(connection, said, session.id, call_id, at)
    stranger = session.person_id is None
    number = connection.execute(_NUMBER, {"key": call_id}).scalar_one() if stranger else None
    task = NewFollowUp(session.day, MESSAGE_LEFT, session.person_id, session.claimed_id, session.id, number=number)
    open_follow_up(connection, task, at)


def _insert(connection: Connection, session: StoredSession) -> None:
    connection.execute(
        _OPEN,
        {
            "id": session.id,
            "person_id": session.person_id,
            "claimed_id": session.claimed_id,
            "day": session.day,
            "questionnaire_hash": session.state.questionnaire,
            "language": session.language,
            "source": session.source,
            "auth": session.auth,
            "status": session.state.status,
            "state": session_to_json(session.state),
            "started_at": session.started_at,
            "updated_at": session.updated_at,
        },
    )


def waiting_session(connection: Connection, person_id: str, day: date) -> StoredSession | None:
    """The session of this person and local day that can be resumed, if there is one."""
    row = connection.execute(_WAITING, {"person": person_id, "on_day": day}).mappings().first()
    return _session(row) if row else None


def get_session(connection: Connection, session_id: str) -> StoredSession:
    """Raises LookupError if it is unknown."""
    row = connection.execute(_BY_ID, {"key": session_id}).mappings().first()
    if row is None:
        raise LookupError(f"no session {session_id}")
    return _session(row)


def status_of_call(connection: Connection, call_id: str) -> SessionStatus | None:
    """How far the latest session of a call came; None if it had none. Raises LookupError for an unknown call."""
    row = connection.execute(_STATUS_OF_CALL, {"key": call_id}).first()
    if row is None:
        raise LookupError(f"no call {call_id}")
    return None if row.status is None else SessionStatus(row.status)


def end_talk(
    connection: Connection,
    call_id: str,
    ending: Ending,
    judge: Callable[[SessionStatus | None], Outcome],
    at: datetime,
    of: Mapping[str, Outcome] = MappingProxyType({}),
) -> Outcome:
    """End a call that was answered; its outcome, which `judge` finds from how far its session came.

    `of`: person -> what it came to for them, see end_attempt. Carried out again: the first end stands. Raises
    LookupError for an unknown call.
    """
    outcome = ending.outcome or judge(status_of_call(connection, call_id))
    end_call(connection, call_id, ending, outcome, at, of)
    return outcome


def _session(row: RowMapping) -> StoredSession:
    return StoredSession(
        id=row["id"],
        person_id=row["person_id"],
        claimed_id=row["claimed_id"],
        day=row["day"],
        language=row["language"],
        source=Source(row["source"]),
        auth=Auth(row["auth"]),
        state=session_from_json(row["state"]),
        started_at=row["started_at"],
        updated_at=row["updated_at"],
    )


def save_turn(
    connection: Connection,
    session_id: str,
    call_id: str | None,
    turn: Turn,
    at: datetime,
    said: Sequence[Said] = (),
    pressed: bool = True,
) -> None:
    """Store everything that a turn brought. To be committed before anything of `turn.say` is heard.

    `said`: recordings that it names, their files on the disk. `pressed`: the person did something that led to it.

    Two calls can be in one session: what is answered last counts, nothing is lost, and a session that is over stays
    over. Raises LookupError if the session is unknown, HeldElsewhere if nobody pressed anything and another call holds
    it or ended it.
    """
    session = connection.execute(_STANDING, {"key": session_id, "call": call_id}).first()
    if session is None:
        raise LookupError(f"no session {session_id}")
    status = SessionStatus(session.status)
    holds = status is SessionStatus.WAITING and not session.held_elsewhere
    if not (holds or pressed):
        raise HeldElsewhere(session_id)
    _keep_answers(connection, session_id, call_id, turn, at)
    completes = status is SessionStatus.WAITING and turn.session.status is SessionStatus.COMPLETED
    if holds or completes:
        status = turn.session.status
        connection.execute(
            _CHANGE,
            {"key": session_id, "state": session_to_json(turn.session), "status": status, "updated_at": at},
        )
    has_report = _refresh_report(connection, session, bool(turn.answered), status, at)
    if status is SessionStatus.COMPLETED:
        _settle_tasks(connection, session, at)
    _link(connection, session, call_id, pressed=pressed)
    for each in said:
        store_message(connection, each, session_id, call_id, at)
    _tell_staff(connection, session, turn, at, holds=holds)
    # While the session waits for its next answer, the report leaves when the call is over: see calls.end_call.
    if has_report and status is not SessionStatus.WAITING:
        queue_report(connection, session_id, at)


def _tell_staff(connection: Connection, session: Any, turn: Turn, at: datetime, *, holds: bool) -> None:
    """What the turn fired, took back and wished for."""
    for rule_id in turn.withdrawn:
        withdraw_alert(connection, session.id, rule_id, at)
    for rule in turn.alerts:
        raise_alert(connection, session.id, session.person_id, rule, at)
    for reason in _tasks(connection, session, turn, holds=holds):
        wish = NewFollowUp(session.day, reason, session.person_id, session.claimed_id, session.id)
        open_follow_up(connection, wish, at)


def _keep_answers(connection: Connection, session_id: str, call_id: str | None, turn: Turn, at: datetime) -> None:
    common = {"session_id": session_id, "call_id": call_id, "at": at}
    rows = [{"question_id": each.question, "value": each.value, **common} for each in turn.answered]
    if rows:
        connection.execute(_ANSWER, rows)


def _settle_tasks(connection: Connection, session: Any, at: datetime) -> None:
    """Take from staff what a complete session has answered."""
    # Somebody who only keyed who they are may be anybody: their "I am well" takes no task from staff.
    if session.person_id is not None and Auth(session.auth).is_their_telephone:
        settle_hand_overs(connection, session.person_id, session.day, at)
        settle_could_not_enter(connection, session.person_id, session.day, at)


def _link(connection: Connection, session: Any, call_id: str | None, *, pressed: bool) -> None:
    """The call is in this session; and holds it, once a key came."""
    if call_id is None:
        return
    if session.linked != session.id:
        connection.execute(_LINK, {"key": call_id, "session_id": session.id, "pressed": int(pressed)})
    elif pressed and not session.pressed:
        connection.execute(_LINK, {"key": call_id, "pressed": 1})


def _tasks(connection: Connection, session: Any, turn: Turn, *, holds: bool) -> list[FollowUpReason]:
    """Those of the turn. Not that somebody could not key who goes on, or has reported that day, on another call."""
    if FollowUpReason.COULD_NOT_ENTER not in turn.follow_ups:
        return list(turn.follow_ups)
    reported = session.person_id is not None and report_exists(connection, session.person_id, session.day)
    return [each for each in turn.follow_ups if (holds and not reported) or each is not FollowUpReason.COULD_NOT_ENTER]


def _refresh_report(connection: Connection, session: Any, answered: bool, status: SessionStatus, at: datetime) -> bool:
    """Whether there is one after this turn."""
    complete = status is SessionStatus.COMPLETED
    if not (answered or complete):
        return connection.execute(_HAS_REPORT, {"key": session.id}).first() is not None
    completeness = Completeness.COMPLETE if complete else Completeness.PARTIAL
    refreshed = connection.execute(_REPORT_AGAIN, {"key": session.id, "completeness": completeness, "updated_at": at})
    if refreshed.rowcount:
        return True
    connection.execute(
        _REPORT,
        {
            "id": session.id,  # one report a session: the id needs no second source
            "session_id": session.id,
            "person_id": session.person_id,
            "claimed_id": session.claimed_id,
            "day": session.day,
            "completeness": completeness,
            "source": session.source,
            "auth": session.auth,
            "created_at": at,
            "updated_at": at,
        },
    )
    return True
