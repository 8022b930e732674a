"""The parts put together: a start against a stand-in Asterisk, calls in and left over, an end that waits for calls."""

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from ivr import inbound, service
from ivr.ari.phone import AriPhone
from ivr.call import Outcome
from ivr.config import Config
from ivr.errors import BadInput, StorageError, problem
from ivr.handover import SERVICE_DOWN, TURNED_AWAY
from ivr.live import LOOK_SECONDS
from ivr.missed import account
from ivr.recordings import beep_in, silence, store
from ivr.service import STARTUP_TIME, Desk, World, real_world, serve
from ivr.site import Site
from ivr.storage import facts
from ivr.storage.calls import get_call
from ivr.storage.database import open_database, open_reader
from ivr.storage.questionnaires import history, questionnaire_source, standing, wish
from ivr.storage.words import Cause
from ivr.studio import FRAME
from ivr.systemd import HEARTBEAT
from ivr.terminal import unrecorded
from scheduler.dialer import Dialer
from tests.cases_runner import CASES, ROOT
from tests.fakes.ari import SECRET, USER, FakeAsterisk
from tests.fakes.phone import FakePhone, keys
from tests.fakes.site import DAILY, Clock, as_it_is, settings
from tests.rows import attempt_ends, report_ends, tasks
from tests.storage.records import HANAKO, SACHIKO, dial, ring_in
from tests.test_cdr import line


