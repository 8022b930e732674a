"""Seven days of an outage, as they lie in the database: reports of many people that nobody could send."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from ivr.loading import load_questionnaire
from ivr.person import Person
from ivr.questionnaire.model import Answer, Questionnaire, Session, SessionStatus, Turn
from ivr.storage.database import Database
from ivr.storage.people import upsert_people
from ivr.storage.questionnaires import store_questionnaire
from ivr.storage.sessions import StoredSession, open_session, save_turn
from ivr.storage.words import Auth, Source
from sandbox.service import QUESTIONNAIRE

DAYS = 7
#: Reports of one person on one day: morning and afternoon.
_A_DAY = 2
#: Reports in one transaction of ours.
_PORTION = 200
#: What somebody well measures; every other question takes the last of its answers.
_WELL = (("temperature", "36.5"), ("oxygen", "98"))


async def fill(database: Database, reports: int, until: datetime, done: Callable[[int], None]) -> None:
    """Put so many complete reports of the days before `until` into the outbox. `done`: how many there are."""
    questionnaire, _ = load_questionnaire(QUESTIONNAIRE)
    answers = _answers(questionnaire)
    people = _people(-(-reports // (DAYS * _A_DAY)))
    await database.write(
        store_questionnaire,
        questionnaire.hash,
        questionnaire.id,
        QUESTIONNAIRE.read_text(encoding="utf-8"),
        until - timedelta(days=DAYS + 1),
    )
    await database.write(upsert_people, people, until - timedelta(days=DAYS + 1))
    for first in range(0, reports, _PORTION):
        numbers = range(first, min(reports, first + _PORTION))
        await database.write(_file, numbers, people, questionnaire.hash, answers, until)
        done(numbers.stop)


def _people(count: int) -> list[Person]:
    return [
        Person(f"9{index:06d}", "見本", "ミホン", (f"0800{index:07d}",), ("morning", "afternoon"))
        for index in range(count)
    ]


def _answers(questionnaire: Questionnaire) -> tuple[Answer, ...]:
    """One to every question."""
    well = dict(_WELL)
    return tuple(
        Answer(each.id, well.get(each.id) or next(reversed(list(each.options.values()))))
        for each in questionnaire.questions
        if each.id in well or each.options
    )


def _file(
    connection: Any,  # only ivr.storage says of what kind
    numbers: range,
    people: list[Person],
    version: str,
    answers: tuple[Answer, ...],
    until: datetime,
) -> None:
    """As a call does it: a session, its answers, its report, and that report in the outbox."""
    for number in numbers:
        turn_of_slot, whose = divmod(number, len(people))
        at = until - timedelta(days=DAYS) + timedelta(days=turn_of_slot / _A_DAY, seconds=whose)
        fresh = Session(version, answers[0].question)
        id, day = f"backlog-{number}", _day(at)
        source, auth = Source.AUTOMATIC_CALL, Auth.OUTBOUND
        open_session(connection, StoredSession(id, people[whose].id, None, day, "ja", source, auth, fresh, at, at))
        over = Session(version, fresh.question, answers=answers, status=SessionStatus.COMPLETED)
        save_turn(connection, id, None, Turn(over, (), None, answers), at)


def _day(at: datetime) -> date:
    return (at + timedelta(hours=9)).date()
