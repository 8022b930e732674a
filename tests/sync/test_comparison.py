"""What is a difference, what a day is, and which days are due: tables for what decides."""

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.sync.comparison import (
    LONGEST_BACK,
    Compared,
    Difference,
    Digest,
    Held,
    Sort,
    acknowledged,
    begin_of,
    compare,
    digest_of,
    due_days,
    is_late,
    last_day,
    named,
)
from ivr.sync.delivery import State

DAY = date(2025, 1, 6)
A, B, C, D = (letter * 64 for letter in "abcd")


def held(id: int, sha256: str = A, state: State = State.ACKNOWLEDGED, day: date = DAY) -> Held:
    return Held(id, f"k-{id}", sha256, state, day)


def test_a_digest_is_that_of_the_sorted_lines() -> None:
    text = f"k-1 {A}\nk-2 {B}\n".encode()
    assert digest_of({"k-2": B, "k-1": A}) == Digest(2, hashlib.sha256(text).hexdigest())
    assert digest_of({}) == Digest(0, hashlib.sha256(b"").hexdigest())


def test_equal_sides_agree() -> None:
    ours = (held(1), held(2, B))
    assert digest_of(acknowledged(ours)) == digest_of({"k-2": B, "k-1": A})
    assert compare(DAY, ours, {"k-2": B, "k-1": A}, ()) == ()


@pytest.mark.parametrize("state", [each for each in State if each is not State.ACKNOWLEDGED])
def test_what_is_not_acknowledged_may_be_there_or_not(state: State) -> None:
    ours = (held(1, state=state),)
    assert acknowledged(ours) == {}
    assert compare(DAY, ours, {}, ()) == compare(DAY, ours, {"k-1": A}, ()) == ()
    assert [each.sort for each in compare(DAY, ours, {"k-1": B}, ())] == [Sort.OTHER_BYTES]


def test_every_sort_with_its_exact_rows() -> None:
    ours = (held(1), held(2), held(3), held(5))
    theirs = {"k-2": A, "k-3": B, "k-4": C, "k-6": A, "k-7": D}
    elsewhere = (held(6, day=DAY - timedelta(days=1)), held(7, day=DAY + timedelta(days=1)))
    found = compare(DAY, ours, theirs, elsewhere)
    assert found == (
        Difference(Sort.MISSING, "k-1", 1, A, None),
        Difference(Sort.MISSING, "k-5", 5, A, None),
        Difference(Sort.OTHER_BYTES, "k-3", 3, A, B),
        Difference(Sort.OTHER_BYTES, "k-7", 7, A, D),
        Difference(Sort.OTHER_DAY, "k-6", 6, A, A),
        Difference(Sort.UNKNOWN, "k-4", None, None, C),
    )
    assert named(found) == "missing #1 #5; other_bytes #3 #7; other_day #6; unknown k-4"


def test_what_was_frozen_while_the_centre_was_asked_is_no_stranger() -> None:
    assert compare(DAY, (), {"k-1": A}, (held(1),)) == ()


SHA256 = st.sampled_from([A, B])
OURS = st.dictionaries(st.integers(1, 12), st.tuples(SHA256, st.sampled_from(State), st.sampled_from([0, 1])))
THEIRS = st.dictionaries(st.integers(1, 15).map("k-{}".format), SHA256)


@given(OURS, THEIRS)
def test_whoever_mends_every_difference_finds_no_other(
    ours: dict[int, tuple[str, State, int]], theirs: dict[str, str]
) -> None:
    """What is named is enough to mend: and nothing is named that was in order."""
    every = [held(each, *told[:2], DAY + timedelta(days=told[2])) for each, told in ours.items()]
    of_day = [each for each in every if each.day == DAY]
    elsewhere = [each for each in every if each.day != DAY and each.key in theirs]
    found = compare(DAY, of_day, theirs, elsewhere)
    assert len({each.key for each in found}) == len(found)
    mended = dict(theirs)
    for each in found:
        if each.sort is Sort.MISSING or (each.sort is Sort.OTHER_BYTES and each.key in {one.key for one in of_day}):
            assert each.ours
            mended[each.key] = each.ours
        else:
            del mended[each.key]
    assert compare(DAY, of_day, mended, elsewhere) == ()
    unchanged = theirs.keys() - {each.key for each in found}
    assert {key: mended[key] for key in unchanged} == {key: theirs[key] for key in unchanged}
    if all(each.state is State.ACKNOWLEDGED for each in of_day):
        assert digest_of(mended) == digest_of(acknowledged(of_day))


