"""Fetching changes from a centre over real TLS: every fault that it knows, and that nothing is lost or taken twice."""

import json
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from ivr.handover import HandOver
from ivr.storage import pulled
from ivr.storage.alarms import list_alarms, standing_alarms
from ivr.storage.database import Database, open_database
from ivr.storage.followups import NewFollowUp, open_follow_up, open_follow_ups
from ivr.storage.link import wish_now
from ivr.storage.people import get_person, list_people
from ivr.storage.reports import reports_of_day
from ivr.storage.schema_centre import centre_people
from ivr.sync.delivery import Reply
from ivr.sync.pull import Pull
from ivr.sync.settings import Sync
from ivr.sync.source import LONGEST_PAGE, PAGE, Source
from sandbox.centre import Centre, Fault
from sandbox.centre_changes import PageFault
from sandbox.certificates import Certificates, make_certificates
from tests.fakes.site import Clock, settings
from tests.storage.records import DAY, NOW, ROSTER, SACHIKO, TARO
from tests.sync.changes import closing, reported, said
from tests.sync.conftest import settings_of
from tests.sync.sender import MortalDatabase, Points
from tests.sync.test_exactly_once import Died, die

Make = Callable[[Sync], Pull]
CONFIG = settings()
NEW = replace(SACHIKO, id="200002", name="見本 新", numbers=("07000000004",))


def pull_on(database: Database, given: Sync, clock: Clock) -> Pull:
    async def no_sleep(_: float) -> None:
        raise AssertionError("nobody waits in these tests")

    source = Source(given, clock.now)
    return Pull(database, source, given, CONFIG.roster_rules, CONFIG.centre.zone, clock.now, lambda: 1.0, no_sleep)


@pytest.fixture
async def make(database: Database, clock: Clock) -> AsyncIterator[Make]:
    """Makes what fetches; its connections end with the test. Time stands still unless the test moves it."""
    made: list[Pull] = []

    def make(given: Sync) -> Pull:
        made.append(pull_on(database, given, clock))
        return made[-1]

    yield make
    for each in made:
        await each.source.close()


@pytest.fixture
def pull(make: Make, centre: Centre, certificates: Certificates) -> Pull:
    return make(settings_of(centre.url, certificates))


async def ids(database: Database) -> set[str]:
    return {each.id for each in await database.read(list_people)}


async def reports(database: Database) -> list[str]:
    return [each.id for each in await database.read(reports_of_day, DAY)]


async def stands(database: Database) -> pulled.Pulled:
    return await database.read(pulled.get_pulled)


async def alarms(database: Database) -> set[str]:
    return {kind for kind, _ in await database.read(standing_alarms)}


async def test_what_has_changed_comes_in(database: Database, centre: Centre, pull: Pull) -> None:
    await database.write(open_follow_up, NewFollowUp(DAY, HandOver.NOT_REACHED, TARO.id), NOW)
    centre.changes.put(said(NEW), reported(NEW, "r-1"), reported(TARO, "r-2"))
    assert await pull.turn() is False
    assert NEW.id in await ids(database)
    assert await reports(database) == ["r-1", "r-2"]
    # What was pending for that day is cancelled with it.
    assert await database.read(open_follow_ups) == ()
    found = await stands(database)
    assert (found.cursor, found.link.last_success, found.link.problem, found.problems) == ("c3", NOW, "", ())


async def test_pages_follow_at_once_and_looks_in_their_time(
    database: Database, centre: Centre, pull: Pull, clock: Clock
) -> None:
    centre.changes.put(*(reported(TARO, f"r-{number}") for number in range(2 * PAGE + 1)))
    assert [await pull.turn() for _ in range(3)] == [True, True, False]
    assert (centre.changes.requests, len(await reports(database))) == (3, 2 * PAGE + 1)
    await pull.turn()
    assert centre.changes.requests == 3
    clock.advance(0.5)
    await pull.turn()
    await pull.turn()
    assert centre.changes.requests == 4
    # Whoever asks now is answered now.
    await database.write(wish_now, clock.now())
    await pull.turn()
    await pull.turn()
    assert centre.changes.requests == 5


async def test_nobody_goes_because_the_centre_does_not_name_them(
    database: Database, centre: Centre, pull: Pull
) -> None:
    centre.changes.put(said(NEW))
    await pull.turn()
    assert await ids(database) == {each.id for each in (*ROSTER, NEW)}


