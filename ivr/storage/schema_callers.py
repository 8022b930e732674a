"""Tables of callers who must say who they are: every try, and when staff opened an ID again. See ivr.identity."""

from sqlalchemy import Column, Index

from ivr.identity import Verdict
from ivr.storage.columns import Day, one_of
from ivr.storage.tables import key_column, moment_column, strict_table, text_column

caller_tries = strict_table(
    "caller_tries",
    key_column(),
    moment_column("at"),
    Column("day", Day, nullable=False),
    # Not to people: most IDs that are guessed are nobody's.
    text_column("claimed_id"),
    # HMAC of the number; empty for a withheld one.
    text_column("number_key"),
    text_column("verdict"),
    one_of("verdict", Verdict),
    # Only failures are counted, and of those there are few: what a try costs does not grow with those before it.
    Index(None, "claimed_id", "verdict", "at"),
    Index(None, "number_key", "verdict", "at"),
    Index(None, "day", "verdict"),
    autoincrement=True,
)

caller_unlocks = strict_table(
    "caller_unlocks",
    key_column(),
    moment_column("at"),
    text_column("claimed_id"),
    text_column("by"),
    text_column("reason"),
    Index(None, "claimed_id", "at"),
    autoincrement=True,
)
