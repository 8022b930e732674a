"""A morning of twelve people in virtual time: the real dialler, conversations, calls in, sync and live change.

Only the telephones, the two sides of the centre and the disk of the questionnaire are made up. Nothing waits for a real
clock; everything happens in one order, so that the n-th read or write is the same each time until a fault meets it.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, select

from ivr import outbound
from ivr.ari.app import Pbx
from ivr.ari.settings import PbxSettings
from ivr.call import Ending, Outcome
from ivr.config import Config
from ivr.drivers import tail_of
from ivr.errors import StorageError
from ivr.live import Live, run_live
from ivr.loading import OnDisk
from ivr.person import Person
from ivr.phone import DialOrder, Phone
from ivr.questionnaire.parse import parse
from ivr.service import Desk
from ivr.site import Site
from ivr.storage.outbox import Row as Document
from ivr.storage.pending import PendingWrites
from ivr.storage.people import upsert_people
from ivr.storage.questionnaires import wish
from ivr.storage.schema import agenda, answers, attempts, calls, follow_ups, reports
from ivr.storage.schema_house import alarms
from ivr.storage.words import Cause
from ivr.sync.delivery import Judged, Reply, Verdict
from ivr.sync.pull import Pull
from ivr.sync.push import Push
from ivr.sync.settings import Sync
from ivr.sync.source import Source
from scheduler.clock import ClockGuard
from scheduler.dialer import Dialer
from scheduler.jobs import guarded, jobs_of
from scheduler.rows import DatabaseRows
from scheduler.virtual import VirtualLoop
from tests.cases_runner import CASES
from tests.fakes.inline import Inline
from tests.fakes.phone import FakePhone, keys, silent
from tests.fakes.site import Clock, open_site, settings
from tests.faults.storage import Fault, FaultyStorage
from tests.storage.records import BORN, NOW
from tests.sync.changes import reported

#: What somebody presses who is well, who is not, and who breaks off.
WELL, ILL, HALF = "1 2 2 365 1 98# 1", "1 1 1 395 1 88# 1", "1 2 2"
#: At a telephone of two: one after the other; and only the second, should the first be in.
BOTH, SECOND = "1 1 1 2 2 365 1 98# 1 1 2 1 2 2 365 1 98# 1", "1 2 1 2 2 365 1 98# 1 2"
#: Seconds that one step of a conversation takes.
STEP_SECONDS = 2.0
#: So long after the task of a call died Asterisk has said its apology and ended the call by itself.
FALLBACK_SECONDS = 20.0
#: When what is not a call happens, seconds after 9:00.
CALLERS_AT, LIVE_CHANGE_AT = (40.0, 95.0, 140.0), 120.0
#: The window ends after eight minutes; four more, and whatever lasted has an end.
LENGTH_SECONDS = 720.0

Answer = Callable[[DialOrder], FakePhone | Outcome]


def completes(pressed: str = WELL) -> Answer:
    """Answers, and presses these keys."""
    return lambda _: FakePhone(press=keys(pressed))


def breaks_off(_: DialOrder) -> FakePhone:
    """Answers, and hangs up in the middle."""
    return FakePhone(press=keys(WELL), hang_up_before=4)


def nobody_there(_: DialOrder) -> FakePhone:
    """A machine answers."""
    return FakePhone(press=silent)


def gives(outcome: Outcome) -> Answer:
    """Is not answered."""
    return lambda _: outcome


def _person(number: int, *numbers: str, **other: Any) -> Person:
    own = numbers or (f"090000000{number:02}",)
    return Person(f"{number:06}", f"見本 {number}", "ミホン", own, ("morning",), birth_date=BORN, **other)


#: What each telephone does, call by call; the last one again and again.
TELEPHONES: dict[str, tuple[Answer, ...]] = {
    "09000000001": (completes(),),
    "09000000002": (gives(Outcome.BUSY), completes()),
    "09000000003": (gives(Outcome.NO_ANSWER),),
    "09000000004": (gives(Outcome.BAD_NUMBER),),
    "07000000004": (completes(),),
    "09000000005": (gives(Outcome.REJECTED),),
    "09000000006": (nobody_there,),
    "09000000007": (breaks_off, completes("1 2 2 365 1 98# 1")),
    "09000000008": (gives(Outcome.CONGESTION), completes()),
    "09000000009": (completes("0"),),
    "0310000001": (completes(BOTH), completes(SECOND)),
    "09000000012": (completes(ILL),),
}
PEOPLE = (
    *(_person(number) for number in (1, 2, 3)),
    _person(4, "09000000004", "07000000004"),
    *(_person(number) for number in (5, 6, 7, 8, 9)),
    _person(10, "0310000001"),
    _person(11, "0310000001"),
    _person(12),
)
#: Who is due in the afternoon, and rings in the morning.
CALLER = Person("200001", "例文 幸子", "レイブン", ("07000000003",), ("afternoon",), birth_date=BORN)
#: Number (None: withheld) and keys of each call in: Sachiko, somebody who never answers, a stranger.
CALLERS: tuple[tuple[str | None, str], ...] = (
    ("07000000003", "2 2 365 1 98# 1"),
    ("09000000003", "2 2 365 1 98# 1"),
    ("0310000099", "- - -"),
)
RETRIES = {
    "busy": [60, 60],
    "no_answer": [90, 120],
    "unreachable": [90, 120],
    "rejected": [120],
    "congestion": [30, 60, 60, 60],
    "no_key": [90, 120],
    "cut_off": [45],
    "failed": [45, 60],
    "unknown": [45, 60],
}


class Inside(ThreadPoolExecutor):
    """An executor that runs everything at once: what a thread would do takes no virtual time."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except BaseException as error:
            done.set_exception(error)
        return done


