"""Tables of people who left: who was erased, what stays of them in counts, who was handed over or taken over.

Part of the tables of `schema`.
"""

from sqlalchemy import DDL, CheckConstraint, Column, Index, Integer, Text, event

from ivr.storage.columns import Day, one_of
from ivr.storage.tables import moment_column, reference, strict_table, text_column
from ivr.storage.words import Figure, Transfer

tombstones = strict_table(
    "tombstones",
    # Not to people: the person is gone. The ID is nobody's for ever.
    Column("person_id", Text, primary_key=True),
    moment_column("at"),
    text_column("by"),
    text_column("reason"),
    CheckConstraint("by <> '' AND reason <> ''", name="signed"),
)

#: That somebody was erased stays as it was written down, whoever writes to the database.
TOMBSTONES_STAY = tuple(
    f"CREATE TRIGGER tombstones_no_{verb} BEFORE {verb.upper()} ON tombstones "
    "BEGIN SELECT RAISE(ABORT, 'tombstones are only ever added'); END"
    for verb in ("update", "delete")
)
for _trigger in TOMBSTONES_STAY:
    event.listen(tombstones, "after_create", DDL(_trigger).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]

erased_figures = strict_table(
    "erased_figures",
    # What the counts of a day lose with the rows of whoever was erased. It names nobody, and leads to no tombstone.
    Column("day", Day, primary_key=True),
    Column("figure", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    one_of("figure", Figure),
    CheckConstraint("count > 0", name="count"),
)

transfers = strict_table(
    "transfers",
    # Of the file. Both ways at once: what was handed over may come back.
    Column("id", Text, primary_key=True),
    Column("way", Text, primary_key=True),
    reference("person_id", "people.id"),
    # The other centre, as our settings call it, and its key as it was then.
    text_column("centre"),
    text_column("fingerprint"),
    moment_column("at"),
    text_column("by"),
    text_column("reason"),
    # Taken over: what the file said, for staff to read. Of what was handed over the rows are still here.
    text_column("content", null=True),
    one_of("way", Transfer),
    CheckConstraint("(way = 'in') = (content IS NOT NULL)", name="content"),
    Index(None, "person_id"),
)
