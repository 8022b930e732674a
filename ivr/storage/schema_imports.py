"""Tables of imports: what the last one changed, so that it can be undone. Part of the tables of `schema`."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Text, text

from ivr.storage.tables import key_column, moment_column, strict_table, text_column

imports = strict_table(
    "imports",
    key_column(),
    moment_column("at"),
    text_column("by"),
    text_column("file"),
    moment_column("undone_at", null=True),
    autoincrement=True,
)

imported = strict_table(
    "imported",
    Column("import_id", Integer, ForeignKey("imports.id"), primary_key=True),
    Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
    # The entry of the roster before, as JSON; of somebody who is new nothing.
    text_column("before", null=True),
    # A hash of the entry as it was stored: another one means that somebody has changed it since.
    text_column("stored"),
    # Staff had closed, and the file spoke of a new period.
    Column("reopened", Integer, nullable=False, server_default=text("0")),
    CheckConstraint("reopened IN (0, 1)", name="reopened"),
    Index(None, "person_id"),
)
