"""The table of telephones: whether a key was ever heard from a number. Part of the tables of `schema`."""

from sqlalchemy import CheckConstraint, Column, Text

from ivr.storage.tables import moment_column, strict_table

telephones = strict_table(
    "telephones",
    # Whosever it is, today or later: what a telephone can does not depend on the roster.
    Column("number", Text, primary_key=True),
    moment_column("keys_at", null=True),
    moment_column("silent_at", null=True),
    CheckConstraint("keys_at IS NOT NULL OR silent_at IS NOT NULL", name="known"),
)
