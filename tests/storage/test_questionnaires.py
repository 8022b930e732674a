"""Versions and who put which in force: the journal, whatever the clock does."""

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from ivr.errors import problem
from ivr.storage.database import Database
from ivr.storage.questionnaires import (
    Decision,
    NewVersion,
    decide,
    get_activation,
    history,
    open_wishes,
    standing,
    versions_like,
    wish,
)
from ivr.storage.schema import Cause, Verdict
from tests.storage.records import later

ONE, TWO = "1" * 64, "2" * 64
PROBLEM = problem("file.missing", "a.yaml")


def adopted(version: str, cause: Cause = Cause.SAVED) -> Decision:
    return Decision(cause, version, version, new=NewVersion("daily", f"id: daily # {version}\n"))


async def test_nothing_stands_in_the_beginning(database: Database) -> None:
    now = await database.read(standing)
    assert (now.live, now.refused) == (None, None)
    with pytest.raises(LookupError):
        await database.read(get_activation, 1)


async def test_the_last_decision_counts_whatever_the_clock_says(database: Database) -> None:
    wished = await database.write(wish, Cause.ACTIVATE, "sato", None, later(9))
    await database.write(decide, adopted(ONE), later(5))
    # Practice begins anew at each start: the clock goes back.
    await database.write(decide, adopted(TWO), later(1))
    now = await database.read(standing)
    assert now.live is not None
    assert now.live.hash == TWO
    # The older wish is decided on last.
    await database.write(decide, Decision(Cause.ACTIVATE, ONE, TWO), later(0), wished)
    now = await database.read(standing)
    assert now.live is not None
    assert (now.live.hash, now.live.id, now.live.by_whom) == (ONE, wished, "sato")
    assert [each.hash for each in await database.read(history, 9)] == [ONE, TWO, ONE]
    assert await database.read(open_wishes) == ()


async def test_a_version_is_stored_once_and_found_by_its_beginning(database: Database) -> None:
    for version in (ONE, TWO, ONE):
        await database.write(decide, adopted(version), later(1))
    assert [each.hash for each in await database.read(versions_like, "1")] == [ONE]
    assert {each.hash for each in await database.read(versions_like, "")} == {ONE, TWO, "hash-1"}


async def test_a_refusal_is_of_what_is_on_disk(database: Database) -> None:
    await database.write(decide, adopted(ONE), later(1))
    await database.write(decide, Decision(Cause.SAVED, None, TWO, [PROBLEM]), later(2))
    await database.write(decide, Decision(Cause.ACTIVATE, ONE, TWO), later(3))
    now = await database.read(standing)
    assert now.refused is not None
    assert now.refused.file_hash == TWO
    assert now.refused.problems == ({"ja": PROBLEM.render("ja"), "en": PROBLEM.render("en")},)
    await database.write(decide, Decision(Cause.ACTIVATE, ONE, TWO, [PROBLEM]), later(4))
    await database.write(decide, adopted(TWO, Cause.RELOAD), later(5))
    assert (await database.read(standing)).refused is None


async def test_a_version_that_is_not_stored_cannot_be_live(database: Database) -> None:
    for decision in (Decision(Cause.SAVED, ONE, ONE), Decision(Cause.SAVED, None, ONE)):
        with pytest.raises(IntegrityError):
            await database.write(decide, decision, later(1))
    wished = await database.write(wish, Cause.RELOAD, "sato", None, later(1))

    def claim(connection: Connection) -> None:
        connection.execute(text("UPDATE activations SET verdict = 'refused' WHERE id = :id"), {"id": wished})

    # What is decided has its place in the order of decisions.
    with pytest.raises(IntegrityError):
        await database.write(claim)
    assert (await database.read(get_activation, wished)).verdict is Verdict.WISHED
