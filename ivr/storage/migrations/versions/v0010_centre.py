"""What comes from the centre: what it said last of each person, and where it and we disagree."""

import sqlalchemy as sa
from alembic import op

from ivr.storage.columns import Moment

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "centre_people",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("cells", sa.Text(), nullable=False),
        sa.Column("closed_at", Moment(), nullable=True),
        sa.Column("taken_at", Moment(), nullable=True),
        sa.Column("said_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_centre_people_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_centre_people")),
        sqlite_strict=True,
    )
    op.create_table(
        "conflicts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("here", sa.Text(), nullable=False),
        sa.Column("centre", sa.Text(), nullable=False),
        sa.Column("kept", sa.Text(), nullable=False),
        sa.Column("found_at", Moment(), nullable=False),
        sa.Column("settled_at", Moment(), nullable=True),
        sa.Column("settled", sa.Text(), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("settled_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("kept IN ('here', 'centre')", name=op.f("ck_conflicts_kept")),
        sa.CheckConstraint("settled IN ('here', 'centre', 'agreed')", name=op.f("ck_conflicts_settled")),
        sa.CheckConstraint("(settled_at IS NULL) = (settled IS NULL)", name=op.f("ck_conflicts_end")),
        sa.CheckConstraint(
            "settled IS NULL OR settled = 'agreed' OR (settled_by <> '' AND settled_reason <> '')",
            name=op.f("ck_conflicts_signed"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_conflicts_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflicts")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(
        "one_open_conflict",
        "conflicts",
        ["person_id", "field"],
        unique=True,
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )
