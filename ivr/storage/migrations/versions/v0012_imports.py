"""What the last import changed, so that it can be undone."""

import sqlalchemy as sa
from alembic import op

from ivr.storage.columns import Moment

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("undone_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_table(
        "imported",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("stored", sa.Text(), nullable=False),
        sa.Column("reopened", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("reopened IN (0, 1)", name=op.f("ck_imported_reopened")),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_imported_import_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_imported_person_id")),
        sa.PrimaryKeyConstraint("import_id", "person_id", name=op.f("pk_imported")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_imported_person_id"), "imported", ["person_id"], unique=False)
