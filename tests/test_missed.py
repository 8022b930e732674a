"""Who rang while nothing of ours could take the call: from Asterisk's records to a task for staff, once."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from ivr import cdr, missed
from ivr.call import Direction, Outcome
from ivr.cdr import Place
from ivr.handover import NOT_OURS, SERVICE_DOWN
from ivr.missed import keep_looking, look_for_missed
from ivr.site import Site
from ivr.storage.alarms import list_alarms
from ivr.storage.calls import Call, get_call, start_call
from ivr.storage.followups import open_follow_ups
from ivr.storage.schema import calls
from tests.fakes.site import Clock
from tests.storage.records import DAY, HANAKO, NOW, TARO, later
from tests.test_attending import WALK, ring_in
from tests.test_cdr import gone_last_way

#: The real time, when practice is at NOW.
REAL = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
OWN, SHARED = HANAKO.numbers[1], TARO.numbers[0]


def real_now() -> datetime:
    return REAL


def record(call_id: str, caller: str, minutes_ago: float = 10) -> str:
    return gone_last_way(f"{int((REAL - timedelta(minutes=minutes_ago)).timestamp())}.{call_id}", caller)


@pytest.fixture
def records(site: Site, tmp_path: Path) -> Path:
    """Asterisk's file, which the site reads."""
    file = tmp_path / "calls.csv"
    pbx = site.config.pbx.model_copy(update={"cdr_file": file})
    object.__setattr__(site, "config", site.config.model_copy(update={"pbx": pbx}))
    return file


def keep(records: Path, *lines: str) -> None:
    """What Asterisk writes at the end of calls."""
    with records.open("a", encoding="utf-8") as file:
        file.writelines(lines)


def call_ids(connection: Connection) -> list[str]:
    return list(connection.execute(select(calls.c.id)).scalars())


async def tasks(site: Site) -> list[tuple[str | None, str]]:
    return sorted((each.person_id or "", each.reason) for each in await site.database.read(open_follow_ups))


@pytest.mark.parametrize(
    ("caller", "of"),
    [(OWN, [HANAKO.id]), (SHARED, [HANAKO.id, TARO.id]), ("", [""]), ("anonymous", [""]), ("0310000099", [""])],
)
async def test_a_known_number_is_its_owners_task_and_any_other_one_of_the_day(
    site: Site, records: Path, caller: str, of: list[str]
) -> None:
    keep(records, record("1", caller))
    assert await look_for_missed(site, real_now) == 1
    assert await tasks(site) == [(each, SERVICE_DOWN) for each in of]
    (follow_up, *_) = await site.database.read(open_follow_ups)
    assert follow_up.day == DAY
    assert follow_up.due_at == NOW + timedelta(minutes=site.config.dialling.follow_up_minutes)
    (call_id,) = await site.database.read(call_ids)
    call = await site.database.read(get_call, call_id)
    assert (call.direction, call.outcome) == (Direction.INBOUND, Outcome.FAILED)
    assert call.number == (caller if of != [""] or caller.startswith("0") else None)
    # In practice the clock is another: ten minutes ago are ten minutes ago.
    assert call.started_at == later(-10)


async def test_each_call_is_found_once_however_often_one_looks(site: Site, records: Path) -> None:
    keep(records, record("1", OWN))
    assert await look_for_missed(site, real_now) == 1
    assert await look_for_missed(site, real_now) == 0
    keep(records, record("2", OWN), record("3", "", 5))
    assert await look_for_missed(site, real_now) == 2
    assert await tasks(site) == [("", SERVICE_DOWN), (HANAKO.id, SERVICE_DOWN)]


async def test_a_call_that_had_begun_with_us_has_what_it_left(site: Site, records: Path) -> None:
    text = record("1", OWN)
    call_id = text.split('"')[1]
    await site.database.write(start_call, Call(call_id, Direction.INBOUND, NOW, number=OWN))
    keep(records, text)
    assert await look_for_missed(site, real_now) == 0
    assert await tasks(site) == []


