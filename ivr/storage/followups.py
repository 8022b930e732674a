"""Tasks for staff: follow-ups, and alerts that await their acknowledgement."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, bindparam, insert, select, update

from ivr.handover import SERVICE_DOWN, TURNED_AWAY, HandOver
from ivr.questionnaire.outcomes import FollowUpReason, Level
from ivr.storage.facts import get_fact, set_fact
from ivr.storage.leaving import queue_alert
from ivr.storage.schema import alerts, follow_ups

if TYPE_CHECKING:  # who only reads tasks needs no questionnaire
    from ivr.questionnaire.model import AlertRule

#: Until a service has said otherwise: `dialling.follow_up_minutes` where it is left out.
FOLLOW_UP_MINUTES = 60.0
#: The fact that holds what the running service goes by.
_MINUTES = "service.follow_up_minutes"


@dataclass(frozen=True)
class NewFollowUp:
    """A follow-up to be opened. Without person and claimed id it belongs to its session."""

    day: date  #: local day
    reason: str  #: id, such as `call_wished`
    person_id: str | None = None
    claimed_id: str | None = None  #: what an unknown caller keyed as ID
    session_id: str | None = None
    attempt_id: str | None = None
    due_at: datetime | None = None  #: by when staff should have done it; None: as soon as the settings say
    number: str | None = None  #: of an unknown caller, if it could be rung back


@dataclass(frozen=True)
class FollowUp:
    """A follow-up as stored; see NewFollowUp."""

    id: int
    day: date
    reason: str
    person_id: str | None
    claimed_id: str | None
    session_id: str | None
    attempt_id: str | None
    due_at: datetime
    number: str | None
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True)
class Alert:
    """An alert as stored."""

    id: int
    session_id: str
    person_id: str | None
    rule: str
    level: Level
    reason: Mapping[str, str]  #: language -> text, as it was when it fired
    at: datetime
    acknowledged_at: datetime | None
    withdrawn_at: datetime | None  #: when the person took back the answer that fired it


#: Built once: every report runs it.
_SETTLE = update(follow_ups).where(
    follow_ups.c.person_id == bindparam("person"),
    follow_ups.c.day == bindparam("on_day"),
    follow_ups.c.reason.in_((*HandOver, TURNED_AWAY, SERVICE_DOWN)),
    follow_ups.c.closed_at.is_(None),
)

_SETTLE_COULD_NOT_ENTER = update(follow_ups).where(
    follow_ups.c.person_id == bindparam("person"),
    follow_ups.c.day == bindparam("on_day"),
    follow_ups.c.reason == FollowUpReason.COULD_NOT_ENTER,
    follow_ups.c.closed_at.is_(None),
)

_NEW = tuple(field.name for field in fields(NewFollowUp))


def set_follow_up_minutes(connection: Connection, minutes: float) -> None:
    """How soon staff should have done what has no deadline of its own; the service says so when it starts."""
    set_fact(connection, _MINUTES, str(minutes))


def open_follow_up(connection: Connection, new: NewFollowUp, at: datetime) -> bool:
    """Open it, with a deadline; False if the same person has an open one for the same day and reason already."""
    same = [follow_ups.c.closed_at.is_(None), follow_ups.c.day == new.day, follow_ups.c.reason == new.reason]
    if new.person_id is not None:
        same.append(follow_ups.c.person_id == new.person_id)
    else:
        same.append(follow_ups.c.person_id.is_(None))
        same += [follow_ups.c[each].is_not_distinct_from(getattr(new, each)) for each in ("claimed_id", "number")]
        if new.claimed_id is None:
            same.append(follow_ups.c.session_id.is_not_distinct_from(new.session_id))
    if connection.execute(select(follow_ups.c.id).where(*same).limit(1)).first():
        return False
    values = {name: getattr(new, name) for name in _NEW}
    due_at = new.due_at or at + timedelta(minutes=float(get_fact(connection, _MINUTES) or FOLLOW_UP_MINUTES))
    connection.execute(insert(follow_ups), values | {"due_at": due_at, "opened_at": at})
    return True


def open_follow_ups(connection: Connection, day: date | None = None) -> tuple[FollowUp, ...]:
    """What staff still have to do, of all days or of one; the oldest first."""
    wanted = select(follow_ups).where(follow_ups.c.closed_at.is_(None)).order_by(follow_ups.c.id)
    if day is not None:
        wanted = wanted.where(follow_ups.c.day == day)
    return tuple(FollowUp(**row) for row in connection.execute(wanted).mappings())


def close_follow_up(connection: Connection, follow_up_id: int, at: datetime) -> bool:
    """Staff did it. False if it was closed before or there is none."""
    return _set_once(connection, follow_ups.c.closed_at, follow_up_id, at)


def close_for_session(connection: Connection, session_id: str, reason: str, at: datetime) -> int:
    """What the follow-up of a session was opened for has happened. How many were closed."""
    same = (follow_ups.c.session_id == session_id, follow_ups.c.reason == reason, follow_ups.c.closed_at.is_(None))
    return connection.execute(update(follow_ups).where(*same).values(closed_at=at)).rowcount


def settle_hand_overs(connection: Connection, person_id: str, day: date, at: datetime) -> int:
    """A complete report came in after all: staff need not ring about that day any more. How many were closed.

    Wishes for a call stay, and what the person could not key: a report from elsewhere does not answer those.
    """
    return connection.execute(_SETTLE, {"person": person_id, "on_day": day, "closed_at": at}).rowcount


def settle_could_not_enter(connection: Connection, person_id: str, day: date, at: datetime) -> int:
    """The person keyed the whole report after all: perhaps nobody had been on the call before. How many were closed."""
    values = {"person": person_id, "on_day": day, "closed_at": at}
    return connection.execute(_SETTLE_COULD_NOT_ENTER, values).rowcount


def raise_alert(
    connection: Connection, session_id: str, person_id: str | None, rule: "AlertRule", at: datetime
) -> bool:
    """Store that a rule fired, and tell the centre; False if it has fired in this session before.

    One that was withdrawn and fires again stands again.
    """
    same = (alerts.c.session_id == session_id, alerts.c.rule == rule.id)
    if connection.execute(select(alerts.c.id).where(*same)).first():
        again = update(alerts).where(*same, alerts.c.withdrawn_at.is_not(None))
        return connection.execute(again.values(withdrawn_at=None, at=at)).rowcount == 1
    values = {
        "session_id": session_id,
        "person_id": person_id,
        "rule": rule.id,
        "level": rule.level,
        "reason": json.dumps(dict(rule.reason), ensure_ascii=False),
        "at": at,
    }
    connection.execute(insert(alerts), values)
    queue_alert(connection, session_id, values, at)
    return True


def withdraw_alert(connection: Connection, session_id: str, rule: str, at: datetime) -> bool:
    """The person took back the answer that fired it: it stays, with when; False if there is none that stands."""
    same = (alerts.c.session_id == session_id, alerts.c.rule == rule, alerts.c.withdrawn_at.is_(None))
    return connection.execute(update(alerts).where(*same).values(withdrawn_at=at)).rowcount == 1


def open_alerts(connection: Connection) -> tuple[Alert, ...]:
    """Alerts that nobody has acknowledged and the person has not taken back, the oldest first."""
    standing = (alerts.c.acknowledged_at.is_(None), alerts.c.withdrawn_at.is_(None))
    rows = connection.execute(select(alerts).where(*standing).order_by(alerts.c.id))
    return tuple(
        Alert(**{**row, "level": Level(row["level"]), "reason": json.loads(row["reason"])}) for row in rows.mappings()
    )


def acknowledge_alert(connection: Connection, alert_id: int, at: datetime) -> bool:
    """Staff saw it. False if somebody had before or there is none."""
    return _set_once(connection, alerts.c.acknowledged_at, alert_id, at)


def _set_once(connection: Connection, column: Column[datetime], key: int, at: datetime) -> bool:
    table = column.table
    return (
        connection.execute(update(table).where(table.c.id == key, column.is_(None)).values({column: at})).rowcount == 1
    )
