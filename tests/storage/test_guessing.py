"""Ten thousand scripted guesses at IDs and birth dates, on the real database, by a clock that a script moves.

Figures: people aged 65 to 100 have 12,784 birth dates; ten failures for an ID ever, fifty a day in all.
"""

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, select

from ivr.handover import CALLER_LOCKED
from ivr.identity import GUESSING, LIMITS, Verdict
from ivr.storage.alarms import list_alarms
from ivr.storage.callers import Try, forget_tries, try_caller, unlock_caller
from ivr.storage.database import open_database
from ivr.storage.decisions import Signed, close_person
from ivr.storage.followups import open_follow_ups
from ivr.storage.people import upsert_people
from ivr.storage.schema_callers import caller_tries
from tests.storage.records import BORN, DAY, HANAKO, NOW, SACHIKO, TARO

#: Everybody whom a guesser may be after: 65 to 100 years old.
FIRST, DATES = date(1925, 1, 1), 12_784
#: In each of the five attacks: 10,000 together.
GUESSES = 2_000
CROWD = [replace(TARO, id=f"{70000000 + at}", birth_date=FIRST + timedelta(days=at * 37)) for at in range(300)]


@dataclass
class Guesser:
    """Keys one guess after another; `looked_at`: how many told anything, and when."""

    connection: Connection
    at: datetime = NOW
    looked_at: int = 0
    passed: int = 0

    def guess(self, id: str, born: date, number: str | None) -> Verdict:
        local = self.at + timedelta(hours=9)
        verdict = try_caller(self.connection, Try(id, born, number, local.date(), self.at), "key").verdict
        self.looked_at += verdict is not Verdict.BLOCKED
        self.passed += verdict is Verdict.PASSED
        return verdict


def verdicts(connection: Connection) -> list[str]:
    """Of every try, oldest first."""
    return list(connection.execute(select(caller_tries.c.verdict).order_by(caller_tries.c.id)).scalars())


def nth(index: int) -> date:
    return FIRST + timedelta(days=index % DATES)


@pytest.mark.parametrize(("place", "found"), [(0, True), (9, True), (10, False), (4_000, False)])
def test_whoever_walks_through_the_dates_of_one_id_sees_the_first_ten_ever(
    connection: Connection, place: int, found: bool
) -> None:
    upsert_people(connection, [replace(SACHIKO, birth_date=nth(place))], NOW)
    guesser = Guesser(connection)
    index = 0
    for turn in range(GUESSES):
        # Each from another number, one every twenty minutes: four weeks. The guesser even knows when to try again.
        verdict = guesser.guess(SACHIKO.id, nth(index), f"0310{turn:06d}")
        if verdict is Verdict.PASSED:
            break
        index += verdict is Verdict.FAILED
        guesser.at += timedelta(minutes=20)
    assert guesser.passed == found
    assert guesser.looked_at == (place + 1 if found else LIMITS.per_id)
    reasons = [(each.person_id, each.reason, each.day) for each in open_follow_ups(connection)]
    days = [DAY, DAY + timedelta(days=1)]  # five failures on the first, five on the second; then nothing is new
    assert reasons == [(SACHIKO.id, CALLER_LOCKED, day) for day in ([] if place == 0 else days[: 1 + (place > 9)])]


