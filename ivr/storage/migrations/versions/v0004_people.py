"""What staff know and decide about people: slots, own times, risk, facts, periods, pauses and closings."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from ivr.storage.columns import Day, Moment, TimeOfDay

revision = "0004"
down_revision = "0001"
branch_labels = None
depends_on = None

_NEW: tuple[sa.Column[Any], ...] = (
    sa.Column("closed_by", sa.Text(), nullable=True),
    sa.Column("closed_reason", sa.Text(), nullable=True),
    sa.Column("paused_since", Moment(), nullable=True),
    sa.Column("paused_until", Moment(), nullable=True),
    sa.Column("paused_by", sa.Text(), nullable=True),
    sa.Column("paused_reason", sa.Text(), nullable=True),
    sa.Column("own_time", TimeOfDay(), nullable=True),
    sa.Column("hours_from", TimeOfDay(), nullable=True),
    sa.Column("hours_until", TimeOfDay(), nullable=True),
    sa.Column("risk", sa.Text(), server_default="normal", nullable=False),
    sa.Column("facts", sa.Text(), server_default="{}", nullable=False),
    sa.Column("begins", Day(), nullable=True),
    sa.Column("ends", Day(), nullable=True),
)


def upgrade() -> None:
    op.create_table(
        "person_slots",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_person_slots_person_id")),
        sa.PrimaryKeyConstraint("person_id", "position", name=op.f("pk_person_slots")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_person_slots_person_id_slot"), "person_slots", ["person_id", "slot"], unique=True)
    op.execute("INSERT INTO person_slots (person_id, position, slot) SELECT id, 0, slot FROM people")
    op.execute("ALTER TABLE people DROP COLUMN slot")
    for column in _NEW:
        op.add_column("people", column)
    # Whoever was closed before reasons were written down.
    op.execute("UPDATE people SET closed_by = '-', closed_reason = '-' WHERE closed_at IS NOT NULL")
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", Moment(), nullable=True),
        sa.CheckConstraint("kind IN ('pause', 'resume', 'close', 'reopen')", name=op.f("ck_decisions_kind")),
        sa.CheckConstraint("by <> '' AND reason <> ''", name=op.f("ck_decisions_signed")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_decisions_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_decisions_person_id"), "decisions", ["person_id"], unique=False)
    for verb in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER decisions_no_{verb} BEFORE {verb.upper()} ON decisions "
            "BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END"
        )
