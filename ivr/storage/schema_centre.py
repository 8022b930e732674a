"""The tables of what comes from the centre: what it said last of each person, and where it and we disagree."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Text

from ivr.storage.columns import one_of
from ivr.storage.tables import (
    key_column,
    moment_column,
    reference,
    strict_table,
    text_column,
    unique_where,
)
from ivr.sync.merging import Kept

#: How a difference came to its end: by the word of staff, or because both sides say the same by now.
AGREED = "agreed"

centre_people = strict_table(
    "centre_people",
    Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
    Column("revision", Integer, nullable=False),
    # Cells of the roster as JSON. Only compared, so that no later setting can make them unreadable.
    text_column("cells"),
    moment_column("closed_at", null=True),
    # When that closing was carried out here: equal to people.closed_at as long as nobody decided otherwise.
    moment_column("taken_at", null=True),
    moment_column("said_at"),
)

conflicts = strict_table(
    "conflicts",
    key_column(),
    reference("person_id", "people.id"),
    text_column("field"),
    text_column("here"),
    text_column("centre"),
    text_column("kept"),
    moment_column("found_at"),
    moment_column("settled_at", null=True),
    text_column("settled", null=True),
    text_column("settled_by", null=True),
    text_column("settled_reason", null=True),
    one_of("kept", Kept),
    one_of("settled", (*Kept, AGREED)),
    CheckConstraint("(settled_at IS NULL) = (settled IS NULL)", name="end"),
    CheckConstraint(
        f"settled IS NULL OR settled = '{AGREED}' OR (settled_by <> '' AND settled_reason <> '')", name="signed"
    ),
    Index(None, "person_id"),
    unique_where("one_open_conflict", "person_id", "field", where="settled_at IS NULL"),
    autoincrement=True,
)