#: Who guesses from where, at whom, and how long they wait in between (seconds).
ATTACKS: dict[str, tuple[Callable[[int], str | None], Callable[[int], str], float]] = {
    "one number, the whole roster": (lambda at: "0310000099", lambda at: CROWD[at % 300].id, 300),
    "withheld, the whole roster": (lambda at: None, lambda at: CROWD[at % 300].id, 300),
    "many numbers, the whole roster": (lambda at: f"0310{at:06d}", lambda at: CROWD[at % 300].id, 300),
    "many numbers, IDs that nobody has": (lambda at: f"0310{at:06d}", lambda at: f"{80000000 + at}", 60),
    "withheld and many numbers in turn": (lambda at: None if at % 2 else f"0310{at:06d}", lambda at: CROWD[0].id, 300),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_guesses_see_no_more_than_the_limits_allow(connection: Connection, attack: str) -> None:
    number, id, pause = ATTACKS[attack]
    upsert_people(connection, CROWD, NOW)
    guesser, chance = Guesser(connection), random.Random(26)
    for index in range(GUESSES):
        guesser.guess(id(index), nth(chance.randrange(DATES)), number(index))
        guesser.at += timedelta(seconds=pause)
    assert guesser.passed == 0
    days = (guesser.at - NOW).days + 2
    assert 0 < guesser.looked_at <= days * LIMITS.per_day
    # The chance of all that was seen together: far below one.
    assert guesser.looked_at / DATES < 0.04
    seen = [
        (row.claimed_id, row.number_key, row.day, row.at)
        for row in connection.execute(select(caller_tries).where(caller_tries.c.verdict != Verdict.BLOCKED))
    ]
    assert len(seen) == guesser.looked_at
    assert max(Counter(each[2] for each in seen).values()) <= LIMITS.per_day
    assert max(Counter(each[0] for each in seen).values()) <= LIMITS.per_id
    assert max(Counter((each[0], each[2]) for each in seen).values()) <= LIMITS.per_id_and_day
    for key in {each[1] for each in seen}:
        most = LIMITS.per_number_and_hour if key else LIMITS.withheld_per_hour
        times = [each[3] for each in seen if each[1] == key]
        for early, late in zip(times, times[most:], strict=False):
            assert late - early >= timedelta(hours=1)
    full = [day for day, count in Counter(each[2] for each in seen).items() if count == LIMITS.per_day]
    assert [each.subject for each in reversed(list_alarms(connection))] == [str(day) for day in sorted(full)]
    assert {each.kind for each in list_alarms(connection)} <= {GUESSING}


def test_when_the_day_is_full_even_the_right_date_waits_for_tomorrow(connection: Connection) -> None:
    guesser = Guesser(connection)
    for index in range(LIMITS.per_day):
        assert guesser.guess(f"{80000000 + index}", BORN, f"0310{index:06d}") is Verdict.FAILED
    assert guesser.guess(SACHIKO.id, BORN, None) is Verdict.BLOCKED
    guesser.at += timedelta(days=1)
    assert guesser.guess(SACHIKO.id, BORN, None) is Verdict.PASSED


def test_staff_unlock_an_id_and_its_count_begins_anew(connection: Connection) -> None:
    guesser = Guesser(connection)
    wrong = BORN + timedelta(days=1)
    for index in range(LIMITS.per_id):
        assert guesser.guess(SACHIKO.id, wrong, f"0310{index:06d}") is Verdict.FAILED
        guesser.at += timedelta(hours=8)
    assert guesser.guess(SACHIKO.id, BORN, None) is Verdict.BLOCKED
    guesser.at += timedelta(days=400)
    assert guesser.guess(SACHIKO.id, BORN, None) is Verdict.BLOCKED
    assert unlock_caller(connection, SACHIKO.id, Signed("見本", "本人と話した", guesser.at))
    assert open_follow_ups(connection) == ()
    guesser.at += timedelta(seconds=1)
    assert guesser.guess(SACHIKO.id, BORN, None) is Verdict.PASSED
    assert not unlock_caller(connection, SACHIKO.id, Signed("見本", "もう一度", guesser.at))


async def test_no_count_is_lost_when_the_service_starts_again(made: Path, tmp_path: Path) -> None:
    """Killed and started before every guess: the same verdicts, and the same key for the numbers."""
    file = Path(shutil.copy(made, tmp_path / "kenko-call.db"))
    number = "0310000099"
    for index in range(LIMITS.per_number_and_hour + 3):
        async with await open_database(file) as database:
            given = Try(f"{80000000 + index}", BORN, number, DAY, NOW + timedelta(minutes=index))
            await database.write(try_caller, given, f"another key {index}")
    async with await open_database(file) as database:
        found = await database.read(verdicts)
        keys = await database.read(lambda connection: set(connection.execute(select(caller_tries.c.number_key))))
    assert found == [Verdict.FAILED] * LIMITS.per_number_and_hour + [Verdict.BLOCKED] * 3
    assert len(keys) == 1
    assert number not in str(keys)


@contextmanager
def statements(connection: Connection) -> Iterator[list[str]]:
    """What the database is asked meanwhile."""
    asked: list[str] = []

    def note(*args: object) -> None:
        asked.append(str(args[2]))

    event.listen(connection, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(connection, "before_cursor_execute", note)


def test_a_try_is_the_same_work_whatever_it_meets(connection: Connection) -> None:
    """Unknown ID, wrong date, right date, closed, without a date, locked in each way: no statement more or less."""
    locked = replace(SACHIKO, id="20000022")
    gone = replace(SACHIKO, id="20000033")
    upsert_people(connection, [locked, gone], NOW)
    close_person(connection, gone.id, Signed("見本", "終了", NOW))
    wrong = BORN + timedelta(days=1)
    guesser = Guesser(connection)
    for index in range(LIMITS.per_id_and_day):
        guesser.guess(locked.id, wrong, f"0310{index:06d}")
    for index in range(LIMITS.per_number_and_hour):
        guesser.guess(f"8000000{index}", wrong, "0310000077")
    cases = {
        "unknown": ("99999999", BORN, None),
        "wrong": (SACHIKO.id, wrong, None),
        "right": (SACHIKO.id, BORN, None),
        "closed": (gone.id, BORN, None),
        "no date": (TARO.id, BORN, None),
        "locked, wrong": (locked.id, wrong, None),
        "locked, right": (locked.id, BORN, None),
        "number locked, unknown": ("99999999", BORN, "0310000077"),
        "number locked, right": (HANAKO.id, BORN, "0310000077"),
    }
    work = {}
    for name, case in cases.items():
        with statements(connection) as asked:
            guesser.guess(*case)
        work[name] = tuple(asked)
    assert len(set(work.values())) == 1, work
    assert len(work["unknown"]) == 4
    expected = [Verdict.FAILED, Verdict.FAILED, Verdict.PASSED, *[Verdict.FAILED] * 2, *[Verdict.BLOCKED] * 4]
    assert verdicts(connection)[-len(cases) :] == expected


@pytest.mark.parametrize("failures", [LIMITS.per_id_and_day - 1, LIMITS.per_id - 1])
def test_the_try_that_locks_is_the_same_work_for_an_id_that_nobody_has(connection: Connection, failures: int) -> None:
    wrong = BORN + timedelta(days=1)
    work = []
    for id in (SACHIKO.id, "99999999"):
        guesser = Guesser(connection)
        for index in range(failures):
            guesser.guess(id, wrong, f"0310{index:06d}")
            guesser.at += timedelta(hours=8) if failures > LIMITS.per_id_and_day else timedelta()
        with statements(connection) as asked:
            guesser.guess(id, wrong, "0310009999")
        work.append([each.split()[0] for each in asked])
    assert work[0] == work[1]
    assert len(work[0]) == 7  # and the follow-up: looked for, its deadline, written


def test_what_a_try_costs_does_not_grow_with_those_before_it(connection: Connection) -> None:
    """Every count goes through an index that holds failures apart: of those there are few, however many are blocked."""
    with statements(connection) as asked:
        Guesser(connection).guess(SACHIKO.id, BORN, None)
    (counted,) = [each for each in asked if each.count("count(") == 4]
    values = dict.fromkeys(range(counted.count("?")), "x")
    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {counted}", tuple(values.values())).all()
    steps = [row[-1] for row in plan if "caller_tries" in row[-1]]
    assert len(steps) == 4
    assert all("verdict=?" in each for each in steps), steps


def test_what_counts_for_no_limit_is_forgotten_and_no_lock_with_it(connection: Connection) -> None:
    guesser, wrong = Guesser(connection), BORN + timedelta(days=1)
    for index in range(LIMITS.per_id):
        assert guesser.guess(SACHIKO.id, wrong, f"0310{index:06d}") is Verdict.FAILED
        assert guesser.guess(HANAKO.id, wrong, f"0311{index:06d}") is Verdict.FAILED
        guesser.at += timedelta(hours=8)
    assert guesser.guess(SACHIKO.id, BORN, None) is Verdict.BLOCKED
    assert unlock_caller(connection, HANAKO.id, Signed("見本", "本人と話した", guesser.at))
    guesser.at += timedelta(days=100)
    old = LIMITS.per_id + 1  # Hanako's, which staff have dealt with, and the blocked one
    assert forget_tries(connection, guesser.at - timedelta(days=90)) == old
    assert verdicts(connection) == [Verdict.FAILED] * LIMITS.per_id
    assert guesser.guess(SACHIKO.id, BORN, None) is Verdict.BLOCKED
    assert guesser.guess(HANAKO.id, wrong, None) is Verdict.FAILED
    # What is younger stays, whatever it was.
    assert forget_tries(connection, guesser.at - timedelta(days=90)) == 0
