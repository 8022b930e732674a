"""The ways out that are no JSON: bundles to a FHIR server over real TLS, and batches in a folder."""

import asyncio
import errno
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from sqlalchemy import Connection, text

from ivr.questionnaire.model import SessionStatus
from ivr.storage import outbox
from ivr.storage.alarms import standing_alarms
from ivr.storage.database import Database
from ivr.storage.decisions import Signed, close_person
from ivr.storage.erasure import erase_person
from ivr.storage.link import get_link, wish_now
from ivr.storage.questionnaires import store_questionnaire
from ivr.storage.sessions import save_turn
from ivr.sync import folder_carrier
from ivr.sync.carriers import carrier_of
from ivr.sync.delivery import Reply, State
from ivr.sync.documents import Kind
from ivr.sync.fhir_carrier import FhirCarrier
from ivr.sync.folder import Busy, write_batch
from ivr.sync.folder_carrier import FolderCarrier
from ivr.sync.http_carrier import HttpCarrier
from ivr.sync.push import Push
from ivr.sync.settings import Sync
from sandbox.centre import FHIR_PATH, Centre, Fault
from sandbox.certificates import Certificates
from tests.cases_runner import ROOT
from tests.fakes.site import Clock
from tests.storage.records import DAY, HANAKO, NOW, turn
from tests.sync.conftest import file, rows, settings_of, states

BASE = "https://kenko.example.jp"
LATER = NOW + timedelta(minutes=5)


async def no_sleep(_: float) -> None:
    raise AssertionError("nobody waits in these tests")


def push_by(carrier: FhirCarrier | FolderCarrier, database: Database, settings: Sync, clock: Clock) -> Push:
    return Push(database, carrier, settings, clock.now, lambda: 1.0, no_sleep)


@pytest.fixture
async def to_fhir(database: Database, centre: Centre, certificates: Certificates, clock: Clock) -> AsyncIterator[Push]:
    settings = settings_of(centre.url + FHIR_PATH, certificates, way="fhir", fhir_base=BASE)
    carrier = FhirCarrier(settings, database)
    yield push_by(carrier, database, settings, clock)
    await carrier.close()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def to_folder(database: Database, out: Path, clock: Clock) -> Push:
    settings = Sync.model_validate({"way": "file", "folder": out}, context={"folder": Path("/")})
    return push_by(FolderCarrier(out), database, settings, clock)


def spoil(connection: Connection, id: int) -> None:
    """What a later version of ours has frozen, and this one does not know."""
    connection.execute(text("DROP TRIGGER outbox_frozen"))
    changed = text("UPDATE outbox SET payload = :payload WHERE id = :id")
    connection.execute(changed, {"payload": b'{"format":99}', "id": id})


def erase(connection: Connection) -> None:
    """HANAKO, of whom the centre has all that there was."""
    signed = Signed("tanaka", "申し出", LATER)
    close_person(connection, HANAKO.id, signed)
    erase_person(connection, HANAKO.id, signed, DAY, lambda ids: None, unsent_too=False)


# --- FHIR ---


async def test_an_erasure_takes_away_what_was_sent(
    database: Database, centre: Centre, to_fhir: Push, clock: Clock
) -> None:
    await file(database, 0, 1, 3)
    for _ in range(3):
        await to_fhir.turn()
    assert {each.state for each in await rows(database)} == {State.ACKNOWLEDGED}
    sent = [json.loads(body) for _, body in centre.documents()]
    await database.write(
        store_questionnaire, "daily", "daily", (ROOT / "questionnaires" / "daily.yaml").read_text("utf-8"), NOW
    )
    await database.write(erase)
    clock.advance(600)
    await to_fhir.turn()
    (last,) = [each for each in await rows(database) if each.kind is Kind.ERASURE]
    assert (last.state, last.about) == (State.ACKNOWLEDGED, HANAKO.id)
    told = json.loads(centre.documents()[-1][1])
    Bundle.model_validate(told)
    gone = {each["request"]["url"] for each in told["entry"] if each["request"]["method"] == "DELETE"}
    hers = {
        each["request"]["url"]
        for bundle in sent
        for each in bundle["entry"]
        if each["request"]["method"] == "PUT" and each["resource"]["subject"]["identifier"]["value"] == HANAKO.id
    }
    assert hers
    assert hers <= gone
    assert any(url.startswith("Flag?") for url in gone)  # by the rules of every version that was ever asked


