"""One call for several persons of a household: an attempt for each, and which of them has the call."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_OWN = "state <> 'ended' AND together_with IS NULL"
_TOGETHER = "together_with IS NOT NULL"


def upgrade() -> None:
    op.add_column("attempts", sa.Column("together_with", sa.Text(), nullable=True))
    op.drop_index("one_active_attempt_per_number", "attempts")
    op.create_index(
        "one_active_attempt_per_number",
        "attempts",
        ["number"],
        unique=True,
        sqlite_where=sa.text(_OWN),
        postgresql_where=sa.text(_OWN),
    )
    op.create_index(
        "attempts_together",
        "attempts",
        ["together_with"],
        unique=False,
        sqlite_where=sa.text(_TOGETHER),
        postgresql_where=sa.text(_TOGETHER),
    )
