"""Calls to us: what Asterisk's record says and what each leads to. On which call a session is held."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_UNACCOUNTED = "direction = 'inbound' AND state = 'ended' AND next_step IS NULL"


def upgrade() -> None:
    op.add_column("calls", sa.Column("record", sa.Text(), nullable=True))
    op.add_column("calls", sa.Column("next_step", sa.Text(), nullable=True))
    op.add_column("calls", sa.Column("pressed", sa.Integer(), server_default=sa.text("0"), nullable=False))
    # What came before has left its tasks, as far as it left any: nothing of it is looked at again.
    op.execute(f"UPDATE calls SET next_step = 'ordinary' WHERE {_UNACCOUNTED}")
    op.create_index("calls_to_account_for", "calls", ["started_at"], sqlite_where=sa.text(_UNACCOUNTED))
