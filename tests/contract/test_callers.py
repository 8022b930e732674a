"""Real calls of people who must say who they are: withheld numbers, wrong IDs and dates, a lock, a household.

Judged by what the far ends heard and by the rows.
"""

import asyncio
import itertools
import random
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio
from pysqlite3 import dbapi2 as sqlite3

from ivr.ari.app import Pbx
from ivr.ari.playing import Tail
from ivr.ari.settings import PbxSettings
from ivr.handover import CALLER_LOCKED, MESSAGE_LEFT, UNKNOWN_CALLER
from ivr.numbers import Numbering, Plan
from ivr.person import Person
from ivr.service import Desk
from ivr.site import Site
from ivr.sounds import load_prompts
from ivr.storage.database import open_database
from ivr.storage.people import upsert_people
from ivr.storage.questionnaires import store_questionnaire
from sandbox.journal import CallRecord
from sandbox.network import Network
from sandbox.script import CallScript
from tests.acceptance.audio import prompts_in
from tests.cases_runner import CASES
from tests.contract.lead import NOW, calls_over
from tests.fakes.site import SHORT, as_it_is, settings

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

BORN, BIRTH, WRONG = date(1935, 4, 5), "3100405#", "3100406#"
HOUSE, ELSEWHERE = "0310005001", "09005009001"
WELL = ("2", "2", "365", "1", "98#", "1")


def person(id: str, number: str) -> Person:
    return Person(id, "見本", "ミホン", (number,), ("morning",), birth_date=BORN)


ALONE, LOCKED = person("50000001", "09005000001"), person("50000002", "09005000002")
FAMILY = tuple(person(f"5100000{at}", HOUSE) for at in (1, 2, 3))
NOBODYS = "59999999"
ASKED = ["frame/enter_id", "frame/enter_birth_date", "frame/birth_date_example"]
REFUSED = ["frame/inbound_greeting", *ASKED, *["frame/not_confirmed", *ASKED] * 2, "frame/id_given_up"]
CHOOSE = ["frame/household", *(f"frame/household_{at}" for at in (1, 2, 3))]

#: Name -> from which number, and what is keyed. Those of `AGAIN` ring when the service has been started again.
FIRST: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "withheld": (None, (ALONE.id, BIRTH, *WELL)),
    "wrong id": (ELSEWHERE, (*(NOBODYS, BIRTH) * 3, "2", "say_3#")),
    "wrong dates": (None, (LOCKED.id, WRONG) * 3),
    "household": (HOUSE, ("1", "1", *WELL, "1", "2", "1", *WELL, "1", "3", "1", *WELL, "2")),
}
SECOND: dict[str, tuple[str | None, tuple[str, ...]]] = {"locks it": ("09005009002", (LOCKED.id, WRONG) * 3)}
AGAIN: dict[str, tuple[str | None, tuple[str, ...]]] = {"locked": ("09005009003", (LOCKED.id, BIRTH) * 3)}


