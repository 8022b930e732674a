"""The table of what leaves for the centre. A payload is frozen: what it says never changes."""

from sqlalchemy import DDL, CheckConstraint, Column, Index, Integer, LargeBinary, Text, event, text

from ivr.storage.columns import one_of
from ivr.storage.tables import index_where, key_column, moment_column, strict_table, text_column
from ivr.sync.delivery import State

#: What is not settled yet.
UNSENT = f"state IN ('{State.WAITING}', '{State.IN_FLIGHT}')"


outbox = strict_table(
    "outbox",
    key_column(),
    Column("key", Text, nullable=False, unique=True),
    text_column("kind"),
    # A person's id, or the report's of an unknown caller: what has one `about` and lane leaves in order.
    text_column("about"),
    text_column("subject"),
    Column("revision", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    text_column("sha256"),
    text_column("state"),
    moment_column("queued_at"),
    # Invariant 5: what is not settled has a moment at which the sender looks at it. Waiting: when to send it; in
    # flight: when it counts as lost and waits again.
    moment_column("next_at", null=True),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    moment_column("failed_since", null=True),
    Column("problem", Text, nullable=False, server_default=""),
    text_column("record_id", null=True),
    moment_column("settled_at", null=True),
    one_of("state", State),
    CheckConstraint(f"({UNSENT}) = (next_at IS NOT NULL)", name="deadline"),
    CheckConstraint(f"({UNSENT}) = (settled_at IS NULL)", name="settled"),
    CheckConstraint(f"(state = '{State.ACKNOWLEDGED}') = (record_id IS NOT NULL)", name="acknowledged"),
    CheckConstraint("length(sha256) = 64 AND length(payload) > 0", name="frozen"),
    Index(None, "about", "sequence", unique=True),
    Index(None, "queued_at"),
    Index(None, "kind", "subject", "revision", unique=True),
    index_where("outbox_waiting", "lane", "id", where=f"state = '{State.WAITING}'"),
    index_where("outbox_in_flight", "next_at", where=f"state = '{State.IN_FLIGHT}'"),
    index_where("outbox_unsent", "about", "lane", "id", where=UNSENT),
    index_where("outbox_oldest", "queued_at", where=UNSENT),
    index_where("outbox_parked", "id", where=f"state = '{State.PARKED}'"),
    autoincrement=True,
)

#: What was frozen stays as it is, whoever writes to the database. It may go as a whole.
FROZEN = (
    "CREATE TRIGGER outbox_frozen BEFORE UPDATE OF key, payload, sha256 ON outbox "
    # But for packing (ivr.storage.packed): JSON begins with a brace, zlib's bytes with an x.
    "WHEN NEW.key <> OLD.key OR NEW.sha256 <> OLD.sha256 OR OLD.state <> 'acknowledged' "
    "OR substr(OLD.payload, 1, 1) <> x'7b' OR substr(NEW.payload, 1, 1) <> x'78' "
    "BEGIN SELECT RAISE(ABORT, 'what lies in the outbox never changes'); END"
)
event.listen(outbox, "after_create", DDL(FROZEN).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]
