"""Reports that came in by another way than the telephone: they cancel what is pending for that person and day."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select

from ivr.errors import BadInput, Problem, problem
from ivr.reported import Reported
from ivr.storage.followups import settle_hand_overs
from ivr.storage.schema import people, reports
from ivr.storage.touched import touch
from ivr.storage.words import Auth, Completeness, Source

_KNOWN = select(reports.c.person_id, reports.c.day, reports.c.source).where(reports.c.id == bindparam("key"))
_PERSON = select(people.c.id).where(people.c.id == bindparam("key"))


def take_reported(connection: Connection, given: Sequence[Reported], file: str, at: datetime) -> int:
    """Store them, and how many are new: the same once more changes nothing. `file` is only for messages.

    Raises BadInput with every problem, and then nothing is stored: nobody of that ID, or another report has its ID.
    In this transaction staff lose their tasks to ring these people about that day, and the dialler is told to look
    at them anew. A call that is ringing says that the report is in (ivr.outbound).
    """
    if wrong := _misfits(connection, given, file):
        raise BadInput(*wrong)
    new = [each for each in given if connection.execute(_KNOWN, {"key": each.id}).first() is None]
    for each in new:
        values = {
            "id": each.id,
            "person_id": each.person_id,
            "day": each.day,
            "completeness": Completeness.COMPLETE,
            "source": Source.SELF_ENTRY,
            "auth": Auth.ELSEWHERE,
            "created_at": at,
            "updated_at": at,
        }
        connection.execute(insert(reports), values)
        settle_hand_overs(connection, each.person_id, each.day, at)
    touch(connection, (each.person_id for each in new))
    return len(new)


def _misfits(connection: Connection, given: Sequence[Reported], file: str) -> list[Problem]:
    """What cannot be taken: nobody of that ID, or an ID that another report has."""
    found = []
    for each in given:
        known = connection.execute(_KNOWN, {"key": each.id}).first()
        if connection.execute(_PERSON, {"key": each.person_id}).first() is None:
            found.append(problem("reported.nobody", file, each.line))
        elif known is not None and tuple(known) != (each.person_id, each.day, Source.SELF_ENTRY):
            found.append(problem("reported.other_report", file, each.line))
    return found
