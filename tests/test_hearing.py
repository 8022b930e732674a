"""A telephone from which no key comes: the hint, what is remembered, and what staff see."""

from dataclasses import replace

import pytest
import pytest_asyncio

from ivr.handover import HandOver
from ivr.inbound import receive
from ivr.questionnaire.model import FollowUpReason
from ivr.site import Site
from ivr.storage.agenda import facts_of
from ivr.storage.followups import open_follow_ups
from ivr.storage.people import upsert_people
from ivr.storage.telephones import Telephone, note_keys, telephone_of
from tests.fakes.phone import FakePhone, keys
from tests.storage.records import DAY, HANAKO

OWN = "0310000009"
MOBILE = "09000000001"
HINT = "frame/tones"


@pytest_asyncio.fixture(autouse=True)
async def landline(site: Site) -> None:
    """A telephone of her own that may be an old one."""
    hanako = replace(HANAKO, numbers=(*HANAKO.numbers, OWN))
    await site.database.write(upsert_people, [hanako], site.now())


async def ring_in(site: Site, pressed: str, caller: str | None = OWN) -> FakePhone:
    phone = FakePhone(site.new_id(), keys(pressed))
    await receive(site, phone, caller)
    return phone


async def reasons(site: Site) -> list[str]:
    return [each.reason for each in await site.database.read(open_follow_ups)]


async def test_who_is_silent_hears_how_to_switch_to_tones(site: Site) -> None:
    phone = await ring_in(site, "- - -")
    assert [HINT in each for each in phone.said] == [False, False, True, True, False]
    assert phone.said[2][:2] == ("frame/silence", HINT)
    assert await reasons(site) == [HandOver.NO_TONES]
    known = await site.database.read(telephone_of, OWN)
    assert known == Telephone(None, site.now())


async def test_the_hint_stops_with_the_first_key(site: Site) -> None:
    phone = await ring_in(site, "- * 2 - - -")
    assert sum(HINT in each for each in phone.said) == 1
    assert await reasons(site) == [FollowUpReason.COULD_NOT_ENTER]
    assert await site.database.read(telephone_of, OWN) == Telephone(site.now(), None)


async def test_a_hash_alone_is_a_key_too(site: Site) -> None:
    await ring_in(site, "2 2 # - -")
    known = await site.database.read(telephone_of, OWN)
    assert known is not None
    assert known.keys_at is not None


async def test_next_time_it_is_said_at_once(site: Site) -> None:
    await ring_in(site, "- - -")
    phone = await ring_in(site, "- - -")
    assert HINT in phone.said[1]
    # One task a person and day, however often they try.
    assert await reasons(site) == [HandOver.NO_TONES]


async def test_a_telephone_that_had_tones_before_is_not_told(site: Site) -> None:
    await site.database.write(note_keys, OWN, site.now())
    phone = await ring_in(site, "- - -")
    assert not any(HINT in each for each in phone.said)
    assert await reasons(site) == [FollowUpReason.COULD_NOT_ENTER]
    assert (await site.database.read(facts_of, HANAKO.id, DAY)).tones


async def test_the_dialler_knows_of_it(site: Site) -> None:
    assert not (await site.database.read(facts_of, HANAKO.id, DAY)).tones
    await ring_in(site, "2")
    assert (await site.database.read(facts_of, HANAKO.id, DAY)).tones


@pytest.mark.parametrize("caller", [None, "0310000099"])
async def test_at_the_id_it_is_said_too(site: Site, caller: str | None) -> None:
    phone = await ring_in(site, "- - -", caller)
    assert any(HINT in each for each in phone.said)


async def test_who_hangs_up_at_once_is_not_taken_for_silent(site: Site) -> None:
    phone = FakePhone(site.new_id(), hang_up_after=0)
    await receive(site, phone, OWN)
    assert await site.database.read(telephone_of, OWN) is None


async def test_a_mobile_is_never_told_to_switch_to_tones(site: Site) -> None:
    """Not when it was silent before, nor by a task that says so: it has nothing to switch to."""
    for _ in range(2):
        phone = await ring_in(site, "- - -", MOBILE)
        assert not any(HINT in each for each in phone.said)
    assert await reasons(site) == [FollowUpReason.COULD_NOT_ENTER]
    known = await site.database.read(telephone_of, MOBILE)
    assert known == Telephone(None, site.now())
