"""The outbox: what leaves for the centre."""

import sqlalchemy as sa
from alembic import op

from ivr.storage.columns import Moment

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_UNSENT = "state IN ('waiting', 'in_flight')"


def _index(name: str, *columns: str, where: str) -> None:
    op.create_index(
        name, "outbox", list(columns), unique=False, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("queued_at", Moment(), nullable=False),
        sa.Column("next_at", Moment(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed_since", Moment(), nullable=True),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("record_id", sa.Text(), nullable=True),
        sa.Column("settled_at", Moment(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'in_flight', 'acknowledged', 'parked')", name=op.f("ck_outbox_state")),
        sa.CheckConstraint(f"({_UNSENT}) = (next_at IS NOT NULL)", name=op.f("ck_outbox_deadline")),
        sa.CheckConstraint(f"({_UNSENT}) = (settled_at IS NULL)", name=op.f("ck_outbox_settled")),
        sa.CheckConstraint("(state = 'acknowledged') = (record_id IS NOT NULL)", name=op.f("ck_outbox_acknowledged")),
        sa.CheckConstraint("length(sha256) = 64 AND length(payload) > 0", name=op.f("ck_outbox_frozen")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_outbox_about_sequence"), "outbox", ["about", "sequence"], unique=True)
    op.create_index(op.f("ix_outbox_kind_subject_revision"), "outbox", ["kind", "subject", "revision"], unique=True)
    _index("outbox_waiting", "lane", "id", where="state = 'waiting'")
    _index("outbox_in_flight", "next_at", where="state = 'in_flight'")
    _index("outbox_unsent", "about", "lane", "id", where=_UNSENT)
    _index("outbox_oldest", "queued_at", where=_UNSENT)
    _index("outbox_parked", "id", where="state = 'parked'")
    op.execute(
        "CREATE TRIGGER outbox_frozen BEFORE UPDATE OF key, payload, sha256 ON outbox "
        "BEGIN SELECT RAISE(ABORT, 'what lies in the outbox never changes'); END"
    )
