"""Erasing somebody: every table is accounted for, nothing is left in any byte, and everybody else is as before."""

import asyncio
import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pysqlite3 import dbapi2 as sqlite3
from sqlalchemy import Connection, Index, UniqueConstraint, event, insert, select, update
from sqlalchemy.exc import IntegrityError

from ivr.erased import erase_restored, forget_traces, read_erased, remove_recordings, write_erased
from ivr.errors import BadInput
from ivr.person import Person
from ivr.storage import sqlite
from ivr.storage.database import Database, open_database
from ivr.storage.decisions import Signed, close_person, reopen_person
from ivr.storage.erasure import Refusal, Refused, erase_person, extent_of, must_forget
from ivr.storage.figures import count_rows
from ivr.storage.people import get_person, take_in, upsert_people
from ivr.storage.personal import ABOUT, ABOUT_NOBODY, rows_about
from ivr.storage.schema import METADATA, attempts, decisions
from ivr.storage.schema_callers import caller_tries
from ivr.storage.schema_erased import erased_figures
from ivr.storage.schema_outbox import outbox
from ivr.storage.sqlite import plain
from ivr.storage.tombstones import Tombstone, tombstones
from ivr.sync.documents import ErasureDocument, document_from
from tests.cases_runner import ROOT
from tests.fakes.site import settings
from tests.storage.planted import MARKED, MARKS, everything, plant
from tests.storage.records import DAY, NOW, SACHIKO, TARO, dial, later

ZONE = ZoneInfo("Asia/Tokyo")
SIGNED = Signed("tanaka", "本人の申し出", later(60))


def nothing(ids: Sequence[str]) -> None:
    """No recordings on the disk."""


def erase(connection: Connection, person: Person = MARKED, *, unsent_too: bool = False) -> None:
    erase_person(connection, person.id, SIGNED, DAY, nothing, unsent_too=unsent_too)


def test_every_table_is_said_to_be_about_people_or_about_nobody() -> None:
    assert not set(ABOUT) & set(ABOUT_NOBODY)
    assert set(ABOUT) | set(ABOUT_NOBODY) == set(METADATA.tables)
    leads = {"people"}
    for table in METADATA.sorted_tables:
        if {each.column.table.name for each in table.foreign_keys} & leads:
            leads.add(table.name)
    assert leads <= set(ABOUT)
    ids = ("person_id", "claimed_id", "number", "session_id", "attempt_id", "call_id")
    named = {table.name for table in METADATA.sorted_tables if any(each in table.columns for each in ids)}
    assert named - set(ABOUT) == {"tombstones"}


def test_every_mark_is_in_the_export_and_every_table_has_a_row(connection: Connection) -> None:
    plant(connection)
    found = rows_about(connection, MARKED.id)
    assert set(found) == set(ABOUT)
    assert [name for name, rows in found.items() if not rows] == []
    told = json.dumps(found, ensure_ascii=False, default=str)
    assert [each for each in MARKS if each not in told] == []
    assert "taro said" not in told
    # JSON that is stored as text is told as what it says.
    assert found["outbox"][0]["payload"] == {"v": "qqoutbox"}


def test_rows_of_somebody_else_are_in_no_export(connection: Connection) -> None:
    plant(connection)
    assert not any(each in json.dumps(rows_about(connection, SACHIKO.id), default=str) for each in MARKS)
    told = json.dumps(rows_about(connection, TARO.id), ensure_ascii=False, default=str)
    assert "taro said" in told
    assert [each for each in MARKS if each in told] == ["qqattempt"]  # the call that both were on names it


