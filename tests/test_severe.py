"""A severe answer on a call: the alert is stored, then the advice, then perhaps somebody to talk to."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ivr.call import Outcome
from ivr.duty import Duty
from ivr.inbound import receive
from ivr.outbound import ring
from ivr.questionnaire.model import Level
from ivr.severe import SEVERE, duty_endpoint
from ivr.site import Site
from ivr.storage import calls
from ivr.storage.agenda import facts_of
from ivr.storage.followups import open_alerts, open_follow_ups
from tests.fakes.phone import FakeLine, FakePhone, keys
from tests.fakes.site import Clock
from tests.rows import answer_rows, call_ends, report_ends, session_ends
from tests.storage.records import DAY, HANAKO, SACHIKO, attempt

OWN = "09000000001"
#: The second answer (short of breath) is an emergency.
SEVERE_WALK = "2 1 365 1 98# 1"
#: Monday, 9:00: so stands the clock.
HOURS = {"mon": {"from": "8:30", "until": "17:15"}}
ADVICE, THROUGH = ("frame/severe",), ("frame/severe", "frame/putting_through")
ASKED = ("daily/temperature_hint", "daily/temperature")


def with_duty(site: Site, **duty: object) -> Site:
    settings = Duty.model_validate({"number": "0310000099", "hours": HOURS} | duty)
    return replace(site, config=site.config.model_copy(update={"duty": settings}))


async def ring_in(site: Site, phone: FakePhone, caller: str | None = OWN) -> FakePhone:
    phone.call_id = site.new_id()
    await receive(site, phone, caller)
    return phone


async def test_advice_comes_at_once_and_after_the_alert_is_stored(site: Site) -> None:
    seen: list[object] = []

    async def watch(_: int, said: tuple[str, ...]) -> None:
        if said == ADVICE:
            seen.extend(each.level for each in await site.database.read(open_alerts))

    phone = await ring_in(site, FakePhone(press=keys(SEVERE_WALK), watch=watch))
    assert seen == [Level.EMERGENCY]
    at = phone.said.index(ADVICE)
    assert phone.said[at - 1][0] == "daily/breathless"
    assert phone.said[at + 1] == ASKED
    assert phone.put_through_to == []
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]


async def test_it_is_said_once_a_call(site: Site) -> None:
    phone = await ring_in(site, FakePhone(press=keys("2 1 365 1 90# 1")))
    assert len(await site.database.read(open_alerts)) == 2
    assert phone.said.count(ADVICE) == 1


async def test_nobody_else_hears_it(site: Site) -> None:
    phone = await ring_in(site, FakePhone(press=keys("2 2 391 1 98# 1")))
    assert ADVICE not in phone.said


async def test_in_office_hours_the_caller_is_put_through_and_then_goes_on(site: Site) -> None:
    site = with_duty(site)
    phone = await ring_in(site, FakePhone(press=keys(SEVERE_WALK), talks=True))
    assert phone.put_through_to == [("0310000099@trunk", 30)]
    at = phone.said.index(THROUGH)
    assert phone.said[at + 1 : at + 3] == [("frame/resume",), ASKED]
    assert await site.database.read(open_follow_ups) == ()
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]


async def test_nobody_answers_the_duty_telephone(site: Site) -> None:
    site = with_duty(site)
    phone = await ring_in(site, FakePhone(press=keys(SEVERE_WALK)))
    at = phone.said.index(THROUGH)
    assert phone.said[at + 1 : at + 3] == [("frame/not_put_through", "frame/resume"), ASKED]
    (task,) = await site.database.read(open_follow_ups)
    assert (task.reason, task.person_id, task.due_at) == (SEVERE, HANAKO.id, site.now() + timedelta(minutes=15))
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]


async def test_who_hangs_up_while_it_rings_is_rung_back(site: Site) -> None:
    site = with_duty(site)
    await ring_in(site, FakePhone(press=keys(SEVERE_WALK), hang_up_through=True))
    assert [each.reason for each in await site.database.read(open_follow_ups)] == [SEVERE]
    assert await site.database.read(call_ends) == [("ended", Outcome.CUT_OFF)]
    assert len(await site.database.read(answer_rows)) == 2
    # Staff have it: no machine rings them meanwhile.
    assert (await site.database.read(facts_of, HANAKO.id, DAY)).handed_over


async def test_the_task_is_there_before_it_rings(site: Site) -> None:
    site = with_duty(site)
    seen: list[str] = []

    class Phone(FakePhone):
        async def put_through(self, endpoint: str, ring_seconds: float) -> bool:
            seen.extend(each.reason for each in await site.database.read(open_follow_ups))
            return True

    await ring_in(site, Phone(press=keys(SEVERE_WALK)))
    assert seen == [SEVERE]


@pytest.mark.parametrize("minutes", [-31, 8 * 60 + 15, 24 * 60])
async def test_outside_the_hours_nobody_is_rung(site: Site, clock: Clock, minutes: float) -> None:
    clock.advance(minutes)
    phone = await ring_in(with_duty(site), FakePhone(press=keys(SEVERE_WALK), talks=True))
    assert phone.put_through_to == []
    assert ADVICE in phone.said


async def test_whoever_keys_an_id_and_a_birth_date_is_heeded_too(site: Site) -> None:
    site = with_duty(site)
    phone = await ring_in(site, FakePhone(press=keys(f"{SACHIKO.id}# 3100405# {SEVERE_WALK}")), None)
    assert THROUGH in phone.said
    tasks = [(each.person_id, each.claimed_id, each.reason) for each in await site.database.read(open_follow_ups)]
    assert tasks == [(SACHIKO.id, SACHIKO.id, SEVERE)]


async def test_our_own_calls_do_it_too(site: Site) -> None:
    site = with_duty(site)
    planned = attempt("a-1")
    await site.database.write(calls.plan_attempt, planned)
    phone = FakePhone("kc-1", press=keys(f"1 {SEVERE_WALK}"), talks=True)
    await ring(site, FakeLine(lambda order: phone), planned)
    assert phone.put_through_to == [("0310000099@trunk", 30)]
    assert await site.database.read(session_ends) == [(HANAKO.id, None, "completed")]


def test_where_the_duty_telephone_is(site: Site) -> None:
    assert duty_endpoint(site.config) is None
    assert duty_endpoint(with_duty(site, number=None, endpoint="desk").config) == "desk"
    # Written as people write it.
    assert duty_endpoint(with_duty(site, number="03-1000-0099").config) == "0310000099@trunk"


def test_a_holiday_is_no_weekday(site: Site) -> None:
    duty = with_duty(site).config.duty
    now = site.now().astimezone(site.config.centre.zone)
    assert duty.is_there(now, lambda day: False)
    assert not duty.is_there(now, lambda day: True)
    assert not duty.is_there(now.replace(hour=17, minute=15), lambda day: False)