class Disk(Live):
    """What is live; the questionnaire on disk is whatever a test says."""

    def __init__(self, site: Site) -> None:
        super().__init__(site, frozenset(), lambda: "link")
        self.source = (CASES / "short.yaml").read_text(encoding="utf-8")

    async def _disk(self) -> OnDisk:
        questionnaire = parse(self.source.encode(), "short.yaml")
        file_hash = hashlib.sha256(self.source.encode()).hexdigest()
        return OnDisk(file_hash, questionnaire, self.source, self.site.prompts, ())


class Centre:
    """Acknowledges everything; and tells once that somebody reported by another way."""

    most = 20
    address = "https://centre.example/changes"

    def __init__(self) -> None:
        self.got: list[str] = []

    async def send(self, rows: Sequence[Document], now: Callable[[], datetime]) -> dict[int, Judged]:
        """One after another."""
        await asyncio.sleep(0.5)
        self.got += [each.key for each in rows]
        return {each.id: Judged(Verdict.ACKNOWLEDGED, "", record_id=f"r-{each.id}") for each in rows}

    async def fetch(self, since: str) -> Reply:
        """The first page has one report, the others nothing."""
        await asyncio.sleep(0.5)
        changes = [] if since else [reported(PEOPLE[4], "elsewhere-1")]
        return Reply(200, body={"format": 1, "cursor": "c-1", "more": False, "changes": changes})

    async def close(self) -> None:
        """Nothing to let go of."""


@dataclass
class Ringing:
    """One call of ours at the carrier."""

    number: str
    phone: FakePhone | None = None
    is_over: bool = False

    @property
    def over(self) -> bool:
        """Nothing of it is left at the carrier."""
        return self.is_over or (self.phone is not None and self.phone.over)


