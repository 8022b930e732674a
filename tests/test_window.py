"""When calls may be placed: slots, weekdays, holidays, blocked days, own times and hours; never at night in Japan."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.config import is_holiday
from ivr.person import OWN_TIME, Hours, Person
from ivr.window import Calendar, Dates, DayKind, NoWindow, Off, Slot, Window, slot_of, slots_of, windows_of
from tests.storage.records import HANAKO

TOKYO = ZoneInfo("Asia/Tokyo")
MORNING, AFTERNOON = Hours(time(9), time(11, 30)), Hours(time(14), time(16, 30))
SHORT = Hours(time(10), time(10, 30))
WEDNESDAY, SUNDAY = date(2026, 11, 25), date(2026, 11, 22)
LABOUR_DAY = date(2026, 11, 23)  # 勤労感謝の日, a Monday
IN_LIEU = date(2027, 3, 22)  # 振替休日: 春分の日 is a Sunday


def calendar(days: Mapping[DayKind, Hours | None] | None = None, **other: object) -> Calendar:
    slots = {"morning": Slot(MORNING, days or {}), "afternoon": Slot(AFTERNOON, {})}
    return replace(Calendar(TOKYO, slots, is_holiday), **other)  # type: ignore[arg-type]


def shown(day: date, person: Person = HANAKO, rules: Calendar | None = None) -> list[str]:
    """Each slot as `morning 09:00-11:30`, or why there is none."""
    return [
        f"{each.slot} {each.why}"
        if isinstance(each, NoWindow)
        else f"{each.slot} {each.first.astimezone(TOKYO):%H:%M}-{each.until.astimezone(TOKYO):%H:%M}"
        for each in slots_of(day, person, rules or calendar())
    ]


def test_a_window_is_that_of_the_slot_and_in_utc() -> None:
    (window,) = windows_of(WEDNESDAY, HANAKO, calendar())
    assert window == Window(
        datetime(2026, 11, 25, 0, 0, tzinfo=UTC), datetime(2026, 11, 25, 2, 30, tzinfo=UTC), "morning"
    )
    assert window.first.tzinfo is UTC


@pytest.mark.parametrize(
    ("day", "wanted"),
    [
        (WEDNESDAY, "morning 09:00-11:30"),
        (WEDNESDAY + timedelta(days=1), "morning day_off"),
        (SUNDAY, "morning 10:00-10:30"),
        (LABOUR_DAY, "morning day_off"),
        (IN_LIEU, "morning day_off"),
        (LABOUR_DAY + timedelta(days=7), "morning 09:00-11:30"),
    ],
)
def test_weekdays_and_holidays(day: date, wanted: str) -> None:
    days = {DayKind.THURSDAY: None, DayKind.SUNDAY: SHORT, DayKind.HOLIDAY: None}
    assert shown(day, rules=calendar(days)) == [wanted]


def test_a_holiday_is_like_its_weekday_unless_the_settings_say_more() -> None:
    assert shown(LABOUR_DAY) == ["morning 09:00-11:30"]
    assert shown(LABOUR_DAY, rules=calendar({DayKind.MONDAY: SHORT})) == ["morning 10:00-10:30"]
    both = {DayKind.MONDAY: None, DayKind.HOLIDAY: SHORT}
    assert shown(LABOUR_DAY, rules=calendar(both)) == ["morning 10:00-10:30"]


def test_blocked_days_include_both_ends() -> None:
    rules = calendar(blocked=(Dates(date(2026, 12, 29), date(2027, 1, 3)),))
    blocked = [day for day in range(-1, 7) if shown(date(2026, 12, 29) + timedelta(days=day), rules=rules) != BLOCKED]
    assert blocked == [-1, 6]


BLOCKED = ["morning blocked"]


def test_several_slots_a_day_and_an_own_time() -> None:
    person = replace(HANAKO, slots=("morning", "afternoon", OWN_TIME), own_time=time(18, 15))
    assert shown(WEDNESDAY, person) == ["morning 09:00-11:30", "afternoon 14:00-16:30", "own 18:15-20:45"]
    assert len(windows_of(WEDNESDAY, person, calendar())) == 3


@pytest.mark.parametrize(
    ("own", "minutes", "wanted"),
    [
        (time(10, 15), 150, "own 10:15-12:45"),
        (time(20), 150, "own 20:00-21:00"),
        (time(20, 59), 720, "own 20:59-21:00"),
        (time(13), 720, "own 13:00-21:00"),
        (time(6), 150, "own 08:00-08:30"),
        (time(22), 30, "own no_hours"),
    ],
)
def test_an_own_time_ends_where_nobody_is_rung_any_more(own: time, minutes: float, wanted: str) -> None:
    person = replace(HANAKO, slots=(OWN_TIME,), own_time=own)
    assert shown(WEDNESDAY, person, calendar(own_time_minutes=minutes)) == [wanted]


@pytest.mark.parametrize(
    ("hours", "wanted"),
    [
        (Hours(time(10), time(20)), "morning 10:00-11:30"),
        (Hours(time(7), time(9, 45)), "morning 09:00-09:45"),
        (Hours(time(11, 30), time(20)), "morning no_hours"),
    ],
)
def test_the_persons_own_hours_cut_the_slot(hours: Hours, wanted: str) -> None:
    assert shown(WEDNESDAY, replace(HANAKO, hours=hours)) == [wanted]


def test_what_nobody_decided_needs_staff() -> None:
    cases = {
        Off.NO_SLOT: replace(HANAKO, slots=("noon",)),
        Off.NO_HOURS: replace(HANAKO, hours=Hours(time(18), time(20))),
        Off.NOT_BEGUN: replace(HANAKO, begins=WEDNESDAY + timedelta(days=1)),
    }
    for why, person in cases.items():
        (found,) = slots_of(WEDNESDAY, person, calendar())
        assert isinstance(found, NoWindow)
        assert found.why is why
        assert windows_of(WEDNESDAY, person, calendar()) == ()
    assert shown(WEDNESDAY, replace(HANAKO, slots=())) == [" no_slot"]
    assert shown(WEDNESDAY, replace(HANAKO, slots=(OWN_TIME,), own_time=None)) == ["own no_slot"]
    assert {each for each in Off if each.needs_staff} == {Off.NO_SLOT, Off.NO_HOURS}


def test_a_period_begins_but_does_not_end_the_calls() -> None:
    person = replace(HANAKO, begins=WEDNESDAY, ends=WEDNESDAY)
    assert shown(WEDNESDAY - timedelta(days=1), person) == ["morning not_begun"]
    assert shown(WEDNESDAY, person) == shown(WEDNESDAY + timedelta(days=30), person) == ["morning 09:00-11:30"]


def test_the_window_of_a_slot_that_is_not_the_persons_any_more() -> None:
    found = slot_of(WEDNESDAY, HANAKO, "afternoon", calendar())
    assert isinstance(found, Window)
    assert found.slot == "afternoon"


NINE = datetime(2026, 11, 25, 9, 0, tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("first", "until"),
    [
        (NINE.replace(hour=7, minute=59), NINE),
        (NINE, NINE.replace(hour=21, minute=1)),
        (NINE, NINE),
        (NINE, NINE + timedelta(days=1)),
        (NINE.replace(tzinfo=None), NINE),
        (NINE.astimezone(UTC).replace(hour=12), NINE.astimezone(UTC).replace(hour=13)),
    ],
)
def test_no_other_window_can_be_made(first: datetime, until: datetime) -> None:
    with pytest.raises(ValueError, match="window"):
        Window(first, until)


def test_in_berlin_hours_are_those_of_berlin_but_nobody_in_japan_is_rung_at_night() -> None:
    berlin = calendar(zone=ZoneInfo("Europe/Berlin"))
    assert shown(date(2026, 6, 1), rules=berlin) == ["morning 16:00-18:30"]  # summer time
    assert shown(date(2026, 12, 1), rules=berlin) == ["morning 17:00-19:30"]
    evening = replace(HANAKO, slots=("afternoon",))
    assert shown(date(2026, 6, 1), evening, berlin) == ["afternoon no_hours"]  # 21:00 to 23:30 in Japan


_TIMES = st.times().map(lambda each: each.replace(microsecond=0))
_HOURS = st.tuples(_TIMES, _TIMES).filter(lambda pair: pair[0] < pair[1]).map(lambda pair: Hours(*pair))
_ZONES = st.sampled_from(
    ["Asia/Tokyo", "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"]
).map(ZoneInfo)
_DAYS = st.dates(date(2000, 1, 1), date(2060, 12, 31))
_SLOTS = st.builds(Slot, _HOURS, st.dictionaries(st.sampled_from(DayKind), st.none() | _HOURS))


@given(
    day=_DAYS,
    zone=_ZONES,
    slot=_SLOTS,
    own=st.none() | _TIMES,
    hours=st.none() | _HOURS,
    minutes=st.floats(1, 10_000),
    ring=st.floats(1, 110),
    offset=st.floats(-1, 2),
)
def test_whatever_the_settings_say_nobody_is_rung_outside_8_to_21_in_japan(
    day: date,
    zone: ZoneInfo,
    slot: Slot,
    own: time | None,
    hours: Hours | None,
    minutes: float,
    ring: float,
    offset: float,
) -> None:
    rules = Calendar(zone, {"any": slot}, is_holiday, (), minutes)
    person = replace(HANAKO, slots=("any", OWN_TIME), own_time=own, hours=hours)
    found = slots_of(day, person, rules)
    assert [each.slot for each in found] == ["any", OWN_TIME]
    for window in (each for each in found if isinstance(each, Window)):
        for moment in (window.first, window.until):
            assert moment.utcoffset() == timedelta(0)
            assert time(8) <= moment.astimezone(TOKYO).time() <= time(21)
        assert window.first.astimezone(TOKYO).date() == window.until.astimezone(TOKYO).date()
        now = window.first + (window.until - window.first) * offset
        if window.allows(now, ring):
            assert time(8) <= now.astimezone(TOKYO).time()
            assert (now + timedelta(seconds=ring)).astimezone(TOKYO).time() <= time(21)
            local = now.astimezone(zone)
            if hours is not None and zone.key == "Asia/Tokyo":
                assert hours.first <= local.time() <= hours.until


@given(day=_DAYS, zone=st.sampled_from(["UTC", "America/New_York", "Asia/Tokyo"]))
def test_the_zone_of_the_server_is_never_asked(day: date, zone: str) -> None:
    # The same moments, whichever zone they are spoken of in.
    (window,) = windows_of(day, HANAKO, calendar())
    assert window.first == datetime.combine(day, time(9), TOKYO)
    assert window.allows(window.first.astimezone(ZoneInfo(zone)), 60)
    assert not window.allows((window.until - timedelta(seconds=59)).astimezone(ZoneInfo(zone)), 60)
