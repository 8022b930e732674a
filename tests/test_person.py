"""What dates and decisions do to a person."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ivr.person import Closing, Pause, Risk, begins_anew, is_excluded, is_paused, is_period_over
from tests.storage.records import DAY, HANAKO, NOW, later

PAUSED = replace(HANAKO, pause=Pause(later(10), later(20), "担当", "入院"))


@pytest.mark.parametrize(("minutes", "paused"), [(9.9, False), (10, True), (19.9, True), (20, False)])
def test_a_pause_begins_and_ends_by_itself(minutes: float, paused: bool) -> None:
    assert is_paused(PAUSED, later(minutes)) is paused
    assert is_excluded(PAUSED, later(minutes)) is paused


def test_only_decisions_exclude() -> None:
    assert not is_excluded(replace(HANAKO, ends=DAY - timedelta(days=100)), NOW)
    closed = replace(HANAKO, closing=Closing(NOW, "担当", "回復"))
    assert is_excluded(closed, NOW)
    assert not is_excluded(closed, later(-1))


@pytest.mark.parametrize(("days", "over"), [(-1, False), (0, False), (1, True), (30, True)])
def test_a_period_is_over_after_its_last_day(days: int, over: bool) -> None:
    person = replace(HANAKO, ends=DAY)
    assert is_period_over(person, DAY + timedelta(days=days)) is over
    assert not is_period_over(replace(person, closing=Closing(NOW, "担当", "回復")), DAY + timedelta(days=days))
    assert not is_period_over(HANAKO, DAY + timedelta(days=days))


def test_a_new_period_begins_after_the_day_of_the_closing_in_the_zone_of_the_centre() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    closing = Closing(datetime(2026, 11, 24, 23, 30, tzinfo=tokyo), "担当", "回復")
    assert begins_anew(replace(HANAKO, begins=date(2026, 11, 25)), closing, tokyo)
    assert not begins_anew(replace(HANAKO, begins=date(2026, 11, 24)), closing, tokyo)
    assert not begins_anew(HANAKO, closing, tokyo)


def test_high_risk_goes_first() -> None:
    assert sorted(Risk, key=lambda each: -each.rank) == [Risk.HIGH, Risk.NORMAL, Risk.LOW]
