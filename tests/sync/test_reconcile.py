"""Comparing with a centre over real TLS: injected differences and their alarm, every fault, many documents, the job."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from ivr.storage.alarms import Alarm, list_alarms, standing_alarms
from ivr.storage.comparisons import held_with, send_again, standing
from ivr.storage.database import Database
from ivr.storage.link import DIFFERS, UNCOMPARED
from ivr.storage.outbox import Row, all_rows
from ivr.storage.schema_outbox import outbox
from ivr.sync import digests, http, push
from ivr.sync.comparison import Difference, Digest, Outcome, Sort
from ivr.sync.delivery import State
from ivr.sync.digests import Listed, Source, Unanswered, ask, digest_from, page_from
from ivr.sync.documents import freeze
from ivr.sync.reconcile import AGAIN_SECONDS, Reconciler, compare_day
from ivr.sync.settings import Sync
from sandbox.centre import Centre, Fault
from sandbox.centre_digests import DigestFault
from sandbox.certificates import Certificates
from tests.fakes.site import Clock
from tests.storage.records import DAY, NOW
from tests.sync.conftest import Make, file, rows, settings_of
from tests.sync.test_documents import REPORT

A, B = "a" * 64, "b" * 64
TOMORROW = datetime(2025, 1, 7, 2, tzinfo=UTC)


@pytest.fixture
async def sent(database: Database, centre: Centre, certificates: Certificates, make: Make) -> Sync:
    """Twelve reports, and the centre has them all. How to get there."""
    settings = settings_of(centre.url, certificates)
    await file(database, *range(12))
    await deliver(make(settings))
    assert len(centre.documents()) == 12
    return settings


async def deliver(sender: push.Push) -> None:
    """Every person's reports come one after another, and on a slow machine fewer at once."""
    for _ in range(40):
        await sender.turn()
        if all(each.state is State.ACKNOWLEDGED for each in await rows(sender.database)):
            return


async def compared(database: Database, settings: Sync, day: date = DAY) -> Outcome:
    async with ask(settings, lambda: TOMORROW) as source:
        return await compare_day(database, source, day, TOMORROW)


async def alarms(database: Database, kind: str = DIFFERS) -> list[Alarm]:
    return [each for each in await database.read(list_alarms) if each.kind == kind]


async def test_both_sides_agree_without_a_page(database: Database, centre: Centre, sent: Sync) -> None:
    assert await compared(database, sent) == Outcome(DAY, 12, 12, 0, ())
    assert centre.digests.requests == 1
    assert await database.read(standing_alarms) == ()


async def test_a_day_without_documents_agrees(database: Database, sent: Sync) -> None:
    assert await compared(database, sent, date(2025, 1, 5)) == Outcome(date(2025, 1, 5), 0, 0, 0, ())


async def test_a_row_deleted_one_altered_and_one_foreign_are_an_alarm_until_it_agrees(
    database: Database, centre: Centre, sent: Sync, make: Make
) -> None:
    deleted, altered = (await rows(database))[3], (await rows(database))[7]
    body = foreign_body()
    sha256 = hashlib.sha256(body).hexdigest()
    spoilt = altered.payload.replace(b"36.5", b"39.5")
    assert spoilt != altered.payload
    spoilt_sha256 = hashlib.sha256(spoilt).hexdigest()
    centre.database.execute("DELETE FROM documents WHERE key = ?", (deleted.key,))
    centre.database.execute(
        "UPDATE documents SET body = ?, sha256 = ? WHERE key = ?", (spoilt, spoilt_sha256, altered.key)
    )
    centre.database.execute("INSERT INTO documents (key, sha256, body) VALUES ('foreign', ?, ?)", (sha256, body))
    wanted = (
        Difference(Sort.MISSING, deleted.key, deleted.id, deleted.sha256, None),
        Difference(Sort.OTHER_BYTES, altered.key, altered.id, altered.sha256, spoilt_sha256),
        Difference(Sort.UNKNOWN, "foreign", None, None, sha256),
    )
    assert await compared(database, sent) == Outcome(DAY, 12, 12, 0, wanted)
    (alarm,) = await alarms(database)
    assert (alarm.subject, alarm.ended_at) == ("2025-01-06", None)
    assert alarm.details == f"missing #{deleted.id}; other_bytes #{altered.id}; unknown foreign"
    # Again the same: no second alarm.
    await compared(database, sent)
    assert len(await alarms(database)) == 1
    # One of three is mended: the same alarm tells of what is left.
    assert await database.write(send_again, [deleted.id], TOMORROW) == 1
    (again,) = [each for each in await rows(database) if each.state is State.WAITING]
    assert (again.key, again.payload) == (deleted.key, deleted.payload)
    await deliver(make(sent))
    assert (deleted.key, deleted.payload) in centre.documents()
    await compared(database, sent)
    (alarm,) = await alarms(database)
    assert alarm.details == f"other_bytes #{altered.id}; unknown foreign"
    centre.database.execute(
        "UPDATE documents SET body = ?, sha256 = ? WHERE key = ?", (altered.payload, altered.sha256, altered.key)
    )
    centre.database.execute("DELETE FROM documents WHERE key = 'foreign'")
    assert (await compared(database, sent)).differences == ()
    (alarm,) = await alarms(database)
    assert alarm.ended_at == TOMORROW
    assert await database.read(standing_alarms) == ()