class Actions(logging.Handler):
    """Lets a test wait for what the service says it did."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, asyncio.Event] = {}

    def emit(self, record: logging.LogRecord) -> None:
        self.event(str(vars(record).get("action"))).set()

    def event(self, action: str) -> asyncio.Event:
        return self.seen.setdefault(action, asyncio.Event())


@pytest.fixture
def actions(caplog: pytest.LogCaptureFixture) -> Iterator[Actions]:
    caplog.set_level(logging.INFO)
    handler = Actions()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)
    gc.unfreeze()


@pytest.fixture
async def asterisk() -> AsyncIterator[FakeAsterisk]:
    async with FakeAsterisk().serving() as fake:
        yield fake


def config_for(asterisk: FakeAsterisk, folder: Path, secret: str = SECRET) -> Config:
    (folder / "secret").write_text(secret, encoding="utf-8")
    pbx = {
        "url": asterisk.url,
        "user": USER,
        "secret_file": str(folder / "secret"),
        "inbound_numbers": ["05000000100"],
        "value_links": str(folder / "links"),
    }
    return settings(
        pbx=pbx,
        database=str(folder / "kenko-call.db"),
        questionnaire=str(ROOT / "questionnaires" / "daily.yaml"),
        prompts=str(ROOT / "prompts"),
    )


async def never(_: float) -> None:
    """Time stands still: whoever sleeps is only woken by the end."""
    await asyncio.Event().wait()


WORLD = World(Clock().now, iter(f"kc-{each}" for each in range(1000)).__next__, never)


async def test_it_starts_connects_and_stops_when_told(asterisk: FakeAsterisk, actions: Actions, tmp_path: Path) -> None:
    running = asyncio.create_task(serve(config_for(asterisk, tmp_path), WORLD))
    await actions.event("pbx_ready").wait()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 0
    assert actions.event("stopped").is_set()
    with open_reader(tmp_path / "kenko-call.db") as reader:
        assert reader.read(facts.get_fact, STARTUP_TIME) == asterisk.startup_time
        stored = reader.read(questionnaire_source, DAILY.hash)
    assert stored == (ROOT / "questionnaires" / "daily.yaml").read_text(encoding="utf-8")


async def test_systemd_is_told(
    asterisk: FakeAsterisk, actions: Actions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", ear.getsockname())
        monkeypatch.setenv("WATCHDOG_USEC", "30000")
        world = replace(WORLD, sleep=lambda seconds: asyncio.sleep(seconds) if seconds < 1 else never(seconds))
        running = asyncio.create_task(serve(config_for(asterisk, tmp_path), world))
        await actions.event("pbx_ready").wait()
        assert await asyncio.to_thread(ear.recv, 100) == b"READY=1"
        assert await asyncio.to_thread(ear.recv, 100) == b"WATCHDOG=1"
        os.kill(os.getpid(), signal.SIGTERM)
        assert await running == 0
        said = b""
        while said != b"STOPPING=1":
            said = ear.recv(100)
    with open_reader(tmp_path / "kenko-call.db") as reader:
        assert reader.read(facts.get_fact, HEARTBEAT)


async def test_what_can_never_work_ends_it_with_a_sentence(
    asterisk: FakeAsterisk, actions: Actions, tmp_path: Path
) -> None:
    with pytest.raises(BadInput) as caught:
        await serve(config_for(asterisk, tmp_path, "another secret"), WORLD)
    assert [each.message for each in caught.value.problems] == ["pbx.wrong_secret"]
    assert actions.event("stopped").is_set()
    # Nothing is left open: the next start is not refused.
    with pytest.raises(BadInput):
        await serve(config_for(asterisk, tmp_path, "another secret"), WORLD)


async def test_with_bad_settings_nothing_is_started(asterisk: FakeAsterisk, actions: Actions, tmp_path: Path) -> None:
    config = config_for(asterisk, tmp_path, "\n")
    with pytest.raises(BadInput) as caught:
        await serve(config, WORLD)
    assert [each.message for each in caught.value.problems] == ["config.empty_secret"]
    assert not (tmp_path / "kenko-call.db").exists()
    assert actions.seen == {}
    assert asterisk.requests == []


@dataclass
class Looks:
    """A clock on which only the looks at files pass, as often as the test wants."""

    due: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def sleep(self, seconds: float) -> None:
        await (self.due.acquire() if seconds == LOOK_SECONDS else never(seconds))

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.due.release()
            await asyncio.sleep(0.01)


async def test_a_running_service_takes_what_is_saved_and_what_staff_wish(
    asterisk: FakeAsterisk, actions: Actions, tmp_path: Path
) -> None:
    (tmp_path / "now.yaml").write_text((CASES / "three.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    config = config_for(asterisk, tmp_path).model_copy(update={"questionnaire": tmp_path / "now.yaml"})
    store(config.voice_messages / "kc-0.wav", silence(1))  # left by a process that died
    looks = Looks()
    running = asyncio.create_task(serve(config, World(Clock().now, lambda: "kc", looks.sleep)))
    await actions.event("pbx_ready").wait()

    def verdicts() -> list[tuple[str, str, str | None]]:
        with open_reader(config.database) as reader:
            return [(each.cause, each.verdict, each.by_whom) for each in reader.read(history, 9)]

    assert actions.event("recordings_unnamed").is_set()
    (tmp_path / "now.yaml").write_text("id: three\n", encoding="utf-8")
    await looks.until(actions.event("questionnaire_refused").is_set)
    async with await open_database(config.database, beside_service=True) as beside:
        old = (await beside.read(standing)).live
        assert old is not None
        await beside.write(wish, Cause.ACTIVATE, "sato", old.hash, Clock().now())
    await looks.until(lambda: verdicts()[0] == ("activate", "done", "sato"))
    assert verdicts()[1:] == [("saved", "refused", None), ("started", "done", None)]
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 0


async def test_calls_in_and_calls_found_are_in_progress_until_they_end(site: Site) -> None:
    desk = Desk(as_it_is(site))
    counted: list[int] = []

    async def watch(step: int, _: tuple[str, ...]) -> None:
        counted.append(desk.inbound + desk.inherited)

    phone = FakePhone("c-1", keys("2 2 365 1 98# 1"), watch=watch)
    await desk.arrived(cast(AriPhone, phone), HANAKO.numbers[1], "05000000100")
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]
    stranger = FakePhone("c-2", watch=watch)
    await desk.found(cast(AriPhone, stranger))
    assert stranger.said == [("frame/apology",)]
    assert set(counted) == {1}
    assert desk.inbound == 0


async def test_a_call_that_breaks_is_apologised_for_and_written_later(site: Site) -> None:
    """C5: neither row nor read is needed for the apology; what became of the call is kept."""
    desk = Desk(as_it_is(site))
    failing(site, lambda _: True)
    phone = FakePhone("c-1")
    await desk.arrived(cast(AriPhone, phone), HANAKO.numbers[1], "")
    assert (phone.answered, phone.said, phone.over) == (True, [("frame/apology",)], True)
    assert (desk.inbound, desk.held) == (0, set())
    assert not await site.database.pending.flush()
    failing(site, lambda _: False)
    assert await site.database.pending.flush()
    assert await account(site) == 1
    assert await site.database.read(tasks) == [(HANAKO.id, None, SERVICE_DOWN)]
    call = await site.database.read(get_call, "c-1")
    assert (call.number, call.outcome) == (HANAKO.numbers[1], Outcome.FAILED)


#: What a caller may be in the middle of when storage fails for good: the function that is the first to fail.
MOMENTS = (
    *("start_call", "telephone_of", "answer_call", "people_by_number", "report_exists", "open_session", "save_turn"),
    *("status_of_call", "end_call", "note_keys"),
)


@pytest.mark.parametrize("from_now_on", MOMENTS)
@pytest.mark.parametrize("places", [1, 0], ids=["taken", "all places taken"])
async def test_whatever_fails_first_a_caller_hears_it_and_is_accounted_for(
    site: Site, from_now_on: str, places: int
) -> None:
    inbound_settings = site.config.inbound.model_copy(update={"most_calls": places})
    desk = Desk(as_it_is(replace(site, config=site.config.model_copy(update={"inbound": inbound_settings}))))
    broken: list[str] = []

    def fails(name: str) -> bool:
        if name == from_now_on:
            broken.append(name)
        return bool(broken)

    failing(site, fails)
    phone = FakePhone("c-1", keys("2 2 365 1 98# 1"))
    await desk.arrived(cast(AriPhone, phone), HANAKO.numbers[1], "")
    # Somebody who hears nothing at all would have been left alone.
    assert phone.answered
    assert phone.said[-1][-1] in {"frame/apology", "daily/closing", "frame/all_busy"}
    assert phone.over
    failing(site, lambda _: False)
    assert await site.database.pending.flush()
    await account(site)
    call = await site.database.read(get_call, "c-1")
    reported = await site.database.read(report_ends) == [(HANAKO.id, "complete")]
    assert call.outcome is not None
    assert call.next_step is not None
    reasons = [reason for _, _, reason in await site.database.read(tasks)]
    if phone.said[-1] == ("frame/apology",):
        assert reasons == [SERVICE_DOWN]
    elif phone.said[-1] == ("frame/all_busy",):
        assert reasons == [TURNED_AWAY]
    else:
        assert reported
        assert reasons == []


async def test_storage_that_hangs_holds_nobody_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound, "FIRST_ROW_SECONDS", 0.01)
    hanging, usual = asyncio.Event(), site.database.write

    async def hang(function: object, *args: object) -> object:
        await hanging.wait()
        return await usual(function, *args)  # type: ignore[arg-type]

    site.database.write = hang  # type: ignore[method-assign, assignment]
    over = asyncio.Event()

    class Phone(FakePhone):
        async def hang_up(self) -> None:
            await super().hang_up()
            over.set()

    phone = Phone("c-1", keys("2 2"))
    call = asyncio.create_task(Desk(as_it_is(site)).arrived(cast(AriPhone, phone), HANAKO.numbers[1], ""))
    await over.wait()
    assert phone.said == [("frame/apology",)]
    hanging.set()
    await call
    assert await account(site) == 1


async def test_a_call_left_over_that_cannot_be_read_is_apologised_for_and_ends(site: Site) -> None:
    desk = Desk(as_it_is(site))
    await site.database.write(ring_in, "c-1", HANAKO.numbers[1])
    failing(site, lambda _: True)
    phone = FakePhone("c-1")
    await desk.found(cast(AriPhone, phone))
    assert phone.said == [("frame/apology",)]
    failing(site, lambda _: False)
    assert await site.database.pending.flush()
    await account(site)
    assert await site.database.read(tasks) == [(HANAKO.id, None, SERVICE_DOWN)]


def failing(site: Site, fails: Callable[[str], bool]) -> None:
    """From now on the database fails where the test says, by the name of what it is to do."""
    for way in ("read", "write"):
        usual = getattr(type(site.database), way).__get__(site.database)

        async def broken(function: object, *args: object, usual: Any = usual) -> object:
            if fails(getattr(function, "__name__", "")):
                raise StorageError(problem("storage.full", "kenko-call.db"))
            return await usual(function, *args)

        setattr(site.database, way, broken)


@pytest.fixture
def desk(site: Site, tmp_path: Path) -> Desk:
    """A site with a studio, whose telephones are `desk-1` and `desk-2`."""
    config = settings(
        prompts=str(ROOT / "prompts"),
        pbx={"secret_file": "s", "inbound_numbers": ["05000000100"], "value_links": str(tmp_path)},
        studio={"extension": "701", "endpoints": ["desk-1", "desk-2"]},
    )
    prompts = replace(unrecorded(FRAME, "ja"), beep=beep_in(tmp_path))
    return Desk(as_it_is(replace(site, config=config, prompts=prompts)), "2468", never)


async def test_staff_may_ring_the_studio_which_takes_no_line(desk: Desk) -> None:
    counted: list[tuple[int, int, int]] = []

    async def watch(step: int, _: tuple[str, ...]) -> None:
        counted.append((desk.inbound, desk.internal, len(desk.tasks)))

    phone = FakePhone("c-1", keys("2468# #"), watch=watch)
    await desk.studio(cast(AriPhone, phone), "desk-2", "701")
    assert phone.said == [("studio/enter_pin",), ("studio/enter_number",), ("studio/goodbye",)]
    assert set(counted) == {(0, 1, 1)}
    assert (desk.inbound, desk.internal) == (0, 0)


@pytest.mark.parametrize(
    ("endpoint", "extension", "pin"),
    [("trunk", "701", "2468"), ("", "701", "2468"), ("desk-1", "702", "2468"), ("desk-1", "701", None)],
)
async def test_nobody_else_may_ring_it(
    desk: Desk, actions: Actions, endpoint: str, extension: str, pin: str | None
) -> None:
    desk.pin = pin
    phone = FakePhone("c-1", keys("2468# #"))
    await desk.studio(cast(AriPhone, phone), endpoint, extension)
    assert (phone.answered, phone.said) == (False, [])
    assert actions.event("studio_refused").is_set()


async def test_with_a_pin_that_is_none_nothing_is_started(
    asterisk: FakeAsterisk, actions: Actions, tmp_path: Path
) -> None:
    (tmp_path / "pin").write_text("secret", encoding="utf-8")
    wanted = {"extension": "701", "pin_file": str(tmp_path / "pin")}
    config = config_for(asterisk, tmp_path).model_copy(update={"studio": settings(studio=wanted).studio})
    with pytest.raises(BadInput) as caught:
        await serve(config, WORLD)
    assert [each.message for each in caught.value.problems] == ["config.bad_pin"]
    assert asterisk.requests == []


async def test_after_a_crash_only_living_calls_are_open_and_the_call_records_are_asked(
    site: Site, tmp_path: Path
) -> None:
    cdr = tmp_path / "calls.csv"
    pbx = site.config.pbx.model_copy(update={"cdr_file": cdr})
    site = replace(site, config=site.config.model_copy(update={"pbx": pbx}))
    for person in (HANAKO, SACHIKO):
        await site.database.write(dial, person.id, person)
    await site.database.write(ring_in, "in")
    cdr.write_text(line(HANAKO.id, "BUSY") + "\n", encoding="utf-8")
    await Desk(as_it_is(site)).reconciled(frozenset({SACHIKO.id}), restarted=False)
    assert await site.database.read(attempt_ends) == [("ended", Outcome.BUSY), ("dialing", None)]
    ends = {each: (await site.database.read(get_call, each)).outcome for each in (HANAKO.id, SACHIKO.id, "in")}
    assert ends == {HANAKO.id: Outcome.BUSY, SACHIKO.id: None, "in": Outcome.UNKNOWN}


async def test_the_end_waits_for_calls_but_not_for_ever(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(as_it_is(site))
    dialer = cast(Dialer, type("Idle", (), {"under_way": set()}))
    await service._let_calls_end(dialer, desk)  # nobody is on the line
    over = asyncio.Event()
    call = asyncio.create_task(asyncio.wait_for(over.wait(), None))
    desk.tasks.add(cast("asyncio.Task[None]", call))
    ending = asyncio.create_task(service._let_calls_end(dialer, desk))
    await asyncio.sleep(0)
    assert not ending.done()
    over.set()
    await ending
    assert call.done()
    monkeypatch.setattr(service, "GRACE", 0)
    desk.tasks = {cast("asyncio.Task[None]", asyncio.create_task(asyncio.Event().wait()))}
    await service._let_calls_end(dialer, desk)
    (left,) = desk.tasks
    assert not left.done()
    left.cancel()


def test_ids_are_never_the_same_and_may_name_a_channel() -> None:
    world = real_world(settings())
    ids = {world.new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(each.startswith("kc-") and each.isascii() and len(each) < 120 for each in ids)
    assert world.now().tzinfo is not None


def test_practice_begins_when_its_settings_say() -> None:
    begins = datetime(2026, 11, 4, 9, 0, tzinfo=ZoneInfo("Asia/Tokyo"))
    world = real_world(settings(practice_clock="2026-11-04 09:00"))
    assert begins <= world.now() < begins + timedelta(minutes=1)
