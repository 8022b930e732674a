"""From which telephones keys were heard."""

import sqlalchemy as sa
from alembic import op

from ivr.storage.columns import Moment

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "telephones",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("keys_at", Moment(), nullable=True),
        sa.Column("silent_at", Moment(), nullable=True),
        sa.CheckConstraint("keys_at IS NOT NULL OR silent_at IS NOT NULL", name=op.f("ck_telephones_known")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_telephones")),
        sqlite_strict=True,
    )
