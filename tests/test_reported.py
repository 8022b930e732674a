"""The file of those who reported by another way: all of it, or every problem with its line."""

from datetime import date

import pytest

from ivr.errors import BadInput
from ivr.reported import Reported, parse_reported

TODAY = date(2026, 11, 4)
HEADER = "report_id,person_id,day\n"


def problems(text: str) -> list[tuple[int | None, str]]:
    with pytest.raises(BadInput) as caught:
        parse_reported(text.encode(), "r.csv", TODAY)
    return [(each.line, each.message) for each in caught.value.problems]


def test_what_a_file_says() -> None:
    text = "\ufeffday,person_id,report_id\r\n2026/11/4,００123456,c-1\r\n\r\n2026-11-03,200001,c-2\r\n"
    assert parse_reported(text.encode(), "r.csv", TODAY) == (
        Reported("c-1", "00123456", TODAY, 2),
        Reported("c-2", "200001", date(2026, 11, 3), 4),
    )


def test_every_problem_at_once() -> None:
    text = (
        HEADER
        + "c 1,12,2026-11-05\n"
        + "c-2,123456,\n"
        + "c-3,123456\n"
        + "c-4,123456,4.11.\n"
        + "c-5,123456,2026-11-05\n"
    )
    assert problems(text) == [
        (2, "reported.bad_id"),
        (2, "roster.bad_id"),
        (2, "reported.future"),
        (3, "roster.no_text"),
        (4, "roster.no_text"),
        (5, "roster.not_day"),
        (6, "reported.future"),
    ]


def test_an_id_twice() -> None:
    assert problems(HEADER + "c-1,123456,2026-11-04\nc-1,123457,2026-11-04\n") == [(3, "reported.id_twice")]


@pytest.mark.parametrize("text", ["", HEADER, "\n\n"])
def test_nothing_in_it(text: str) -> None:
    assert problems(text) == [(None, "reported.empty")]


def test_other_columns() -> None:
    assert [message for _, message in problems("report_id,name\n")] == [
        "roster.unknown_column",
        "roster.missing_column",
        "roster.missing_column",
        "roster.columns",
    ]
