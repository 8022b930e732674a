"""People who left: tombstones, what stays of them in counts, and who went to or came from another centre."""

import sqlalchemy as sa
from alembic import op

from ivr.storage.columns import Day, Moment

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tombstones",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("by <> '' AND reason <> ''", name=op.f("ck_tombstones_signed")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_tombstones")),
        sqlite_strict=True,
    )
    op.create_table(
        "erased_figures",
        sa.Column("day", Day(), nullable=False),
        sa.Column("figure", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.CheckConstraint("figure IN ('attempt', 'report', 'step')", name=op.f("ck_erased_figures_figure")),
        sa.CheckConstraint("count > 0", name=op.f("ck_erased_figures_count")),
        sa.PrimaryKeyConstraint("day", "figure", "value", name=op.f("pk_erased_figures")),
        sqlite_strict=True,
    )
    op.create_table(
        "transfers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("centre", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.CheckConstraint("way IN ('out', 'in')", name=op.f("ck_transfers_way")),
        sa.CheckConstraint("(way = 'in') = (content IS NOT NULL)", name=op.f("ck_transfers_content")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_transfers_person_id")),
        sa.PrimaryKeyConstraint("id", "way", name=op.f("pk_transfers")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_transfers_person_id"), "transfers", ["person_id"], unique=False)
    op.create_index(op.f("ix_answers_call_id"), "answers", ["call_id"], unique=False)
    for verb in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER tombstones_no_{verb} BEFORE {verb.upper()} ON tombstones "
            "BEGIN SELECT RAISE(ABORT, 'tombstones are only ever added'); END"
        )
    op.execute("DROP TRIGGER decisions_no_delete")
    op.execute(
        "CREATE TRIGGER decisions_no_delete BEFORE DELETE ON decisions "
        "WHEN NOT EXISTS (SELECT 1 FROM tombstones WHERE person_id = OLD.person_id) "
        "BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END"
    )
