"""Real calls: put through to the duty telephone or not, all places taken, a corrected report, a call-back.

Judged by what the far ends heard and by the rows.
"""

import asyncio
import itertools
import random
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from sqlalchemy import Connection, select

from ivr import outbound
from ivr.ari.app import Pbx
from ivr.ari.playing import Tail
from ivr.ari.settings import PbxSettings
from ivr.duty import Duty, Inbound
from ivr.handover import TURNED_AWAY
from ivr.numbers import Numbering, Plan
from ivr.person import Person
from ivr.phone import Phone
from ivr.service import Desk
from ivr.severe import SEVERE
from ivr.site import Site
from ivr.sounds import load_prompts
from ivr.storage import calls
from ivr.storage.database import open_database
from ivr.storage.people import upsert_people
from ivr.storage.questionnaires import store_questionnaire
from ivr.storage.schema import alerts, follow_ups, reports
from sandbox.journal import CallRecord
from sandbox.network import Network
from sandbox.script import CallScript, Does
from tests.acceptance import audio
from tests.acceptance.audio import prompts_in
from tests.cases_runner import CASES
from tests.contract.lead import NOW, calls_over
from tests.fakes.site import SHORT, as_it_is, settings

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

NAMES = ("talks", "waits", "leaves", "corrects", "stays", "too_many", "rings_back")
PEOPLE = {
    name: Person(f"4000{at:04d}", "見本", "ミホン", (f"0900400{at:04d}",), ("morning",))
    for at, name in enumerate(NAMES, 1)
}
#: One duty telephone for each who is put through: a number has one fate at a time.
DUTY = {"talks": "09004009001", "waits": "09004009002", "leaves": "09004009003"}
#: The second answer is an emergency.
SEVERE_KEYS = ("2", "1")
WELL = ("2", "2", "365", "1", "98#", "1")
HOURS = {"mon": {"from": "8:30", "until": "17:15"}}


@dataclass(frozen=True)
class Told:
    """What came of it."""

    site: Site
    prompts: Path
    calls: dict[str, list[CallRecord]]
    duty: dict[str, list[CallRecord]]
    complaints: list[str]

    def heard(self, record: CallRecord) -> list[str]:
        assert record.recording
        return [each.prompt for each in prompts_in(self.prompts / "ja", record.recording)]


class Reception(Desk):
    """The service's own desk; each caller has a duty telephone of their own."""

    async def arrived(self, phone: Phone, caller: str | None, dialled: str) -> None:
        await Desk(as_it_is(site_for(self.live.site, caller))).arrived(phone, caller, dialled)


def site_for(site: Site, caller: str | None) -> Site:
    names = {each.numbers[0]: name for name, each in PEOPLE.items()}
    number = DUTY.get(names.get(caller or "", ""))
    if number is None:
        return site
    duty = Duty.model_validate({"number": number, "hours": HOURS, "answer_seconds": 6})
    return replace(site, config=site.config.model_copy(update={"duty": duty}))


@asynccontextmanager
async def connected(network: Network, desk: Desk) -> AsyncIterator[Pbx]:
    ari = network.pbx
    access = PbxSettings(
        ari.ari_url.removesuffix("/ari"),
        ari.user,
        ari.secret,
        ari.trunk,
        callers={ari.trunk: ari.inbound_number},
        numbering=Numbering(Plan.PRACTICE),
    )
    site = desk.live.site
    tail = Tail(*site.prompts.resolve(("frame/quiet", "frame/apology"), "ja"))
    pbx = Pbx(access, desk, tail, now=time.monotonic, sleep=asyncio.sleep, jitter=random.random)
    running = asyncio.create_task(pbx.run())
    try:
        async with asyncio.timeout(20):
            await pbx.ready()
        yield pbx
        await calls_over(site.database)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def ring_in(network: Network, name: str, *keys: str, patience: float = 80) -> CallRecord:
    return await network.carrier.call_in(CallScript(keys=("", *keys), patience=patience), PEOPLE[name].numbers[0])


