"""Where everybody on the roster stands on one day."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Subquery,
    Table,
    case,
    exists,
    func,
    select,
)

from ivr.call import CallState, Outcome
from ivr.handover import CALLING_GOES_ON
from ivr.questionnaire.outcomes import Level
from ivr.storage.schema import alerts, attempts, calls, follow_ups, people, person_slots, reports, sessions
from ivr.storage.words import Completeness


class DayState(StrEnum):
    """Where a person stands on a day."""

    REPORTED = "reported"  #: completely
    FOLLOW_UP = "follow_up"  #: with staff
    PARTIAL = "partial"
    IN_CALL = "in_call"  #: ringing or talking
    WAITING = "waiting"


@dataclass(frozen=True)
class PersonStatus:
    """One line of the day."""

    person_id: str
    name: str
    kana: str
    slot: str  #: names of the slots, with spaces between
    state: DayState
    partial: bool  #: there are some answers but no complete report, whatever the state
    attempts: int  #: ended or under way, of all slots of the day
    last_outcome: Outcome | None  #: of the attempt that ended last
    follow_ups: tuple[str, ...]  #: reasons of the open ones of the day, sorted
    alerts: tuple[Level, ...]  #: levels of the day's alerts, acknowledged or not, the most urgent first
    period_over: bool = False  #: before the day, and staff have not closed: called all the same, whatever the state


def day_state(*, complete: bool, follow_up: bool, partial: bool, in_call: bool) -> DayState:
    """The one word for a day: what staff would look for first."""
    if complete:
        return DayState.REPORTED
    if follow_up:
        return DayState.FOLLOW_UP
    if partial:
        return DayState.PARTIAL
    return DayState.IN_CALL if in_call else DayState.WAITING


def status_of_day(connection: Connection, day: date) -> tuple[PersonStatus, ...]:
    """Everybody under observation and where they stand on the local day, by kana; in one query."""
    found = []
    for row in connection.execute(_query(day)).mappings():
        complete = bool(row["complete"])
        partial = bool(row["partial"]) and not complete
        reasons = _split(row["reasons"])
        levels = _split(row["levels"])
        found.append(
            PersonStatus(
                person_id=row["id"],
                name=row["name"],
                kana=row["kana"],
                slot=row["slot"] or "",
                state=day_state(
                    complete=complete,
                    # That a period is over, or a message was left, ends no call: such a person is still waited for.
                    follow_up=bool(set(reasons) - {*CALLING_GOES_ON}),
                    partial=partial,
                    in_call=bool(row["in_call"]),
                ),
                partial=partial,
                attempts=row["attempts"],
                last_outcome=Outcome(row["last_outcome"]) if row["last_outcome"] else None,
                follow_ups=reasons,
                alerts=tuple(level for level in Level if level in levels),
                period_over=row["ends"] is not None and row["ends"] < day,
            )
        )
    return tuple(found)


def _split(joined: str | None) -> tuple[str, ...]:
    return tuple(sorted(set(joined.split(",")))) if joined else ()


def _query(day: date) -> Select[Any]:
    reported = _per_person(
        reports,
        day,
        func.max(case((reports.c.completeness == Completeness.COMPLETE, 1), else_=0)).label("complete"),
        func.count().label("any"),
    )
    tried = _per_person(
        attempts,
        day,
        func.count().label("count"),
        func.max(case((attempts.c.state.in_(_ON_THE_LINE), 1), else_=0)).label("active"),
    )
    tasks = _per_person(follow_ups, day, _joined(follow_ups.c.reason).label("reasons"), only=_OPEN)
    talking = _per_person(sessions, day, func.count().label("count"), only=_HELD_ON_A_CALL)
    fired = (
        select(alerts.c.person_id, _joined(alerts.c.level).label("levels"))
        .join(sessions, sessions.c.id == alerts.c.session_id)
        .where(sessions.c.day == day, alerts.c.withdrawn_at.is_(None))
        .group_by(alerts.c.person_id)
        .subquery()
    )
    last = (
        select(attempts.c.outcome)
        .where(attempts.c.day == day, attempts.c.person_id == people.c.id, attempts.c.ended_at.is_not(None))
        .order_by(attempts.c.ended_at.desc(), attempts.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    slots = (
        select(func.aggregate_strings(person_slots.c.slot, " "))
        .where(person_slots.c.person_id == people.c.id)
        .scalar_subquery()
    )
    joined: FromClause = people
    for part in (reported, tried, tasks, talking, fired):
        joined = joined.outerjoin(part, part.c.person_id == people.c.id)
    return (
        select(
            people.c.id,
            people.c.name,
            people.c.kana,
            people.c.ends,
            slots.label("slot"),
            reported.c.complete,
            reported.c.any.label("partial"),
            func.coalesce(tried.c.count, 0).label("attempts"),
            (func.coalesce(tried.c.active, 0) + func.coalesce(talking.c.count, 0)).label("in_call"),
            last.label("last_outcome"),
            tasks.c.reasons,
            fired.c.levels,
        )
        .select_from(joined)
        .where(people.c.closed_at.is_(None))
        .order_by(people.c.kana, people.c.id)
    )


_ON_THE_LINE = (CallState.DIALING, CallState.TALKING)
_OPEN = follow_ups.c.closed_at.is_(None)
_HELD_ON_A_CALL = exists().where(calls.c.session_id == sessions.c.id, calls.c.state != CallState.ENDED)


def _joined(column: Column[str]) -> ColumnElement[str]:
    return func.aggregate_strings(column, ",")


def _per_person(
    table: Table, day: date, *wanted: ColumnElement[Any], only: ColumnElement[bool] | None = None
) -> Subquery:
    """One row a person: the aggregates over the rows of the day."""
    rows = select(table.c.person_id, *wanted).where(table.c.day == day, table.c.person_id.is_not(None))
    return (rows if only is None else rows.where(only)).group_by(table.c.person_id).subquery()
