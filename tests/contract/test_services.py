"""The questionnaires of real services as real calls, all at once: one caller for each walk of examples.yaml."""

import asyncio
import itertools
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from ivr import inbound
from ivr.person import Person
from ivr.phone import Phone
from ivr.questionnaire.model import Questionnaire
from ivr.questionnaire.parse import parse
from ivr.site import Site
from ivr.sounds import load_prompts
from ivr.storage.database import open_database
from ivr.storage.people import upsert_people
from ivr.storage.questionnaires import store_questionnaire
from sandbox.network import Network
from sandbox.script import CallScript
from tests.acceptance import audio
from tests.cases_runner import ROOT
from tests.contract.lead import NOW
from tests.contract.test_drivers import Reception, reception
from tests.fakes.site import settings
from tests.questionnaire.test_examples import SERVICES, Walk, walks

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

#: Nothing is known of these callers but their number.
WALKS = [each for each in walks() if each.questionnaire in SERVICES and not each.person.last_report]


def person_of(case: Walk) -> Person:
    index = WALKS.index(case) + 1
    return Person(f"3000{index:04d}", "見本", "ミホン", (f"0900300{index:04d}",), ("morning",))


def source_of(name: str) -> str:
    return (ROOT / "questionnaires" / f"{name}.yaml").read_text(encoding="utf-8")


def read(name: str) -> Questionnaire:
    return parse(source_of(name).encode(), name)


@dataclass
class Switchboard(Reception):
    """Every caller has a questionnaire of their own."""

    asked: dict[str, Questionnaire] = field(default_factory=dict)  #: number -> questionnaire

    async def arrived(self, phone: Phone, caller: str | None, dialled: str) -> None:
        await inbound.receive(replace(self.site, questionnaire=self.asked[caller or ""]), phone, caller)


@asynccontextmanager
async def site_of(folder: Path, prompts: Path) -> AsyncIterator[Site]:
    ids = itertools.count(1)
    async with await open_database(folder / "kenko-call.db") as database:
        for name in SERVICES:
            found = read(name)
            await database.write(store_questionnaire, found.hash, found.id, source_of(name), NOW)
        await database.write(upsert_people, tuple(map(person_of, WALKS)), NOW)
        yield Site(settings(), read("daily"), load_prompts(prompts), database, lambda: NOW, lambda: f"kc-{next(ids)}")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rows(network: Network, short_prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database after everybody has called."""
    folder = tmp_path_factory.mktemp("services")
    prompts = shutil.copytree(short_prompts, folder / "prompts")
    greeting = prompts / "ja/frame/inbound_greeting.wav"
    # A pause after it, so that people know the question from the greeting, which takes no keys.
    audio.write(greeting, np.pad(audio.read(greeting), (0, 2 * audio.RATE)))
    # A value counts only when it was said, with the apology before it: in no time, so that people may press early.
    values = ("daily/*_is", "daily/*_yes", "daily/no_*meter", "value/*", "frame/chosen")
    for name in (*values, "frame/silence", "frame/wrong_key"):
        for path in prompts.glob(f"ja/{name}.wav"):
            audio.write(path, audio.read(path)[: audio.RATE // 5])
    # The advice after a severe answer takes no keys either: unheard, so that nobody presses then.
    audio.write(prompts / "ja/frame/severe.wav", np.zeros(audio.RATE // 5, dtype=np.int16))
    async with site_of(folder, prompts) as site, reception(network, site, Switchboard) as desk:
        assert isinstance(desk, Switchboard)
        desk.asked |= {person_of(case).numbers[0]: read(case.questionnaire) for case in WALKS}
        await asyncio.gather(*(call(network, case) for case in WALKS))
    return folder / "kenko-call.db"


async def call(network: Network, case: Walk) -> None:
    keys = ("", *(word.replace("-", "") for word in case.presses.split()))  # the greeting takes no keys
    await network.carrier.call_in(CallScript(keys=keys, barge_in=1.1, patience=200), person_of(case).numbers[0])


@pytest.mark.parametrize("case", WALKS, ids=lambda case: case.name)
async def test_a_real_call_comes_to_the_same(case: Walk, rows: Path) -> None:
    connection = sqlite3.connect(f"file:{rows}?mode=ro", uri=True)
    try:
        query = "SELECT id, status FROM sessions WHERE person_id = ?"
        ((session, status),) = connection.execute(query, (person_of(case).id,)).fetchall()
        answers = connection.execute("SELECT question_id, value FROM answers WHERE session_id = ?", (session,))
        alerts = connection.execute("SELECT rule FROM alerts WHERE session_id = ? ORDER BY id", (session,))
        assert dict(answers.fetchall()) == case.answers
        assert [rule for (rule,) in alerts] == case.alerts
        assert status == case.status
    finally:
        connection.close()


async def test_every_service_is_called() -> None:
    assert {case.questionnaire for case in WALKS} == set(SERVICES)
