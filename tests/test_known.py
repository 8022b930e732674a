"""What a session may know of a person: their last report and their next call, and nothing for whoever keys an ID."""

from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest

from ivr.inbound import receive
from ivr.loading import CALL_FRAME
from ivr.person import OWN_TIME
from ivr.questionnaire.parse import parse
from ivr.questionnaire.said import prompt_ids
from ivr.site import Site
from ivr.storage.database import Database
from ivr.storage.people import upsert_people
from ivr.storage.questionnaires import store_questionnaire
from ivr.storage.reports import last_report, went_through
from ivr.storage.status import status_of_day
from ivr.terminal import unrecorded
from tests.fakes.phone import FakePhone, keys
from tests.fakes.site import Clock, open_site
from tests.rows import report_ends
from tests.storage.records import DAY, HANAKO

OWN = "09000000001"
TOMORROW = DAY + timedelta(days=1)
SOURCE = """
id: known
title: {ja: 試し, en: a try}
language: ja
questions:
  - {id: oxygen, kind: number, ask: daily/oxygen, digits: 2, range: [70, 99]}
  - {id: worse, kind: say, say: example/medicine, say_if: {any: [{question: oxygen, falls_by: 2}]}}
next_call: [frame/next_call, "{next_day}", "{next_time}"]
next_call_unknown: [frame/next_call_unknown]
closing: frame/thanks
alerts:
  - {id: falling, level: urgent, reason: {ja: 低下, en: falling}, any: [{question: oxygen, falls_by: 2}]}
"""
KNOWN = parse(SOURCE.encode(), "known.yaml")


@pytest.fixture
async def site(database: Database, clock: Clock, tmp_path: Path) -> Site:
    await database.write(store_questionnaire, KNOWN.hash, KNOWN.id, SOURCE, clock.now())
    site = await open_site(database, clock, KNOWN)
    return replace(site, prompts=unrecorded({*prompt_ids(KNOWN, ["0900"]), *CALL_FRAME}, "ja"))


async def call(site: Site, pressed: str, caller: str | None = OWN) -> list[tuple[str, ...]]:
    phone = FakePhone(site.new_id(), keys(pressed))
    await receive(site, phone, caller)
    return phone.said


async def alerts_of(site: Site) -> list[str]:
    status = await site.database.read(status_of_day, site.today())
    return [alert for each in status if each.person_id == HANAKO.id for alert in each.alerts]


async def test_a_number_is_compared_with_the_last_complete_report(site: Site, clock: Clock) -> None:
    said = await call(site, "98")
    assert "example/medicine" not in said[-1]
    assert await site.database.read(last_report, HANAKO.id, TOMORROW) == {"oxygen": "98"}
    # Who went through these questions on an earlier day knows them, and may key ahead; not on the day itself.
    version = site.questionnaire.hash
    assert await site.database.read(went_through, HANAKO.id, version, TOMORROW)
    assert not await site.database.read(went_through, HANAKO.id, version, DAY)
    assert not await site.database.read(went_through, HANAKO.id, "another", TOMORROW)
    assert not await site.database.read(went_through, "20000099", version, TOMORROW)
    clock.advance(24 * 60)
    said = await call(site, "96")
    assert "example/medicine" in said[-1]
    assert await alerts_of(site) == ["urgent"]


async def test_a_report_that_broke_off_is_not_compared_with(site: Site, clock: Clock) -> None:
    await call(site, "98")
    clock.advance(24 * 60)
    two = SOURCE.replace("  - {id: worse", "  - {id: cough, kind: yes_no_unknown, ask: daily/cough}\n  - {id: worse")
    longer = parse(two.encode(), "")
    await site.database.write(store_questionnaire, longer.hash, longer.id, two, site.now())
    await call(replace(site, questionnaire=longer), "80 hangup")
    assert (await site.database.read(report_ends))[-1] == (HANAKO.id, "partial")
    assert await site.database.read(last_report, HANAKO.id, TOMORROW + timedelta(days=1)) == {"oxygen": "98"}


async def test_the_closing_says_when_we_ring_next(site: Site) -> None:
    closing = (await call(site, "98"))[-1]
    assert closing[0] == "frame/next_call"
    assert closing[-1] == "frame/thanks"
    spoken = " ".join(closing)
    assert "tomorrow" in spoken
    assert "frame/next_call_unknown" not in closing


async def test_whoever_keys_an_id_hears_nothing_of_the_person(site: Site, clock: Clock) -> None:
    await call(site, "98")
    clock.advance(24 * 60)
    said = await call(site, f"{HANAKO.id} 3100405# 80", None)
    assert said[-1] == ("frame/next_call_unknown", "frame/thanks")


@pytest.mark.parametrize(("own", "said"), [(time(14, 7), ("time/hour_14", "time/minute_5_end")), (time(15), ())])
async def test_a_time_without_a_recording_is_not_said(site: Site, own: time, said: tuple[str, ...]) -> None:
    person = replace(HANAKO, slots=(OWN_TIME,), own_time=own)
    await site.database.write(upsert_people, [person], site.now())
    spoken = {*prompt_ids(KNOWN, ["1405"]), *CALL_FRAME}
    closing = (await call(replace(site, prompts=unrecorded(spoken, "ja")), "98"))[-1]
    assert said == () or set(said) <= set(closing)
    assert ("frame/next_call_unknown" in closing) is (said == ())