async def test_bundles_arrive_once_each_and_are_valid(database: Database, centre: Centre, to_fhir: Push) -> None:
    await file(database, *range(6))
    for _ in range(2):
        await to_fhir.turn()
    assert await to_fhir.turn() is False
    frozen = await rows(database)
    assert {each.state for each in frozen} == {State.ACKNOWLEDGED}
    assert [key for key, _ in centre.documents()] == [each.key for each in frozen]
    assert {each.record_id for each in frozen} == {f"Record/R-{number}" for number in range(1, 7)}
    for row, (_, body) in zip(frozen, centre.documents(), strict=True):
        Bundle.model_validate_json(body)
        bundle: dict[str, Any] = json.loads(body)
        kinds = [each["resource"]["resourceType"] for each in bundle["entry"]]
        # The version that was asked goes with its answers.
        assert kinds[0] == "QuestionnaireResponse"
        assert kinds.count("Observation") == 1
        assert bundle["entry"][0]["resource"]["identifier"] == {"system": f"{BASE}/report", "value": row.subject}


@pytest.mark.parametrize("status", [404, 405, 410, 412])
async def test_a_server_that_cannot_delete_stops_nothing_else(
    database: Database, to_fhir: Push, clock: Clock, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    async def post(*_: object, **__: object) -> Reply:
        return Reply(status)

    await database.write(erase)
    clock.advance(6)
    monkeypatch.setattr(to_fhir.carrier, "post", post)
    await to_fhir.turn()
    assert await states(database) == [(State.PARKED, "http_412")]
    assert not (await database.read(get_link)).stopped
    # The same answer to anything else says that the address is wrong.
    await file(database, 1)
    clock.advance(5)
    await to_fhir.turn()
    assert (await database.read(get_link)).stopped is (status != 412)


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        pytest.param(Fault.CUT_AFTER, "cut", id="cut after"),
        pytest.param(Fault.SLOW, "timed_out", id="slow"),
        pytest.param(Fault.NO_ID, "unreadable", id="no id"),
        pytest.param(Fault.HTML, "unreadable", id="html"),
        pytest.param(Fault.ERROR, "http_500", id="error"),
        pytest.param(Fault.ENDLESS, "timed_out", id="endless"),
    ],
)
async def test_each_fault_ends_with_one_bundle(
    database: Database, centre: Centre, to_fhir: Push, clock: Clock, fault: Fault, problem: str
) -> None:
    await file(database, 0)
    centre.faults.append(fault)
    await to_fhir.turn()
    assert await states(database) == [(State.WAITING, problem)]
    clock.advance(16)
    await to_fhir.turn()
    assert await states(database) == [(State.ACKNOWLEDGED, "")]
    assert len(centre.documents()) == 1


async def test_a_revision_that_was_replaced_is_not_sent_over_its_successor(
    database: Database, centre: Centre, to_fhir: Push, clock: Clock
) -> None:
    await file(database, 0)
    centre.faults.append(Fault.REFUSED)
    await to_fhir.turn()
    assert await states(database) == [(State.PARKED, "http_400")]
    corrected = turn(("temperature", "37.1"), status=SessionStatus.COMPLETED)
    await database.write(save_turn, "s-0", None, corrected, LATER)
    clock.advance(5)
    await to_fhir.turn()
    before = centre.requests
    await database.write(outbox.retry, None, LATER)
    await to_fhir.turn()
    first, second = await rows(database)
    assert (first.state, second.state) == (State.ACKNOWLEDGED, State.ACKNOWLEDGED)
    assert first.record_id == second.record_id == "Record/R-1"
    assert centre.requests == before
    assert await database.read(standing_alarms) == ()


async def test_what_is_no_document_is_parked_and_the_others_go(
    database: Database, centre: Centre, to_fhir: Push
) -> None:
    await file(database, 0, 1)
    await database.write(spoil, 1)
    await to_fhir.turn()
    assert await states(database) == [(State.PARKED, "unsendable"), (State.ACKNOWLEDGED, "")]
    assert len(centre.documents()) == 1


# --- the folder ---


def lines(folder: Path) -> list[bytes]:
    return [line for each in sorted(folder.glob("*.jsonl")) for line in each.read_bytes().splitlines()]


async def test_a_round_is_a_batch(database: Database, out: Path, to_folder: Push) -> None:
    await file(database, 0, 1, 2)
    await to_folder.turn()
    frozen = await rows(database)
    assert lines(out) == [each.payload for each in frozen]
    assert {each.state for each in frozen} == {State.ACKNOWLEDGED}
    assert [each.record_id for each in frozen] == [f"kenko-0000000001.manifest.json:{each.key}" for each in frozen]
    assert await to_folder.turn() is False


