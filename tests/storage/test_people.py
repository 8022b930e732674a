"""The roster in the database."""

from dataclasses import replace

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from ivr.person import Closing
from ivr.storage.database import Database
from ivr.storage.decisions import Signed, close_person
from ivr.storage.facts import get_fact, set_fact
from ivr.storage.people import Stored, get_person, list_people, people_by_number, upsert_people
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
    moved = replace(TARO, slots=("afternoon",), numbers=("09000000002", "0310000001"))
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
    assert close_person(connection, HANAKO.id, Signed("担当", "回復", later(1)))
    assert not close_person(connection, HANAKO.id, Signed("担当", "回復", later(2)))
    assert not close_person(connection, "999999", Signed("担当", "回復", later(2)))
    closed = replace(HANAKO, closing=Closing(later(1), "担当", "回復"))
    assert closed.closed_at == later(1)
    assert list_people(connection) == (TARO, SACHIKO)
    assert list_people(connection, closed=True) == (closed, TARO, SACHIKO)
    assert people_by_number(connection, "0310000001") == (TARO,)
    assert get_person(connection, HANAKO.id) == closed


def test_a_file_does_not_take_back_what_staff_decided(connection: Connection) -> None:
    close_person(connection, HANAKO.id, Signed("担当", "回復", later(1)))
    found = upsert_people(connection, [replace(HANAKO, name="見本 華子"), TARO], later(2))
    assert found == Stored(added=0, changed=1, closed=(HANAKO.id,))
    assert list_people(connection) == (TARO, SACHIKO)


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