@pytest.mark.parametrize(
    ("fault", "problem", "minutes", "alarm"),
    [
        pytest.param(Fault.BUSY, "http_429", 7 / 60, None, id="busy"),
        pytest.param(Fault.ERROR, "http_500", 5 / 60, None, id="500"),
        pytest.param(Fault.GATEWAY, "http_503", 5 / 60, None, id="503"),
        pytest.param(Fault.CUT_BEFORE, "cut", 5 / 60, None, id="cut"),
        pytest.param(PageFault.HALF, "cut", 5 / 60, None, id="cut in the middle"),
        pytest.param(PageFault.LATE, "timed_out", 5 / 60, None, id="slow"),
        pytest.param(Fault.HTML, "unreadable", 5 / 60, None, id="html"),
        pytest.param(Fault.HUGE, "too_big", 5 / 60, None, id="huge"),
        pytest.param(Fault.ENDLESS, "timed_out", 5 / 60, None, id="endless"),
        pytest.param(Fault.UNKNOWN, "http_401", 15, pulled.STOPPED, id="401"),
        pytest.param(Fault.REFUSED, "http_400", 15, pulled.STOPPED, id="400"),
        pytest.param(Fault.MOVED, "http_307", 15, pulled.STOPPED, id="moved"),
        pytest.param(PageFault.BAD, pulled.BAD_PAGE, 15, pulled.REFUSED, id="bad page"),
        pytest.param(PageFault.STUCK, pulled.BAD_PAGE, 15, pulled.REFUSED, id="leads nowhere"),
    ],
)
async def test_each_fault_takes_nothing_and_loses_nothing(
    database: Database,
    centre: Centre,
    pull: Pull,
    clock: Clock,
    fault: StrEnum,
    problem: str,
    minutes: float,
    alarm: str | None,
) -> None:
    centre.changes.put(said(NEW), reported(TARO, "r-1"))
    # aiohttp repeats a GET of which nothing came at all.
    centre.changes.faults.extend([fault] * (2 if fault is Fault.CUT_BEFORE else 1))
    assert await pull.turn() is False
    found = await stands(database)
    assert (found.cursor, found.link.problem, found.link.last_success) == ("", problem, None)
    assert await ids(database) == {each.id for each in ROSTER}
    assert await reports(database) == []
    assert await alarms(database) == ({alarm} if alarm else set())
    assert centre.redirected == 0
    # Not a moment earlier, and then all of it; the alarm ends by itself.
    requests = centre.changes.requests
    clock.advance(minutes - 0.01)
    await pull.turn()
    assert centre.changes.requests == requests
    clock.advance(0.02)
    await pull.turn()
    found = await stands(database)
    assert (found.cursor, found.link.problem, found.problems) == ("c2", "", ())
    assert NEW.id in await ids(database)
    assert await reports(database) == ["r-1"]
    assert await alarms(database) == set()


async def test_a_page_that_cannot_be_taken_is_named_whole(
    database: Database, centre: Centre, pull: Pull, clock: Clock
) -> None:
    good = reported(TARO, "r-1")
    centre.changes.put(good, said(replace(NEW, numbers=("0312",))), reported(replace(TARO, id="999999"), "r 2"))
    await pull.turn()
    assert await reports(database) == []
    found = await stands(database)
    assert [(each.line, each.message) for each in found.problems] == [(2, "roster.number"), (3, "reported.bad_id")]
    (alarm,) = await database.read(list_alarms)
    assert [line.split(": ")[0] for line in alarm.details.splitlines()] == [
        f"{centre.url}/v1/changes:{at}" for at in (2, 3)
    ]
    assert not any(secret in alarm.details for secret in ("見本", "0312", NEW.id))
    # An outage meanwhile hides nothing of it.
    centre.changes.faults.append(Fault.ERROR)
    clock.advance(16)
    await pull.turn()
    assert len((await stands(database)).problems) == 2
    # Who is not on the roster is found only when it is stored: all the same, nothing of the page is.
    centre.changes._database.execute("DELETE FROM changes WHERE number > 1")
    centre.changes.put(reported(replace(TARO, id="999999"), "r-2"))
    clock.advance(16)
    await pull.turn()
    assert [each.message for each in (await stands(database)).problems] == ["reported.nobody"]
    assert await reports(database) == []


async def test_the_same_page_twice_changes_nothing(
    database: Database, centre: Centre, pull: Pull, clock: Clock
) -> None:
    centre.changes.put(said(NEW), reported(TARO, "r-1"), said(TARO, 1, closing()))
    await pull.turn()
    before = await database.read(everything)
    centre.changes.faults.append(PageFault.AGAIN)
    clock.advance(1)
    await pull.turn()
    assert centre.changes.requests == 2
    assert await database.read(everything) == before


def everything(connection: Connection) -> list[object]:
    """What changes could have changed."""
    told = [tuple(row) for row in connection.execute(select(centre_people))]
    return [told, list_people(connection, closed=True), reports_of_day(connection, DAY)]


