"""What people said instead of keying it."""

import sqlalchemy as sa
from alembic import op

from ivr.storage.columns import Moment

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "voice_messages",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("question_id", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=True),
        sa.Column("seconds", sa.REAL(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.CheckConstraint("seconds > 0", name=op.f("ck_voice_messages_seconds")),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_voice_messages_call_id")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_voice_messages_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voice_messages")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_voice_messages_session_id"), "voice_messages", ["session_id"], unique=False)
