"""Our own calls to a telephone that several persons share: nothing is stored of anybody who was not chosen."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, select

from ivr.call import Outcome
from ivr.errors import PbxSilent
from ivr.outbound import ring
from ivr.person import Person
from ivr.phone import DialOrder, Phone
from ivr.questionnaire.model import FollowUpReason
from ivr.site import Site
from ivr.storage import calls
from ivr.storage.decisions import Signed, close_person, pause_person
from ivr.storage.followups import open_follow_ups
from ivr.storage.people import household_of, upsert_people
from ivr.storage.reports import reports_of_day
from ivr.storage.schema import attempts
from ivr.storage.words import Auth, Source
from tests.fakes.phone import FakeLine, FakePhone, keys
from tests.rows import answer_rows, report_ends, session_ends, tasks
from tests.storage.records import DAY, HANAKO, NOW, TARO, attempt

WALK = "2 2 365 1 98# 1"
SHARED = TARO.numbers[0]
GREETING = ("frame/greeting", "frame/ready")
WHO = ("frame/household", "frame/household_1", "frame/household_2")
ANOTHER = ("frame/household_another",)
THANKS = ("frame/thanks",)
#: The third on the landline.
JIRO = replace(TARO, id="300003")


async def call(site: Site, phone: FakePhone, *persons: Person, name: str = "a") -> None:
    """One call to the landline, for these persons, answered by `phone`."""
    first, *others = (attempt(f"{name}-{each.id}", each, SHARED) for each in persons)

    def plan(connection: Connection) -> None:
        calls.plan_attempt(connection, first)
        for each in others:
            calls.plan_attempt(connection, replace(each, together_with=first.id))

    await site.database.write(plan)

    def pick_up(order: DialOrder) -> Phone:
        phone.call_id = order.call_id
        return phone

    await ring(site, FakeLine(pick_up), first)


def outcomes(connection: Connection) -> dict[str, Outcome]:
    """Person -> what the call came to for them."""
    found = connection.execute(select(attempts.c.person_id, attempts.c.outcome))
    return {row.person_id: Outcome(row.outcome) for row in found}


async def test_a_couple_reports_one_after_the_other(site: Site) -> None:
    phone = FakePhone(press=keys(f"1 2 1 {WALK} 1 1 1 {WALK}"))
    await call(site, phone, HANAKO, TARO)
    assert phone.said[:3] == [GREETING, WHO, ("frame/household_is_2", "frame/household_right")]
    assert phone.said[3][0] == "daily/opening"
    assert phone.said.count(WHO) == 2
    assert phone.said.count(ANOTHER) == 1  # both are in: nobody is asked once more
    assert phone.said[-1] == THANKS
    assert phone.over
    assert await site.database.read(session_ends) == [(TARO.id, None, "completed"), (HANAKO.id, None, "completed")]
    found = await site.database.read(reports_of_day, DAY)
    assert {(each.source, each.auth) for each in found} == {(Source.AUTOMATIC_CALL, Auth.OUTBOUND)}
    assert await site.database.read(outcomes) == {HANAKO.id: Outcome.ANSWERED, TARO.id: Outcome.ANSWERED}


async def test_who_is_not_there_is_called_again(site: Site) -> None:
    await call(site, FakePhone(press=keys(f"1 2 1 {WALK} 2")), HANAKO, TARO)
    assert await site.database.read(report_ends) == [(TARO.id, "complete")]
    assert await site.database.read(outcomes) == {HANAKO.id: Outcome.NO_KEY, TARO.id: Outcome.ANSWERED}


async def test_who_hangs_up_is_cut_off_and_the_other_was_not_reached(site: Site) -> None:
    await call(site, FakePhone(press=keys("1 1 1 2"), hang_up_after=5), HANAKO, TARO)
    assert await site.database.read(answer_rows) == [("complexion", "as_usual")]
    assert await site.database.read(outcomes) == {HANAKO.id: Outcome.CUT_OFF, TARO.id: Outcome.NO_KEY}


@pytest.mark.parametrize("pressed", ["1 - - -", "1 3 4 5", "1 1 - - -", "1 1 2 1 2 1 2"])
async def test_without_a_choice_nothing_is_stored_of_anybody(site: Site, pressed: str) -> None:
    phone = FakePhone(press=keys(pressed))
    await call(site, phone, HANAKO, TARO)
    assert phone.said[-1] == ("frame/not_reached",)
    assert await site.database.read(session_ends) == []
    assert await site.database.read(tasks) == []
    assert await site.database.read(outcomes) == {HANAKO.id: Outcome.NO_KEY, TARO.id: Outcome.NO_KEY}


async def test_a_call_for_one_of_them_asks_all_the_same(site: Site) -> None:
    """The other takes it, whose own call is in the afternoon."""
    await call(site, FakePhone(press=keys(f"1 2 1 {WALK} 2")), HANAKO)
    assert await site.database.read(report_ends) == [(TARO.id, "complete")]
    assert await site.database.read(outcomes) == {HANAKO.id: Outcome.NO_KEY}


async def test_three_on_one_telephone(site: Site) -> None:
    await site.database.write(upsert_people, [JIRO], NOW + timedelta(days=1))
    phone = FakePhone(press=keys(f"1 3 1 {WALK} 1 1 1 {WALK} 1 2 1 {WALK}"))
    await call(site, phone, HANAKO, TARO, JIRO)
    assert phone.said[1] == (*WHO, "frame/household_3")
    ends = [(each.id, None, "completed") for each in (JIRO, HANAKO, TARO)]
    assert await site.database.read(session_ends) == ends


async def test_one_whose_report_is_in_may_correct_it(site: Site) -> None:
    """Taro reported at the place of Hanako: her own call still lets her put it right."""
    await call(site, FakePhone(press=keys(f"1 1 1 {WALK} 2")), HANAKO, TARO)
    phone = FakePhone(press=keys(f"1 1 1 1 1 {WALK[2:]} 2"))
    await call(site, phone, TARO, name="b")
    assert phone.said[3] == ("frame/report_in", "frame/attend")
    assert [each for each, _ in await site.database.read(report_ends)] == [HANAKO.id, HANAKO.id]
    assert phone.said.count(ANOTHER) == 1


async def test_nobody_is_asked_when_all_reports_are_in(site: Site) -> None:
    await call(site, FakePhone(press=keys(f"1 2 1 {WALK} 1 1 1 {WALK}")), HANAKO, TARO)
    phone = FakePhone(press=keys("1"))
    await call(site, phone, HANAKO, name="again")
    assert phone.said == [("frame/greeting", "frame/already_in")]


async def test_who_is_paused_is_not_offered_and_keeps_the_place(site: Site) -> None:
    await site.database.write(pause_person, HANAKO.id, NOW + timedelta(days=1), Signed("担当", "入院", NOW))
    phone = FakePhone(press=keys(f"1 1 2 1 {WALK}"))
    await call(site, phone, TARO)
    assert phone.said[1] == ("frame/household", "frame/household_2")
    assert phone.said[2] == ("frame/wrong_key", "frame/household", "frame/household_2")
    assert await site.database.read(report_ends) == [(TARO.id, "complete")]


async def test_who_recovers_first_leaves_the_places_of_the_others_as_they_are(site: Site) -> None:
    await site.database.write(upsert_people, [JIRO], NOW + timedelta(days=1))
    await site.database.write(close_person, HANAKO.id, Signed("担当", "回復", NOW))
    phone = FakePhone(press=keys(f"1 3 1 {WALK} 2"))
    await call(site, phone, TARO, JIRO)
    assert phone.said[1] == ("frame/household", "frame/household_2", "frame/household_3")
    assert await site.database.read(report_ends) == [(JIRO.id, "complete")]


async def test_alone_on_a_telephone_that_was_shared_nobody_is_asked(site: Site) -> None:
    await site.database.write(close_person, HANAKO.id, Signed("担当", "回復", NOW))
    phone = FakePhone(press=keys(f"1 {WALK}"))
    await call(site, phone, TARO)
    assert phone.said[1][0] == "daily/opening"


async def test_first_come_first_place_whatever_the_ids_are(site: Site) -> None:
    newer = replace(TARO, id="000001")
    await site.database.write(upsert_people, [newer], NOW + timedelta(days=1))
    found = await site.database.read(household_of, SHARED)
    assert [(each.place, each.person.id) for each in found] == [(1, HANAKO.id), (2, TARO.id), (3, newer.id)]


async def test_a_wish_for_a_call_is_that_of_who_is_chosen(site: Site) -> None:
    await call(site, FakePhone(press=keys("0 2 1")), HANAKO, TARO)
    assert await site.database.read(tasks) == [(TARO.id, None, FollowUpReason.CALL_WISHED)]
    assert await site.database.read(outcomes) == {HANAKO.id: Outcome.NO_KEY, TARO.id: Outcome.NO_KEY}


async def test_a_wish_of_nobody_in_particular_is_about_the_number(site: Site) -> None:
    phone = FakePhone(press=keys("0 - - -"))
    await call(site, phone, HANAKO, TARO)
    (task,) = await site.database.read(open_follow_ups)
    assert (task.person_id, task.number, task.reason) == (None, SHARED, FollowUpReason.CALL_WISHED)
    assert phone.said[-1] == ("frame/call_wished_end",)


async def test_a_machine_hears_no_word_about_who_lives_there(site: Site) -> None:
    phone = FakePhone()
    await call(site, phone, HANAKO, TARO)
    assert not any("frame/household" in each for each in phone.said)
    assert await site.database.read(outcomes) == {HANAKO.id: Outcome.NO_KEY, TARO.id: Outcome.NO_KEY}


async def test_a_fault_costs_those_who_were_not_done(site: Site) -> None:
    phone = FakePhone(press=keys(f"1 1 1 {WALK} 1 2 1"), faults={10: PbxSilent()})
    await call(site, phone, HANAKO, TARO)
    assert phone.said[-1] == ("frame/apology",)
    assert await site.database.read(outcomes) == {HANAKO.id: Outcome.ANSWERED, TARO.id: Outcome.FAILED}


async def test_more_than_there_are_keys_say_their_id_and_no_birth_date(site: Site) -> None:
    many = [replace(TARO, id=f"7000{at:02d}") for at in range(9)]
    await site.database.write(upsert_people, many, NOW)
    phone = FakePhone(press=keys(f"1 999999# 700003# {WALK} 2"))
    await call(site, phone, many[0], many[3])
    assert phone.said[1:3] == [("frame/enter_id",), ("frame/wrong_key", "frame/enter_id")]
    assert not any("frame/enter_birth_date" in each for each in phone.said)
    assert await site.database.read(report_ends) == [("700003", "complete")]