def foreign_body() -> bytes:
    """A document of the same day that was never here."""
    return json.dumps(json.loads(freeze(REPORT).payload) | {"frozen_at": "2025-01-06T05:00:00.000000Z"}).encode()


async def test_a_centre_that_has_lost_everything_gets_it_again(
    database: Database, centre: Centre, sent: Sync, make: Make
) -> None:
    before = centre.documents()
    centre.database.execute("DELETE FROM documents")
    outcome = await compared(database, sent)
    assert (outcome.here, outcome.there, len(outcome.differences)) == (12, 0, 12)
    assert len(centre.documents()) == 0  # never silently
    ids = [each.id for each in outcome.differences if each.id]
    assert await database.write(send_again, ids, TOMORROW) == 12
    # A second time nothing: they wait already.
    assert await database.write(send_again, ids, TOMORROW) == 0
    await deliver(make(sent))
    assert sorted(centre.documents()) == sorted(before)
    assert (await compared(database, sent)).differences == ()


async def test_a_document_that_stands_on_another_day_there(database: Database, centre: Centre, sent: Sync) -> None:
    moved = (await rows(database))[0]
    body = moved.payload.replace(b'"frozen_at":"2025-01-06', b'"frozen_at":"2025-01-05')
    # Its SHA-256 is still that of the right bytes: only the centre's idea of the day is wrong.
    centre.database.execute("UPDATE documents SET body = ? WHERE key = ?", (body, moved.key))
    found = await compared(database, sent)
    assert [(each.sort, each.id) for each in found.differences] == [(Sort.MISSING, moved.id)]
    found = await compared(database, sent, date(2025, 1, 5))
    assert [(each.sort, each.id) for each in found.differences] == [(Sort.OTHER_DAY, moved.id)]


async def test_what_waits_is_no_difference_whether_it_arrived_or_not(
    database: Database, centre: Centre, certificates: Certificates, make: Make
) -> None:
    settings = settings_of(centre.url, certificates)
    await file(database, 0, 1)
    centre.faults.extend([Fault.CUT_AFTER, Fault.CUT_BEFORE])
    await make(settings).turn()
    assert len(centre.documents()) == 1
    assert {each.state for each in await rows(database)} == {State.WAITING}
    assert await compared(database, settings) == Outcome(DAY, 0, 1, 2, ())


class Meanwhile:
    """A centre that answers, and then something happens before we hear of it."""

    def __init__(self, source: Source, happens: Callable[[], Awaitable[None]]) -> None:
        self._source, self._happens = source, happens
        self._happened = False

    async def digest(self, day: date) -> Digest:
        told = await self._source.digest(day)
        await self._once()
        return told

    async def documents(self, day: date) -> Mapping[str, str]:
        return await self._source.documents(day)

    async def _once(self) -> None:
        if not self._happened:
            self._happened = True
            await self._happens()


@pytest.mark.parametrize("before", [0, 1])
async def test_what_arrives_while_the_centre_is_asked_is_no_difference(
    database: Database, centre: Centre, certificates: Certificates, make: Make, before: int
) -> None:
    settings = settings_of(centre.url, certificates)
    sender = make(settings)
    await file(database, *range(before))
    await deliver(sender)

    async def happens() -> None:
        await file(database, 5)
        await deliver(sender)

    async with ask(settings, lambda: TOMORROW) as source:
        outcome = await compare_day(database, Meanwhile(source, happens), DAY, TOMORROW)
    assert outcome == Outcome(DAY, before, before, 0, ())
    # One was deleted as well: the pages do not fit the digest any more, so both are asked for again.
    centre.database.execute("DELETE FROM documents")
    async with ask(settings, lambda: TOMORROW) as source:

        async def again() -> None:
            await file(database, 8)
            await deliver(sender)

        outcome = await compare_day(database, Meanwhile(source, again), DAY, TOMORROW)
    assert (outcome.there, len(outcome.differences)) == (1, before + 1)
    assert {each.sort for each in outcome.differences} == {Sort.MISSING}


