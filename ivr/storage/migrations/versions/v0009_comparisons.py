"""Comparing days with the centre."""

import sqlalchemy as sa
from alembic import op

from ivr.storage.columns import Day, Moment

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "comparisons",
        sa.Column("day", Day(), nullable=False),
        sa.Column("compared_at", Moment(), nullable=False),
        sa.Column("here", sa.Integer(), nullable=False),
        sa.Column("there", sa.Integer(), nullable=False),
        sa.Column("unsent", sa.Integer(), nullable=False),
        sa.Column("differences", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "here >= 0 AND there >= 0 AND unsent >= 0 AND differences >= 0", name=op.f("ck_comparisons_counts")
        ),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_comparisons")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_outbox_queued_at"), "outbox", ["queued_at"], unique=False)
