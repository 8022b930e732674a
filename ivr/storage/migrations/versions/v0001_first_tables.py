"""The first tables."""

import sqlalchemy as sa
from alembic import op

from ivr.storage.columns import Day, Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_OUTCOMES = (
    "outcome IN ('answered', 'busy', 'no_answer', 'unreachable', 'bad_number', 'rejected', 'congestion', 'no_key', "
    "'cut_off', 'failed', 'unknown')"
)


def upgrade() -> None:
    op.create_table(
        "facts",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_facts")),
        sqlite_strict=True,
    )
    op.create_table(
        "people",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kana", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), server_default="ja", nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("closed_at", Moment(), nullable=True),
        sa.CheckConstraint("length(id) BETWEEN 6 AND 8", name=op.f("ck_people_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sqlite_strict=True,
    )
    op.create_table(
        "questionnaires",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("stored_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_questionnaires")),
        sqlite_strict=True,
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("day", Day(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("planned_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.CheckConstraint(
            "(state = 'ended') = (outcome IS NOT NULL) AND (state = 'ended') = (ended_at IS NOT NULL)",
            name=op.f("ck_attempts_ended"),
        ),
        sa.CheckConstraint(
            _OUTCOMES,
            name=op.f("ck_attempts_outcome"),
        ),
        sa.CheckConstraint("state IN ('planned', 'dialing', 'talking', 'ended')", name=op.f("ck_attempts_state")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_attempts_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_attempts_day_person_id"), "attempts", ["day", "person_id"], unique=False)
    op.create_index(
        "one_active_attempt_per_number",
        "attempts",
        ["number"],
        unique=True,
        sqlite_where=sa.text("state <> 'ended'"),
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.create_index(
        "one_active_attempt_per_person",
        "attempts",
        ["person_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'ended'"),
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.create_table(
        "numbers",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_numbers_person_id")),
        sa.PrimaryKeyConstraint("person_id", "position", name=op.f("pk_numbers")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_numbers_number"), "numbers", ["number"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("claimed_id", sa.Text(), nullable=True),
        sa.Column("day", Day(), nullable=False),
        sa.Column("questionnaire_hash", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("auth", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.CheckConstraint("auth IN ('registered_number', 'keyed_id', 'outbound')", name=op.f("ck_sessions_auth")),
        sa.CheckConstraint(
            "source IN ('automatic_call', 'health_call', 'self_entry')", name=op.f("ck_sessions_source")
        ),
        sa.CheckConstraint(
            "status IN ('waiting', 'completed', 'ended_early', 'gave_up')", name=op.f("ck_sessions_status")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sessions_person_id")),
        sa.ForeignKeyConstraint(
            ["questionnaire_hash"], ["questionnaires.hash"], name=op.f("fk_sessions_questionnaire_hash")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_sessions_person_id_day"), "sessions", ["person_id", "day"], unique=False)
    op.create_index(
        "one_waiting_session",
        "sessions",
        ["person_id", "day"],
        unique=True,
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("acknowledged_at", Moment(), nullable=True),
        sa.CheckConstraint("level IN ('emergency', 'urgent')", name=op.f("ck_alerts_level")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_alerts_person_id")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_alerts_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("one_alert_per_rule", "alerts", ["session_id", "rule"], unique=True)
    op.create_table(
        "calls",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=True),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("answered_at", Moment(), nullable=True),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("cause", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tech_cause", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(state = 'ended') = (outcome IS NOT NULL) AND (state = 'ended') = (ended_at IS NOT NULL)",
            name=op.f("ck_calls_ended"),
        ),
        sa.CheckConstraint("direction IN ('outbound', 'inbound')", name=op.f("ck_calls_direction")),
        sa.CheckConstraint(
            _OUTCOMES,
            name=op.f("ck_calls_outcome"),
        ),
        sa.CheckConstraint("state IN ('planned', 'dialing', 'talking', 'ended')", name=op.f("ck_calls_state")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name=op.f("fk_calls_attempt_id")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_calls_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_calls_session_id"), "calls", ["session_id"], unique=False)
    op.create_index("one_call_per_attempt", "calls", ["attempt_id"], unique=True)
    op.create_index(
        "open_calls",
        "calls",
        ["started_at"],
        unique=False,
        sqlite_where=sa.text("state <> 'ended'"),
        postgresql_where=sa.text("state <> 'ended'"),
    )
    op.create_table(
        "follow_ups",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("claimed_id", sa.Text(), nullable=True),
        sa.Column("day", Day(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("attempt_id", sa.Text(), nullable=True),
        sa.Column("due_at", Moment(), nullable=True),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("closed_at", Moment(), nullable=True),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_follow_ups_reason")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name=op.f("fk_follow_ups_attempt_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_follow_ups_person_id")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_follow_ups_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_ups")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_follow_ups_day_person_id"), "follow_ups", ["day", "person_id"], unique=False)
    op.create_index(
        "one_open_follow_up",
        "follow_ups",
        ["person_id", "day", "reason"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "reports",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("claimed_id", sa.Text(), nullable=True),
        sa.Column("day", Day(), nullable=False),
        sa.Column("completeness", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("auth", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.CheckConstraint("auth IN ('registered_number', 'keyed_id', 'outbound')", name=op.f("ck_reports_auth")),
        sa.CheckConstraint("completeness IN ('complete', 'partial')", name=op.f("ck_reports_completeness")),
        sa.CheckConstraint("source IN ('automatic_call', 'health_call', 'self_entry')", name=op.f("ck_reports_source")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_reports_person_id")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_reports_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("session_id", name=op.f("uq_reports_session_id")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_reports_day_person_id"), "reports", ["day", "person_id"], unique=False)
    op.create_table(
        "answers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("question_id", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=True),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_answers_call_id")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_answers_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_answers_session_id"), "answers", ["session_id"], unique=False)