@dataclass
class World:
    """One morning. `run` it once; `trouble` is what must never be seen, as it was seen."""

    database: Inline
    fault: Fault | None
    trouble: list[str] = field(default_factory=list)
    invites: list[str] = field(default_factory=list)  #: number of every request to dial
    callers: list[FakePhone] = field(default_factory=list)
    heard: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.loop = VirtualLoop(lambda seconds: None)
        self.loop.set_default_executor(Inside(1))
        self.clock = Clock(NOW - timedelta(seconds=20))
        self.storage = FaultyStorage(self.fault)
        self.live_calls: dict[str, Ringing] = {}
        self.turns: set[asyncio.Task[Any]] = set()
        self.ids = count(1)
        self.centre = Centre()

    def now(self) -> datetime:
        """The virtual time."""
        return NOW + timedelta(seconds=self.loop.time() - 20.0)

    # ---- the carrier ----

    async def dial(self, order: DialOrder) -> Phone | Ending:
        """Implements `ivr.phone.Line`."""
        if any(not each.over and each.number == order.number for each in self.live_calls.values()):
            self.trouble.append(f"a second call to {order.number} while one lives")
        calls_before = self.invites.count(order.number)
        self.invites.append(order.number)
        ringing = self.live_calls[order.call_id] = Ringing(order.number)
        scripts = TELEPHONES[order.number]
        answer = scripts[min(calls_before, len(scripts) - 1)](order)
        try:
            await asyncio.sleep(3.0)
            if isinstance(answer, Outcome):
                ringing.is_over = True
                return Ending(answer)
        except asyncio.CancelledError:
            ringing.is_over = True
            raise
        answer.call_id, answer.watch = order.call_id, partial(self._step, answer)
        ringing.phone = answer
        return answer

    async def _step(self, phone: FakePhone, step: int, said: tuple[str, ...]) -> None:
        """Something is about to be heard: what was answered before it must be in the rows by now."""
        await asyncio.sleep(STEP_SECONDS)
        stored = self.database.look(_answers_of, phone.call_id)
        asked = self._answered_by(phone)
        if said != ("frame/apology",) and not asked <= stored:
            self.trouble.append(f"heard {said}, and {asked - stored} is not in the rows")

    def _answered_by(self, phone: FakePhone) -> set[str]:
        """Questions that were answered for good on this call, as its prompts tell: a later question was asked."""
        order = ["daily/complexion", "daily/breathless", "daily/temperature", "daily/oxygen", "daily/closing"]
        names = ["complexion", "breathless", "temperature", "oxygen"]
        # Of a household's next member everything is asked anew: what was said before is another session.
        starts = ("daily/opening", "frame/household_another", "frame/resume")
        begun = max((at for at, each in enumerate(phone.said) if set(starts) & set(each)), default=0)
        said = phone.said[begun:]
        reached = [place for place, prompt in enumerate(order) if any(prompt in each for each in said)]
        first = min(reached, default=0)
        return set(names[first : max(reached, default=0)])

    def _alive(self) -> frozenset[str]:
        return frozenset(key for key, each in self.live_calls.items() if not each.over) | self.desk.held

    # ---- the service ----

    async def _open(self) -> None:
        self.database.clear()
        self.database.pending = PendingWrites(self.database._carry_out)  # of this loop
        self.site = await open_site(self.database, self.clock)
        self.site = replace(self.site, config=_config(), now=self.now, new_id=lambda: f"kc-{next(self.ids)}")
        await self.database.write(upsert_people, [*PEOPLE, CALLER], NOW - timedelta(hours=1))
        self.storage.install(self.database)
        self.disk = Disk(self.site)
        self.desk = Desk(self.disk)
        self.pbx = Pbx(
            PbxSettings("http://127.0.0.1:1", "kenko", "secret", trunk="trunk"),
            self.desk,
            tail_of(self.site),
            now=self.loop.time,
            sleep=asyncio.sleep,
            jitter=lambda: 0.5,
        )
        self.dialer = Dialer(
            self.site.config,
            DatabaseRows(self.database),
            ring=self._ring,
            is_open=lambda: True,
            inbound_now=lambda: self.desk.inbound,
            alive=self._alive,
            now=self.now,
            new_id=lambda: f"a-{next(self.ids)}",
            clock=ClockGuard(self.now, self.loop.time, lambda: True),
        )
        sync = Sync()
        self.push = Push(self.database, self.centre, sync, self.now, lambda: 0.5, self._slowly(30.0))
        rules, zone = self.site.config.roster_rules, self.site.config.centre.zone
        source = cast(Source, self.centre)
        self.pull = Pull(self.database, source, sync, rules, zone, self.now, lambda: 0.5, self._slowly(30.0))

    async def _ring(self, attempt: Any, trunk: str) -> None:
        try:
            await outbound.ring(self.disk.site, self, attempt, trunk)
        finally:
            for each in self.live_calls.values():
                if each.phone is not None and not each.phone.over and each.number == attempt.number:
                    # Its task died, the call goes on: Asterisk apologises by itself, and ends it.
                    self._later(FALLBACK_SECONDS, each.phone.hang_up)

    def _later(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        async def wait() -> None:
            await asyncio.sleep(seconds)
            await act()

        task = self.loop.create_task(wait())
        self.turns.add(task)
        task.add_done_callback(self.turns.discard)

    async def _call_in(self, number: str | None, pressed: str) -> None:
        phone = FakePhone(f"in-{next(self.ids)}", keys(pressed))
        phone.watch = partial(self._step, phone)
        self.callers.append(phone)
        try:
            await self.pbx._one_call(cast(Any, phone), self.desk.arrived(phone, number, "05000000100"))
        except asyncio.CancelledError:
            # Its task died, the call goes on: Asterisk apologises by itself, and ends it.
            phone.said.append(("frame/apology",))
            await phone.hang_up()
            raise

    async def _change_questionnaire(self) -> None:
        self.disk.source = self.disk.source.replace("title: {ja: 短い質問", "title: {ja: 短い質問（改）")
        await self.database.write(wish, Cause.RELOAD, "sato", None, self.now())

    async def _every(self, seconds: float, turn: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Again and again, each turn in a task of its own: one that is cancelled ends no loop, as in APScheduler."""
        while True:
            task = self.loop.create_task(turn())
            self.turns.add(task)
            await asyncio.wait({task})
            self.turns.discard(task)
            if not task.cancelled():
                task.result()  # nothing of a service may end by a fault
            await asyncio.sleep(seconds)

    def _slowly(self, least: float) -> Callable[[float], Awaitable[None]]:
        """Sleep so long at least: a loop that finds nothing need not be watched doing so every second."""
        return lambda seconds: asyncio.sleep(max(seconds, least))

    async def _morning(self) -> None:
        await self._open()
        paces = {"plan": 20.0, "watch": 60.0}
        loops = [
            self._every(paces.get(job.id, job.seconds), partial(guarded, self.dialer, job))
            for job in jobs_of(self.dialer)
        ]
        loops += [
            self._every(1.0, partial(self.database.pending.run, self.now, asyncio.sleep)),
            self._every(1.0, partial(run_live, self.disk, self._slowly(25.0))),
            self._every(1.0, self.push.run),
            self._every(1.0, self.pull.run),
        ]
        parts = [asyncio.create_task(each) for each in loops]
        for at, (number, pressed) in zip(CALLERS_AT, CALLERS, strict=True):
            self._later(at + 20.0, partial(self._call_in, number, pressed))
        self._later(LIVE_CHANGE_AT + 20.0, self._wish_until_it_is_stored)
        await asyncio.sleep(LENGTH_SECONDS)
        for each in parts:
            if each.done():
                each.result()  # a loop of the service has ended: why?
            each.cancel()
        left = [*parts, *self.turns, *self.dialer.under_way]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _wish_until_it_is_stored(self) -> None:
        """As somebody at a keyboard does who is told that it failed."""
        while True:
            try:
                await self._change_questionnaire()
                return
            except (StorageError, asyncio.CancelledError):
                await asyncio.sleep(5.0)

    def run(self) -> "World":
        """The morning, as fast as it goes."""
        level = logging.root.manager.disable
        logging.disable(logging.CRITICAL)  # a thousand tracebacks help nobody
        try:
            self.loop.run_until_complete(self._morning())
        finally:
            logging.disable(level)
            self.loop.close()
            for way in ("read", "write"):
                vars(self.database).pop(way, None)
        return self

    # ---- what came of it ----

    def ends(self) -> dict[str, str]:
        """Person -> how the morning ended: `reported`, or the reasons of their open tasks; nothing: dropped."""
        return self.database.look(_ends, [each.id for each in PEOPLE])

    def table(self, query: Any) -> list[Any]:
        """All rows of a query, past every fault."""
        return self.database.look(_all, query)


def _all(connection: Connection, query: Any) -> list[Any]:
    return list(connection.execute(query))


def _answers_of(connection: Connection, call_id: str) -> set[str]:
    """Questions to which there is an answer in the session that this call is held in."""
    session = select(calls.c.session_id).where(calls.c.id == call_id).scalar_subquery()
    return set(connection.execute(select(answers.c.question_id).where(answers.c.session_id == session)).scalars())


def _ends(connection: Connection, people: Sequence[str]) -> dict[str, str]:
    complete = select(reports.c.person_id).where(reports.c.completeness == "complete")
    reported_ones = set(connection.execute(complete).scalars())
    found = {}
    for each in people:
        tasks = select(follow_ups.c.reason).where(follow_ups.c.person_id == each, follow_ups.c.closed_at.is_(None))
        reasons = sorted(set(connection.execute(tasks).scalars()))
        if each in reported_ones:
            found[each] = "reported"
        elif reasons:
            found[each] = " ".join(reasons)
    return found


def unfinished(world: World) -> list[str]:
    """Rows that have no end although everything is over."""
    found = [
        f"agenda {row.person_id}"
        for row in world.table(select(agenda).where(agenda.c.settled.is_(None)))
        if row.slot == "morning"
    ]
    for table in (attempts, calls):
        found += [f"{table.name} {row.id}" for row in world.table(select(table).where(table.c.state != "ended"))]
    return found


def alarm_kinds(world: World) -> set[str]:
    """Kinds of alarms that were raised."""
    return {row.kind for row in world.table(select(alarms))}


@cache
def database_of_all_mornings(folder: Path) -> Inline:
    """One after the other has it."""
    return Inline(folder)


def _config() -> Config:
    return settings(
        slots={"morning": {"from": "9:00", "until": "9:08"}, "afternoon": {"from": "14:00", "until": "16:30"}},
        lines={"total": 6, "reserved_for_inbound": 1, "calls_per_second": 1},
        dialling={"ring_seconds": 20, "rest_seconds": 20, "retry_seconds": RETRIES, "attempts": 4},
        gate={"times": 2, "wait_seconds": 5},
        prompts="no/such/folder",  # nobody's files are looked through every second
    )
