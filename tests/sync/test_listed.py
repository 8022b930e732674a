"""The list that a receiver of files writes: what it may look like, and every mistake in it at its line."""

from datetime import date

import pytest

from ivr.errors import BadInput
from ivr.sync.listed import parse_listed

A, B = "a" * 64, "b" * 64
HEADER = b"day,key,sha256\n"


def lines(*given: str) -> bytes:
    return HEADER + "\n".join(given).encode()


def test_days_with_their_keys() -> None:
    found = parse_listed(lines(f"2025-01-06,k-1,{A}", "", f"2025/1/6,k-2,{B.upper()}", f"2025-01-07,k-3,{A}"), "f")
    assert found == {date(2025, 1, 6): {"k-1": A, "k-2": B}, date(2025, 1, 7): {"k-3": A}}


def test_as_a_spreadsheet_writes_it() -> None:
    content = b"\xef\xbb\xbf" + f'"KEY","SHA256","DAY"\r\n"k-1","{A}","2025/01/06"\r\n'.encode()
    assert parse_listed(content, "f") == {date(2025, 1, 6): {"k-1": A}}


def test_a_header_alone_says_that_nothing_is_held() -> None:
    assert parse_listed(HEADER, "f") == {}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", [("listed.empty", None)]),
        (b"day,key\n", [("roster.missing_column", 1), ("roster.columns", 1)]),
        (lines(f"2025-01-06,k-1,{A},x"), [("roster.cells", 2)]),
        (lines(f"yesterday,k-1,{A}"), [("roster.not_day", 2)]),
        (lines(f",k-1,{A}"), [("roster.no_text", 2)]),
        (lines(f"2025-01-06,,{A}"), [("listed.bad_key", 2)]),
        (lines(f"2025-01-06,{'k' * 201},{A}"), [("listed.bad_key", 2)]),
        (lines(f"2025-01-06,k\u00e9,{A}"), [("listed.bad_key", 2)]),
        (lines("2025-01-06,k-1,abc"), [("listed.bad_sha256", 2)]),
        (lines(f"2025-01-06,k-1,{A}", f"2025-01-07,k-1,{A}"), [("listed.twice", 3)]),
        (lines("x,k-1,", "2025-01-06,k 2,z"), [(each, line) for each, line in (
            ("roster.not_day", 2), ("listed.bad_sha256", 2), ("listed.bad_key", 3), ("listed.bad_sha256", 3),
        )]),
        (b"\0", [("roster.encoding", None)]),
    ],
)  # fmt: skip
def test_everything_that_is_wrong_with_it(content: bytes, found: list[tuple[str, int | None]]) -> None:
    with pytest.raises(BadInput) as bad:
        parse_listed(content, "f.csv")
    assert [(each.message, each.line) for each in bad.value.problems] == found
    assert {each.file for each in bad.value.problems} == {"f.csv"}
