"""A running installation without Asterisk: the real database, the real questionnaires, a clock that stands still."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from ivr.config import Config
from ivr.live import Live
from ivr.loading import CALL_FRAME
from ivr.questionnaire.model import Questionnaire
from ivr.questionnaire.said import prompt_ids
from ivr.site import Site
from ivr.storage.database import Database
from ivr.storage.questionnaires import store_questionnaire
from ivr.terminal import unrecorded
from tests.cases_runner import CASES, ROOT, daily, short
from tests.storage.records import NOW

SHORT = short()
DAILY = daily()


@dataclass
class Clock:
    """Stands still until a test moves it."""

    time: datetime = NOW

    def now(self) -> datetime:
        return self.time

    def advance(self, minutes: float) -> None:
        self.time += timedelta(minutes=minutes)


def settings(**other: Any) -> Config:
    """Small but valid settings of a practice installation."""
    given: dict[str, Any] = {
        "centre": {"name": "見本"},
        "ids": {"check_digit": False},
        "numbers": "practice",
        "pbx": {"secret_file": "secret", "inbound_numbers": ["05000000100"]},
        "lines": {"total": 4, "reserved_for_inbound": 1, "calls_per_second": 20},
        "slots": {"morning": {"from": "9:00", "until": "11:30"}, "afternoon": {"from": "14:00", "until": "16:30"}},
    }
    return Config.model_validate(given | other)


def as_it_is(site: Site) -> Live:
    """A site that nobody changes."""
    return Live(site, frozenset(), lambda: "link")


async def open_site(database: Database, clock: Clock, questionnaire: Questionnaire = SHORT) -> Site:
    """What the service makes at its start; both questionnaires are stored."""
    ids = count(1)
    for known, file in ((SHORT, CASES / "short.yaml"), (DAILY, ROOT / "questionnaires" / "daily.yaml")):
        await database.write(store_questionnaire, known.hash, known.id, file.read_text(encoding="utf-8"), clock.now())
    prompts = unrecorded({*prompt_ids(SHORT), *prompt_ids(DAILY, ["0900", "1400"]), *CALL_FRAME}, "ja")
    return Site(settings(), questionnaire, prompts, database, clock.now, lambda: f"kc-{next(ids)}")