async def test_who_reported_meanwhile_is_no_task(site: Site, records: Path) -> None:
    await ring_in(site, WALK)
    keep(records, record("1", OWN))
    assert await look_for_missed(site, real_now) == 1
    assert await tasks(site) == []


async def test_a_report_after_it_settles_it(site: Site, records: Path) -> None:
    keep(records, record("1", OWN))
    await look_for_missed(site, real_now)
    await ring_in(site, WALK)
    assert await tasks(site) == []


async def test_calls_of_yesterday_are_of_yesterday(site: Site, records: Path) -> None:
    keep(records, record("1", OWN, 24 * 60))
    await look_for_missed(site, real_now)
    assert [each.day for each in await site.database.read(open_follow_ups)] == [DAY - timedelta(days=1)]


async def test_a_file_that_is_closed_to_us_is_said_and_asked_for_again(
    site: Site, records: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(file: Path, place: Place) -> None:
        raise PermissionError(13, "Permission denied")

    keep(records, record("1", OWN))
    with monkeypatch.context() as patch:
        patch.setattr(missed, "read_on", closed)
        assert await look_for_missed(site, real_now) == 0
    assert "cdr_unreadable" in [vars(each).get("action") for each in caplog.records]
    assert await look_for_missed(site, real_now) == 1


async def test_it_looks_at_once_and_again(site: Site, records: Path, caplog: pytest.LogCaptureFixture) -> None:
    keep(records, record("1", OWN))
    slept: list[float] = []
    enough = asyncio.Event()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        keep(records, record(str(len(slept) + 1), OWN))
        if len(slept) == 3:
            enough.set()
            await asyncio.Event().wait()

    looking = asyncio.create_task(keep_looking(lambda: site, real_now, sleep))
    async with asyncio.timeout(5):
        await enough.wait()
    looking.cancel()
    assert len(await site.database.read(call_ids)) == 3
    assert [vars(each).get("action") for each in caplog.records].count("calls_missed") == 3


async def test_without_records_nothing_is_looked_for(site: Site, clock: Clock) -> None:
    assert site.config.pbx.cdr_file is None
    assert await look_for_missed(site, real_now) == 0


def astray(call_id: str, dialled: str) -> str:
    """The record of a call to a number that is not ours."""
    return f'"1.{call_id}","PJSIP/trunk-1","{cdr.NOT_OURS}","unread","dialled{dialled}","","","","0","0","NO ANSWER"\n'


async def told(site: Site) -> list[tuple[str, str, bool]]:
    """The alarms about such calls: day, forms, whether it stands."""
    found = await site.database.read(list_alarms, every=True)
    return [(each.subject, each.details, each.ended_at is None) for each in found if each.kind == NOT_OURS]


async def test_calls_to_a_number_that_is_not_ours_are_counted_and_told_with_their_form(
    site: Site, records: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keep(records, astray("1", "+815000000101"), astray("2", "T"), astray("3", "+815000000101"))
    assert await look_for_missed(site, real_now) == 0  # nobody is missed: no task
    assert await told(site) == [(DAY.isoformat(), "+815000000101 (2), T (1)", True)]
    assert await look_for_missed(site, real_now) == 0
    keep(records, astray("4", "T"), astray("5", "T"))
    await look_for_missed(site, real_now)
    assert await told(site) == [(DAY.isoformat(), "T (3), +815000000101 (2)", True)]
    assert "+8150" not in caplog.text


async def test_who_tries_number_after_number_fills_no_table(site: Site, records: Path) -> None:
    keep(records, *(astray(str(each), f"{each:04}{'9' * 100}") for each in range(50)))
    await look_for_missed(site, real_now)
    ((_, details, _),) = await told(site)
    assert details.startswith("… (30), ")
    assert details.count(",") == 20
    assert all(len(each) < 50 for each in details.split(", "))


async def test_another_day_begins_at_nought(site: Site, clock: Clock, records: Path) -> None:
    keep(records, astray("1", "T"))
    await look_for_missed(site, real_now)
    clock.time += timedelta(days=1)
    keep(records, astray("2", "s"))
    await look_for_missed(site, real_now)
    assert (await told(site))[0] == ((DAY + timedelta(days=1)).isoformat(), "s (1)", True)