def test_nothing_about_them_is_left_and_everything_else_stays(connection: Connection) -> None:
    before = everything(connection)
    plant(connection)
    taro = rows_about(connection, TARO.id)
    erase(connection)
    assert get_person(connection, MARKED.id) is None
    assert {name: rows for name, rows in rows_about(connection, MARKED.id).items() if rows}.keys() == {"outbox"}
    after = everything(connection)
    assert not any(each in json.dumps(after, ensure_ascii=False, default=str) for each in MARKS)
    (call,) = taro["calls"]
    kept = taro | {"calls": (call | {"attempt_id": None},)}
    assert rows_about(connection, TARO.id) == kept
    for name, rows in before.items():
        assert [each for each in rows if each not in after[name]] == [], name
    assert plain(connection, "PRAGMA foreign_key_check") == []


def test_a_try_of_another_id_still_counts_but_not_whose_telephone_it_was(connection: Connection) -> None:
    plant(connection)
    erase(connection)
    assert [tuple(row) for row in connection.execute(select(caller_tries.c.claimed_id, caller_tries.c.number_key))] == [
        ("99999999", "-")
    ]


def test_a_tombstone_stays_and_an_erasure_leaves_for_the_centre(connection: Connection) -> None:
    plant(connection)
    erase(connection)
    assert tombstones(connection) == (Tombstone(MARKED.id, SIGNED.at, "tanaka", "本人の申し出"),)
    (row,) = connection.execute(select(outbox)).mappings().all()
    assert (row["kind"], row["about"], row["state"]) == ("erasure", MARKED.id, "waiting")
    told = document_from(row["payload"])
    assert isinstance(told, ErasureDocument)
    assert told.report_ids == ("kc-1", "kc-2")
    assert (told.person_id, told.sequence, told.frozen_at) == (MARKED.id, 2, SIGNED.at)
    for statement in ("DELETE FROM tombstones", "UPDATE tombstones SET reason = 'x'"):
        with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
            plain(connection, statement)


def test_decisions_go_with_a_tombstone_only(connection: Connection) -> None:
    plant(connection)
    close_person(connection, TARO.id, SIGNED)
    erase(connection)
    assert [row.person_id for row in connection.execute(select(decisions))] == [TARO.id]
    with pytest.raises(sqlite3.IntegrityError, match="only ever added"):
        plain(connection, f"DELETE FROM decisions WHERE person_id = '{TARO.id}'")


def test_the_id_is_never_used_again(connection: Connection) -> None:
    plant(connection)
    erase(connection)
    others = [replace(SACHIKO, id="222222"), replace(MARKED, name="別の 人")]
    ways: tuple[Callable[[], object], ...] = (
        partial(upsert_people, connection, others, NOW),
        partial(take_in, connection, others, SIGNED, ZONE),
    )
    for enter in ways:
        with pytest.raises(BadInput) as refused:
            enter()
        assert [(each.message, each.values["id"]) for each in refused.value.problems] == [("storage.erased", MARKED.id)]
        assert get_person(connection, "222222") is None
    with pytest.raises(Refused) as again:
        erase(connection)
    assert again.value.why is Refusal.ERASED


def refusal(connection: Connection, reason: str = "申し出", *, unsent_too: bool = False) -> Refusal:
    before = everything(connection)
    with pytest.raises(Refused) as refused:
        erase_person(connection, MARKED.id, Signed("tanaka", reason, later(60)), DAY, nothing, unsent_too=unsent_too)
    assert everything(connection) == before
    return refused.value.why


def test_somebody_who_is_observed_is_not_dropped(connection: Connection) -> None:
    assert refusal(connection) is Refusal.NOBODY
    plant(connection)
    reopen_person(connection, MARKED.id, SIGNED)
    assert refusal(connection, unsent_too=True) is Refusal.OBSERVED


def test_nothing_is_erased_during_a_call(connection: Connection) -> None:
    plant(connection)
    dial(connection, "live-1", replace(MARKED, numbers=MARKED.numbers[1:]))
    assert refusal(connection) is Refusal.LIVE


