"""What is remembered of a number: whether a key was ever heard from it, or keys were waited for in vain."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from ivr.handover import HandOver
from ivr.numbers import sends_tones
from ivr.questionnaire.model import FollowUpReason
from ivr.storage.schema import calls, follow_ups
from ivr.storage.schema_telephones import telephones as table


@dataclass(frozen=True)
class Telephone:
    """One number."""

    keys_at: datetime | None  #: when a key was last heard from it; None: never
    silent_at: datetime | None  #: when a whole call last brought none, although keys were waited for


#: Built once: every call asks.
_OF = select(table).where(table.c.number == bindparam("key"))


def telephone_of(connection: Connection, number: str) -> Telephone | None:
    """What is known of a number; None: nothing yet."""
    row = connection.execute(_OF, {"key": number}).first()
    return None if row is None else Telephone(row.keys_at, row.silent_at)


def note_keys(connection: Connection, number: str, at: datetime) -> None:
    """A key was heard from this number."""
    _note(connection, number, "keys_at", at)


def note_silence(connection: Connection, call_id: str, number: str | None, at: datetime) -> None:
    """A whole call brought no key although some were waited for.

    If none was ever heard from the number, what staff see of it is "no tones", not that somebody could not key: the
    follow-up of the call's session is renamed, or closed if there is such a one already. Never of a mobile telephone.
    """
    if number is not None:
        _note(connection, number, "silent_at", at)
        known = telephone_of(connection, number)
        if sends_tones(number) or (known is not None and known.keys_at is not None):
            return
    session = select(calls.c.session_id).where(calls.c.id == call_id).scalar_subquery()
    could_not = select(follow_ups).where(
        follow_ups.c.session_id == session,
        follow_ups.c.reason == FollowUpReason.COULD_NOT_ENTER,
        follow_ups.c.closed_at.is_(None),
    )
    for row in connection.execute(could_not).all():
        same = select(follow_ups.c.id).where(
            follow_ups.c.person_id == row.person_id,
            follow_ups.c.day == row.day,
            follow_ups.c.reason == HandOver.NO_TONES,
            follow_ups.c.closed_at.is_(None),
        )
        known_already = connection.execute(same).first() is not None
        changed = update(follow_ups).where(follow_ups.c.id == row.id)
        connection.execute(changed.values({"closed_at": at} if known_already else {"reason": HandOver.NO_TONES}))


def _note(connection: Connection, number: str, column: str, at: datetime) -> None:
    changed = connection.execute(update(table).where(table.c.number == number).values({column: at}))
    if changed.rowcount == 0:
        connection.execute(insert(table), {"number": number, column: at})
