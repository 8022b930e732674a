"""What the watchdog finds, what becomes of it, and that a clock that jumps stops everything."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ivr.call import Outcome
from ivr.storage import facts
from ivr.storage.alarms import acknowledge_alarm, list_alarms
from ivr.storage.database import Database
from scheduler.clock import LONGEST_SUSPECT_SECONDS
from scheduler.health import Health
from scheduler.pacing import Load, Trunk
from scheduler.rows import LAST_LOOK
from scheduler.watch import watch
from scheduler.watchdog import CALL_SECONDS, Slot, View, expected, findings
from tests.fakes.site import Clock, settings
from tests.rows import attempt_ends
from tests.scheduler.desk import Desk, enter, handed

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
SLOT = Slot("morning", NOW - timedelta(hours=1), NOW + timedelta(hours=1), timedelta(), 100, 60, 40)
WELL = View(
    now=NOW,
    slots=[SLOT],
    observed=100,
    planned=100,
    due=5,
    trunks=[Trunk("trunk", 4, 1, 1.0)],
    loads={"trunk": Load(3)},
    inbound=0,
    idle_since=NOW,
    closed_since=None,
)
ALL_FREE = {"trunk": Load()}


def test_all_is_well() -> None:
    assert findings(WELL) == []


@pytest.mark.parametrize(
    ("view", "wanted"),
    [
        pytest.param(replace(WELL, slots=[replace(SLOT, called=29)]), [("behind", "29/60/100")], id="behind"),
        pytest.param(replace(WELL, slots=[replace(SLOT, called=30)]), [], id="slow, and not behind"),
        pytest.param(replace(WELL, slots=[replace(SLOT, called=0, open=0)]), [], id="everybody is settled"),
        pytest.param(
            replace(WELL, slots=[replace(SLOT, called=0, first=NOW - timedelta(minutes=9))]), [], id="just begun"
        ),
        pytest.param(
            replace(WELL, slots=[replace(SLOT, called=20, spread=timedelta(hours=4))]), [], id="spread over hours"
        ),
        pytest.param(
            replace(WELL, slots=[replace(SLOT, people=0, called=0, open=0)], planned=0, due=0),
            [("nobody_due", "100")],
            id="nobody is due",
        ),
        pytest.param(replace(WELL, slots=[], planned=0, due=0, observed=0), [], id="nobody is on the roster"),
        pytest.param(
            replace(WELL, closed_since=NOW - timedelta(minutes=5)), [("gate_closed", "5")], id="the gate stays closed"
        ),
        pytest.param(replace(WELL, closed_since=NOW - timedelta(minutes=4)), [], id="the gate is closed for a moment"),
        pytest.param(replace(WELL, due=0, closed_since=NOW - timedelta(hours=5)), [], id="closed, and nobody waits"),
        pytest.param(replace(WELL, loads={"trunk": Load(rests=2)}), [("trunk_full", "2")], id="full again and again"),
        pytest.param(replace(WELL, loads={"trunk": Load(3, rests=1)}), [], id="full once"),
        pytest.param(
            replace(WELL, healths={"trunk": Health(0, 2, 403, NOW)}), [("trunk_refused", "SIP 403 ×2")], id="refused"
        ),
        pytest.param(replace(WELL, healths={"trunk": Health(3)}), [("trunk_silent", "3")], id="no answer"),
        pytest.param(replace(WELL, healths={"trunk": Health(2)}), [], id="no answer twice"),
        pytest.param(
            replace(WELL, loads=ALL_FREE, idle_since=NOW - timedelta(minutes=2)), [("lines_idle", "3/5")], id="idle"
        ),
        pytest.param(replace(WELL, loads=ALL_FREE, idle_since=NOW - timedelta(minutes=1)), [], id="idle for a minute"),
        pytest.param(
            replace(WELL, loads=ALL_FREE, idle_since=NOW - timedelta(minutes=2), shut=frozenset({"trunk"})),
            [],
            id="idle behind a closed gate",
        ),
        pytest.param(replace(WELL, loads=ALL_FREE, due=0, idle_since=NOW - timedelta(days=1)), [], id="nobody waits"),
    ],
)
def test_what_is_wrong(view: View, wanted: list[tuple[str, str]]) -> None:
    assert [(each.kind, each.details) for each in findings(view)] == wanted


def test_what_is_expected_is_what_is_due_or_what_the_lines_carry() -> None:
    at = [SLOT.first + timedelta(minutes=each) for each in (-1, 0, 30, 60, 600)]
    wanted = [0, 0, 30, 60, 100]
    assert [expected(SLOT, 3, CALL_SECONDS, each) for each in at] == wanted
    assert expected(replace(SLOT, spread=timedelta(hours=1)), 99, CALL_SECONDS, at[2]) == 50


@pytest.fixture
def desk(database: Database, clock: Clock) -> Desk:
    return Desk(settings(), database, clock)


async def alarms(desk: Desk) -> list[tuple[str, bool]]:
    """Kind of each, newest first, and whether it stands."""
    found = await desk.database.read(list_alarms, every=True)
    return [(each.kind, each.ended_at is None) for each in found]


async def test_a_gate_that_stays_closed_is_an_alarm_until_it_opens(desk: Desk) -> None:
    desk.is_open = False
    await desk.look()
    await watch(desk.dialer)
    assert await alarms(desk) == []
    await desk.look(6)
    for _ in range(3):
        await watch(desk.dialer)
    assert await alarms(desk) == [("gate_closed", True)]
    desk.is_open = True
    await desk.look()
    await watch(desk.dialer)
    assert await alarms(desk) == [("gate_closed", False)]


async def test_a_morning_without_calls_is_an_alarm(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """On a morning in January 2021 912 people were not called, and nothing told anybody."""
    await enter(desk, 40)
    desk.clock.advance(24 * 60)
    desk.is_open = False
    await desk.look()
    await watch(desk.dialer)
    await desk.look(61)
    await watch(desk.dialer)
    assert ("behind", True) in await alarms(desk)
    assert "alarm" in {vars(each).get("action") for each in caplog.records}


async def test_a_jump_of_the_clock_stops_calls_until_staff_confirm_it(desk: Desk) -> None:
    await desk.look(-10)
    desk.jump(20)
    assert await desk.look() == []
    await watch(desk.dialer)
    assert await alarms(desk) == [("clock", True)]
    assert await desk.look(10) == []
    (alarm,) = await desk.database.read(list_alarms)
    await desk.database.write(acknowledge_alarm, alarm.id, "見本", desk.clock.now())
    await watch(desk.dialer)
    assert await desk.look() != []
    await watch(desk.dialer)
    assert await alarms(desk) == [("clock", False)]


async def test_with_a_clock_that_nobody_puts_right_staff_get_everybody_in_the_end(desk: Desk) -> None:
    await desk.look(-10)
    desk.jump(5 * 60)
    assert await desk.look() == []
    assert await handed(desk) == set()
    assert await desk.look(LONGEST_SUSPECT_SECONDS / 60) == []
    assert await handed(desk) != set()
    assert await desk.database.read(attempt_ends) == []


async def test_a_clock_put_back_while_the_service_was_down(desk: Desk) -> None:
    await desk.look()
    await desk.end(Outcome.ANSWERED)
    await watch(desk.dialer)
    assert await desk.database.read(facts.get_fact, LAST_LOOK)
    await desk.crash()
    desk.jump(-60)
    desk.start()
    await watch(desk.dialer)
    assert await alarms(desk) == [("clock", True)]
    assert not desk.dialer.clock.is_trusted()


async def test_an_acknowledged_alarm_is_not_told_again_while_it_lasts(desk: Desk) -> None:
    desk.is_open = False
    await desk.look()
    await watch(desk.dialer)
    await desk.look(6)
    await watch(desk.dialer)
    (alarm,) = await desk.database.read(list_alarms)
    assert await desk.database.write(acknowledge_alarm, alarm.id, "見本", desk.clock.now())
    assert not await desk.database.write(acknowledge_alarm, alarm.id, "別人", desk.clock.now())
    await desk.look(1)
    await watch(desk.dialer)
    assert await desk.database.read(list_alarms) == ()
    assert await alarms(desk) == [("gate_closed", True)]
