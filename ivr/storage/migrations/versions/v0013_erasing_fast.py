"""Indexes by which the rows about somebody are found without reading whole tables, so that erasing holds up no call."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INDEXES = (
    ("attempts", "person_id"),
    ("attempts", "number"),
    ("calls", "number"),
    ("voice_messages", "call_id"),
    ("reports", "person_id"),
    ("follow_ups", "person_id"),
    ("follow_ups", "session_id"),
    ("follow_ups", "attempt_id"),
    ("alerts", "person_id"),
    ("conflicts", "person_id"),
)
PARTIAL = (
    ("sessions_of_nobody", "sessions", "claimed_id", "person_id IS NULL"),
    ("reports_of_nobody", "reports", "claimed_id", "person_id IS NULL"),
    ("follow_ups_of_nobody", "follow_ups", "claimed_id", "person_id IS NULL"),
    ("follow_ups_with_number", "follow_ups", "number", "number IS NOT NULL"),
)


def upgrade() -> None:
    for table, column in INDEXES:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)
    for name, table, column, where in PARTIAL:
        op.create_index(name, table, [column], unique=False, sqlite_where=sa.text(where))
