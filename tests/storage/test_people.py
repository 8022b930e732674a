"""The roster in the database."""

from dataclasses import replace

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from ivr.storage.database import Database
from ivr.storage.facts import get_fact, set_fact
from ivr.storage.people import Stored, close_person, get_person, list_people, people_by_number, upsert_people
from ivr.storage.questionnaires import questionnaire_source, store_questionnaire
from ivr.storage.schema import people
from tests.storage.records import HANAKO, NOW, ROSTER, SACHIKO, TARO, later


def test_persons_come_back_as_they_went(connection: Connection) -> None:
    assert list_people(connection) == ROSTER
    assert get_person(connection, HANAKO.id) == HANAKO
    assert get_person(connection, "123456") is None


def test_a_household_shares_its_number(connection: Connection) -> None:
    assert people_by_number(connection, "0310000001") == (HANAKO, TARO)
    assert people_by_number(connection, "09000000001") == (HANAKO,)
    assert people_by_number(connection, "09000000009") == ()


def test_a_second_import_changes_what_differs_and_nothing_else(connection: Connection) -> None:
    moved = replace(TARO, slot="afternoon", numbers=("09000000002", "0310000001"))
    other = replace(SACHIKO, id="300001")
    assert upsert_people(connection, (HANAKO, moved, other), later(5)) == Stored(added=1, changed=1)
    assert list_people(connection) == (HANAKO, moved, SACHIKO, other)
    created = {row.id: row.created_at for row in connection.execute(select(people.c.id, people.c.created_at))}
    assert created[TARO.id] == NOW
    assert created[other.id] == later(5)
    assert upsert_people(connection, (HANAKO, moved, other), later(6)) == Stored(added=0, changed=0)
    assert upsert_people(connection, (), later(6)) == Stored(added=0, changed=0)


async def test_an_import_is_all_or_nothing(database: Database) -> None:
    fine, wrong = replace(SACHIKO, id="300001"), replace(SACHIKO, id="1")
    with pytest.raises(IntegrityError) as refused:
        await database.write(upsert_people, [fine, wrong], NOW)
    assert SACHIKO.name not in str(refused.value)
    assert await database.read(list_people) == ROSTER


def test_closed_persons_are_kept_but_neither_listed_nor_recognised(connection: Connection) -> None:
    assert close_person(connection, HANAKO.id, later(1))
    assert not close_person(connection, HANAKO.id, later(2))
    assert not close_person(connection, "999999", later(2))
    closed = replace(HANAKO, closed_at=later(1))
    assert list_people(connection) == (TARO, SACHIKO)
    assert list_people(connection, closed=True) == (closed, TARO, SACHIKO)
    assert people_by_number(connection, "0310000001") == (TARO,)
    assert get_person(connection, HANAKO.id) == closed


def test_who_is_imported_again_is_under_observation_again(connection: Connection) -> None:
    close_person(connection, HANAKO.id, later(1))
    upsert_people(connection, [HANAKO], later(2))
    assert list_people(connection) == ROSTER


def test_a_version_of_a_questionnaire_is_kept_as_it_was(connection: Connection) -> None:
    store_questionnaire(connection, "hash-2", "daily", "first", NOW)
    store_questionnaire(connection, "hash-2", "daily", "second", later(1))
    assert questionnaire_source(connection, "hash-2") == "first"
    assert questionnaire_source(connection, "hash-3") is None


def test_facts_are_replaced(connection: Connection) -> None:
    assert get_fact(connection, "startup_time") is None
    set_fact(connection, "startup_time", "1")
    set_fact(connection, "startup_time", "2")
    assert get_fact(connection, "startup_time") == "2"
