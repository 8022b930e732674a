"""The tables of the service about itself: alarms, facts such as its last sign of life. Part of those of `schema`."""

from sqlalchemy import CheckConstraint, Column, Text

from ivr.storage.tables import key_column, moment_column, strict_table, text_column, unique_where

alarms = strict_table(
    "alarms",
    key_column(),
    text_column("kind"),
    # What the alarm is about (a day and slot, a trunk): while it stands, the same one is not raised again.
    text_column("subject"),
    text_column("details"),
    moment_column("raised_at"),
    moment_column("ended_at", null=True),
    moment_column("acknowledged_at", null=True),
    text_column("acknowledged_by", null=True),
    CheckConstraint("kind <> ''", name="kind"),
    unique_where("one_standing_alarm", "kind", "subject", where="ended_at IS NULL"),
    autoincrement=True,
)

facts = strict_table(
    "facts",
    Column("key", Text, primary_key=True),
    text_column("value"),
)
