"""People who go to another centre, or come from one: what is known of them, and that it was done, by whom and when."""

from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Any

from sqlalchemy import Connection, insert, select

from ivr.handover import CALLING_GOES_ON, TAKEN_OVER, HandOver
from ivr.person import Person
from ivr.questionnaire.model import FollowUpReason, Level
from ivr.storage.decisions import NotPossible, Signed, close_person, reopen_person
from ivr.storage.elsewhere import take_reported
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.storage.people import get_person, take_in
from ivr.storage.personal import rows_about
from ivr.storage.schema import reports
from ivr.storage.schema_erased import transfers as table
from ivr.storage.words import Transfer
from ivr.transferred import Transferred

#: Tasks that are opened again where somebody comes to; others are told, as all of it is, by the task TAKEN_OVER.
_AGAIN = frozenset({*HandOver, *FollowUpReason, *CALLING_GOES_ON} - {TAKEN_OVER})


@dataclass(frozen=True)
class Other:
    """The other centre, and the file."""

    id: str  #: of the file
    centre: str  #: as our settings call it
    fingerprint: str  #: of its key


class TakenBefore(Exception):
    """This file was taken over already."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at.isoformat())
        self.at = at


class IdTaken(Exception):
    """Somebody here has this ID: perhaps another person."""


def history_of(connection: Connection, person_id: str) -> dict[str, Any]:
    """Reports with their answers, alerts, open follow-ups and decisions of a person, to be written as JSON.

    Of the callers who only said that they were this person nothing.
    """
    rows = rows_about(connection, person_id)
    given: dict[str, dict[str, dict[str, str]]] = {}
    for row in rows["answers"]:
        answer = {"question": row["question_id"], "value": row["value"], "at": _said(row["at"])}
        given.setdefault(row["session_id"], {})[row["question_id"]] = answer
    reported = [each for each in rows["reports"] if each["person_id"] == person_id]
    days = {each["id"]: each["day"] for each in rows["sessions"]}
    return {
        "reports": [
            {name: _said(each[name]) for name in ("id", "day", "completeness", "source", "created_at", "updated_at")}
            | {"answers": list(given.get(each["session_id"], {}).values())}
            for each in sorted(reported, key=lambda each: (each["created_at"], each["id"]))
        ],
        "alerts": [
            {
                "day": _said(days[each["session_id"]]),
                "at": _said(each["at"]),
                "open": each["acknowledged_at"] is each["withdrawn_at"] is None,
            }
            | {name: each[name] for name in ("rule", "level", "reason")}
            for each in rows["alerts"]
            if each["person_id"] == person_id
        ],
        "follow_ups": [
            {name: _said(each[name]) for name in ("day", "reason", "due_at", "opened_at")}
            for each in rows["follow_ups"]
            if each["closed_at"] is None and each["person_id"] == person_id
        ],
        "decisions": [
            {name: _said(each[name]) for name in ("kind", "at", "by", "reason", "until")} for each in rows["decisions"]
        ],
    }


def _said(value: object) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def note_handed_over(connection: Connection, person_id: str, other: Other, signed: Signed, *, close: bool) -> None:
    """Write down that a file was made; with `close` staff end the observation here.

    Raises NotPossible if that had ended before.
    """
    _note(connection, Transfer.OUT, person_id, other, signed, None)
    if close and not close_person(connection, person_id, signed):
        raise NotPossible([person_id])


def take_over(
    connection: Connection,
    person: Person,
    told: Transferred,
    content: str,
    other: Other,
    signed: Signed,
    due_at: datetime,
    zone: tzinfo,
) -> int:
    """Enter somebody with what the other centre knew. How many reports of theirs came along.

    Their open tasks are opened here again, and one more, to read what came; calling goes on meanwhile. Whoever was
    handed over to that centre, and closed here, is under observation again. Raises TakenBefore, IdTaken; BadInput if
    the ID is of somebody who is erased.
    """
    before = select(table.c.at).where(table.c.id == other.id, table.c.way == Transfer.IN)
    at: datetime | None = connection.execute(before).scalar()
    if at is not None:
        raise TakenBefore(at)
    here = get_person(connection, person.id)
    if here is not None and (here.closing is None or not _went_to(connection, person.id, other.centre)):
        raise IdTaken
    take_in(connection, (person,), signed, zone)
    if here is not None:
        reopen_person(connection, person.id, signed)
    _note(connection, Transfer.IN, person.id, other, signed, content)
    today = signed.at.astimezone(zone).date()
    known = set(
        connection.execute(select(reports.c.id).where(reports.c.id.in_([e.id for e in told.reports]))).scalars()
    )
    # Of a day that is still to come nobody can have reported; and it would keep them from being called.
    new = [replace(each, person_id=person.id) for each in told.reports if each.id not in known and each.day <= today]
    take_reported(connection, new, "", signed.at)
    for each in told.tasks:
        if each.reason in _AGAIN:
            open_follow_up(connection, NewFollowUp(each.day, each.reason, person.id, due_at=due_at), signed.at)
    urgent = any(each.reason == Level.EMERGENCY for each in told.open_alerts)
    read_it = NewFollowUp(today, TAKEN_OVER, person.id, due_at=signed.at if urgent else due_at)
    open_follow_up(connection, read_it, signed.at)
    return len(new)


def _went_to(connection: Connection, person_id: str, centre: str) -> bool:
    out = (table.c.person_id == person_id, table.c.way == Transfer.OUT, table.c.centre == centre)
    return connection.execute(select(table.c.id).where(*out)).first() is not None


def _note(
    connection: Connection, way: Transfer, person_id: str, other: Other, signed: Signed, content: str | None
) -> None:
    values = vars(other) | {"way": way, "person_id": person_id, "content": content}
    connection.execute(insert(table), values | {"at": signed.at, "by": signed.by, "reason": signed.reason})
