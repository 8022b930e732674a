"""The test call to ourselves that staff ask for: a row in, a call judged by what its far end heard, a row out."""

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from ivr.call import Ending
from ivr.digits import KeyRules
from ivr.phone import HungUp, Phone
from ivr.site import Site
from ivr.storage import facts
from ivr.storage.database import Database

log = logging.getLogger(__name__)

#: The fact of what is asked for, and that of the answer: JSON, of the records below.
WANTED, ANSWERED = "selftest.wanted", "selftest.answered"
#: Seconds between two looks at the first.
LOOK_SECONDS = 0.5
#: Nobody waits any more for what was asked for so long ago. A call takes 17 s at most: 10 of them nothing is heard.
PATIENCE = timedelta(seconds=30)
#: What the far end presses when it has heard something (dialplan/extensions.conf.j2).
_HEARD = "1"
_RULES = KeyRules(length=1, first_key=6.0)

Dial = Callable[[str], Awaitable[Phone | Ending]]


class Verdict(StrEnum):
    """How far the call came."""

    HEARD = "heard"  #: placed, answered, spoken to, and the key came back: all of a call's way
    NOT_ANSWERED = "not_answered"
    NOT_HEARD = "not_heard"  #: answered, but the far end heard nothing, or its key did not come


@dataclass(frozen=True)
class Wanted:
    """Somebody wants a test call."""

    id: str
    at: str  #: ISO, of the real clock


@dataclass(frozen=True)
class Answer:
    """What became of it."""

    id: str
    verdict: Verdict
    seconds: float  #: from the request to the key
    note: str = ""


async def call_ourselves(site: Site, dial: Dial, wanted_id: str, steady: Callable[[], float]) -> Answer:
    """Place the call and judge it. `steady` is a clock in seconds."""
    began = steady()
    phone = await dial(site.new_id())
    if isinstance(phone, Ending):
        return Answer(wanted_id, Verdict.NOT_ANSWERED, steady() - began, phone.note)
    note, keys = "", ""
    try:
        sounds = site.prompts.resolve(("frame/greeting",), site.questionnaire.language)
        keys = (await phone.ask(sounds, _RULES)).keys
    except HungUp as over:
        note = over.ending.note
    await phone.hang_up()
    return Answer(wanted_id, Verdict.HEARD if keys == _HEARD else Verdict.NOT_HEARD, steady() - began, note)


async def answer_wishes(
    site: Callable[[], Site],
    dial: Dial,
    real_now: Callable[[], datetime],
    steady: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    """Place each test call that is asked for, once, until cancelled."""
    done = ""
    while True:
        await sleep(LOOK_SECONDS)
        try:
            wanted = read_wanted(await site().database.read(facts.get_fact, WANTED))
            if wanted is None or wanted.id == done:
                continue
            done = wanted.id
            if real_now() - datetime.fromisoformat(wanted.at) > PATIENCE:
                continue  # of before a restart
            answer = await call_ourselves(site(), dial, wanted.id, steady)
            await site().database.write(facts.set_fact, ANSWERED, json.dumps(asdict(answer)))
            log.info("test call: %s", answer.verdict, extra={"action": "test_call", "reason": answer.verdict})
        except Exception as error:  # a task border: a test must not hurt real calls; who asked waits PATIENCE
            log.exception("a test call failed", extra={"action": "test_call_failed"})
            site().database.pending.note("test_call_failed", error)


async def wish(database: Database, wanted_id: str, at: datetime) -> None:
    """Ask the running service for a test call. `at`: real, aware."""
    said = Wanted(wanted_id, at.astimezone(UTC).isoformat())
    await database.write(facts.set_fact, WANTED, json.dumps(asdict(said)))


def read_wanted(said: str | None) -> Wanted | None:
    """From the fact."""
    return Wanted(**json.loads(said)) if said else None


def read_answer(said: str | None, wanted_id: str) -> Answer | None:
    """From the fact; None while it is not the answer to this wish."""
    given = json.loads(said) if said else {}
    if given.get("id") != wanted_id:
        return None
    return Answer(**(given | {"verdict": Verdict(given["verdict"])}))
