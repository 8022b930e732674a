"""The calls of a day as people read them: who was on the line, when, and how it ended."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from ivr.call import CallState, Direction, Outcome
from ivr.storage.schema import attempts, calls, sessions


@dataclass(frozen=True)
class CallLine:
    """One call."""

    id: str
    direction: Direction
    person_id: str | None  #: who talked last, or whom we rang; None: nobody on the roster
    number: str | None  #: None: withheld
    state: CallState
    outcome: Outcome | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    cause: int  #: Q.850
    tech_cause: int  #: SIP status


def calls_between(connection: Connection, first: datetime, until: datetime) -> tuple[CallLine, ...]:
    """Calls that began from `first` and before `until`, in order."""
    person = func.coalesce(sessions.c.person_id, attempts.c.person_id).label("person_id")
    wanted = (
        select(calls, person)
        .outerjoin(attempts, attempts.c.id == calls.c.attempt_id)
        .outerjoin(sessions, sessions.c.id == calls.c.session_id)
        .where(calls.c.started_at >= first, calls.c.started_at < until)
        .order_by(calls.c.started_at, calls.c.id)
    )
    return tuple(
        CallLine(
            id=row["id"],
            direction=Direction(row["direction"]),
            person_id=row["person_id"],
            number=row["number"],
            state=CallState(row["state"]),
            outcome=Outcome(row["outcome"]) if row["outcome"] else None,
            started_at=row["started_at"],
            answered_at=row["answered_at"],
            ended_at=row["ended_at"],
            cause=row["cause"],
            tech_cause=row["tech_cause"],
        )
        for row in connection.execute(wanted).mappings()
    )