async def test_a_life_that_ends_after_its_batch_writes_the_same_documents_again(
    database: Database, out: Path, to_folder: Push, clock: Clock
) -> None:
    await file(database, 0, 1)
    taken = await database.write(outbox.take, 100, clock.now(), 60.0)
    write_batch(out, {each.key: each.payload for each in taken})
    # The next life.
    await to_folder.begin()
    await to_folder.turn()
    frozen = await rows(database)
    assert {each.state for each in frozen} == {State.ACKNOWLEDGED}
    # Whoever knows documents by their keys has each once, whichever of the two he takes.
    assert lines(out) == [each.payload for each in frozen] * 2


@pytest.mark.parametrize(
    ("number", "problem"), [(errno.ENOSPC, "folder_full"), (errno.EDQUOT, "folder_full"), (errno.EROFS, "folder")]
)
async def test_a_full_disk_stops_all_and_says_so_until_there_is_room(
    database: Database,
    out: Path,
    to_folder: Push,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    problem: str,
) -> None:
    def full(*_: object) -> str:
        raise OSError(number, "no room")

    await file(database, 0, 1)
    monkeypatch.setattr(folder_carrier, "write_batch", full)
    await to_folder.turn()
    assert await states(database) == [(State.WAITING, problem)] * 2
    assert ("sync_stopped", "") in await database.read(standing_alarms)
    assert (await database.read(get_link)).stopped
    monkeypatch.undo()
    await database.write(wish_now, clock.now())
    for _ in range(3):
        await to_folder.turn()
    assert {state for state, _ in await states(database)} == {State.ACKNOWLEDGED}
    assert sorted(lines(out)) == sorted(each.payload for each in await rows(database))
    assert await database.read(standing_alarms) == ()


async def test_a_stick_that_is_not_there_is_waited_for(
    database: Database, out: Path, to_folder: Push, clock: Clock
) -> None:
    gone = await asyncio.to_thread(out.rename, out.parent / "stick")
    await file(database, 0)
    await to_folder.turn()
    assert await states(database) == [(State.WAITING, "folder")]
    await asyncio.to_thread(gone.rename, out)
    clock.advance(16)
    await to_folder.turn()
    assert await states(database) == [(State.ACKNOWLEDGED, "")]


@pytest.mark.parametrize("hours", [1, 11, 24, 24 * 365])
async def test_a_clock_that_goes_back_loses_and_reorders_nothing(
    database: Database, out: Path, to_folder: Push, clock: Clock, hours: int
) -> None:
    await file(database, 0, 3, 6)  # of one person: three batches
    await to_folder.turn()
    clock.time -= timedelta(hours=hours)
    # What waits for a moment that is now far away waits no longer than half a day.
    for _ in range(13):
        await to_folder.turn()
        clock.advance(60)
    frozen = await rows(database)
    assert {each.state for each in frozen} == {State.ACKNOWLEDGED}
    assert lines(out) == [each.payload for each in frozen]
    assert {each.record_id and each.record_id.split(".")[0] for each in frozen} == {
        f"kenko-{number:010}" for number in (1, 2, 3)
    }


async def test_another_writer_is_waited_for(
    database: Database, to_folder: Push, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> str:
        raise Busy

    await file(database, 0)
    monkeypatch.setattr(folder_carrier, "write_batch", busy)
    await to_folder.turn()
    assert await states(database) == [(State.WAITING, "folder_busy")]
    monkeypatch.undo()
    clock.advance(1)
    await to_folder.turn()
    assert await states(database) == [(State.ACKNOWLEDGED, "")]


async def test_what_is_no_document_does_not_keep_a_batch_back(database: Database, out: Path, to_folder: Push) -> None:
    await file(database, 0, 1)
    await database.write(spoil, 1)
    await to_folder.turn()
    assert await states(database) == [(State.PARKED, "unsendable"), (State.ACKNOWLEDGED, "")]
    assert len(lines(out)) == 1


# --- which way ---


def test_the_settings_choose_the_way(database: Database, certificates: Certificates, out: Path) -> None:
    def of(**given: object) -> type:
        return type(carrier_of(settings_of("https://c.jp", certificates, **given), database))

    assert of() is HttpCarrier
    assert of(way="fhir", fhir_base=BASE) is FhirCarrier
    assert of(way="file", folder=out) is FolderCarrier
