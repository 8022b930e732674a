"""Put through to the duty telephone over FastAGI, as real calls: judged by what both far ends heard, and the rows.

The same over ARI: test_helping.py.
"""

import asyncio
import itertools
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from sqlalchemy import Connection, select

from ivr.duty import Duty
from ivr.fastagi.server import AgiServer
from ivr.fastagi.settings import AgiSettings
from ivr.numbers import Numbering, Plan
from ivr.person import Person
from ivr.phone import Phone
from ivr.service import Desk
from ivr.severe import SEVERE
from ivr.site import Site
from ivr.sounds import load_prompts
from ivr.storage.database import open_database
from ivr.storage.people import upsert_people
from ivr.storage.questionnaires import store_questionnaire
from ivr.storage.schema import follow_ups
from sandbox.journal import CallRecord
from sandbox.network import Network
from sandbox.script import CallScript, Does
from tests.acceptance import audio
from tests.acceptance.audio import prompts_in
from tests.cases_runner import CASES
from tests.contract.lead import NOW, calls_over
from tests.contract.test_drivers import listening
from tests.fakes.site import SHORT, as_it_is, settings

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(200)]

NAMES = ("talks", "waits", "leaves")
PEOPLE = {
    name: Person(f"4200{at:04d}", "見本", "ミホン", (f"0900420{at:04d}",), ("morning",))
    for at, name in enumerate(NAMES, 1)
}
DUTY = {name: f"0900420900{at}" for at, name in enumerate(NAMES, 1)}
SEVERE_KEYS = ("", "2", "1")  # the greeting takes no keys; the second answer is an emergency
HOURS = {"mon": {"from": "8:30", "until": "17:15"}}


@dataclass(frozen=True)
class Told:
    """What came of it."""

    prompts: Path
    calls: dict[str, CallRecord]
    duty: dict[str, list[CallRecord]]
    tasks: set[tuple[str, bool]]  #: who is a task for a severe answer, and whether it is open

    def heard(self, record: CallRecord) -> list[str]:
        assert record.recording
        return [each.prompt for each in prompts_in(self.prompts / "ja", record.recording)]


class Reception(Desk):
    """The service's own desk; each caller has a duty telephone of their own."""

    async def arrived(self, phone: Phone, caller: str | None, dialled: str) -> None:
        number = next(DUTY[name] for name, each in PEOPLE.items() if each.numbers[0] == caller)
        duty = Duty.model_validate({"number": number, "hours": HOURS, "answer_seconds": 6})
        site = self.live.site
        own = replace(site, config=site.config.model_copy(update={"duty": duty}))
        await Desk(as_it_is(own)).arrived(phone, caller, dialled)


async def ring_in(network: Network, name: str, patience: float) -> CallRecord:
    return await network.carrier.call_in(CallScript(keys=SEVERE_KEYS, patience=patience), PEOPLE[name].numbers[0])


def severe_tasks(connection: Connection) -> set[tuple[str, bool]]:
    wanted = select(follow_ups).where(follow_ups.c.reason == SEVERE)
    return {(row.person_id, row.closed_at is None) for row in connection.execute(wanted)}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(network: Network, short_prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("through")
    greeting = short_prompts / "ja/frame/inbound_greeting.wav"
    padded = folder / "ja/frame/inbound_greeting.wav"
    # A pause after it, so that people know what comes next from the greeting.
    audio.write(padded, np.pad(audio.read(greeting), (0, 2 * audio.RATE)))
    prompts = load_prompts(short_prompts)
    spoken = dict(prompts.sounds)
    spoken["ja", "frame/inbound_greeting"] = load_prompts(folder).sounds["ja", "frame/inbound_greeting"]
    network.carrier.assign(DUTY["talks"], [CallScript(ring=1, speaks=4, patience=6)])
    network.carrier.assign(DUTY["waits"], [CallScript(does=Does.RINGS)])
    network.carrier.assign(DUTY["leaves"], [CallScript(ring=1, speaks=4)])
    ids = itertools.count(1)
    agi = AgiSettings(
        network.pbx.site.agi_port,
        folder,
        callers={"trunk": network.pbx.inbound_number},
        numbering=Numbering(Plan.PRACTICE),
    )
    async with await open_database(folder / "kenko-call.db") as database:
        source = (CASES / "short.yaml").read_text(encoding="utf-8")
        await database.write(store_questionnaire, SHORT.hash, SHORT.id, source, NOW)
        await database.write(upsert_people, tuple(PEOPLE.values()), NOW)
        config = settings().model_copy(update={"database": folder / "kenko-call.db"})
        site = Site(config, SHORT, replace(prompts, sounds=spoken), database, lambda: NOW, lambda: f"kc-{next(ids)}")
        apology = spoken["ja", "frame/apology"]
        desk = Reception(as_it_is(site))
        server = AgiServer(agi, desk, lambda: apology, now=time.monotonic, sleep=asyncio.sleep)
        running = asyncio.create_task(server.run())
        try:
            await listening(agi.port)
            patience = {"talks": 40.0, "waits": 40.0, "leaves": 22.0}
            records = await asyncio.gather(*(ring_in(network, name, patience[name]) for name in NAMES))
            await calls_over(database)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        tasks = await database.read(severe_tasks)
    duty = {name: network.carrier.calls_of(number) for name, number in DUTY.items()}
    return Told(short_prompts, dict(zip(NAMES, records, strict=True)), duty, tasks)


async def test_the_caller_hears_the_advice_then_the_duty_telephone_and_goes_on(told: Told) -> None:
    call = told.calls["talks"]
    heard = told.heard(call)
    at = heard.index("frame/severe")
    assert heard[at : at + 3] == ["frame/severe", "frame/putting_through", "frame/resume"]
    # What the one on duty speaks for four seconds: far longer than any prompt here, or a ring.
    assert max(each.ended - each.began for each in call.speeches if each.ended is not None) > 3


async def test_the_duty_telephone_heard_no_prompt_and_was_let_go(told: Told) -> None:
    for name, by in (("talks", "patient"), ("leaves", "pbx")):
        (rung,) = told.duty[name]
        assert rung.answered is not None
        assert rung.ended is not None
        assert rung.ended_by == by
        assert told.heard(rung) == []


async def test_nobody_answers(told: Told) -> None:
    heard = told.heard(told.calls["waits"])
    at = heard.index("frame/severe")
    wanted = ["frame/severe", "frame/putting_through", "frame/not_put_through", "frame/resume"]
    assert heard[at : at + 4] == wanted
    (rung,) = told.duty["waits"]
    assert rung.answered is None


async def test_only_who_was_not_put_through_is_still_a_task(told: Told) -> None:
    assert (PEOPLE["waits"].id, True) in told.tasks
    assert (PEOPLE["talks"].id, False) in told.tasks