def test_an_alarm_names_twenty_of_a_sort_and_counts_the_rest() -> None:
    found = compare(DAY, [held(each) for each in range(1, 24)], {}, ())
    assert named(found).split() == ["missing", *(f"#{each}" for each in range(1, 21)), "+3"]


def test_a_day_is_over_an_hour_after_its_end_whatever_zone_the_clock_has() -> None:
    assert begin_of(DAY) == datetime(2025, 1, 6, tzinfo=UTC)
    japan = timezone(timedelta(hours=9))
    assert last_day(datetime(2025, 1, 7, 9, 59, tzinfo=japan)) == date(2025, 1, 5)
    assert last_day(datetime(2025, 1, 7, 10, 0, tzinfo=japan)) == DAY


def at(day: int, hour: float) -> datetime:
    return datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day - 1, hours=hour)


def days(*numbers: int) -> list[date]:
    return [date(2025, 1, each) for each in numbers]


def test_nothing_is_due_before_there_is_a_document_or_a_day_is_over() -> None:
    assert due_days(None, {}, at(9, 2)) == []
    assert due_days(date(2025, 1, 9), {}, at(9, 23)) == []
    assert due_days(date(2025, 1, 8), {}, at(9, 0.9)) == []
    assert due_days(date(2025, 1, 8), {}, at(9, 1)) == days(8)


def test_days_that_were_missed_are_made_up_for() -> None:
    compared = {date(2025, 1, 5): Compared(at(6, 1), open=False)}
    # The 5th itself is compared again: it has not yet agreed a week after its end.
    assert due_days(date(2025, 1, 5), compared, at(9, 1)) == days(5, 6, 7, 8)


def test_a_day_is_compared_once_a_day_for_a_week_after_its_end() -> None:
    """Every hour for a month, as the service looks: how often and until when."""
    compared: dict[date, Compared] = {}
    done = []
    for hour in range(24 * 30):
        now = at(6, hour)
        for day in due_days(DAY, compared, now):
            compared[day] = Compared(now, open=False)
            if day == DAY:
                done.append(now)
    assert done == [at(7 + each, 1) for each in range(8)]
    assert done[-1] - at(7, 0) >= timedelta(days=7)


def test_a_day_that_is_open_is_compared_daily_until_it_is_not() -> None:
    old = Compared(at(8, 1), open=True)
    assert due_days(date(2024, 12, 1), {}, at(31, 2))[0] == date(2024, 12, 1)
    only = {date(2024, 12, 1) + timedelta(days=each): Compared(at(31, 1), open=False) for each in range(61)}
    assert due_days(date(2024, 12, 1), only, at(31, 2)) == []
    assert due_days(date(2024, 12, 1), only | {date(2024, 12, 3): old}, at(31, 2)) == [date(2024, 12, 3)]
    agreed = replace(old, open=False)
    assert due_days(date(2024, 12, 1), only | {date(2024, 12, 3): agreed}, at(31, 2)) == []


def test_a_clock_that_was_wrong_neither_stops_comparing_nor_asks_for_ever() -> None:
    ahead = {date(2025, 1, 8): Compared(at(900, 1), open=False)}
    assert due_days(date(2025, 1, 8), ahead, at(9, 1)) == days(8)
    found = due_days(date(1970, 1, 1), {}, at(9, 1))
    assert (len(found), found[-1]) == (LONGEST_BACK, date(2025, 1, 8))


def test_when_a_day_is_late() -> None:
    assert not is_late(DAY, at(10, 0))
    assert is_late(DAY, at(10, 0.1))