@pytest.mark.parametrize(
    ("state", "why"),
    [("waiting", Refusal.UNSENT), ("parked", Refusal.UNSENT), ("in_flight", Refusal.IN_FLIGHT)],
)
def test_what_the_centre_has_not_got_goes_first_or_by_decision(
    connection: Connection, state: str, why: Refusal
) -> None:
    plant(connection)
    values: dict[str, Any] = {"state": state, "record_id": None}
    values |= {"settled_at": NOW, "next_at": None} if state == "parked" else {"settled_at": None, "next_at": NOW}
    connection.execute(update(outbox).where(outbox.c.about == "qqclaimed-1").values(values))
    assert extent_of(connection, MARKED.id).unsent == 1
    assert refusal(connection) is why
    if why is Refusal.IN_FLIGHT:
        assert refusal(connection, unsent_too=True) is why
    else:
        erase(connection, unsent_too=True)
        assert [row.kind for row in connection.execute(select(outbox.c.kind))] == ["erasure"]


@pytest.mark.parametrize("reason", ["消滅さんの申し出", "ヨテイコ 様", "09000000077 から電話", "消滅予定子"])
def test_the_reason_that_stays_does_not_say_who_it_was(connection: Connection, reason: str) -> None:
    plant(connection)
    assert refusal(connection, reason) is Refusal.NAMED


def test_what_is_open_is_counted_before_it_goes(connection: Connection) -> None:
    plant(connection)
    found = extent_of(connection, MARKED.id)
    assert (found.recordings, found.unsent, found.open_tasks, found.open_alerts) == (("qqvoice-1",), 0, 1, 0)
    assert found.rows == sum(len(rows) for rows in rows_about(connection, MARKED.id).values()) - 1  # the landline's


def test_the_counts_of_a_day_stay(connection: Connection) -> None:
    plant(connection)
    before = count_rows(connection, DAY, NOW)
    erase(connection)
    after = count_rows(connection, DAY, NOW)
    assert before.attempts == after.attempts == {"answered": 1}
    assert connection.execute(select(attempts)).first() is None
    figures = erased_figures.c
    kept = {tuple(row) for row in connection.execute(select(figures.figure, figures["value"], figures["count"]))}
    assert kept == {("attempt", "answered", 1), ("report", "complete", 1), ("step", "reported", 1)}


def test_if_a_recording_cannot_be_removed_nothing_is_erased(connection: Connection, tmp_path: Path) -> None:
    plant(connection)
    before = everything(connection)
    (tmp_path / "qqvoice-1.wav").mkdir()  # a folder cannot be unlinked, whoever we are
    remove = partial(remove_recordings, tmp_path)
    with pytest.raises(BadInput), connection.begin_nested():
        erase_person(connection, MARKED.id, SIGNED, DAY, remove, unsent_too=False)
    assert everything(connection) == before


DIES = """if True:
    import asyncio, os, signal, sys
    from ivr.storage.database import open_database
    from ivr.storage.erasure import erase_person
    from tests.storage.test_erasure import DAY, MARKED, SIGNED
    def remove(ids):
        os.unlink(sys.argv[2])
        os.kill(os.getpid(), signal.SIGKILL)
    async def main():
        async with await open_database(sys.argv[1]) as database:
            await database.write(erase_person, MARKED.id, SIGNED, DAY, remove, unsent_too=False)
    asyncio.run(main())"""


async def test_killed_between_the_recordings_and_the_rows_it_is_done_again(file: Path, voice: Path) -> None:
    async with await open_database(file) as database:
        await database.write(plant)
    recording = voice / "qqvoice-1.wav"
    command = [sys.executable, "-c", DIES, str(file), str(recording)]
    died = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, check=False)
    assert died.returncode == -signal.SIGKILL
    async with await open_database(file) as database:
        assert await database.read(tombstones) == ()
        assert (await database.read(extent_of, MARKED.id)).recordings == ("qqvoice-1",)
        remove = partial(remove_recordings, voice)
        await database.write(erase_person, MARKED.id, SIGNED, DAY, remove, unsent_too=False)
        assert await database.read(get_person, MARKED.id) is None


def bytes_of(folder: Path) -> bytes:
    return b"\n".join(each.read_bytes() for each in sorted(folder.rglob("*")) if each.is_file())


