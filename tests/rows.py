"""What stands in the tables, for tests of whole calls."""

from sqlalchemy import Connection, select

from ivr.call import Outcome
from ivr.storage.schema import answers, attempts, calls, follow_ups, reports, sessions
from ivr.storage.words import Auth


def answer_rows(connection: Connection) -> list[tuple[str, str]]:
    """Every answer ever stored, in order, corrected ones too."""
    return [(row.question_id, row.value) for row in connection.execute(select(answers).order_by(answers.c.id))]


def call_ends(connection: Connection) -> list[tuple[str, Outcome | None]]:
    """State and outcome of each call, in order."""
    return [
        (row.state, row.outcome and Outcome(row.outcome))
        for row in connection.execute(select(calls).order_by(calls.c.started_at))
    ]


def attempt_ends(connection: Connection) -> list[tuple[str, Outcome | None]]:
    """State and outcome of each attempt, in order."""
    wanted = select(attempts).order_by(attempts.c.planned_at, attempts.c.id)
    return [(row.state, row.outcome and Outcome(row.outcome)) for row in connection.execute(wanted)]


def session_ends(connection: Connection) -> list[tuple[str | None, str | None, str]]:
    """Person, claimed ID and status of each session, in order."""
    wanted = select(sessions).order_by(sessions.c.started_at, sessions.c.id)
    return [(row.person_id, row.claimed_id, row.status) for row in connection.execute(wanted)]


def report_ends(connection: Connection) -> list[tuple[str | None, str]]:
    """Person and completeness of each report."""
    wanted = select(reports).order_by(reports.c.created_at, reports.c.id)
    return [(row.person_id, row.completeness) for row in connection.execute(wanted)]


def tasks(connection: Connection) -> list[tuple[str | None, str | None, str]]:
    """Person, claimed ID and reason of each follow-up, closed ones too."""
    wanted = select(follow_ups).order_by(follow_ups.c.id)
    return [(row.person_id, row.claimed_id, row.reason) for row in connection.execute(wanted)]


def calls_and_sessions(connection: Connection) -> list[tuple[str | None, str | None, Auth]]:
    """Person of the session, number and how far the caller is known, of each call that has a session."""
    joined = select(sessions.c.person_id, calls.c.number, sessions.c.auth).join(
        sessions, sessions.c.id == calls.c.session_id
    )
    return [(row.person_id, row.number, Auth(row.auth)) for row in connection.execute(joined)]
