"""docs/centre-api.yaml says of every document what it has in it, and what the stand-in centre answers."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ivr.call import Outcome
from ivr.person import Risk
from ivr.questionnaire.model import Level
from ivr.roster import NUMBER_COLUMNS
from ivr.storage.words import Auth, Completeness, Source
from ivr.sync.changes import MOST_CHANGES, MOST_REVISIONS, Closed, GivenPerson, GivenReport, parse_page
from ivr.sync.documents import CallDocument, Document, Kind, freeze
from ivr.sync.http import PATH, open_session
from ivr.sync.source import PATH as CHANGES_PATH
from sandbox.centre import Centre
from sandbox.certificates import Certificates
from tests.fakes.site import settings
from tests.storage.records import DAY, HANAKO, TARO
from tests.sync.changes import closing, reported, said
from tests.sync.conftest import settings_of
from tests.sync.test_documents import CALL, ERASURE, FIRED, REPORT

ROOT = Path(__file__).parents[2]
API: dict[str, Any] = yaml.safe_load((ROOT / "docs/centre-api.yaml").read_text(encoding="utf-8"))
SCHEMAS: dict[str, Any] = API["components"]["schemas"]
OPERATION: dict[str, Any] = API["paths"][PATH]["post"]
NAMES = {"report": "Report", "alert": "AlertDocument", "call": "Call", "erasure": "Erasure"}


def of(document: Document) -> dict[str, Any]:
    schema: dict[str, Any] = SCHEMAS[NAMES[document.kind]]
    return schema


@pytest.mark.parametrize("document", [REPORT, FIRED, CALL, ERASURE], ids=lambda each: str(each.kind))
def test_every_field_is_described_and_promised(document: Document) -> None:
    told = json.loads(freeze(document).payload)
    assert set(told) == set(of(document)["properties"]) == set(of(document)["required"])
    assert {f"#/components/schemas/{name}" for name in NAMES.values()} == set(
        SCHEMAS["Document"]["discriminator"]["mapping"].values()
    )


def test_every_kind_is_described() -> None:
    assert set(NAMES) == {str(each) for each in Kind}


def test_answers_and_alerts_have_the_fields_that_are_described() -> None:
    told = json.loads(freeze(REPORT).payload)
    for name, schema in (("answers", "Answer"), ("alerts", "Alert")):
        assert told[name]
        for each in told[name]:
            assert set(each) == set(SCHEMAS[schema]["properties"]) == set(SCHEMAS[schema]["required"])


def test_words_are_all_that_can_come() -> None:
    call, report = SCHEMAS["Call"]["properties"], SCHEMAS["Report"]["properties"]
    assert set(call["outcome"]["enum"]) == {str(each) for each in Outcome}
    assert set(report["completeness"]["enum"]) == {str(each) for each in Completeness}
    assert set(report["source"]["enum"]) == {str(each) for each in Source}
    # What came from elsewhere never goes back.
    assert set(report["auth"]["enum"]) == {str(each) for each in Auth} - {Auth.ELSEWHERE}
    assert set(SCHEMAS["Alert"]["properties"]["level"]["enum"]) == {str(each) for each in Level}


@pytest.mark.parametrize(
    ("key", "body", "status"),
    [
        pytest.param("k-1", b'{"a":1}', 201, id="new"),
        pytest.param("", b'{"a":1}', 400, id="no key"),
        pytest.param("k" * 201, b'{"a":1}', 400, id="long key"),
        pytest.param("k\u00e9", b'{"a":1}', 400, id="no ascii"),
        pytest.param("k-1", b"", 400, id="empty"),
        pytest.param("k-1", b"[1]", 400, id="no object"),
        pytest.param("k-1", b"\xff\xfe", 400, id="no text"),
        pytest.param("k-1", b"[" * 100_000, 400, id="deep"),
        pytest.param("k-1", io.BytesIO(b" " * (1024 * 1024 + 1)), 413, id="too long"),
    ],
)
async def test_the_stand_in_centre_answers_what_is_described(
    centre: Centre, certificates: Certificates, key: str, body: bytes | io.BytesIO, status: int
) -> None:
    async with open_session(settings_of(centre.url, certificates)) as session:
        async with session.post(centre.url + PATH, data=body, headers={"Idempotency-Key": key}) as answer:
            assert answer.status == status
            assert str(status) in OPERATION["responses"]
            if status == 201:
                _is_acknowledgement(await answer.json())
        if status == 201:
            async with session.post(centre.url + PATH, data=body, headers={"Idempotency-Key": key}) as again:
                assert again.status == 200
                _is_acknowledgement(await again.json())
            async with session.post(centre.url + PATH, data=b"{}", headers={"Idempotency-Key": key}) as other:
                assert other.status == 422


CHANGES: dict[str, Any] = API["paths"][CHANGES_PATH]["get"]


def test_what_changes_may_say_is_what_is_read() -> None:
    person, report, closed, page = (SCHEMAS[each] for each in ("PersonChange", "ReportChange", "Closed", "Page"))
    for schema, model in ((person, GivenPerson), (report, GivenReport), (closed, Closed)):
        assert set(schema["properties"]) == set(schema["required"]) == set(model.model_fields)
    assert set(person["properties"]) == set(said(HANAKO))
    assert set(report["properties"]) == set(reported(HANAKO, "r-1"))
    assert set(closed["properties"]) == set(closing())
    assert person["properties"]["risk"]["enum"] == [*Risk, None]
    assert person["properties"]["numbers"]["maxItems"] == len(NUMBER_COLUMNS)
    assert person["properties"]["revision"]["maximum"] == MOST_REVISIONS
    assert page["properties"]["changes"]["maxItems"] == MOST_CHANGES
    mapping = SCHEMAS["Change"]["discriminator"]["mapping"]
    assert mapping == {"person": "#/components/schemas/PersonChange", "report": "#/components/schemas/ReportChange"}


@pytest.mark.parametrize(
    ("query", "status", "count", "more"),
    [
        pytest.param({}, 200, 3, False, id="all"),
        pytest.param({"limit": "2"}, 200, 2, True, id="a page"),
        pytest.param({"since": "c2", "limit": "2"}, 200, 1, False, id="the rest"),
        pytest.param({"since": "c3"}, 200, 0, False, id="nothing"),
        pytest.param({"since": "3"}, 400, 0, False, id="no cursor of its"),
        pytest.param({"since": ""}, 400, 0, False, id="empty cursor"),
        pytest.param({"limit": "0"}, 400, 0, False, id="no limit"),
        pytest.param({"limit": "1001"}, 400, 0, False, id="too much"),
        pytest.param({"limit": "x"}, 400, 0, False, id="no number"),
    ],
)
async def test_the_stand_in_centre_hands_out_changes_as_described(
    centre: Centre, certificates: Certificates, query: dict[str, str], status: int, count: int, more: bool
) -> None:
    centre.changes.put(said(HANAKO), said(TARO), reported(HANAKO, "r-1"))
    async with (
        open_session(settings_of(centre.url, certificates)) as session,
        session.get(centre.url + CHANGES_PATH, params=query) as answer,
    ):
        told = await answer.json()
    assert (answer.status, str(status) in CHANGES["responses"]) == (status, True)
    if status == 200:
        assert set(told) == set(SCHEMAS["Page"]["required"])
        assert (len(told["changes"]), told["more"]) == (count, more)
        assert parse_page(told, "", "centre", settings().roster_rules, DAY).more is more


def _is_acknowledgement(told: dict[str, Any]) -> None:
    assert set(told) == set(SCHEMAS["Acknowledgement"]["required"])


def test_a_call_without_an_answer_keeps_its_fields() -> None:
    call: CallDocument = replace(CALL, answered_at=None, report_id=None)
    assert set(json.loads(freeze(call).payload)) == set(of(call)["properties"])