@dataclass(frozen=True)
class Told:
    """What came of it."""

    database: Path
    prompts: Path
    calls: dict[str, CallRecord]
    complaints: list[str]

    def heard(self, name: str) -> list[str]:
        recording = self.calls[name].recording
        assert recording
        return [each.prompt for each in prompts_in(self.prompts / "ja", recording)]

    def rows(self, query: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            return [tuple(each) for each in connection.execute(query)]
        finally:
            connection.close()


@asynccontextmanager
async def service(network: Network, file: Path, prompts: Path, started: int) -> AsyncIterator[None]:
    """Its database and its connection to Asterisk, from the start to the stop."""
    ari = network.pbx
    access = PbxSettings(
        ari.ari_url.removesuffix("/ari"),
        ari.user,
        ari.secret,
        ari.trunk,
        callers={ari.trunk: ari.inbound_number},
        numbering=Numbering(Plan.PRACTICE),
    )
    ids = itertools.count(1)
    config = settings().model_copy(update={"database": file})
    async with await open_database(file) as database:
        source = (CASES / "short.yaml").read_text(encoding="utf-8")
        await database.write(store_questionnaire, SHORT.hash, SHORT.id, source, NOW)
        spoken = load_prompts(prompts)
        site = Site(config, SHORT, spoken, database, lambda: NOW, lambda: f"kc-{started}-{next(ids)}")
        tail = Tail(*spoken.resolve(("frame/quiet", "frame/apology"), "ja"))
        pbx = Pbx(access, Desk(as_it_is(site)), tail, now=time.monotonic, sleep=asyncio.sleep, jitter=random.random)
        running = asyncio.create_task(pbx.run())
        try:
            async with asyncio.timeout(20):
                await pbx.ready()
            yield
            await calls_over(database)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def ring_in(network: Network, calls: dict[str, tuple[str | None, tuple[str, ...]]]) -> dict[str, CallRecord]:
    made = [network.carrier.call_in(CallScript(keys=keys, patience=150), number) for number, keys in calls.values()]
    return dict(zip(calls, await asyncio.gather(*made), strict=True))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(network: Network, short_prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Told]:
    folder = tmp_path_factory.mktemp("callers")
    spoken = Path(shutil.copytree(short_prompts, folder / "prompts"))
    file = folder / "kenko-call.db"
    async with await open_database(file) as database:
        await database.write(upsert_people, (ALONE, LOCKED, *FAMILY), NOW)
    found: dict[str, CallRecord] = {}
    async with service(network, file, spoken, 1):
        found |= await ring_in(network, FIRST)
        found |= await ring_in(network, SECOND)
    async with service(network, file, spoken, 2):
        found |= await ring_in(network, AGAIN)
    yield Told(file, spoken, found, network.complaints())


async def test_a_withheld_number_reports_with_id_and_birth_date(told: Told) -> None:
    heard = told.heard("withheld")
    assert heard[:4] == ["frame/inbound_greeting", *ASKED]
    assert {"daily/complexion", "daily/temperature", "daily/oxygen"} <= set(heard)
    wanted = f"SELECT completeness, source, auth, claimed_id FROM reports WHERE person_id = '{ALONE.id}'"
    assert told.rows(wanted) == [("complete", "health_call", "withheld", ALONE.id)]


async def test_wrong_id_wrong_date_and_lock_sound_the_same(told: Told) -> None:
    at = len(REFUSED)
    for name in ("wrong id", "wrong dates", "locks it", "locked"):
        assert told.heard(name)[:at] == REFUSED, name
    assert told.heard("wrong dates")[at:] == ["frame/leave_name", "frame/thanks"]
    assert told.heard("locked")[at:] == told.heard("locks it")[at:] == ["frame/leave_or_wish", "frame/thanks"]


async def test_the_lock_stands_after_a_restart(told: Told) -> None:
    verdicts = [
        each for (each,) in told.rows(f"SELECT verdict FROM caller_tries WHERE claimed_id = '{LOCKED.id}' ORDER BY id")
    ]
    assert verdicts == ["failed"] * 5 + ["blocked"] * 4
    assert told.rows(f"SELECT * FROM sessions WHERE person_id = '{LOCKED.id}'") == []
    tasks = told.rows(f"SELECT reason, number FROM follow_ups WHERE person_id = '{LOCKED.id}' ORDER BY id")
    # The one who was locked out knew the date: staff see whom to ring, and on which number.
    assert tasks == [(CALLER_LOCKED, None), (UNKNOWN_CALLER, "09005009003")]


async def test_whoever_is_not_let_in_is_a_task_and_may_leave_a_message(told: Told) -> None:
    tasks = told.rows(f"SELECT reason, number FROM follow_ups WHERE claimed_id = '{NOBODYS}' ORDER BY id")
    assert tasks == [(UNKNOWN_CALLER, ELSEWHERE), (MESSAGE_LEFT, ELSEWHERE)]
    ((id, seconds),) = told.rows("SELECT id, seconds FROM voice_messages")
    assert isinstance(seconds, float)
    assert seconds > 2
    assert (told.database.parent / "voice-messages" / f"{id}.wav").exists()
    assert told.heard("wrong id")[len(REFUSED) :] == [
        "frame/leave_or_wish",
        "frame/leave_message",
        "frame/message_kept",
        "frame/thanks",
    ]


async def test_three_of_a_household_report_one_after_another(told: Told) -> None:
    heard = told.heard("household")
    assert heard[:7] == ["frame/inbound_greeting", *CHOOSE, "frame/household_is_1", "frame/household_right"]
    assert heard.count("frame/household") == heard.count("frame/household_another") == 3
    assert heard[-1] == "frame/thanks"
    wanted = "SELECT person_id, completeness, auth FROM reports WHERE auth = 'registered_number' ORDER BY person_id"
    assert told.rows(wanted) == [(each.id, "complete", "registered_number") for each in FAMILY]
    assert told.calls["household"].ended_by == "pbx"


async def test_every_call_has_a_true_outcome(told: Told) -> None:
    assert told.rows("SELECT DISTINCT outcome FROM calls") == [("answered",)]
    confirmed = told.rows("SELECT count(*) FROM calls WHERE note = ''")
    refused = told.rows("SELECT count(*) FROM calls WHERE note = 'the caller was not confirmed'")
    assert (confirmed, refused) == ([(2,)], [(4,)])


async def test_nobody_complains(told: Told) -> None:
    # A sound that is cut off by a hang-up is one to Asterisk.
    assert [each for each in told.complaints if "Playback failed" not in each] == []
