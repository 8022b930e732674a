"""Packs what the centre has acknowledged: a document is read again seldom, and for years takes half of the database.

What comes out is the frozen bytes, to the bit: their SHA-256 stays in the row beside them. Nothing is dropped, because
a comparison with the centre may send a lost document again.
"""

import zlib
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from ivr.storage.facts import get_fact, set_fact
from ivr.storage.schema_outbox import outbox
from ivr.sync.delivery import State

#: Up to which row everything was looked at.
_FACT = "packed_until"
#: Rows of one transaction: a fifth of a second at the very most, for which answers wait.
AT_ONCE = 200
_NEXT = (
    select(outbox.c.id, outbox.c.state, outbox.c.payload)
    .where(outbox.c.id > bindparam("after"), outbox.c.queued_at < bindparam("before"))
    .order_by(outbox.c.id)
    .limit(bindparam("most"))
)
_PACK = update(outbox).where(outbox.c.id == bindparam("row")).values(payload=bindparam("packed"))


def unpack(stored: bytes) -> bytes:
    """The frozen bytes of a payload as it is stored: JSON begins with a brace, and nothing packed does."""
    return stored if stored[:1] == b"{" else zlib.decompress(stored)


def pack_acknowledged(connection: Connection, before: datetime, most: int = AT_ONCE) -> int:
    """Look at up to `most` documents queued before; how many. What is not acknowledged by then stays as it is."""
    after = int(get_fact(connection, _FACT) or 0)
    rows = connection.execute(_NEXT, {"after": after, "before": before, "most": most}).all()
    packed = [
        {"row": row.id, "packed": zlib.compress(row.payload, 9)}
        for row in rows
        if row.state == State.ACKNOWLEDGED and row.payload[:1] == b"{"
    ]
    if packed:
        connection.execute(_PACK, packed)
    if rows:
        set_fact(connection, _FACT, str(rows[-1].id))
    return len(rows)
