"""Voice messages: stored with the turn that names them, listed with whose they are."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from ivr.storage.database import Database
from ivr.storage.sessions import save_turn
from ivr.storage.voice_messages import Said, message_ids, messages_between, messages_like
from tests.storage.records import DAY, HANAKO, begin_session, later, ring_in, turn


async def test_a_message_is_stored_with_its_turn(database: Database) -> None:
    await database.write(ring_in, "c-1")
    await database.write(begin_session, "s-1")
    for id, minutes in (("kc-1", 1), ("kc-2", 2)):
        said = (Said(id, "message", 4.5),)
        await database.write(save_turn, "s-1", "c-1", turn(("message", id)), later(minutes), said)
    first, second = await database.read(messages_between, DAY, DAY)
    assert (first.id, first.person_id, first.day, first.question_id, first.call_id) == (
        "kc-1",
        HANAKO.id,
        DAY,
        "message",
        "c-1",
    )
    assert (first.seconds, first.at) == (4.5, later(1))
    # The second was spoken instead of the first.
    assert (first.is_answer, second.is_answer) == (False, True)
    assert await database.read(message_ids) == {"kc-1", "kc-2"}
    assert [each.id for each in await database.read(messages_like, "kc-2")] == ["kc-2"]
    assert await database.read(messages_like, "%") == ()
    tomorrow = DAY + timedelta(days=1)
    assert await database.read(messages_between, tomorrow, tomorrow) == ()


async def test_what_is_no_message_is_stored_with_nothing_else(database: Database) -> None:
    await database.write(begin_session, "s-1")
    for said in (Said("kc-1", "message", 0.0), Said("kc-1", "message", -1.0)):
        with pytest.raises(IntegrityError):
            await database.write(save_turn, "s-1", None, turn(("message", "kc-1")), later(1), [said])
    assert await database.read(message_ids) == frozenset()


async def test_a_message_of_an_unknown_caller(database: Database) -> None:
    await database.write(begin_session, "s-1", None)
    await database.write(save_turn, "s-1", None, turn(("message", "kc-1")), later(1), [Said("kc-1", "message", 2.0)])
    (found,) = await database.read(messages_between, DAY, DAY)
    assert (found.person_id, found.claimed_id, found.is_answer) == (None, "999999", True)
