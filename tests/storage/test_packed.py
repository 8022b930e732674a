"""Acknowledged documents are packed after a time, and say to the bit what they said."""

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from ivr.storage.outbox import all_rows
from ivr.storage.packed import pack_acknowledged, unpack
from ivr.storage.personal import rows_about
from ivr.storage.schema_outbox import outbox
from ivr.sync.delivery import State
from tests.storage.planted import MARKED, plant
from tests.storage.records import NOW


def test_what_is_packed_is_smaller_and_reads_as_before(connection: Connection) -> None:
    plant(connection)
    before = all_rows(connection)
    told = rows_about(connection, MARKED.id)["outbox"]
    assert pack_acknowledged(connection, NOW - timedelta(days=1)) == 0
    assert pack_acknowledged(connection, NOW + timedelta(days=1)) == len(before)
    assert pack_acknowledged(connection, NOW + timedelta(days=1)) == 0
    stored = {id: payload for id, payload in connection.execute(select(outbox.c.id, outbox.c.payload))}
    for row in before:
        packed = stored[row.id]
        assert (packed[:1] == b"x") == (row.state is State.ACKNOWLEDGED and row.payload[:1] == b"{")
        assert unpack(packed) == row.payload
    assert any(each[:1] == b"x" for each in stored.values())
    assert all_rows(connection) == before
    assert rows_about(connection, MARKED.id)["outbox"] == told
    assert all(hashlib.sha256(each.payload).hexdigest() for each in all_rows(connection))


def test_nothing_else_of_what_is_frozen_changes(connection: Connection) -> None:
    plant(connection)
    for change in ({"payload": b"{}"}, {"payload": b"y"}, {"key": "other"}, {"sha256": "0" * 64}):
        with pytest.raises(IntegrityError), connection.begin_nested():
            connection.execute(update(outbox).values(**change))
    assert pack_acknowledged(connection, NOW + timedelta(days=1))
    with pytest.raises(IntegrityError), connection.begin_nested():
        connection.execute(update(outbox).values(payload=b"x"))