# --- faults ---

FAULTS: dict[StrEnum, str] = {
    Fault.BUSY: "http_429",
    Fault.ERROR: "http_500",
    Fault.GATEWAY: "http_503",
    Fault.REFUSED: "http_400",
    Fault.UNKNOWN: "http_401",
    Fault.MOVED: "http_307",
    Fault.CUT_BEFORE: "cut",
    Fault.HTML: "unreadable",
    Fault.HUGE: "too_big",
    Fault.ENDLESS: "timed_out",
    DigestFault.LATE: "timed_out",
    DigestFault.WRONG_DAY: "wrong_day",
}


@pytest.mark.parametrize("position", ["digest", "page"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_no_difference(
    database: Database, centre: Centre, sent: Sync, fault: StrEnum, position: str
) -> None:
    if position == "page":
        centre.database.execute("DELETE FROM documents WHERE record_id = 1")
        centre.digests.faults.append(Fault.TWICE)  # which is none here: the digest is told
    # aiohttp asks once more on a kept connection that was cut before an answer: RFC 9110, 9.2.2 allows it for GET.
    centre.digests.faults.extend([fault, fault])
    with pytest.raises(Unanswered) as unanswered:
        await compared(database, sent)
    assert str(unanswered.value) == FAULTS[fault]
    assert await database.read(standing_alarms) == ()
    assert (await database.read(standing))[1] == {}
    assert centre.redirected == 0


async def test_a_centre_that_is_down(database: Database, centre: Centre, sent: Sync) -> None:
    await centre.stop()
    with pytest.raises(Unanswered, match="unreachable"):
        await compared(database, sent)


async def test_a_certificate_of_ours_that_cannot_be_read(database: Database, sent: Sync) -> None:
    lost = sent.model_copy(update={"key_file": sent.key_file.with_name("gone")}) if sent.key_file else sent
    with pytest.raises(Unanswered, match="tls"):
        await compared(database, lost)


async def test_a_cut_is_our_certificate_where_the_centre_hangs_up_because_of_it(
    centre: Centre, sent: Sync, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuses(_: Sync) -> bool:
        return True

    monkeypatch.setattr(http, "refuses_us", refuses)
    centre.digests.faults.extend([Fault.CUT_BEFORE] * 2)
    with pytest.raises(Unanswered, match="tls"):
        await compared(database, sent)


WHOLE: dict[str, Any] = {"day": "2025-01-06", "documents": 3, "sha256": A}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, "unreadable"),
        ([], "unreadable"),
        ({}, "unreadable"),
        ({**WHOLE, "day": 20250106}, "unreadable"),
        ({**WHOLE, "day": "2025-01-07"}, "wrong_day"),
        ({**WHOLE, "documents": "3"}, "unreadable"),
        ({**WHOLE, "documents": -1}, "unreadable"),
        ({**WHOLE, "documents": 3.0}, "unreadable"),
        ({**WHOLE, "documents": True}, "unreadable"),
        ({**WHOLE, "sha256": A.upper()}, "unreadable"),
        ({**WHOLE, "sha256": A[1:]}, "unreadable"),
        ({**WHOLE, "sha256": None}, "unreadable"),
    ],
)
def test_a_digest_that_is_none(body: object, reason: str) -> None:
    with pytest.raises(Unanswered, match=reason):
        digest_from(body, DAY)


def page(*pairs: tuple[object, object], more: object = False, day: str = "2025-01-06") -> dict[str, Any]:
    return {"day": day, "documents": [{"key": key, "sha256": sha256} for key, sha256 in pairs], "more": more}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (None, "unreadable"),
        (page(day="2025-01-05"), "wrong_day"),
        ({**page(), "documents": None}, "unreadable"),
        ({**page(), "documents": [7]}, "unreadable"),
        (page(("k-1", A), more="yes"), "unreadable"),
        pytest.param(page(more=True), "unreadable", id="nothing, and more of it"),
        pytest.param(page(("k-0", A), more=True), "unreadable", id="the page before, for ever"),
        pytest.param(page(("k-2", A), ("k-1", A)), "unreadable", id="not sorted"),
        pytest.param(page(("k-1", A), ("k-1", A)), "unreadable", id="twice"),
        (page((7, A)), "unreadable"),
        (page(("k 1", A)), "unreadable"),
        (page(("k" * 201, A)), "unreadable"),
        (page(("k-1", "x")), "unreadable"),
        (page(("k-1", None)), "unreadable"),
    ],
)
def test_a_page_that_is_none(body: object, reason: str) -> None:
    with pytest.raises(Unanswered, match=reason):
        page_from(body, DAY, "k-0")


