"""The table of the days that were compared with the centre."""

from sqlalchemy import CheckConstraint, Column, Integer

from ivr.storage.columns import Day
from ivr.storage.tables import moment_column, strict_table

comparisons = strict_table(
    "comparisons",
    # UTC, of `frozen_at`: see ivr.sync.comparison.
    Column("day", Day, primary_key=True),
    moment_column("compared_at"),
    Column("here", Integer, nullable=False),
    Column("there", Integer, nullable=False),
    Column("unsent", Integer, nullable=False),
    Column("differences", Integer, nullable=False),
    CheckConstraint("here >= 0 AND there >= 0 AND unsent >= 0 AND differences >= 0", name="counts"),
)
