"""Whom the dialler must plan anew. A row is all it takes, so a command beside the service can leave one."""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, insert, select

from ivr.storage.schema import touched

_ALL = select(touched.c.person_id)
_PLANNED = delete(touched).where(touched.c.person_id == bindparam("key"))


def touch(connection: Connection, person_ids: Iterable[str]) -> None:
    """The entry of these people in the roster changed, or staff decided something about them."""
    known = set(connection.execute(_ALL).scalars())
    new = [{"person_id": each} for each in dict.fromkeys(person_ids) if each not in known]
    if new:
        connection.execute(insert(touched), new)


def planned(connection: Connection, person_ids: Iterable[str]) -> None:
    """They were planned anew."""
    gone = [{"key": each} for each in person_ids]
    if gone:
        connection.execute(_PLANNED, gone)