async def test_a_closing_is_a_decision_and_the_only_end(
    database: Database, centre: Centre, pull: Pull, clock: Clock
) -> None:
    centre.changes.put(said(TARO, 1, closing(by="鈴木", reason="回復")))
    await pull.turn()
    person = await database.read(get_person, TARO.id)
    assert person is not None
    assert person.closing is not None
    assert (person.closing.by, person.closing.reason) == ("鈴木（中央システム）", "回復")
    centre.changes.put(said(TARO, 2))
    clock.advance(1)
    await pull.turn()
    assert await ids(database) == {each.id for each in ROSTER}


async def test_a_certificate_that_the_centre_does_not_know(
    database: Database, strict: str, certificates: Certificates, make: Make, tmp_path: Path
) -> None:
    other = make_certificates(tmp_path / "other")
    given = settings_of(strict, certificates, certificate_file=other.client.certificate, key_file=other.client.key)
    await make(given).turn()
    assert (await stands(database)).link.problem == "tls"
    assert await alarms(database) == {pulled.STOPPED}


async def test_a_centre_that_another_ca_vouches_for(
    database: Database, centre: Centre, certificates: Certificates, make: Make, tmp_path: Path
) -> None:
    other = make_certificates(tmp_path / "other")
    await make(settings_of(centre.url, certificates, ca_file=other.ca)).turn()
    assert (await stands(database)).link.problem == "tls"
    assert centre.changes.requests == 0


async def test_nothing_for_long_is_an_alarm(
    database: Database, centre: Centre, certificates: Certificates, make: Make, clock: Clock
) -> None:
    await centre.stop()
    await make(settings_of(centre.url, certificates)).turn()
    pull = make(settings_of(centre.url, certificates))  # a restart counts for nothing
    assert (await stands(database)).link.problem == "unreachable"
    assert await alarms(database) == set()
    clock.advance(4 * 60 + 1)
    await pull.turn()
    assert await alarms(database) == {pulled.OLD}
    assert (await stands(database)).silence(clock.now()) == 241 * 60
    await centre.start()
    clock.advance(16)
    await pull.turn()
    clock.advance(2)
    await pull.turn()
    assert await alarms(database) == set()


class MortalSource(Source):
    """Dies before a request or after its answer."""

    points: Points

    async def fetch(self, since: str) -> Reply:
        self.points.pass_one()
        reply = await super().fetch(since)
        self.points.pass_one()
        return reply


async def test_dying_at_each_commit_and_each_request(
    centre: Centre, certificates: Certificates, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three pages; the first life dies at the n-th moment, for every n, and the second one finishes."""
    monkeypatch.setattr("ivr.sync.source.PAGE", 2)
    people = [replace(NEW, id=f"3000{at:02}") for at in range(3)]
    centre.changes.put(*map(said, people), *(reported(each, f"r-{each.id}") for each in people))
    for moment in range(1, 40):
        file = shutil.copy(made, tmp_path / f"{moment}.db")
        async with await open_database(file) as database:
            given, clock = settings_of(centre.url, certificates), Clock()
            died = await _live(pull_on(database, given, clock), moment)
            await _is_all_or_nothing(database)
            assert not await _live(pull_on(database, given, clock), 0)
            assert await _is_all_or_nothing(database) == 6
        if not died:
            break
    # A watch, and for each page a request and a commit: before and after each.
    assert moment > 2 * (1 + 3 * 2)


async def _live(pull: Pull, moment: int) -> bool:
    """Whether it died: what is committed is there, everything else is gone."""
    points = Points(moment, die)
    pull.database.__class__, pull.source.__class__ = MortalDatabase, MortalSource
    pull.database.points = pull.source.points = points  # type: ignore[attr-defined]
    try:
        while await pull.turn():
            pass
    except Died:
        return True
    finally:
        await pull.source.close()
    return False


async def _is_all_or_nothing(database: Database) -> int:
    """People, reports and cursor are of one transaction. How many changes were taken."""
    taken = int((await stands(database)).cursor.removeprefix("c") or 0)
    here = len([each for each in await ids(database) if each.startswith("3000")])
    assert (here, len(await reports(database))) == (min(taken, 3), max(0, taken - 3))
    return taken


def test_a_full_page_of_honest_people_fits() -> None:
    longest = replace(NEW, name="見" * 60, kana="ミ" * 60, numbers=tuple(f"0700000{at:04}" for at in range(5)))
    assert len(json.dumps([said(longest)] * PAGE)) < LONGEST_PAGE / 2


async def test_no_pull_without_a_json_centre(certificates: Certificates) -> None:
    assert settings_of("https://127.0.0.1", certificates).pulls
    assert not settings_of("https://127.0.0.1", certificates, pull_seconds=0).pulls
    assert not settings_of("https://127.0.0.1", certificates, way="fhir", fhir_base="https://c.jp").pulls
    assert not Sync().pulls
