"""The hours in force come back as they were, whatever the file says by now."""

from ivr.inforce import hours_text, with_hours
from tests.fakes.site import settings


def test_hours_come_back_as_they_were() -> None:
    before = settings(
        slots={
            "morning": {
                "from": "9:00",
                "until": "11:30",
                "days": {"sun": "off", "sat": {"from": "9:30", "until": "10:00"}},
            }
        },
        blocked_days=[{"from": "2026-12-29", "until": "2027-01-03"}],
        own_time_minutes=90,
    )
    now = settings()
    assert now.calendar.slots.keys() != before.calendar.slots.keys()
    read = with_hours(now, hours_text(before))
    assert (read.slots, read.blocked_days, read.own_time_minutes) == (before.slots, before.blocked_days, 90)
    assert read.calendar == before.calendar
    assert hours_text(read) == hours_text(before)
