"""One service on the practice network: set up, watched until its rows say what is awaited, and read past our code."""

import asyncio
import csv
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from pysqlite3 import dbapi2 as sqlite3

from ivr.errors import StorageError
from ivr.loading import CALL_FRAME, load_questionnaire
from ivr.questionnaire.said import prompt_ids
from ivr.storage.database import open_reader
from ivr.storage.status import PersonStatus, status_of_day
from sandbox.journal import CallRecord, Invite
from sandbox.network import Network
from sandbox.script import Call, CallScript, Person, load_behaviours
from sandbox.service import PRACTICE_DAY, Installation, command, write_files
from tests.acceptance.audio import Found, prompts_in
from tests.cases_runner import CASES

Row = dict[str, Any]

BEHAVIOURS = load_behaviours()
QUESTIONNAIRE = CASES / "three.yaml"
#: 36.5 degrees, no cough, not out of breath; before it the 1 of the gate.
WELL = ("1", "365", "1", "2", "2")
#: A morning in seconds instead of hours.
SETTINGS: Mapping[str, Any] = {
    "questionnaire": str(QUESTIONNAIRE),
    "lines": {"total": 40, "reserved_for_inbound": 10, "calls_per_second": 4.0},
    "gate": {"times": 3, "wait_seconds": 8},
}


def does(name: str, *keys: str, **other: object) -> Call:
    """A call of a named behaviour, with these keys and whatever else is different."""
    changes: dict[str, object] = dict(other)
    if keys:
        changes["keys"] = keys
    # Validated again: model_copy would take anything.
    return Call(name, CallScript.model_validate(BEHAVIOURS[name].model_dump() | changes))


def person(id: str, number: str, *calls: Call) -> Person:
    """Somebody on the roster, with a name that no log may hold."""
    return Person(id, f"見本 {id}", number, calls)


@dataclass(frozen=True)
class Scene:
    """A service and those whom it calls."""

    network: Network
    service: Installation
    people: tuple[Person, ...]
    prompts: Path  #: which the service speaks
    invites_before: int
    calls_before: int

    def table(self, name: str) -> list[Row]:
        """All rows of a table, oldest first."""
        return rows(self.service.database, f"SELECT * FROM {name} ORDER BY rowid")

    def status(self) -> dict[str, PersonStatus]:
        """Where everybody stands; nobody while the database is busy."""
        try:
            with open_reader(self.service.database) as reader:
                return {each.person_id: each for each in reader.read(status_of_day, PRACTICE_DAY)}
        except StorageError:
            return {}

    def invites(self) -> list[Invite]:
        """What the carrier's Asterisk wrote down since this scene began."""
        return self.network.carrier.invites()[self.invites_before :]

    def calls(self) -> list[CallRecord]:
        """The carrier's journal since this scene began."""
        return self.network.carrier.calls[self.calls_before :]

    def calls_of(self, number: str, *, inbound: bool = False) -> list[CallRecord]:
        """Those to (or from) one number."""
        return [each for each in self.calls() if each.number == number and each.inbound is inbound]

    def heard(self, record: CallRecord, values: str = "", only: frozenset[str] | None = None) -> list[Found]:
        """The prompts that somebody heard, in order; of the read-back values those that match a pattern.

        `only`: those to look for; without it, all that the questionnaire of the settings can say.
        """
        assert record.recording
        return self.heard_in(record.recording, values, only)

    def heard_in(self, recording: Path, values: str = "", only: frozenset[str] | None = None) -> list[Found]:
        """The same of a recording that somebody else made."""
        return prompts_in(self.prompts / "ja", recording, values, only or self._can_be_said())

    def _can_be_said(self) -> frozenset[str]:
        settings = yaml.safe_load(self.service.config.read_text(encoding="utf-8"))
        questionnaire, _ = load_questionnaire(Path(settings["questionnaire"]))
        return prompt_ids(questionnaire) | set(CALL_FRAME)


async def set_scene(
    network: Network,
    people: Iterable[Person],
    folder: Path,
    changes: Mapping[str, Any],
    second_numbers: Mapping[str, str] = MappingProxyType({}),
) -> Scene:
    """Files, roster and telephones; the service is not started yet. `second_numbers`: person -> where else to ring."""
    cast = tuple(people)
    settings = {"prompts": str(network.settings.prompts), **SETTINGS, **changes}
    service = write_files(network, cast, folder, settings)
    _add_numbers(folder / "people.csv", second_numbers)
    for number, calls in _telephones(cast).items():
        network.carrier.assign(number, calls)
    code, _, complaint = await command(service, "people", "import", str(folder / "people.csv"), "--yes")
    assert code == 0, complaint
    prompts = Path(settings["prompts"])
    return Scene(network, service, cast, prompts, len(network.carrier.invites()), len(network.carrier.calls))


def _add_numbers(roster: Path, second_numbers: Mapping[str, str]) -> None:
    with roster.open(encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file))
    with roster.open("w", encoding="utf-8", newline="") as file:
        written = csv.DictWriter(file, [*people[0], "number2"])
        written.writeheader()
        written.writerows(each | {"number2": second_numbers.get(each["id"], "")} for each in people)


def _telephones(people: Iterable[Person]) -> dict[str, tuple[Call, ...]]:
    """A shared telephone does what its people do, one after another."""
    found: dict[str, tuple[Call, ...]] = {}
    for each in people:
        found[each.number] = (*found.get(each.number, ()), *each.calls)
    return found


async def until(happened: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for something that nobody tells us. Fails after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            while not await asyncio.to_thread(happened):  # noqa: ASYNC110 - rows and processes tell nobody
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:.0f} s: {what}") from None


def rows(database: Path, query: str) -> list[Row]:
    """What a query gives, read by SQLite itself."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
    try:
        connection.row_factory = sqlite3.Row
        return [dict(each) for each in connection.execute(query)]
    finally:
        connection.close()


#: Times, dates, the ports of the practice network, our own ids: their digits mean nothing.
_HARMLESS = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,]\d+|[0-9a-f]{32}|/tmp/\S*?/prompts\d+/|127\.0\.0\.1:\d+|\[\d+\]|\d{10}\.\d+"
)


def told_by_logs(scene: Scene) -> list[str]:
    """Lines of our logs and of our Asterisk's that tell who somebody is, what they pressed, or what they answered."""
    secrets = {each.number for each in scene.people} | {each.id for each in scene.people} | {"見本", "ミホン"}
    for call in scene.calls():
        secrets |= {call.number, call.pressed} if len(call.pressed) > 3 else {call.number}
    values = {str(each["value"]) for each in scene.table("answers")} - {"yes", "no", "unknown"}
    secrets |= values | {each.replace(".", "") for each in values}
    secrets.discard("withheld")
    log = scene.network.pbx.site.log
    files = [scene.service.log, *log.glob("*.log")]
    assert len(files) > 2
    return [
        f"{file.name}: {line}"
        for file in files
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
        if any(each in _HARMLESS.sub("", line) for each in secrets) or "DTMF" in line
    ]
