"""Leads the golden conversations over one driver, whole: callers known by number, rows in a database of its own."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import yaml
from pysqlite3 import dbapi2 as sqlite3

from ivr import inbound
from ivr.config import Config, read_config
from ivr.person import Person
from ivr.prompts import Prompts
from ivr.questionnaire.parse import parse
from ivr.recordings import length_of
from ivr.site import Site
from ivr.storage.calls import open_calls
from ivr.storage.database import Database, open_database
from ivr.storage.people import upsert_people
from ivr.storage.questionnaires import store_questionnaire
from ivr.terminal import TerminalPhone, scripted
from tests.cases_runner import CASES, SPOKEN, Conversation, conversations

QUESTIONNAIRES = sorted({each.questionnaire for each in conversations()})

#: 10:00 in Japan, and it stands still: nothing here depends on the time of day.
NOW = datetime(2025, 1, 6, 1, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Caller:
    """Somebody with one conversation to lead."""

    person: Person
    conversation: Conversation

    @property
    def number(self) -> str:
        """Where they call from."""
        return self.person.numbers[0]


@dataclass(frozen=True)
class Report:
    """What the rows say about one conversation after its last call."""

    answers: dict[str, str]
    status: str
    completeness: str | None  #: None: there is no report
    follow_ups: tuple[str, ...]
    alerts: tuple[str, ...]
    outcomes: tuple[str, ...]  #: of the calls
    language: str  #: in which the session ended
    messages: int  #: recordings that are kept


def callers() -> list[Caller]:
    """One for each conversation."""
    return [
        Caller(Person(f"2000{index:04d}", "見本", "ミホン", (f"0900200{index:04d}",), ("morning",)), each)
        for index, each in enumerate(conversations(), 1)
    ]


def source_of(name: str) -> str:
    """A questionnaire, with times that a busy machine keeps."""
    source = (CASES / f"{name}.yaml").read_text(encoding="utf-8")
    return source.replace("first_key: 2, inter_key: 1, total: 10", "first_key: 3, inter_key: 2.5, total: 20")


def asked_of(site: Site, number: str | None) -> Site:
    """The site as the caller with this number gets it: each with the questionnaire of their conversation."""
    names = {each.number: each.conversation.questionnaire for each in callers()}
    return replace(site, questionnaire=parse(source_of(names[number or ""]).encode(), ""))


@asynccontextmanager
async def site_of(folder: Path, prompts: Prompts) -> AsyncIterator[Site]:
    """An installation with the questionnaires of the conversations, the callers on its roster."""
    config = _config(folder)
    ids = itertools.count(1)
    async with await open_database(config.database) as database:
        for name in QUESTIONNAIRES:
            found = parse(source_of(name).encode(), name)
            await database.write(store_questionnaire, found.hash, found.id, source_of(name), NOW)
        await database.write(upsert_people, tuple(each.person for each in callers()), NOW)
        yield Site(config, found, prompts, database, lambda: NOW, lambda: f"kc-{next(ids)}")


def _config(folder: Path) -> Config:
    folder.mkdir()
    settings = {
        "centre": {"name": "さくら保健所"},
        "ids": {"check_digit": False},
        "numbers": "practice",
        "database": "kenko-call.db",
        "pbx": {"secret_file": "none", "inbound_numbers": ["05000000100"]},
        "slots": {"morning": {"from": "9:00", "until": "11:30"}},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return read_config(folder / "config.yaml")


async def calls_over(database: Database) -> None:
    """Wait until the rows say that every call is over: the far end knows of it before we have written it down."""
    async with asyncio.timeout(20):
        while await database.read(open_calls):  # noqa: ASYNC110 - rows tell nobody
            await asyncio.sleep(0.05)


async def over_terminal(site: Site) -> None:
    """All conversations, one call after another."""
    ids = itertools.count(1)
    for caller in callers():
        for keys in caller.conversation.calls:
            phone = TerminalPhone(f"terminal-{next(ids)}", {}, scripted(keys, _ignore), _ignore)
            await inbound.receive(asked_of(site, caller.number), phone, caller.number)


def _ignore(line: str) -> None:
    """Nobody watches."""


def reports(folder: Path, of: Iterable[Caller] | None = None) -> dict[str, Report]:
    """Name of the conversation -> what its rows say, read past our own code."""
    rows = sqlite3.connect(f"file:{folder / 'kenko-call.db'}?mode=ro", uri=True)
    try:
        return {each.conversation.name: _report(rows, folder, each) for each in (callers() if of is None else of)}
    finally:
        rows.close()


def _report(rows: sqlite3.Connection, folder: Path, caller: Caller) -> Report:
    person = caller.person.id

    def column(query: str, *values: str) -> tuple[str, ...]:
        return tuple(row[0] for row in rows.execute(query, values))

    (session, status), *more = rows.execute("SELECT id, status FROM sessions WHERE person_id = ?", (person,))
    assert not more  # one session, however many calls
    given = rows.execute("SELECT question_id, value FROM answers WHERE session_id = ? ORDER BY id", (session,))
    completeness = column("SELECT completeness FROM reports WHERE session_id = ?", session)
    spoken = column("SELECT id FROM voice_messages WHERE session_id = ?", session)
    assert all(length_of(folder / "voice-messages" / f"{each}.wav") > 1 for each in spoken)
    (state,) = column("SELECT state FROM sessions WHERE id = ?", session)
    return Report(
        answers={question: SPOKEN if value in spoken else value for question, value in given},
        status=status,
        completeness=completeness[0] if completeness else None,
        follow_ups=column("SELECT reason FROM follow_ups WHERE person_id = ? ORDER BY id", person),
        alerts=column("SELECT rule FROM alerts WHERE session_id = ? ORDER BY id", session),
        outcomes=column("SELECT outcome FROM calls WHERE number = ? ORDER BY rowid", caller.number),
        language=json.loads(state)["language"],
        messages=len(spoken),
    )