@pytest.fixture
def voice(file: Path) -> Path:
    """The folder of recordings, with one of MARKED's."""
    folder = file.with_name("voice-messages")
    folder.mkdir()
    (folder / "qqvoice-1.wav").write_bytes(b"RIFF qqvoice")
    return folder


async def test_no_byte_of_them_is_left_on_the_disk(file: Path, voice: Path) -> None:
    """Also while a service, here the database that stays open, reads and writes beside it."""
    folder = file.parent
    async with await open_database(file) as service:
        await service.write(plant)
        found = bytes_of(folder)
        assert [each for each in MARKS if each.encode() not in found] == []
        async with await open_database(file, beside_service=True) as database:
            remove = partial(remove_recordings, voice)
            await database.write(erase_person, MARKED.id, SIGNED, DAY, remove, unsent_too=False)
            assert await forget_traces(database)
        await service.write(upsert_people, (TARO,), NOW)
        found = bytes_of(folder)
        assert [each for each in MARKS if each.encode() in found] == []
        assert await service.read(get_person, TARO.id) is not None


async def test_nor_after_pages_were_split_and_joined(file: Path) -> None:
    """Many people, changed in any order: what rows leave behind in pages that others fill is looked for, too."""
    rng = random.Random(6)
    crowd = [
        Person(f"4{n:05}", f"氏{n:05} 名{n:05}", "ア" * rng.randrange(1, 60), (f"0900{n:07}",), ("morning",))
        for n in range(600)
    ]
    gone = rng.sample(crowd, 60)

    def fill(connection: Connection) -> None:
        upsert_people(connection, crowd, NOW)
        for each in rng.sample(crowd, 300):
            upsert_people(connection, (replace(each, kana="イ" * rng.randrange(1, 400)),), NOW)
        for each in gone:
            close_person(connection, each.id, SIGNED)

    async with await open_database(file) as database:
        await database.write(fill)
        for each in gone:
            await database.write(erase_person, each.id, SIGNED, DAY, nothing, unsent_too=False)
        assert await forget_traces(database)
        assert not await database.read(must_forget)
        found = bytes_of(file.parent)
        assert [each.name for each in gone if each.name.encode() in found or each.numbers[0].encode() in found] == []
        assert all(each.name.encode() in found for each in crowd if each not in gone)


async def test_a_big_file_is_cleared_at_the_next_start(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "MOST_TO_FORGET", 1000)
    async with await open_database(file) as service:
        await service.write(plant)
        async with await open_database(file, beside_service=True) as database:
            await database.write(erase_person, MARKED.id, SIGNED, DAY, nothing, unsent_too=False)
            assert not await forget_traces(database)
    async with await open_database(file) as service:
        assert await service.read(must_forget)
        await _start(service, file)
        assert not await service.read(must_forget)
        found = bytes_of(file.parent)
        assert [each for each in MARKS if each.encode() in found] == []


async def test_a_restored_backup_forgets_them_again(file: Path, voice: Path) -> None:
    stones = file.with_name("erased.jsonl")
    async with await open_database(file) as database:
        await database.write(plant)
    backup = await asyncio.to_thread(file.read_bytes)
    async with await open_database(file) as database:
        await database.write(erase_person, MARKED.id, SIGNED, DAY, nothing, unsent_too=False)
        write_erased(stones, await database.read(tombstones))
    await asyncio.to_thread(file.write_bytes, backup)

    async with await open_database(file) as database:
        # As somebody under observation even, in a backup of before the closing.
        await database.write(reopen_person, MARKED.id, SIGNED)
        await _start(database, file)
        assert await database.read(get_person, MARKED.id) is None
        assert await database.read(tombstones) == read_erased(stones)
        found = bytes_of(file.parent)
        assert [each for each in MARKS if each.encode() in found] == []
        waiting = await database.read(lambda found: found.execute(select(outbox.c.kind)).scalars().all())
        assert waiting == ["erasure"]
        await _start(database, file)
        assert len(await database.read(tombstones)) == 1


