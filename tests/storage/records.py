"""Records to test with: fictional persons, numbers that nobody has."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection

from ivr.call import CallState, Direction
from ivr.person import Person
from ivr.questionnaire.model import Answer, Session, SessionStatus, Turn
from ivr.storage.calls import Attempt, Call, plan_attempt, start_call
from ivr.storage.people import upsert_people
from ivr.storage.questionnaires import store_questionnaire
from ivr.storage.sessions import StoredSession, open_session
from ivr.storage.words import Auth, Source

#: 09:00 in Japan.
NOW = datetime(2025, 1, 6, 0, 0, tzinfo=UTC)
DAY = date(2025, 1, 6)

BORN = date(1935, 4, 5)
HANAKO = Person(
    *("00123456", "見本 花子", "ミホン ハナコ", ("0310000001", "09000000001"), ("morning",)), birth_date=BORN
)
#: Shares the landline.
TARO = Person("00123457", "見本 太郎", "ミホン タロウ", ("0310000001",), ("morning",))
SACHIKO = Person(*("200001", "例文 幸子", "レイブン サチコ", ("07000000003",), ("afternoon",)), birth_date=BORN)
ROSTER = (HANAKO, TARO, SACHIKO)

FRESH = Session("hash-1", "temperature")


def later(minutes: float) -> datetime:
    """So many minutes after NOW."""
    return NOW + timedelta(minutes=minutes)


def fill(connection: Connection) -> None:
    """The roster and one questionnaire."""
    upsert_people(connection, ROSTER, NOW)
    store_questionnaire(connection, "hash-1", "daily", "id: daily\n", NOW)


def attempt(id: str, person: Person = HANAKO, number: str = "", minutes: float = 0) -> Attempt:
    """A planned attempt; by default on the person's last number, which nobody else has."""
    return Attempt(id, person.id, number or person.numbers[-1], DAY, person.slots[0], later(minutes))


def dial(connection: Connection, id: str, person: Person = HANAKO, minutes: float = 0) -> Call:
    """Plan an attempt `a-<id>` and start its call `id`."""
    planned = attempt(f"a-{id}", person, minutes=minutes)
    plan_attempt(connection, planned)
    call = Call(id, Direction.OUTBOUND, planned.planned_at, planned.id, planned.number)
    start_call(connection, call)
    return call


def ring_in(connection: Connection, id: str, number: str | None = None) -> Call:
    """An inbound call that has arrived."""
    call = Call(id, Direction.INBOUND, NOW, number=number, state=CallState.TALKING)
    start_call(connection, call)
    return call


def session(id: str, person: Person | None = HANAKO, day: date = DAY, claimed_id: str | None = None) -> StoredSession:
    """A fresh session."""
    person_id = person.id if person else None
    source, auth = Source.AUTOMATIC_CALL, Auth.OUTBOUND
    return StoredSession(id, person_id, claimed_id, day, "ja", source, auth, FRESH, NOW, NOW)


def begin_session(connection: Connection, id: str, person: Person | None = HANAKO, day: date = DAY) -> None:
    """Store a fresh session."""
    open_session(connection, session(id, person, day, None if person else "999999"))


def turn(*answered: tuple[str, str], status: SessionStatus = SessionStatus.WAITING) -> Turn:
    """A step that brought these answers."""
    given = tuple(Answer(question, value) for question, value in answered)
    return Turn(replace(FRESH, answers=given, status=status), (), None, given)
