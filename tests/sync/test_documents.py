"""What leaves for the centre: the same bytes for ever, a key of its own, and nothing that names anybody."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from ivr.sync.documents import (
    AlertDocument,
    CallDocument,
    Document,
    ErasureDocument,
    FiredAlert,
    GivenAnswer,
    ReportDocument,
    document_from,
    freeze,
    key_of,
    same_content,
    to_json_bytes,
    unit_of,
)

AT = datetime(2025, 1, 6, 0, 5, tzinfo=UTC)
ALERT = FiredAlert("fever", "urgent", {"ja": "高い熱", "en": "high fever"}, AT)
ANSWERS = (GivenAnswer("temperature", "39.0", "Cel", AT), GivenAnswer("cough", "no", None, AT))
REPORT = ReportDocument(
    report_id="kc-1",
    revision=1,
    person_id="00123456",
    claimed_id=None,
    day=date(2025, 1, 6),
    slot="morning",
    sequence=1,
    completeness="complete",
    source="automatic_call",
    auth="outbound",
    language="ja",
    questionnaire="daily",
    version="ab" * 32,
    began_at=AT,
    changed_at=AT + timedelta(minutes=2),
    frozen_at=AT + timedelta(minutes=2),
    answers=ANSWERS,
    alerts=(ALERT,),
)
FIRED = AlertDocument(
    report_id="kc-1",
    person_id="00123456",
    claimed_id=None,
    day=date(2025, 1, 6),
    sequence=1,
    questionnaire="daily",
    version="ab" * 32,
    alert=ALERT,
    answers=ANSWERS,
    frozen_at=AT,
)
CALL = CallDocument(
    attempt_id="kc-2",
    person_id="00123456",
    day=date(2025, 1, 6),
    slot="morning",
    sequence=2,
    outcome="busy",
    planned_at=AT,
    answered_at=None,
    ended_at=AT + timedelta(minutes=1),
    report_id=None,
    frozen_at=AT + timedelta(minutes=1),
)
ERASURE = ErasureDocument(
    person_id="00123456",
    day=date(2025, 1, 6),
    sequence=9,
    report_ids=("kc-1",),
    attempt_ids=("kc-2", "kc-3"),
    frozen_at=AT + timedelta(days=30),
)
ALL = pytest.mark.parametrize("document", [REPORT, FIRED, CALL, ERASURE], ids=lambda each: str(each.kind))


@ALL
def test_the_bytes_give_the_document_back(document: Document) -> None:
    assert document_from(to_json_bytes(document)) == document
    assert to_json_bytes(document_from(to_json_bytes(document))) == to_json_bytes(document)


def test_the_bytes_are_these() -> None:
    """Written out once: a change of a library or of a field that moved one of them would break every stored hash."""
    assert to_json_bytes(CALL).decode() == (
        '{"answered_at":null,"attempt_id":"kc-2","day":"2025-01-06","ended_at":"2025-01-06T00:06:00.000000Z",'
        '"format":1,"frozen_at":"2025-01-06T00:06:00.000000Z","key":"KEY","kind":"call","outcome":"busy",'
        '"person_id":"00123456","planned_at":"2025-01-06T00:05:00.000000Z","report_id":null,"sequence":2,'
        '"slot":"morning"}'
    ).replace("KEY", key_of(CALL))


def test_a_moment_is_the_same_in_every_zone() -> None:
    japan = timezone(timedelta(hours=9))
    assert to_json_bytes(replace(CALL, planned_at=AT.astimezone(japan))) == to_json_bytes(CALL)


@ALL
def test_the_key_belongs_to_the_content(document: Document) -> None:
    frozen = freeze(document)
    assert json.loads(frozen.payload)["key"] == frozen.key
    assert freeze(document) == frozen
    assert freeze(replace(document, sequence=99)).key != frozen.key
    assert "高い熱" in frozen.payload.decode() or document in (CALL, ERASURE)


def test_another_format_is_refused() -> None:
    told = json.loads(to_json_bytes(CALL)) | {"format": 2}
    with pytest.raises(ValueError, match="format 2"):
        document_from(json.dumps(told).encode())


def test_what_a_later_version_adds_is_passed_over() -> None:
    told = json.loads(to_json_bytes(CALL)) | {"new": 1}
    assert document_from(json.dumps(told).encode()) == CALL


def test_two_revisions_that_tell_the_same() -> None:
    later = replace(REPORT, revision=2, sequence=7, frozen_at=AT + timedelta(hours=1))
    assert same_content(REPORT, later)
    assert not same_content(REPORT, replace(later, answers=ANSWERS[:1]))
    assert not same_content(REPORT, replace(later, completeness="partial"))


@pytest.mark.parametrize(
    ("question", "value", "unit"),
    [
        ("temperature", "36.5", "Cel"),
        ("temperature", "no_thermometer", None),
        ("oxygen", "98", "%"),
        ("cough", "yes", None),
        ("steps", "400", None),
    ],
)
def test_units(question: str, value: str, unit: str | None) -> None:
    assert unit_of(question, value) == unit