def test_a_page_of_the_longest_keys_is_not_too_long() -> None:
    longest = page(*((f"{each:0200}", A) for each in range(digests.PAGE)), more=True)
    assert len(json.dumps(longest, indent=1).encode()) < digests.LONGEST_PAGE
    assert page_from(longest, DAY, "")[1]


class Endless:
    """A centre whose pages go on for ever, and another whose digest fits nothing that it lists."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        monkeypatch.setattr(digests, "MOST_DOCUMENTS", 5)

    async def get(self, *_: object) -> object:
        self.asked += 1
        return page((f"k-{self.asked:09}", A), more=True)


async def test_pages_without_end_come_to_an_end(sent: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = Endless(monkeypatch)
    async with ask(sent, lambda: TOMORROW) as source:
        monkeypatch.setattr(type(source), "_get", endless.get)
        with pytest.raises(Unanswered, match="too_big"):
            await source.documents(DAY)
    assert endless.asked == 6


class Unfitting(Listed):
    """Its digest is that of no list of its; so often."""

    left = 0
    asked = 0

    async def digest(self, day: date) -> Digest:
        type(self).asked += 1
        if self.asked > self.left:
            return await super().digest(day)
        return Digest(1, B)


@pytest.mark.parametrize(("left", "asked"), [(1, 2), (2, 2)])
async def test_a_digest_that_does_not_fit_is_asked_for_once_more(
    database: Database, sent: Sync, left: int, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Unfitting, "left", left)
    monkeypatch.setattr(Unfitting, "asked", 0)
    held = {DAY: {each.key: each.sha256 for each in await rows(database)}}
    if left == 1:
        assert (await compare_day(database, Unfitting(held), DAY, NOW)).differences == ()
    else:
        with pytest.raises(Unanswered, match="wrong_digest"):
            await compare_day(database, Unfitting(held), DAY, NOW)
    assert Unfitting.asked == asked


# --- many ---


async def test_ten_thousand_documents_page_by_page(
    database: Database, centre: Centre, certificates: Certificates
) -> None:
    def fill(connection: Connection) -> list[tuple[str, str, bytes]]:
        made = []
        for each in range(10_000):
            body = b'{"frozen_at":"2025-01-06T01:00:00.000000Z","n":%d}' % each
            made.append((f"k-{each:05}", hashlib.sha256(body).hexdigest(), body))
        connection.execute(
            outbox.insert(),
            [
                {
                    **{"key": key, "kind": "report", "about": key, "subject": key, "revision": 1, "sequence": 1},
                    **{"lane": 1, "payload": body, "sha256": sha256, "state": State.ACKNOWLEDGED, "record_id": "R"},
                    **{"queued_at": NOW + timedelta(hours=1), "settled_at": NOW},
                }
                for key, sha256, body in made
            ],
        )
        return made

    made = await database.write(fill)
    settings = settings_of(centre.url, certificates, timeout_seconds=30)
    centre.database.executemany("INSERT INTO documents (key, sha256, body) VALUES (?, ?, ?)", made)
    assert await compared(database, settings) == Outcome(DAY, 10_000, 10_000, 0, ())
    assert centre.digests.requests == 1
    centre.database.execute("DELETE FROM documents WHERE key = 'k-09999'")
    centre.database.execute("UPDATE documents SET sha256 = ? WHERE key = 'k-05000'", (A,))
    found = await compared(database, settings)
    assert [(each.sort, each.key) for each in found.differences] == [
        (Sort.MISSING, "k-09999"),
        (Sort.OTHER_BYTES, "k-05000"),
    ]
    assert centre.digests.requests == 1 + 1 + 10
    centre.database.execute("DELETE FROM documents")
    assert len((await compared(database, settings)).differences) == 10_000
    known = await database.read(held_with, [f"k-{each:05}" for each in range(9_990, 10_010)])
    assert [each.key for each in known] == [f"k-{each:05}" for each in range(9_990, 10_000)]


# --- the daily job ---


async def no_sleep(_: float) -> None:
    raise AssertionError("nobody waits here")


async def test_the_job_compares_after_the_day_and_makes_up_for_days_missed(
    database: Database, centre: Centre, sent: Sync, clock: Clock
) -> None:
    job = Reconciler(database, sent, clock.now, no_sleep)
    before = centre.digests.requests
    await job.turn()
    assert centre.digests.requests == before  # the day is going on
    clock.time = datetime(2025, 1, 7, 1, tzinfo=UTC)
    await job.turn()
    assert list((await database.read(standing))[1]) == [DAY]
    await job.turn()
    assert centre.digests.requests == before + 1  # once a day
    clock.time = datetime(2025, 1, 10, 1, tzinfo=UTC)
    await Reconciler(database, sent, clock.now, no_sleep).turn()  # it was down for days
    compared_at = {day: each.at for day, each in (await database.read(standing))[1].items()}
    assert compared_at == {date(2025, 1, each): clock.time for each in (6, 7, 8, 9)}


async def test_the_job_raises_the_alarm_and_ends_it(
    database: Database, centre: Centre, sent: Sync, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    job = Reconciler(database, sent, clock.now, no_sleep)
    lost = centre.database.execute("SELECT key, sha256, body FROM documents WHERE record_id = 5").fetchone()
    centre.database.execute("DELETE FROM documents WHERE record_id = 5")
    clock.time = datetime(2025, 1, 7, 1, tzinfo=UTC)
    await job.turn()
    assert (DIFFERS, "2025-01-06") in await database.read(standing_alarms)
    assert "sync_differs" in {vars(each).get("action") for each in caplog.records}
    centre.database.execute("INSERT INTO documents (key, sha256, body) VALUES (?, ?, ?)", lost)
    clock.time = datetime(2025, 2, 20, 1, tzinfo=UTC)  # long after: a day that differed is asked for until it agrees
    await job.turn()
    assert await database.read(standing_alarms) == ()


async def test_a_day_that_differs_or_waits_is_asked_for_long_after_its_end(
    database: Database, centre: Centre, sent: Sync, clock: Clock, make: Make
) -> None:
    """After three weeks a day that agrees is done with; one with an open end is not."""
    job = Reconciler(database, sent, clock.now, no_sleep)

    async def turn(day: int) -> list[date]:
        """The days that were compared on this day of January."""
        clock.time = datetime(2025, 1, day, 1, tzinfo=UTC)
        await job.turn()
        return [each for each, done in (await database.read(standing))[1].items() if done.at == clock.time]

    def lose(number: int) -> None:
        centre.database.execute("DELETE FROM documents WHERE record_id = ?", (number,))

    assert DAY in await turn(22)
    assert DAY not in await turn(23)
    lose(3)
    await compared(database, sent)  # staff ask: it differs
    assert DAY in await turn(24)
    assert DAY in await turn(25)
    (lost,) = [each.id for each in await rows(database) if each.key not in dict(centre.documents())]
    await database.write(send_again, [lost], clock.time)
    assert DAY in await turn(26)  # nothing differs, but one waits
    assert DAY in await turn(27)
    await deliver(make(sent))
    assert DAY in await turn(28)
    assert DAY not in await turn(29)


async def test_a_centre_that_cannot_say_is_asked_hourly_and_an_alarm_after_three_days(
    database: Database, centre: Centre, sent: Sync, clock: Clock
) -> None:
    job = Reconciler(database, sent, clock.now, no_sleep)
    clock.time = datetime(2025, 1, 7, 1, tzinfo=UTC)
    before = centre.digests.requests
    centre.digests.faults.append(Fault.UNKNOWN)
    await job.turn()
    await job.turn()
    assert centre.digests.requests == before + 1
    assert await database.read(standing_alarms) == ()
    clock.time = datetime(2025, 1, 10, 1, tzinfo=UTC)
    centre.digests.faults.extend([Fault.UNKNOWN] * 3)
    await job.turn()
    (alarm,) = await alarms(database, UNCOMPARED)
    assert alarm.details == "2025-01-06 http_401"
    clock.time += timedelta(seconds=AGAIN_SECONDS)
    await job.turn()
    assert await database.read(standing_alarms) == ()


async def test_a_day_that_fails_for_ever_keeps_no_other_from_being_compared(
    database: Database, centre: Centre, sent: Sync, clock: Clock
) -> None:
    """Three fail every time: they are asked for after the others, and the alarm names the first of them."""
    job = Reconciler(database, sent, clock.now, no_sleep)
    clock.time = datetime(2025, 1, 12, 1, tzinfo=UTC)
    centre.digests.faults.extend([Fault.HTML] * 3)
    await job.turn()
    assert centre.digests.requests == 3
    assert (await database.read(standing))[1] == {}
    clock.time += timedelta(seconds=AGAIN_SECONDS)
    centre.digests.faults.extend([*[DigestFault.NONE] * 3, *[Fault.HTML] * 3])
    await job.turn()
    assert set((await database.read(standing))[1]) == {date(2025, 1, each) for each in (9, 10, 11)}
    assert [each.details for each in await alarms(database, UNCOMPARED)] == ["2025-01-06 unreadable"]


async def test_staff_may_compare_what_is_late(database: Database, centre: Centre, sent: Sync, clock: Clock) -> None:
    job = Reconciler(database, sent, clock.now, no_sleep)
    clock.time = datetime(2025, 1, 10, 1, tzinfo=UTC)
    centre.digests.faults.extend([Fault.UNKNOWN] * 3)
    await job.turn()
    (alarm,) = await alarms(database, UNCOMPARED)
    assert alarm.ended_at is None
    async with ask(sent, clock.now) as source:
        for day in (6, 7, 8, 9):
            await compare_day(database, source, date(2025, 1, day), clock.time)
    before = centre.digests.requests
    await Reconciler(database, sent, clock.now, no_sleep).turn()
    assert centre.digests.requests == before
    assert await database.read(standing_alarms) == ()


async def test_the_job_survives_its_own_faults(
    database: Database, sent: Sync, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    clock.time = datetime(2025, 1, 7, 1, tzinfo=UTC)
    turns = 0

    class Faulty(Reconciler):
        async def turn(self) -> None:
            nonlocal turns
            turns += 1
            if turns == 1:
                raise KeyError("a fault of ours")
            await super().turn()

    async with running(Faulty(database, sent, clock.now, lambda _: asyncio.sleep(0))):
        async with asyncio.timeout(20):
            while not (await database.read(standing))[1]:  # noqa: ASYNC110, a row has no event
                await asyncio.sleep(0.01)
    assert "sync_compare_failed" in {vars(each).get("action") for each in caplog.records}


@asynccontextmanager
async def running(job: Reconciler) -> AsyncIterator[None]:
    task = asyncio.create_task(job.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_service_runs_it_beside_sending(
    database: Database, centre: Centre, certificates: Certificates, clock: Clock
) -> None:
    async def sleep(_: float) -> None:
        clock.advance(60)
        await asyncio.sleep(0)

    await file(database, 0)
    settings = settings_of(centre.url, certificates)
    task = asyncio.create_task(push.serve(database, settings, clock.now, lambda: 1.0, sleep))
    async with asyncio.timeout(20):
        while DAY not in (await database.read(standing))[1]:  # noqa: ASYNC110, a row has no event
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(centre.documents()) == 1


@pytest.mark.parametrize("off", [{"reconcile": False}, {"way": "fhir", "fhir_base": "https://example.jp/kenko"}])
async def test_where_nothing_can_be_asked_the_job_ends_with_its_alarm(
    database: Database, centre: Centre, sent: Sync, certificates: Certificates, clock: Clock, off: dict[str, object]
) -> None:
    late = Reconciler(database, sent, clock.now, no_sleep)
    clock.time = datetime(2025, 1, 10, 2, tzinfo=UTC)
    centre.digests.faults.append(Fault.UNKNOWN)
    await late.turn()
    assert await alarms(database, UNCOMPARED)
    before = centre.digests.requests
    await Reconciler(database, settings_of(centre.url, certificates, **off), clock.now, no_sleep).run()
    assert centre.digests.requests == before
    assert await database.read(standing_alarms) == ()


async def test_sending_again_is_only_for_what_was_acknowledged(database: Database, sent: Sync) -> None:
    await file(database, 20)

    def parked(connection: Connection) -> int:
        return connection.execute(
            outbox.update()
            .where(outbox.c.state == State.WAITING)
            .values(state=State.PARKED, next_at=None, settled_at=NOW)
        ).rowcount

    assert await database.write(parked) == 1
    found: tuple[Row, ...] = await database.read(all_rows)
    assert await database.write(send_again, [found[-1].id, 999], TOMORROW) == 0
    assert await database.read(lambda connection: connection.execute(select(func.count(outbox.c.id))).scalar()) == 13
