"""What a hand-over file says: read back whole, and refused if it is anything else."""

import csv
import io
import json
from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest

from ivr.person import OWN_TIME, Hours, Person, Risk
from ivr.reported import Reported
from ivr.roster import Rules, parse_people
from ivr.transferred import NotUnderstood, OpenTask, read_content, roster_of, to_content
from tests.storage.records import HANAKO, SACHIKO

DAY = date(2025, 1, 6)
FULL = replace(
    HANAKO,
    slots=("morning", OWN_TIME),
    own_time=time(10, 15),
    hours=Hours(time(9, 30), time(12)),
    risk=Risk.HIGH,
    facts={"oximeter": "yes", "note_of_home": "二階、犬=2匹"},
    begins=date(2025, 1, 1),
    ends=date(2025, 1, 14),
)
HISTORY: dict[str, Any] = {
    "reports": [
        {"id": "r-1", "day": "2025-01-05", "completeness": "partial", "answers": []},
        {"id": "r-2", "day": "2025-01-06", "completeness": "complete", "answers": []},
    ],
    "alerts": [
        {"day": "2025-01-05", "level": "urgent", "open": False},
        {"day": "2025-01-06", "level": "emergency", "open": True},
    ],
    "follow_ups": [{"day": "2025-01-06", "reason": "call_wished"}],
    "decisions": [],
}
RULES = Rules(lambda number: number, ("morning", "afternoon"))


@pytest.mark.parametrize("person", [HANAKO, SACHIKO, FULL], ids=["plain", "afternoon", "everything"])
def test_a_person_comes_through_a_roster_as_they_were(person: Person) -> None:
    told = read_content(to_content(person, "見本市保健所", HISTORY))
    assert parse_people(roster_of(told, None, None), "f", RULES) == (person,)


def test_what_is_done_and_what_is_open() -> None:
    told = read_content(to_content(HANAKO, "見本市保健所", HISTORY))
    assert told.reports == (Reported("r-2", HANAKO.id, DAY, 0),)
    assert told.tasks == (OpenTask(DAY, "call_wished"),)
    assert told.open_alerts == (OpenTask(DAY, "emergency"),)


def test_another_id_and_slot() -> None:
    told = read_content(to_content(FULL, "見本市保健所", HISTORY))
    (row,) = csv.DictReader(io.StringIO(roster_of(told, "272727", "afternoon").decode()))
    assert (row["id"], row["slot"], row["own_time"]) == ("272727", "afternoon", "10:15")


def test_what_a_later_version_adds_is_passed_over() -> None:
    told = json.loads(to_content(HANAKO, "見本市保健所", HISTORY))
    told["person"]["new_column"] = "x"
    told["new"] = 1
    assert read_content(json.dumps(told).encode()) == read_content(to_content(HANAKO, "見本市保健所", HISTORY))


@pytest.mark.parametrize(
    "changed",
    [
        {"format": 2},
        {"person": None},
        {"person": {"name": "without an id"}},
        {"reports": [{"id": "r", "day": "yesterday", "completeness": "complete"}]},
        {"reports": {}},
        {"reports": [1]},
        {"alerts": [{"day": "2025-01-06"}]},
        {"follow_ups": None},
    ],
    ids=str,
)
def test_anything_else_is_not_understood(changed: dict[str, Any]) -> None:
    told = json.loads(to_content(HANAKO, "見本市保健所", HISTORY)) | changed
    if changed == {"reports": {}}:
        assert read_content(json.dumps(told).encode()).reports == ()
        return
    with pytest.raises(NotUnderstood):
        read_content(json.dumps(told).encode())


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"5", b"\xff", b"[" * 100_000])
def test_nor_is_what_is_no_object(content: bytes) -> None:
    with pytest.raises(NotUnderstood):
        read_content(content)
