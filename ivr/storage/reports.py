"""Reports of a day, and the rows of an export."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, RowMapping, bindparam, select

from ivr.export import ReportRow
from ivr.storage.schema import alerts, answers, follow_ups, reports, sessions
from ivr.storage.words import Auth, Completeness, Source


@dataclass(frozen=True)
class Report:
    """A finished or broken-off session of a day, or what came from outside."""

    id: str
    session_id: str | None  #: None: came from outside
    person_id: str | None
    claimed_id: str | None
    day: date  #: local day
    completeness: Completeness
    source: Source
    auth: Auth
    created_at: datetime
    updated_at: datetime


def reports_of_day(connection: Connection, day: date) -> tuple[Report, ...]:
    """All reports of the local day, partial ones too, in the order in which they began."""
    return tuple(_report(row) for row in _rows(connection, reports.c.day == day))


#: Built once: every call asks.
_COMPLETE = (
    select(reports.c.id)
    .where(
        reports.c.completeness == Completeness.COMPLETE,
        reports.c.person_id == bindparam("person"),
        reports.c.day == bindparam("on_day"),
    )
    .limit(1)
)


def report_exists(connection: Connection, person_id: str, day: date) -> bool:
    """Whether the person has a complete report of the local day, from any source."""
    return connection.execute(_COMPLETE, {"person": person_id, "on_day": day}).first() is not None


_LAST_COMPLETE = (
    select(reports.c.session_id)
    .where(
        reports.c.completeness == Completeness.COMPLETE,
        reports.c.person_id == bindparam("person"),
        reports.c.session_id.is_not(None),
        # A report of today that is corrected now is not compared with itself.
        reports.c.day < bindparam("before"),
    )
    .order_by(reports.c.day.desc(), reports.c.updated_at.desc())
    .limit(1)
    .scalar_subquery()
)
_LAST_ANSWERS = select(answers).where(answers.c.session_id == _LAST_COMPLETE).order_by(answers.c.id)


def last_report(connection: Connection, person_id: str, before: date) -> Mapping[str, str]:
    """Question id -> the last value, of the person's latest complete report of an earlier day; empty: there is none."""
    rows = connection.execute(_LAST_ANSWERS, {"person": person_id, "before": before})
    return {row.question_id: row.value for row in rows}


_WENT_THROUGH = (
    select(reports.c.id)
    .join(sessions, sessions.c.id == reports.c.session_id)
    .where(
        reports.c.completeness == Completeness.COMPLETE,
        reports.c.person_id == bindparam("person"),
        reports.c.day < bindparam("before"),
        sessions.c.questionnaire_hash == bindparam("version"),
    )
    .limit(1)
)


def went_through(connection: Connection, person_id: str, version: str, before: date) -> bool:
    """Whether the person has a complete report of an earlier day by this version of the questions (its hash)."""
    given = {"person": person_id, "before": before, "version": version}
    return connection.execute(_WENT_THROUGH, given).first() is not None


def export_rows(connection: Connection, first: date, last: date) -> tuple[ReportRow, ...]:
    """Every report of the local days `first` to `last` (inclusive), by day and then in the order they began."""
    wanted = reports.c.day.between(first, last)
    # A later answer to the same question corrects an earlier one.
    given: dict[str, dict[str, str]] = defaultdict(dict)
    by_session = select(answers).join(reports, reports.c.session_id == answers.c.session_id)
    for row in connection.execute(by_session.where(wanted).order_by(answers.c.id)).mappings():
        given[row["session_id"]][row["question_id"]] = row["value"]
    standing = (alerts.c.session_id == reports.c.session_id) & alerts.c.withdrawn_at.is_(None)
    fired = _gather(connection, alerts, "rule", wanted, standing)
    same_person = (follow_ups.c.person_id == reports.c.person_id) & (follow_ups.c.day == reports.c.day)
    tasks = _gather(
        connection, follow_ups, "reason", wanted, same_person | (follow_ups.c.session_id == reports.c.session_id)
    )
    asked = select(sessions.c.id, sessions.c.questionnaire_hash).join(reports, reports.c.session_id == sessions.c.id)
    found = _rows(connection, wanted)
    # By when they began; rows come in that order, so the last one wins.
    latest = {
        (row["person_id"], row["day"]): at
        for at, row in enumerate(found)
        if row["completeness"] == Completeness.COMPLETE and row["person_id"] is not None
    }
    versions = {row.id: row.questionnaire_hash for row in connection.execute(asked.where(wanted))}
    return tuple(
        ReportRow(
            report_id=row["id"],
            version=versions.get(row["session_id"]),
            answers=given[row["session_id"]],
            alerts=fired[row["id"]],
            follow_ups=tasks[row["id"]],
            superseded=at < latest.get((row["person_id"], row["day"]), -1),
            **{name: row[name] for name in _SAME},
        )
        for at, row in enumerate(found)
    )


_SAME = ("day", "person_id", "claimed_id", "completeness", "source", "auth", "created_at", "updated_at")


def _gather(
    connection: Connection, table: FromClause, column: str, wanted: ColumnElement[bool], on: ColumnElement[bool]
) -> defaultdict[str, tuple[str, ...]]:
    """Report id -> the different values of a column of the rows that belong to it, oldest first."""
    joined = select(reports.c.id, table.c[column]).join_from(reports, table, on).where(wanted).order_by(table.c.id)
    found: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for report_id, value in connection.execute(joined):
        if value not in found[report_id]:
            found[report_id] += (value,)
    return found


def _rows(connection: Connection, wanted: ColumnElement[bool]) -> list[RowMapping]:
    ordered = select(reports).where(wanted).order_by(reports.c.day, reports.c.created_at, reports.c.id)
    return list(connection.execute(ordered).mappings())


def _report(row: RowMapping) -> Report:
    enums: dict[str, Any] = {
        "completeness": Completeness(row["completeness"]),
        "source": Source(row["source"]),
        "auth": Auth(row["auth"]),
    }
    return Report(**{**row, **enums})