async def corrects(network: Network) -> list[CallRecord]:
    first = await ring_in(network, "corrects", *WELL)
    return [first, await ring_in(network, "corrects", "1", "2", "2", "377", "1", "98#", "1")]


async def rings_back(network: Network, site: Site, pbx: Pbx) -> list[CallRecord]:
    """We ring them, they hang up in the middle, and ring the number that rang."""
    person = PEOPLE["rings_back"]
    network.carrier.assign(person.numbers[0], [CallScript(keys=("1", "2", "2", "hang_up"))])
    planned = calls.Attempt("a-1", person.id, person.numbers[0], site.today(), "morning", site.now())
    await site.database.write(calls.plan_attempt, planned)
    await outbound.ring(site, pbx.line, planned)
    (rung,) = network.carrier.calls_of(person.numbers[0])
    back = CallScript(keys=("", "365", "1", "98#", "1"), patience=60)
    return [rung, await network.carrier.call_in(back, person.numbers[0], rung.caller)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(network: Network, short_prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    folder = tmp_path_factory.mktemp("helping")
    # The network has other tests before these, and some of them give it reason.
    before = set(network.complaints())
    spoken = shutil.copytree(short_prompts, folder / "prompts")
    greeting = spoken / "ja/frame/inbound_greeting.wav"
    # A pause after it, so that people know what comes next from the greeting, which takes no keys.
    audio.write(greeting, np.pad(audio.read(greeting), (0, 2 * audio.RATE)))
    ids = itertools.count(1)
    assign = network.carrier.assign
    assign(DUTY["talks"], [CallScript(ring=1, speaks=4, patience=6)])
    assign(DUTY["waits"], [CallScript(does=Does.RINGS)])
    assign(DUTY["leaves"], [CallScript(ring=1, speaks=4)])
    async with await open_database(folder / "kenko-call.db") as database:
        source = (CASES / "short.yaml").read_text(encoding="utf-8")
        await database.write(store_questionnaire, SHORT.hash, SHORT.id, source, NOW)
        await database.write(upsert_people, tuple(PEOPLE.values()), NOW)
        prompts = load_prompts(spoken)
        config = settings().model_copy(update={"database": folder / "kenko-call.db", "inbound": Inbound(most_calls=20)})
        site = Site(config, SHORT, prompts, database, lambda: NOW, lambda: f"kc-{next(ids)}")
        async with connected(network, Reception(as_it_is(site))) as pbx:
            talks, waits, leaves, corrected, back = await asyncio.gather(
                ring_in(network, "talks", *SEVERE_KEYS),
                ring_in(network, "waits", *SEVERE_KEYS),
                ring_in(network, "leaves", *SEVERE_KEYS, patience=22),
                corrects(network),
                rings_back(network, site, pbx),
            )
        one = replace(site, config=config.model_copy(update={"inbound": Inbound(most_calls=1)}))
        async with connected(network, Desk(as_it_is(one))):
            stays = asyncio.create_task(ring_in(network, "stays", *WELL))
            await asyncio.sleep(2)
            too_many = await ring_in(network, "too_many")
            found = {"talks": [talks], "waits": [waits], "leaves": [leaves], "corrects": corrected}
            found |= {"rings_back": back, "too_many": [too_many], "stays": [await stays]}
        duty = {name: network.carrier.calls_of(number) for name, number in DUTY.items()}
        complaints = [each for each in network.complaints() if each not in before]
        yield Told(site, spoken, found, duty, complaints)


def tasks_of(name: str) -> Callable[[Connection], list[tuple[str, bool, object]]]:
    def read(connection: Connection) -> list[tuple[str, bool, object]]:
        wanted = select(follow_ups).where(follow_ups.c.person_id == PEOPLE[name].id).order_by(follow_ups.c.id)
        return [(row.reason, row.closed_at is None, row.due_at) for row in connection.execute(wanted)]

    return read


def reports_of(name: str) -> Callable[[Connection], list[str]]:
    def read(connection: Connection) -> list[str]:
        wanted = select(reports.c.completeness).where(reports.c.person_id == PEOPLE[name].id)
        return list(connection.execute(wanted.order_by(reports.c.created_at, reports.c.id)).scalars())

    return read


async def test_who_is_put_through_hears_the_advice_then_the_duty_telephone_and_goes_on(told: Told) -> None:
    (call,) = told.calls["talks"]
    heard = told.heard(call)
    at = heard.index("frame/severe")
    assert heard[at : at + 3] == ["frame/severe", "frame/putting_through", "frame/resume"]
    assert "daily/temperature" in heard[at:]
    assert await told.site.database.read(tasks_of("talks")) in (
        [(SEVERE, False, NOW + timedelta(minutes=15))],
        [(SEVERE, False, NOW + timedelta(minutes=15)), ("could_not_enter", True, NOW + timedelta(hours=1))],
    )


async def test_the_duty_telephone_heard_no_prompt_and_was_let_go(told: Told) -> None:
    for name in ("talks", "leaves"):
        (rung,) = told.duty[name]
        assert rung.answered is not None
        assert rung.ended is not None
        assert told.heard(rung) == []
    assert told.duty["talks"][0].ended_by == "patient"  # the far end, here the one on duty
    assert told.duty["leaves"][0].ended_by == "pbx"  # because the caller hung up


async def test_the_two_heard_each_other(told: Told) -> None:
    """What the one on duty speaks for four seconds: far longer than any prompt here, or a ring."""
    (call,) = told.calls["talks"]
    assert max(each.ended - each.began for each in call.speeches if each.ended is not None) > 3


async def test_nobody_answers(told: Told) -> None:
    (call,) = told.calls["waits"]
    heard = told.heard(call)
    at = heard.index("frame/severe")
    assert heard[at : at + 4] == [
        "frame/severe",
        "frame/putting_through",
        "frame/not_put_through",
        "frame/resume",
    ]
    (rung,) = told.duty["waits"]
    assert rung.answered is None
    assert (SEVERE, True, NOW + timedelta(minutes=15)) in await told.site.database.read(tasks_of("waits"))


async def test_every_severe_answer_is_an_alert(told: Told) -> None:
    def read(connection: Connection) -> set[str]:
        return set(connection.execute(select(alerts.c.person_id)).scalars())

    assert await told.site.database.read(read) == {PEOPLE[name].id for name in DUTY}


async def test_all_places_are_taken(told: Told) -> None:
    (call,) = told.calls["too_many"]
    assert told.heard(call) == ["frame/all_busy"]
    assert call.ended_by == "pbx"
    assert await told.site.database.read(tasks_of("too_many")) == [(TURNED_AWAY, True, NOW + timedelta(hours=1))]
    # Who was there before is not disturbed.
    assert await told.site.database.read(reports_of("stays")) == ["complete"]


async def test_todays_report_is_corrected(told: Told) -> None:
    _, second = told.calls["corrects"]
    heard = told.heard(second)
    assert heard[:3] == ["frame/inbound_greeting", "frame/report_in", "frame/attend"]
    # Of the whole prompts only their first second is played here, and these two begin alike.
    assert heard[-1] in ("daily/closing", "frame/thanks")
    assert {"daily/complexion", "daily/temperature", "daily/oxygen"} <= set(heard)
    assert await told.site.database.read(reports_of("corrects")) == ["complete"] * 2


async def test_a_call_back_resumes_the_session_of_our_call(told: Told) -> None:
    rung, back = told.calls["rings_back"]
    assert rung.ended_by == "patient"
    heard = told.heard(back)
    assert heard[:2] == ["frame/inbound_greeting", "frame/resume"]
    assert "daily/complexion" not in heard
    assert await told.site.database.read(reports_of("rings_back")) == ["complete"]


async def test_nobody_complains(told: Told) -> None:
    # A sound that is cut off by a hang-up is one to Asterisk.
    assert [each for each in told.complaints if "Playback failed" not in each] == []
