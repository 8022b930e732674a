"""Payloads of acknowledged documents may be packed; nothing else of what is frozen may change."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP TRIGGER outbox_frozen")
    op.execute(
        "CREATE TRIGGER outbox_frozen BEFORE UPDATE OF key, payload, sha256 ON outbox "
        "WHEN NEW.key <> OLD.key OR NEW.sha256 <> OLD.sha256 OR OLD.state <> 'acknowledged' "
        "OR substr(OLD.payload, 1, 1) <> x'7b' OR substr(NEW.payload, 1, 1) <> x'78' "
        "BEGIN SELECT RAISE(ABORT, 'what lies in the outbox never changes'); END"
    )
