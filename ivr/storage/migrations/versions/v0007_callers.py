"""Callers who must say who they are: birth dates, every try, and how sure we are of whose report it is."""

import sqlalchemy as sa
from alembic import op

from ivr.storage.columns import Day, Moment

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_OLD = "auth IN ('registered_number', 'keyed_id', 'outbound')"
_NEW = "auth IN ('registered_number', 'keyed_id', 'outbound', 'other_number', 'withheld', 'unconfirmed', 'elsewhere')"


def upgrade() -> None:
    op.add_column("people", sa.Column("birth_date", Day(), nullable=True))
    op.add_column("follow_ups", sa.Column("number", sa.Text(), nullable=True))
    op.create_table(
        "caller_tries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("day", Day(), nullable=False),
        sa.Column("claimed_id", sa.Text(), nullable=False),
        sa.Column("number_key", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.CheckConstraint("verdict IN ('passed', 'failed', 'blocked')", name=op.f("ck_caller_tries_verdict")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caller_tries")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    for column in ("claimed_id", "number_key"):
        name = op.f(f"ix_caller_tries_{column}_verdict_at")
        op.create_index(name, "caller_tries", [column, "verdict", "at"], unique=False)
    op.create_index(op.f("ix_caller_tries_day_verdict"), "caller_tries", ["day", "verdict"], unique=False)
    op.create_table(
        "caller_unlocks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("claimed_id", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caller_unlocks")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_caller_unlocks_claimed_id_at"), "caller_unlocks", ["claimed_id", "at"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        _allow_more()
        return
    for table in ("sessions", "reports"):
        op.drop_constraint(f"ck_{table}_auth", table, type_="check")
        op.create_check_constraint(f"ck_{table}_auth", table, _NEW)


def _allow_more() -> None:
    """Two more words in a CHECK: the way that SQLite documents for it (lang_altertable, section 7).

    A new table in place of one that others refer to would need foreign keys off, which no transaction can do.
    """
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    op.execute("PRAGMA writable_schema=ON")
    changed = connection.execute(
        sa.text("UPDATE sqlite_schema SET sql = replace(sql, :old, :new) WHERE name IN ('sessions', 'reports')"),
        {"old": _OLD, "new": _NEW},
    )
    assert changed.rowcount == 2
    op.execute(f"PRAGMA schema_version={version + 1}")
    op.execute("PRAGMA writable_schema=OFF")
