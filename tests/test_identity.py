"""Check digits, birth dates by keys, and the limits on guessing, case by case."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.identity import (
    Failures,
    Lock,
    Verdict,
    check_digit,
    has_check_digit,
    judge_try,
    locks_of,
    new_id,
    padded_ids,
    read_birth_date,
)

TODAY = date(2026, 11, 4)
NONE = Failures(0, 0, 0, 0)


def test_the_check_digit_of_the_literature() -> None:
    assert check_digit("572") == "4"
    assert has_check_digit("5724")


@pytest.mark.parametrize("body", ["0000000", "1234567", "9081726", "5551213", "0010020", "7654321"])
def test_every_wrong_digit_and_every_transposition_is_caught(body: str) -> None:
    id = body + check_digit(body)
    assert has_check_digit(id)
    for at, right in enumerate(id):
        for wrong in set("0123456789") - {right}:
            assert not has_check_digit(id[:at] + wrong + id[at + 1 :])
    for at in range(len(id) - 1):
        if id[at] != id[at + 1]:
            assert not has_check_digit(id[:at] + id[at + 1] + id[at] + id[at + 2 :])


def test_a_new_id_is_of_eight_digits_and_nobodys() -> None:
    thrown = iter((572, 572, 8_999_999))
    first = "1000572" + check_digit("1000572")
    found = new_id(lambda _: next(thrown), lambda id: id == first)
    assert found == "9999999" + check_digit("9999999")
    assert has_check_digit(found)


@given(st.integers(0, 10**7))
def test_a_new_id_never_begins_with_a_zero(chance: int) -> None:
    assert new_id(lambda below: chance % below, lambda _: False)[0] != "0"


def test_what_a_spreadsheet_makes_of_an_id() -> None:
    assert set(padded_ids("00123456")) == {"123456", "0123456"}
    assert set(padded_ids("123456")) == {"00123456", "0123456"}
    assert padded_ids("12345678") == ()
    assert set(padded_ids("01234567")) == {"1234567"}
    assert set(padded_ids("00012345")) == {"012345", "0012345"}


@pytest.mark.parametrize(
    ("keys", "born"),
    [
        ("19350405", date(1935, 4, 5)),
        ("3100405", date(1935, 4, 5)),
        ("3640107", date(1989, 1, 7)),  # the last day of Showa
        ("3640108", None),
        ("4010108", date(1989, 1, 8)),  # the first of Heisei
        ("4010107", None),
        ("3650101", None),
        ("3011225", date(1926, 12, 25)),
        ("3011224", None),
        ("2151224", date(1926, 12, 24)),
        ("2010730", date(1912, 7, 30)),
        ("2010729", None),
        ("1450729", date(1912, 7, 29)),
        ("1340405", date(1901, 4, 5)),
        ("1330405", None),  # 126 years ago
        ("4310430", date(2019, 4, 30)),
        ("4310501", None),
        ("5010501", date(2019, 5, 1)),
        ("5081104", date(2026, 11, 4)),
        ("5081105", None),  # tomorrow
        ("5000101", None),
        ("6010101", None),
        ("3110229", date(1936, 2, 29)),
        ("3100229", None),
        ("19360229", date(1936, 2, 29)),
        ("19350229", None),
        ("19000229", None),
        ("20261105", None),
        ("18991231", None),
        ("00000000", None),
        ("310405", None),
        ("", None),
        ("３１００４０５", None),
    ],
)
def test_birth_dates(keys: str, born: date | None) -> None:
    assert read_birth_date(keys, TODAY) == born


@pytest.mark.parametrize(
    ("failures", "withheld", "locks"),
    [
        (NONE, False, set()),
        (Failures(4, 9, 5, 49), False, set()),
        (replace(NONE, of_id_today=5), False, {Lock.ID_TODAY}),
        (replace(NONE, of_id=10), False, {Lock.ID}),
        (Failures(5, 10, 6, 50), False, set(Lock)),
        (replace(NONE, of_number=6), False, {Lock.NUMBER}),
        (replace(NONE, of_number=6), True, set()),
        (replace(NONE, of_number=9), True, set()),
        (replace(NONE, of_number=10), True, {Lock.NUMBER}),
        (replace(NONE, today=50), False, {Lock.ALL}),
    ],
)
def test_locks(failures: Failures, withheld: bool, locks: set[Lock]) -> None:
    assert locks_of(failures, withheld) == locks


@pytest.mark.parametrize(
    ("matches", "locks", "verdict"),
    [
        (True, set(), Verdict.PASSED),
        (False, set(), Verdict.FAILED),
        (True, {Lock.ID}, Verdict.BLOCKED),
        (False, {Lock.ALL, Lock.NUMBER}, Verdict.BLOCKED),
    ],
)
def test_verdicts(matches: bool, locks: set[Lock], verdict: Verdict) -> None:
    assert judge_try(matches, frozenset(locks)) is verdict