async def _start(database: Database, file: Path, backups: Path | None = None) -> None:
    await erase_restored(database, settings(database=str(file), backups=backups and str(backups)), date(2025, 1, 7))


async def test_a_new_machine_knows_it_from_the_copy_beside_the_backups(file: Path, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    await asyncio.to_thread(backups.mkdir)
    write_erased(backups / "erased.jsonl", (Tombstone(MARKED.id, NOW, "tanaka", "申し出"),))
    async with await open_database(file) as database:
        await database.write(plant)
        await _start(database, file, backups)
        assert await database.read(get_person, MARKED.id) is None
        assert [each.person_id for each in read_erased(file.with_name("erased.jsonl"))] == [MARKED.id]
        # A copy that cannot be read keeps nobody from starting.
        await asyncio.to_thread((backups / "erased.jsonl").write_text, "{")
        await _start(database, file, backups)


async def test_a_file_that_was_lost_is_written_anew(file: Path) -> None:
    stones = file.with_name("erased.jsonl")
    async with await open_database(file) as database:
        await database.write(plant)
        await database.write(erase_person, MARKED.id, SIGNED, DAY, nothing, unsent_too=False)
        await _start(database, file)
        assert [each.person_id for each in read_erased(stones)] == [MARKED.id]


@pytest.mark.parametrize("line", ["{", "[]", '{"person_id": "1"}', '{"person_id": "1", "at": "x", "by": "b"}'])
def test_half_a_list_is_refused(tmp_path: Path, line: str) -> None:
    file = tmp_path / "erased.jsonl"
    write_erased(file, (Tombstone("1", NOW, "a", "b"),))
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(BadInput) as refused:
        read_erased(file)
    assert [(each.message, each.line) for each in refused.value.problems] == [("erased.bad_line", 2)]


def test_an_erased_id_cannot_be_erased_twice_by_the_database_either(connection: Connection) -> None:
    plant(connection)
    erase(connection)
    table = METADATA.tables["tombstones"]
    with pytest.raises(IntegrityError):
        connection.execute(insert(table), {"person_id": MARKED.id, "at": NOW, "by": "x", "reason": "y"})


#: Tables that grow with every call, and so for years.
GROWING = ("agenda", "answers", "alerts", "attempts", "calls", "follow_ups", "outbox", "reports", "sessions")


def test_erasing_reads_no_table_that_grows_as_a_whole(connection: Connection) -> None:
    """It holds the writer, and every answer that is keyed meanwhile waits: also with a million rows."""
    plant(connection)
    asked: list[tuple[str, Any]] = []

    def note(of: Any, cursor: Any, statement: str, values: Any, *others: Any) -> None:
        asked.append((statement, values))

    event.listen(connection, "before_cursor_execute", note)
    erase_person(connection, MARKED.id, SIGNED, DAY, nothing, unsent_too=False)
    event.remove(connection, "before_cursor_execute", note)
    plans = set()
    for statement, values in asked:
        if statement.split()[0] in ("SELECT", "DELETE", "UPDATE"):
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values):
                plans.add((row[3], statement))
    read = [(plan, statement) for plan, statement in plans if plan.split()[0] == "SCAN" and plan.split()[1] in GROWING]
    assert read == []
    # What is deleted is looked for wherever it may be referred to.
    for table in METADATA.sorted_tables:
        begins = {next(iter(each.columns)).name for each in table.indexes if _is_whole(each)}
        begins |= {next(iter(table.primary_key.columns)).name}
        begins |= {next(iter(each.columns)).name for each in table.constraints if isinstance(each, UniqueConstraint)}
        lacking = {each.parent.name for each in table.foreign_keys} - begins
        assert not lacking or table.name in ("activations", "sessions"), table.name


def _is_whole(index: Index) -> bool:
    return index.dialect_options["sqlite"].get("where") is None
