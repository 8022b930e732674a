"""Every call to us is accounted for, in whatever order its traces are written: once, and as a task where one is due."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from ivr import cdr, missed
from ivr.call import CallState, Direction, Ending, Outcome
from ivr.cdr import Place
from ivr.handover import NOT_OURS, SERVICE_DOWN, HandOver, NextStep
from ivr.missed import keep_looking, look_for_missed
from ivr.site import Site
from ivr.storage.alarms import list_alarms
from ivr.storage.calls import Call, end_call, get_call, start_call
from ivr.storage.facts import set_fact
from ivr.storage.followups import NewFollowUp, close_follow_up, open_follow_up, open_follow_ups
from ivr.storage.missed import NOT_TAKEN, READ_UNTIL
from ivr.storage.schema import calls
from ivr.storage.sessions import open_session, save_turn
from tests.fakes.site import Clock
from tests.storage.records import DAY, HANAKO, NOW, TARO, later, session, turn
from tests.test_attending import WALK, ring_in
from tests.test_cdr import gone_last_way, taken

#: The real time, when practice is at NOW.
REAL = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
OWN, SHARED = HANAKO.numbers[1], TARO.numbers[0]


def real_now() -> datetime:
    return REAL


def record(call_id: str, caller: str, minutes_ago: float = 10, *, of: Callable[[str, str], str] = gone_last_way) -> str:
    return of(asterisk_id(call_id, minutes_ago), caller)


def asterisk_id(call_id: str, minutes_ago: float = 10) -> str:
    return f"{int((REAL - timedelta(minutes=minutes_ago)).timestamp())}.{call_id}"


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


async def test_a_number_that_nobody_has_is_a_task_with_the_number(site: Site, records: Path) -> None:
    keep(records, record("1", "0310000099"), record("2", "0310000099"), record("3", "0310000098"))
    await look_for_missed(site, real_now)
    found = await site.database.read(open_follow_ups)
    assert [(each.number, each.reason) for each in found] == [
        ("0310000099", SERVICE_DOWN),
        ("0310000098", SERVICE_DOWN),
    ]


async def test_staff_see_an_alarm(site: Site, records: Path) -> None:
    keep(records, record("1", OWN), record("2", "0310000099"))
    await look_for_missed(site, real_now)
    (alarm,) = await site.database.read(list_alarms)
    assert (alarm.kind, alarm.subject, alarm.details) == (NOT_TAKEN, DAY.isoformat(), "2")


#: What comes to be of one call to us that the last way let go, each in a transaction of its own.
Step = Callable[[Site, Path], Awaitable[None]]


async def row_is_written(site: Site, records: Path) -> None:
    if asterisk_id("1") not in await site.database.read(call_ids):
        await site.database.write(start_call, Call(asterisk_id("1"), Direction.INBOUND, later(-10), number=OWN))


async def end_is_written(site: Site, records: Path) -> None:
    if asterisk_id("1") in await site.database.read(call_ids):
        await site.database.write(end_call, asterisk_id("1"), Ending(None, 16), Outcome.NO_KEY, NOW)


async def record_is_written(site: Site, records: Path) -> None:
    keep(records, record("1", OWN))


async def somebody_looks(site: Site, records: Path) -> None:
    await look_for_missed(site, real_now)


STEPS = (row_is_written, end_is_written, record_is_written, somebody_looks)


@pytest.mark.parametrize(
    "order", list(permutations(STEPS)), ids=lambda order: ", ".join(each.__name__ for each in order)
)
async def test_whom_the_last_way_let_go_is_a_task_in_whatever_order_it_is_written(
    site: Site, records: Path, order: Sequence[Step]
) -> None:
    """C4 and C8: the row comes late, as `no_key`."""
    await site.database.write(set_fact, READ_UNTIL, "begun")
    for each in order:
        await each(site, records)
    for _ in range(2):
        await look_for_missed(site, real_now)
    assert await tasks(site) == [(HANAKO.id, SERVICE_DOWN)]
    assert (await site.database.read(get_call, asterisk_id("1"))).next_step is NextStep.TASK
    # Staff did it: nothing of it comes again.
    (task,) = await site.database.read(open_follow_ups)
    await site.database.write(close_follow_up, task.id, NOW)
    await look_for_missed(site, real_now)
    assert await tasks(site) == []


async def test_a_call_without_a_row_was_taken_by_nobody(site: Site, records: Path) -> None:
    """C5: no row could be written, not even that it ended."""
    keep(records, record("0", "0310000001", of=taken))
    assert await look_for_missed(site, real_now) == 0  # older than what this database knows
    keep(records, record("1", OWN, of=taken))
    assert await look_for_missed(site, real_now) == 1
    assert await tasks(site) == [(HANAKO.id, SERVICE_DOWN)]
    keep(records, gone_last_way(asterisk_id("2"), "0310000099", "from-trunk"))
    assert await look_for_missed(site, real_now) == 0  # of somebody else on the same PBX


async def test_a_call_whose_end_nobody_could_write_ends_at_the_next_look(site: Site, records: Path) -> None:
    call_id = asterisk_id("1")
    await site.database.write(start_call, Call(call_id, Direction.INBOUND, later(-10), number=OWN))
    keep(records, record("1", OWN, of=taken))
    await look_for_missed(site, real_now)
    assert (await site.database.read(get_call, call_id)).state is CallState.DIALING
    # Its own task still has it.
    await look_for_missed(site, real_now, live_ids={call_id})
    assert (await site.database.read(get_call, call_id)).state is CallState.DIALING
    await look_for_missed(site, real_now)
    call = await site.database.read(get_call, call_id)
    assert (call.state, call.outcome, call.next_step) == (CallState.ENDED, Outcome.UNKNOWN, NextStep.TASK)
    assert await tasks(site) == [(HANAKO.id, SERVICE_DOWN)]


def _broke_off(connection: Connection, *answered: tuple[str, str]) -> None:
    """A call from Hanako that ended in the middle."""
    start_call(connection, Call("c-1", Direction.INBOUND, NOW, number=OWN))
    open_session(connection, session("s-1"))
    save_turn(connection, "s-1", "c-1", turn(*answered), NOW)
    end_call(connection, "c-1", Ending(None, 16), Outcome.CUT_OFF, NOW)


def _planned(connection: Connection) -> None:
    open_follow_up(connection, NewFollowUp(DAY, HandOver.NOT_REACHED, HANAKO.id), NOW)


@pytest.mark.parametrize(
    ("answered", "planned", "step", "reasons"),
    [
        ([("temperature", "36.5")], False, NextStep.TASK, [HandOver.BROKE_OFF]),
        ([("temperature", "36.5")], True, NextStep.SESSION, [HandOver.NOT_REACHED]),
        ([], False, NextStep.ORDINARY, []),
    ],
)
async def test_half_a_report_that_nobody_would_go_on_with_is_a_task(
    site: Site, answered: list[tuple[str, str]], planned: bool, step: NextStep, reasons: list[str]
) -> None:
    await site.database.write(_broke_off, *answered)
    if planned:
        await site.database.write(_planned)
    await look_for_missed(site, real_now)
    assert await tasks(site) == [(HANAKO.id, each) for each in reasons]
    assert (await site.database.read(get_call, "c-1")).next_step is step


async def test_who_could_not_be_taken_is_a_task_although_an_earlier_report_is_in(site: Site, records: Path) -> None:
    await ring_in(site, WALK)
    await site.database.write(set_fact, READ_UNTIL, "begun")
    keep(records, record("1", OWN, -1, of=taken))
    await look_for_missed(site, real_now)
    assert await tasks(site) == [(HANAKO.id, SERVICE_DOWN)]


async def test_a_look_that_fails_is_followed_by_the_next(
    site: Site, records: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keep(records, record("1", OWN))
    enough = asyncio.Event()
    times = 0

    async def sleep(_: float) -> None:
        nonlocal times
        times += 1
        monkeypatch.undo()
        if times == 2:
            enough.set()
            await asyncio.Event().wait()

    def broken(file: Path, place: Place) -> None:
        raise ValueError("a mistake of ours")

    monkeypatch.setattr(missed, "read_on", broken)
    looking = asyncio.create_task(keep_looking(lambda: site, real_now, sleep, lambda: ()))
    async with asyncio.timeout(5):
        await enough.wait()
    looking.cancel()
    assert await tasks(site) == [(HANAKO.id, SERVICE_DOWN)]
    assert "missed_not_written" in [vars(each).get("action") for each in caplog.records]


async def test_who_reported_meanwhile_is_no_task(site: Site, records: Path) -> None:
    await ring_in(site, WALK)
    keep(records, record("1", OWN))
    assert await look_for_missed(site, real_now) == 0
    assert await tasks(site) == []
    assert (await site.database.read(get_call, asterisk_id("1"))).next_step is NextStep.REPORT


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

    looking = asyncio.create_task(keep_looking(lambda: site, real_now, sleep, lambda: ()))
    async with asyncio.timeout(5):
        await enough.wait()
    looking.cancel()
    assert len(await site.database.read(call_ids)) == 3
    assert [vars(each).get("action") for each in caplog.records].count("calls_missed") == 3


async def test_without_records_nothing_is_looked_for(site: Site, clock: Clock) -> None:
    assert site.config.pbx.cdr_file is None
    assert await look_for_missed(site, real_now) == 0


async def test_who_was_refused_for_their_sound_is_a_task_and_an_alarm(site: Site, records: Path) -> None:
    for minutes in (30, 20, 10):
        started = int((REAL - timedelta(minutes=minutes)).timestamp())
        keep(records, gone_last_way(f"{started}.{minutes}", OWN, "kenko-no-codec").replace("ANSWERED", "NO ANSWER"))
        assert await look_for_missed(site, real_now) == 1
    assert await tasks(site) == [(HANAKO.id, SERVICE_DOWN)]
    alarms = {(each.kind, each.ended_at) for each in await site.database.read(list_alarms)}
    assert alarms == {("no_codec", None), (NOT_TAKEN, None)}


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
