"""What people said instead of keying it: one row a recording; the sound is a file beside the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, case, false, func, insert, or_, select, true

from ivr.storage.schema import answers, calls, sessions
from ivr.storage.schema import voice_messages as table

#: In place of a question's id: a message that answers none, which somebody rang to leave.
NO_QUESTION = "-"


@dataclass(frozen=True)
class Said:
    """A recording that is on the disk and has no row yet."""

    id: str  #: the name of its file, without `.wav`
    question: str
    seconds: float


@dataclass(frozen=True)
class VoiceMessage:
    """A recording, and whose it is."""

    id: str
    person_id: str | None  #: None: nobody on the roster
    claimed_id: str | None
    number: str | None  #: from which somebody rang who is not on the roster; None: withheld, or somebody who is
    day: date  #: local day of the session
    session_id: str
    question_id: str
    call_id: str | None
    seconds: float
    at: datetime
    is_answer: bool  #: it counts, and be it as no answer at all; False: something else was said or pressed afterwards


def store_message(connection: Connection, said: Said, session_id: str, call_id: str | None, at: datetime) -> None:
    """Keep what was said. Its session must be stored, and its file be on the disk."""
    values = {"id": said.id, "session_id": session_id, "question_id": said.question, "call_id": call_id}
    connection.execute(insert(table).values(**values, seconds=said.seconds, at=at))


def message_ids(connection: Connection) -> frozenset[str]:
    """Of all recordings."""
    return frozenset(connection.execute(select(table.c.id)).scalars())


def messages_between(connection: Connection, first: date, last: date) -> tuple[VoiceMessage, ...]:
    """Recordings of the local days `first` to `last` (inclusive), oldest first."""
    return _found(connection, sessions.c.day.between(first, last))


def messages_like(connection: Connection, beginning: str) -> tuple[VoiceMessage, ...]:
    """Recordings whose id begins so, oldest first."""
    return _found(connection, table.c.id.startswith(beginning, autoescape=True) if beginning else true())


def _found(connection: Connection, wanted: ColumnElement[bool]) -> tuple[VoiceMessage, ...]:
    of_question = and_(answers.c.session_id == table.c.session_id, answers.c.question_id == table.c.question_id)
    last = select(answers.c.value).where(of_question).order_by(answers.c.id.desc()).limit(1).scalar_subquery()
    counts = or_(table.c.question_id == NO_QUESTION, func.coalesce(last == table.c.id, false()))
    is_answer = counts.label("is_answer")
    number = case((sessions.c.person_id.is_(None), calls.c.number)).label("number")
    columns = (table, sessions.c.person_id, sessions.c.claimed_id, number, sessions.c.day, is_answer)
    both = table.join(sessions, sessions.c.id == table.c.session_id).outerjoin(calls, calls.c.id == table.c.call_id)
    rows = select(*columns).select_from(both).where(wanted)
    return tuple(_message(row) for row in connection.execute(rows.order_by(table.c.at, table.c.id)).mappings())


def _message(row: RowMapping) -> VoiceMessage:
    values: Mapping[str, Any] = {**row, "is_answer": bool(row["is_answer"])}
    return VoiceMessage(**values)
