"""Puts into the outbox what is to leave, in the transaction in which it comes to be: reports, alerts, attempts."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, exists, func, select

from ivr.storage.outbox import last_revision, next_sequence, put
from ivr.storage.schema import alerts, answers, attempts, calls, questionnaires, reports, sessions
from ivr.storage.schema_outbox import outbox
from ivr.storage.words import Completeness
from ivr.sync.documents import (
    AlertDocument,
    CallDocument,
    FiredAlert,
    GivenAnswer,
    Kind,
    ReportDocument,
    same_content,
    unit_of,
)

# Statements of every call are built once: SQLAlchemy takes three times as long to build one as to run it.
_REPORT = (
    select(reports, sessions.c.language, sessions.c.questionnaire_hash, questionnaires.c.id.label("questionnaire"))
    .select_from(reports)
    .outerjoin(sessions, sessions.c.id == reports.c.session_id)
    .outerjoin(questionnaires, questionnaires.c.hash == sessions.c.questionnaire_hash)
    .where(reports.c.id == bindparam("key"))
)
_SESSION = (
    select(sessions, questionnaires.c.id.label("questionnaire"))
    .join(questionnaires, questionnaires.c.hash == sessions.c.questionnaire_hash)
    .where(sessions.c.id == bindparam("key"))
)
_ANSWERS = select(answers).where(answers.c.session_id == bindparam("of")).order_by(answers.c.id)
_ALERTS = (
    select(alerts).where(alerts.c.session_id == bindparam("of"), alerts.c.withdrawn_at.is_(None)).order_by(alerts.c.id)
)
_SLOT = (
    select(attempts.c.slot)
    .join(calls, calls.c.attempt_id == attempts.c.id)
    .where(calls.c.session_id == bindparam("of"))
    .order_by(calls.c.started_at.desc(), calls.c.id)
    .limit(1)
)
_PARTIAL = (
    select(reports.c.id)
    .join(calls, calls.c.session_id == reports.c.session_id)
    .where(calls.c.id == bindparam("call"), reports.c.completeness == Completeness.PARTIAL)
)
#: What the person said on the call of the attempt: others of the household may have reported on it, too.
_SAID = (
    select(reports.c.id)
    .join(answers, answers.c.session_id == reports.c.session_id)
    .where(answers.c.call_id == calls.c.id, reports.c.person_id == attempts.c.person_id)
    .limit(1)
    .correlate(calls, attempts)
    .scalar_subquery()
)
_ATTEMPT = (
    select(attempts, calls.c.answered_at, func.coalesce(reports.c.id, _SAID).label("report"))
    .outerjoin(calls, calls.c.attempt_id == func.coalesce(attempts.c.together_with, attempts.c.id))
    .outerjoin(reports, and_(reports.c.session_id == calls.c.session_id, reports.c.person_id == attempts.c.person_id))
    .where(attempts.c.id == bindparam("key"))
)
_MISSING = (
    select(reports.c.id)
    # What came from elsewhere never goes back.
    .where(
        reports.c.session_id.is_not(None),
        ~exists().where(outbox.c.kind == Kind.REPORT, outbox.c.subject == reports.c.id),
    )
    .order_by(reports.c.created_at, reports.c.id)
    .limit(bindparam("most"))
)


def queue_report(connection: Connection, report_id: str, at: datetime) -> bool:
    """Freeze a report as it stands; False if that has been frozen before. Raises LookupError if it is unknown.

    To be called whenever a report changed and nobody is about to change it further: at the end of its session, at
    the end of a call that broke off, and for every correction after that.
    """
    row = connection.execute(_REPORT, {"key": report_id}).mappings().first()
    if row is None:
        raise LookupError(f"no report {report_id}")
    about = row["person_id"] or report_id
    before = last_revision(connection, report_id)
    document = ReportDocument(
        report_id=report_id,
        revision=before.revision + 1 if before else 1,
        sequence=next_sequence(connection, about),
        frozen_at=at,
        person_id=row["person_id"],
        claimed_id=row["claimed_id"],
        day=row["day"],
        slot=connection.execute(_SLOT, {"of": row["session_id"]}).scalar(),
        completeness=row["completeness"],
        source=row["source"],
        auth=row["auth"],
        language=row["language"],
        questionnaire=row["questionnaire"],
        version=row["questionnaire_hash"],
        began_at=row["created_at"],
        changed_at=row["updated_at"],
        answers=_answers(connection, row["session_id"]),
        alerts=_alerts(connection, row["session_id"]),
    )
    if before is not None and same_content(before, document):
        return False
    put(connection, about, document)
    return True


def queue_partial(connection: Connection, call_id: str, at: datetime) -> None:
    """A call is over: what it brought of a report that is not complete leaves, unless it has left before.

    Perhaps nobody ever goes on with it.
    """
    for report_id in connection.execute(_PARTIAL, {"call": call_id}).scalars():
        queue_report(connection, report_id, at)


def queue_alert(connection: Connection, session_id: str, alert: Mapping[str, Any], at: datetime) -> None:
    """Freeze an alert of a session (`alert`: the values of its row), with the answers of this moment."""
    row = connection.execute(_SESSION, {"key": session_id}).mappings().one()
    about = row["person_id"] or session_id
    document = AlertDocument(
        report_id=session_id,
        sequence=next_sequence(connection, about),
        frozen_at=at,
        person_id=row["person_id"],
        claimed_id=row["claimed_id"],
        day=row["day"],
        questionnaire=row["questionnaire"],
        version=row["questionnaire_hash"],
        alert=_fired(alert),
        answers=_answers(connection, session_id),
    )
    put(connection, about, document)


def queue_attempt(connection: Connection, attempt_id: str, at: datetime) -> None:
    """Freeze an attempt that has ended."""
    row = connection.execute(_ATTEMPT, {"key": attempt_id}).mappings().one()
    document = CallDocument(
        attempt_id=attempt_id,
        sequence=next_sequence(connection, row["person_id"]),
        frozen_at=at,
        person_id=row["person_id"],
        day=row["day"],
        slot=row["slot"],
        outcome=row["outcome"],
        planned_at=row["planned_at"],
        answered_at=row["answered_at"],
        ended_at=row["ended_at"],
        report_id=row["report"],
    )
    put(connection, row["person_id"], document)


def queue_missing(connection: Connection, most: int, at: datetime) -> int:
    """Freeze up to `most` reports that were never frozen: those of a version that had no outbox. How many there were.

    For the start of a service, while no call is going on: a report under way would leave by halves.
    """
    missing = connection.execute(_MISSING, {"most": most}).scalars().all()
    for report_id in missing:
        queue_report(connection, report_id, at)
    return len(missing)


def _answers(connection: Connection, session_id: str | None) -> tuple[GivenAnswer, ...]:
    """The last answer to each question: a later one corrects an earlier one."""
    given: dict[str, GivenAnswer] = {}
    for row in connection.execute(_ANSWERS, {"of": session_id}):
        unit = unit_of(row.question_id, row.value)
        given[row.question_id] = GivenAnswer(row.question_id, row.value, unit, row.at)
    return tuple(given.values())


def _alerts(connection: Connection, session_id: str | None) -> tuple[FiredAlert, ...]:
    return tuple(_fired({**row}) for row in connection.execute(_ALERTS, {"of": session_id}).mappings())


def _fired(row: Mapping[str, Any]) -> FiredAlert:
    return FiredAlert(row["rule"], str(row["level"]), json.loads(row["reason"]), row["at"])
