"""Reports as CSV and JSON."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.export import ReportRow, question_columns, to_csv, to_json

TOKYO = ZoneInfo("Asia/Tokyo")
ROW = ReportRow(
    report_id="s1",
    day=date(2025, 1, 6),
    person_id="00123456",
    claimed_id=None,
    completeness="complete",
    source="automatic_call",
    auth="outbound",
    created_at=datetime(2025, 1, 5, 23, 59, 59, 999, tzinfo=UTC),
    updated_at=datetime(2025, 1, 6, 0, 5, tzinfo=UTC),
    answers={"temperature": "36.5", "oxygen": "98"},
    alerts=("fever", "low_oxygen"),
    follow_ups=("call_wished",),
    version="5eed",
)
STRANGER = replace(ROW, report_id="s2", person_id=None, claimed_id="999999", answers={"cough": "no"}, alerts=())


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_csv_for_spreadsheets() -> None:
    assert to_csv([ROW, STRANGER], TOKYO, ["oxygen", "temperature"]) == (
        "\ufeffreport_id,day,person_id,claimed_id,completeness,source,auth,created_at,updated_at,version,"
        "superseded,"
        "alerts,follow_ups,"
        "answer.oxygen,answer.temperature,answer.cough\r\n"
        "s1,2025-01-06,00123456,,complete,automatic_call,outbound,2025-01-06T08:59:59+09:00,2025-01-06T09:05:00+09:00,"
        "5eed,,fever low_oxygen,call_wished,98,36.5,\r\n"
        "s2,2025-01-06,,999999,complete,automatic_call,outbound,2025-01-06T08:59:59+09:00,2025-01-06T09:05:00+09:00,"
        "5eed,,,call_wished,,,no\r\n"
    )


def test_a_day_without_reports_still_has_its_columns() -> None:
    (header,) = to_csv([], TOKYO, ["oxygen"]).splitlines()
    assert header.endswith(",answer.oxygen")


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_can_be_a_formula(first: str) -> None:
    dangerous = f'{first}HYPERLINK("x")'
    row = replace(ROW, claimed_id=dangerous, answers={dangerous: dangerous, "day": "1"}, follow_ups=(dangerous,))
    (found,) = read(to_csv([row], TOKYO))
    assert found["claimed_id"] == found["follow_ups"] == found[f"answer.{dangerous}"] == "'" + dangerous
    assert (found["day"], found["answer.day"]) == ("2025-01-06", "1")


@given(st.lists(st.dictionaries(st.text(min_size=1), st.text()), max_size=4))
def test_any_answers_come_back_from_csv_and_json(answers: Sequence[dict[str, str]]) -> None:
    rows = [replace(ROW, report_id=f"s{number}", answers=each) for number, each in enumerate(answers)]
    cells = read(to_csv(rows, TOKYO))
    objects = json.loads(to_json(rows, TOKYO))
    assert len(cells) == len(objects) == len(rows)
    for row, cell, given_back in zip(rows, cells, objects, strict=True):
        assert given_back["answers"] == row.answers
        for question, value in row.answers.items():
            assert cell[f"answer.{question}"] in (value, "'" + value)


def test_json_for_machines() -> None:
    first, second = json.loads(to_json([ROW, STRANGER], TOKYO))
    assert first == {
        "report_id": "s1",
        "day": "2025-01-06",
        "person_id": "00123456",
        "claimed_id": None,
        "completeness": "complete",
        "source": "automatic_call",
        "auth": "outbound",
        "created_at": "2025-01-06T08:59:59+09:00",
        "updated_at": "2025-01-06T09:05:00+09:00",
        "version": "5eed",
        "superseded": None,
        "alerts": ["fever", "low_oxygen"],
        "follow_ups": ["call_wished"],
        "answers": {"temperature": "36.5", "oxygen": "98"},
    }
    assert (second["person_id"], second["claimed_id"]) == (None, "999999")
    assert json.loads(to_json([], TOKYO)) == []


def test_columns_follow_the_questionnaire_and_forget_no_older_question() -> None:
    assert question_columns([ROW, STRANGER], ["cough"]) == ("cough", "temperature", "oxygen")
