"""A dialler on a real database, with a clock that stands still and calls that end when a test says so."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import count
from types import MappingProxyType

from sqlalchemy import Connection

from ivr.call import Direction, Ending, Fault, Outcome
from ivr.config import Config
from ivr.core.sip_statuses import Rang, row_of
from ivr.questionnaire.model import SessionStatus
from ivr.storage import calls
from ivr.storage.database import Database
from ivr.storage.decisions import Signed, close_person
from ivr.storage.followups import open_follow_ups
from ivr.storage.people import upsert_people
from ivr.storage.sessions import open_session, save_turn
from scheduler.clock import ClockGuard
from scheduler.dialer import Dialer, look
from scheduler.memory import FAULTS
from scheduler.rows import DatabaseRows
from tests.fakes.site import Clock
from tests.storage.records import HANAKO, SACHIKO, TARO, session, turn


@dataclass
class Live:
    """One call in progress."""

    attempt: calls.Attempt
    task: asyncio.Task[None]
    ends: asyncio.Future[Ending]
    trunk: str
    of: Mapping[str, Outcome] = field(default_factory=dict)  #: person -> what it came to for them


@dataclass
class Desk:
    """A dialler and the world around it."""

    config: Config
    database: Database
    clock: Clock
    is_open: bool = True
    inbound: int = 0
    broken: bool = False  #: the next calls fail before anything is dialled
    live: list[Live] = field(default_factory=list)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    rung: list[tuple[str, str]] = field(default_factory=list)  #: person and number of every call
    seen: int = 0  #: calls that a look has told of
    jumped: float = 0.0  #: seconds by which the wall clock was moved
    synchronised: bool = False
    ids: Iterator[int] = field(default_factory=lambda: count(1))
    dialer: Dialer = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """A new process; what an earlier one held in memory is gone."""
        self.dialer = Dialer(
            self.config,
            DatabaseRows(self.database),
            ring=self._ring,
            is_open=lambda: self.is_open,
            inbound_now=lambda: self.inbound,
            now=self.clock.now,
            new_id=lambda: f"a-{next(self.ids):04}",
            clock=ClockGuard(self.clock.now, self.monotonic, lambda: self.synchronised),
        )

    def today(self) -> date:
        """The local day."""
        return self.clock.now().astimezone(self.config.centre.zone).date()

    def monotonic(self) -> float:
        """Seconds of the clock that nobody can move."""
        return self.clock.now().timestamp() - self.jumped

    def jump(self, minutes: float) -> None:
        """The wall clock is moved; no time passes."""
        self.clock.advance(minutes)
        self.jumped += minutes * 60

    async def look(self, minutes: float = 0) -> list[str]:
        """Let time pass and look once; who has been rung since the last look."""
        self.clock.advance(minutes)
        await look(self.dialer)
        await self.all_ringing()
        before, self.seen = self.seen, len(self.rung)
        return [person for person, _ in self.rung[before:]]

    async def all_ringing(self) -> None:
        """Wait until every call that was begun is in progress, or has failed."""
        while len(self.live) < len(self.dialer.under_way):
            self.began.clear()
            began = asyncio.ensure_future(self.began.wait())
            await asyncio.wait({began, *self.dialer.under_way}, return_when=asyncio.FIRST_COMPLETED)
            began.cancel()

    async def end(
        self,
        outcome: Outcome,
        number: str = "",
        status: int = 0,
        fault: Fault | None = None,
        of: Mapping[str, Outcome] = MappingProxyType({}),
    ) -> str:
        """The oldest call (to `number`) ends, with this SIP status; whose it was.

        `fault`: not as the table says. `of`: person -> what else it came to for them.
        """
        live = next(each for each in self.live if not number or each.attempt.number == number)
        live.of = of
        fault = fault or (row_of(status, 0, Rang.ANY).fault if status else FAULTS.get(outcome, Fault.PERSON))
        live.ends.set_result(Ending(outcome, tech_cause=status, fault=fault))
        await live.task
        return live.attempt.person_id

    async def answer(self, number: str = "") -> None:
        """Somebody takes the oldest call (to `number`)."""
        live = next(each for each in self.live if not number or each.attempt.number == number)
        await self.database.write(calls.answer_call, f"c-{live.attempt.id}", self.clock.now())

    async def crash(self) -> None:
        """kill -9 and a new start: calls under way are lost, and recovery says so."""
        tasks = [*self.dialer.under_way]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.database.write(calls.close_lost_calls, (), self.clock.now(), {})
        self.start()

    async def _ring(self, attempt: calls.Attempt, trunk: str) -> None:
        """As ivr.outbound does, without a telephone."""
        if self.broken:
            raise OSError("broken")
        call = calls.Call(f"c-{attempt.id}", Direction.OUTBOUND, self.clock.now(), attempt.id, attempt.number)
        await self.database.write(calls.start_call, call)
        self.rung.append((attempt.person_id, attempt.number))
        task = asyncio.current_task()
        assert task is not None
        live = Live(attempt, task, asyncio.get_running_loop().create_future(), trunk)
        self.live.append(live)
        self.began.set()
        try:
            ending = await live.ends
        finally:
            self.live.remove(live)
        outcome = ending.outcome
        assert outcome is not None
        await self.database.pending.write(calls.end_call, call.id, ending, outcome, self.clock.now(), live.of)


async def enter(desk: Desk, count: int, **other: object) -> list[str]:
    """Many people with a telephone each, in the morning; only they are on the roster then."""
    people = [
        replace(TARO, id=f"{number:06}", numbers=(f"0900000{number:04}",), **other)  # type: ignore[arg-type]
        for number in range(1, count + 1)
    ]
    for each in (HANAKO, TARO, SACHIKO):
        await desk.database.write(close_person, each.id, Signed("見本", "終了", desk.clock.now()))
    await desk.database.write(upsert_people, people, desk.clock.now())
    return [each.id for each in people]


async def report(desk: Desk, person_id: str) -> None:
    """A complete report of today, by another way."""

    def store(connection: Connection) -> None:
        state = replace(session(f"s-{person_id}-{desk.today()}"), person_id=person_id, day=desk.today())
        open_session(connection, state)
        save_turn(connection, state.id, None, turn(status=SessionStatus.COMPLETED), desk.clock.now())

    await desk.database.write(store)


def desk_day(desk: Desk) -> date:
    return desk.clock.now().astimezone(desk.config.centre.zone).date()


async def handed(desk: Desk) -> set[tuple[date, str | None, str]]:
    found = await desk.database.read(open_follow_ups)
    return {(each.day, each.person_id, each.reason) for each in found}
