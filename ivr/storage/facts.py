"""Small things to remember over a restart, one text a key; such as when Asterisk was started."""

from sqlalchemy import Connection, insert, select, update

from ivr.storage.schema_house import facts as table


def set_fact(connection: Connection, key: str, value: str) -> None:
    """Remember; replaces what was there."""
    if connection.execute(update(table).where(table.c.key == key).values(value=value)).rowcount == 0:
        connection.execute(insert(table).values(key=key, value=value))


def get_fact(connection: Connection, key: str) -> str | None:
    """What was remembered, or None."""
    return connection.execute(select(table.c.value).where(table.c.key == key)).scalar_one_or_none()
