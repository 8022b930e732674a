"""Any days that may come: people, outcomes, clocks and crashes in any order, and the invariants after every step.

How many, and from which seeds, is for test_any_day.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection, select

from ivr.call import CallState, Direction, Ending, Outcome
from ivr.handover import PERIOD_OVER, HandOver
from ivr.person import Person, Risk, is_period_over
from ivr.storage import calls
from ivr.storage.agenda import NEVER_RANG
from ivr.storage.decisions import Signed, close_person, pause_person, resume_person
from ivr.storage.people import upsert_people
from ivr.storage.questionnaires import store_questionnaire
from ivr.storage.schema import attempts, follow_ups, reports
from ivr.storage.sessions import open_session, save_turn
from ivr.storage.words import Completeness
from ivr.window import windows_of
from scheduler.dayplan import end_of
from scheduler.dialer import LONGEST_CALL
from tests.fakes.inline import Inline
from tests.fakes.site import Clock
from tests.fakes.site import settings as config
from tests.scheduler.desk import Desk, report
from tests.storage.records import NOW, session, turn

T = TypeVar("T")

#: A household of two, one of them with a telephone of her own too, and others; the period of one is over tomorrow.
PEOPLE = (
    Person("000001", "見本 一", "ミホン", ("0310000001", "09000000001"), ("morning",)),
    Person("000002", "見本 二", "ミホン", ("0310000001",), ("morning",)),
    Person("000003", "見本 三", "ミホン", ("07000000003",), ("afternoon",), ends=NOW.date()),
    Person("000004", "見本 四", "ミホン", ("07000000004",), ("no such slot",)),
    Person("000005", "見本 五", "ミホン", ("07000000005", "0310000001"), ("morning", "afternoon"), risk=Risk.HIGH),
)
LINES = {"total": 3, "reserved_for_inbound": 1, "calls_per_second": 20}
#: What a call may come to; answered ones come with their report, see `answers`.
IN_VAIN = [each for each in Outcome if each is not Outcome.ANSWERED]

#: Asterisk ends a call after so long.
LONGEST_TALK = timedelta(minutes=30)


@cache
def database_of_all_days() -> Inline:
    """One after the other has it."""
    return Inline(Path(tempfile.mkdtemp()))


class Days(RuleBasedStateMachine):
    """The world of one dialler."""

    finished = 0  #: worlds that came to their end with everybody accounted for

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = Clock(NOW - timedelta(minutes=1))
        self.entered: dict[str, Person] = {}
        self.entered_at: dict[str, datetime] = {}
        self.since: dict[str, date] = {}  #: the first day that must be accounted for
        self.closed: dict[str, date] = {}
        self.paused: dict[str, tuple[datetime, datetime]] = {}
        self.calling_in: dict[str, int] = {}  #: person -> number of the call
        self.called_in_at = NOW
        self.checked = 0
        self.desk = self.run(self._open())

    def run(self, work: Awaitable[T]) -> T:
        """Let it come to its end."""
        return self.loop.run_until_complete(work)

    def look(self, minutes: float = 0) -> list[str]:
        """Time passes; who is rung then."""
        self.long_calls_end(minutes)
        return self.run(self.desk.look(minutes))

    def long_calls_end(self, minutes: float) -> None:
        """Those that would last too long when so much time has passed."""
        ends = self.clock.now() + timedelta(minutes=minutes) - LONGEST_TALK
        while old := [each.attempt for each in self.desk.live if each.attempt.planned_at < ends]:
            self.run(self.desk.end(Outcome.FAILED, old[0].number))
        if self.calling_in and self.called_in_at < ends:
            self.the_caller_finishes()

    async def _open(self) -> Desk:
        database = database_of_all_days()
        database.clear()
        await database.write(store_questionnaire, "hash-1", "daily", "id: daily\n", NOW)
        return Desk(config(lines=LINES), database, self.clock)

    @initialize()
    def the_household(self) -> None:
        self.enter(PEOPLE[0])
        self.enter(PEOPLE[1])
        self.look()

    @precondition(lambda self: len(self.entered) < len(PEOPLE))
    @rule(person=st.sampled_from(PEOPLE))
    def enter(self, person: Person) -> None:
        if person.id in self.entered:
            return
        self.entered[person.id] = person
        self.entered_at[person.id] = self.clock.now()
        windows = windows_of(self.desk.today(), person, self.desk.config.calendar)
        day = self.desk.today()
        over = all(self.clock.now() >= each.until for each in windows)
        # Entered after the slot: from tomorrow on. A person without a slot is handed over on the day or the next.
        self.since[person.id] = day + timedelta(days=1) if over or not windows else day
        self.run(self.desk.database.write(upsert_people, [person], self.clock.now()))

    @precondition(lambda self: len(self.closed) < 2)
    @rule(person=st.sampled_from(PEOPLE))
    def staff_end_the_observation(self, person: Person) -> None:
        if person.id in self.entered and person.id not in self.closed:
            self.closed[person.id] = self.desk.today()
            self.run(self.desk.database.write(close_person, person.id, Signed("見本", "終了", self.clock.now())))

    @rule(minutes=st.sampled_from([1, 1, 4, 4, 16, 31, 61, 150, 600]))
    def time_passes(self, minutes: float) -> None:
        if minutes > 30:
            self.every_call_ends()
        self.look(minutes)
        self.nothing_is_overdue()

    @rule()
    def looks_again_at_once(self) -> None:
        self.look(0.1)

    @rule(person=st.sampled_from(PEOPLE), minutes=st.sampled_from([20, 200, 3000]))
    def staff_pause_somebody(self, person: Person, minutes: float) -> None:
        if person.id not in self.entered or person.id in self.closed or person.id in self.paused:
            return
        until = self.clock.now() + timedelta(minutes=minutes)
        self.paused[person.id] = (self.clock.now(), until)
        signed = Signed("見本", "入院", self.clock.now())
        self.run(self.desk.database.write(pause_person, person.id, until, signed))
        self.run(self.desk.all_ringing())
        self.desk.seen = len(self.desk.rung)
        assert person.id not in self.look(1)

    @precondition(lambda self: self.paused)
    @rule()
    def staff_end_a_pause(self) -> None:
        for person_id, (since, until) in self.paused.items():
            now = self.clock.now()
            if since <= now < until and person_id not in self.closed:
                self.paused[person_id] = (since, now)
                self.run(self.desk.database.write(resume_person, person_id, Signed("見本", "退院", now)))

    @rule(minutes=st.sampled_from([-300, -2, 1, 90, 400, 4000]), wrong=st.sampled_from([0, 1, 10]))
    def the_clock_jumps_and_is_put_right(self, minutes: float, wrong: float) -> None:
        self.long_calls_end(wrong + 1.1)
        self.look()
        before = len(self.desk.rung)
        handed = self.run(self.desk.database.read(_accounts))
        self.desk.jump(minutes)
        for _ in range(2):
            self.run(self.desk.look(wrong / 2))
        self.desk.jump(-minutes)
        self.run(self.desk.look())
        assert len(self.desk.rung) == before
        assert self.run(self.desk.database.read(_accounts)) == handed
        self.desk.synchronised = True
        self.run(self.desk.look(1.1))
        self.desk.synchronised = False
        assert self.desk.dialer.clock.is_trusted()

    @rule(days=st.integers(1, 4))
    def the_service_is_down(self, days: int) -> None:
        self.crash()
        self.clock.advance(days * 24 * 60)
        self.look()

    @precondition(lambda self: self.desk.live)
    @rule(outcome=st.sampled_from(IN_VAIN))
    def a_call_ends_in_vain(self, outcome: Outcome) -> None:
        self.run(self.desk.end(outcome))

    @rule()
    def calls_fail_before_anything_is_dialled(self) -> None:
        self.desk.broken = True
        self.look(1)
        self.desk.broken = False

    @precondition(lambda self: self.desk.live)
    @rule()
    def a_call_brings_the_report(self) -> None:
        self._report(self.desk.live[0].attempt.person_id)
        self.run(self.desk.end(Outcome.ANSWERED))

    @rule(person=st.sampled_from(PEOPLE))
    def a_report_comes_in(self, person: Person) -> None:
        if person.id in self.entered:
            self._report(person.id)

    def _report(self, person_id: str) -> None:
        if person_id not in self.calling_in and (person_id, self.desk.today()) not in self._reported():
            self.run(report(self.desk, person_id))

    @rule(person=st.sampled_from(PEOPLE))
    def a_person_rings_us(self, person: Person) -> None:
        if person.id not in self.entered or self.calling_in or (person.id, self.desk.today()) in self._reported():
            return
        number = self.calling_in[person.id] = self.checked = self.checked + 1
        now, day = self.clock.now(), self.desk.today()
        self.called_in_at = now

        def begin(connection: Connection) -> None:
            arrived = calls.Call(f"in-{number}", Direction.INBOUND, now, state=CallState.TALKING)
            calls.start_call(connection, arrived)
            begun = replace(session(f"in-{number}"), person_id=person.id, day=day, started_at=now, updated_at=now)
            open_session(connection, begun)
            save_turn(connection, begun.id, arrived.id, turn(), now)

        self.run(self.desk.database.write(begin))
        self.desk.inbound += 1

    @precondition(lambda self: self.calling_in)
    @rule()
    def the_caller_finishes(self) -> None:
        _, number = self.calling_in.popitem()
        done = turn(("temperature", "36.5"), status=turn().session.status.COMPLETED)
        self.run(self.desk.database.write(save_turn, f"in-{number}", f"in-{number}", done, self.clock.now()))
        self._end_call(number, Outcome.ANSWERED)

    def _end_call(self, number: int, outcome: Outcome) -> None:
        ended = self.desk.database.write(calls.end_call, f"in-{number}", Ending(None), outcome, self.clock.now())
        self.run(ended)
        self.desk.inbound -= 1

    @rule(minutes=st.sampled_from([1, 20, 150]))
    def the_gate_is_closed_for_a_while(self, minutes: float) -> None:
        self.desk.is_open = False
        self.time_passes(minutes)
        self.desk.is_open = True

    @rule()
    def crash(self) -> None:
        self.run(self.desk.crash())
        self.desk.inbound = 0
        for number in self.calling_in.values():
            # Nobody goes on with it: the session stays open, the caller has gone.
            self.run(self.desk.database.write(_give_up, f"in-{number}"))
        self.calling_in.clear()

    @invariant()
    def one_live_call_per_number_and_person(self) -> None:
        for each in ("person_id", "number"):
            assert max(Counter(getattr(live.attempt, each) for live in self.desk.live).values(), default=0) <= 1
        assert len(self.desk.live) <= LINES["total"] - LINES["reserved_for_inbound"]
        assert not {live.attempt.person_id for live in self.desk.live} - self.entered.keys()

    @invariant()
    def never_outside_the_window_and_never_too_often(self) -> None:
        rows = self.run(self.desk.database.read(_attempts))
        for row in rows:
            person = self.entered[row.person_id]
            windows = windows_of(row.day, person, self.desk.config.calendar)
            (window,) = [each for each in windows if each.slot == row.slot]
            assert window.allows(row.planned_at, self.desk.config.dialling.ring_seconds)
            assert row.number in person.numbers
        # One call for several persons of a household rings one number once.
        calls_made = [row for row in rows if row.together_with is None]
        counted = [row for row in rows if row.outcome not in NEVER_RANG]
        dialling = self.desk.config.dialling
        for most, key in (
            (dialling.attempts, lambda row: (row.person_id, row.day, row.slot)),
            (dialling.most_a_day, lambda row: (row.person_id, row.day)),
        ):
            assert max(Counter(map(key, counted)).values(), default=0) <= most
        on_numbers = Counter((row.number, row.day) for row in calls_made if row.outcome not in NEVER_RANG)
        assert max(on_numbers.values(), default=0) <= dialling.calls_per_number
        for before, after in pairwise(calls_made):
            if before.number == after.number and before.outcome not in (Outcome.ANSWERED, *NEVER_RANG):
                assert before.ended_at is not None
                assert after.planned_at >= before.ended_at + timedelta(seconds=self.desk.config.dialling.rest_seconds)

    def nothing_is_overdue(self) -> None:
        for row in self.run(self.desk.database.read(_attempts)):
            assert row.outcome or row.planned_at >= self.clock.now() - LONGEST_CALL

    def teardown(self) -> None:
        """Some quiet days later every day of everybody is accounted for."""
        try:
            self._every_day_is_accounted_for()
            Days.finished += 1
        finally:
            self.run(self.desk.crash())
            self.loop.close()

    def every_call_ends(self) -> None:
        """None is longer than half an hour."""
        while self.desk.live:
            self.run(self.desk.end(Outcome.FAILED))
        if self.calling_in:
            self.the_caller_finishes()

    def _every_day_is_accounted_for(self) -> None:
        self.every_call_ends()
        last = self.desk.today()
        for _ in range(3):
            self.look(24 * 60)
        found = self.run(self.desk.database.read(_accounts))
        reported = self._reported()
        for person_id, since in self.since.items():
            until = self.closed.get(person_id, last + timedelta(days=1))
            for day in (since + timedelta(days=each) for each in range((until - since).days)):
                handed = found.get((person_id, day))
                ends = ((person_id, day) in reported, handed is not None, self._is_excluded(person_id, day, handed))
                assert sum(ends) == 1 or ends == (True, False, True), (person_id, day, ends)
        still = [each for person_id, each in self.entered.items() if person_id not in self.closed]
        over = sorted(each.id for each in still if is_period_over(each, self.desk.today()))
        assert self.run(self.desk.database.read(_periods_over)) == over

    def _is_excluded(self, person_id: str, day: date, handed: datetime | None) -> bool:
        """By a pause that stood when the last window of the day was over; too late if staff had the person before."""
        windows = windows_of(day, self.entered[person_id], self.desk.config.calendar)
        since, until = self.paused.get(person_id, (None, None))
        if since is None or until is None or (handed is not None and handed <= since):
            return False
        # A window that was over when the person was entered is nobody's concern.
        ends = [each.until for each in windows if each.until > self.entered_at[person_id]] or [end_of(day)]
        return all(since <= each < until for each in ends)

    def _reported(self) -> set[tuple[str | None, date]]:
        return self.run(self.desk.database.read(_reported))


def _attempts(connection: Connection) -> list[calls.Attempt]:
    wanted = select(attempts).order_by(attempts.c.number, attempts.c.planned_at, attempts.c.id)
    return [calls.attempt_of(row) for row in connection.execute(wanted).mappings()]


def _reported(connection: Connection) -> set[tuple[str | None, date]]:
    wanted = select(reports.c.person_id, reports.c.day).where(reports.c.completeness == Completeness.COMPLETE)
    return {(row.person_id, row.day) for row in connection.execute(wanted)}


def _accounts(connection: Connection) -> dict[tuple[str | None, date], datetime]:
    """Who is with staff for which day, and since when."""
    wanted = select(follow_ups).where(follow_ups.c.closed_at.is_(None), follow_ups.c.reason != PERIOD_OVER)
    rows = connection.execute(wanted).all()
    assert {row.reason for row in rows} <= set(HandOver)
    assert max(Counter((row.person_id, row.day) for row in rows).values(), default=0) <= 1
    return {(row.person_id, row.day): row.opened_at for row in rows}


def _periods_over(connection: Connection) -> list[str | None]:
    """Who is with staff because their period is over; once each."""
    wanted = select(follow_ups.c.person_id).where(follow_ups.c.closed_at.is_(None), follow_ups.c.reason == PERIOD_OVER)
    return sorted(connection.execute(wanted).scalars())


def _give_up(connection: Connection, session_id: str) -> None:
    gave_up = turn(status=turn().session.status.GAVE_UP)
    save_turn(connection, session_id, None, gave_up, NOW)
