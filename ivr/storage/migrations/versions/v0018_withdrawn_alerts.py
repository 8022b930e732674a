"""Alerts whose answer the person took back."""

import sqlalchemy as sa
from alembic import op

from ivr.storage.columns import Moment

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alerts", sa.Column("withdrawn_at", Moment(), nullable=True))


def downgrade() -> None:
    op.drop_column("alerts", "withdrawn_at")
