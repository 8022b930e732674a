"""The agenda of the dialler, and alarms."""

import sqlalchemy as sa
from alembic import op

from ivr.storage.columns import Day, Moment

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agenda",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("day", Day(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("risk", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("until", Moment(), nullable=False),
        sa.Column("next_at", Moment(), nullable=True),
        sa.Column("settled", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("tries BETWEEN 0 AND 30", name=op.f("ck_agenda_tries")),
        sa.CheckConstraint("(settled IS NULL) = (next_at IS NOT NULL)", name=op.f("ck_agenda_open")),
        sa.CheckConstraint("settled IN ('reported', 'handed_over', 'excluded')", name=op.f("ck_agenda_settled")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_agenda_person_id")),
        sa.PrimaryKeyConstraint("person_id", "day", "slot", name=op.f("pk_agenda")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_agenda_day_person_id"), "agenda", ["day", "person_id"], unique=False)
    op.create_index(
        "open_steps",
        "agenda",
        ["day", "next_at"],
        unique=False,
        sqlite_where=sa.text("settled IS NULL"),
        postgresql_where=sa.text("settled IS NULL"),
    )
    op.create_table(
        "touched",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_touched_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_touched")),
        sqlite_strict=True,
    )
    op.create_table(
        "alarms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("raised_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("acknowledged_at", Moment(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.CheckConstraint("kind <> ''", name=op.f("ck_alarms_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(
        "one_standing_alarm",
        "alarms",
        ["kind", "subject"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(op.f("ix_attempts_day_number"), "attempts", ["day", "number"], unique=False)
