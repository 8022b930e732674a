"""Every version of a questionnaire that was ever asked: an answer means nothing without its question."""

from datetime import datetime

from sqlalchemy import Connection, insert, select

from ivr.storage.schema import questionnaires as table


def store_questionnaire(connection: Connection, hash: str, id: str, source: str, at: datetime) -> None:
    """Keep this version (`source`: the text of the file, `hash`: of its bytes); known ones stay as they are."""
    if questionnaire_source(connection, hash) is None:
        connection.execute(insert(table).values(hash=hash, id=id, source=source, stored_at=at))


def questionnaire_source(connection: Connection, hash: str) -> str | None:
    """The text of the version, None if it is unknown."""
    return connection.execute(select(table.c.source).where(table.c.hash == hash)).scalar_one_or_none()
