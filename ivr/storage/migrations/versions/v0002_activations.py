"""Who put which version of the questionnaire in force."""

import sqlalchemy as sa
from alembic import op

from ivr.storage.columns import Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "activations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("by_whom", sa.Text(), nullable=True),
        sa.Column("hash", sa.Text(), nullable=True),
        sa.Column("file_hash", sa.Text(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("problems", sa.Text(), server_default="[]", nullable=False),
        sa.Column("wished_at", Moment(), nullable=False),
        sa.Column("decided_at", Moment(), nullable=True),
        sa.Column("decided", sa.Integer(), nullable=True),
        sa.CheckConstraint("cause IN ('started', 'saved', 'reload', 'activate')", name=op.f("ck_activations_cause")),
        sa.CheckConstraint("verdict IN ('wished', 'done', 'refused')", name=op.f("ck_activations_verdict")),
        sa.CheckConstraint("(verdict = 'wished') = (decided IS NULL)", name=op.f("ck_activations_decided")),
        sa.CheckConstraint("verdict <> 'done' OR hash IS NOT NULL", name=op.f("ck_activations_known")),
        sa.ForeignKeyConstraint(["hash"], ["questionnaires.hash"], name=op.f("fk_activations_hash")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activations")),
        sa.UniqueConstraint("decided", name=op.f("uq_activations_decided")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
