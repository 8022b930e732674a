"""docs/centre-api.yaml says of every document what it has in it, and what the stand-in centre answers."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ivr.call import Outcome
from ivr.questionnaire.model import Level
from ivr.storage.words import Auth, Completeness, Source
from ivr.sync.documents import CallDocument, Document, freeze
from ivr.sync.http import PATH, open_session
from sandbox.centre import Centre
from sandbox.certificates import Certificates
from tests.sync.conftest import settings_of
from tests.sync.test_documents import CALL, FIRED, REPORT

ROOT = Path(__file__).parents[2]
API: dict[str, Any] = yaml.safe_load((ROOT / "docs/centre-api.yaml").read_text(encoding="utf-8"))
SCHEMAS: dict[str, Any] = API["components"]["schemas"]
OPERATION: dict[str, Any] = API["paths"][PATH]["post"]
NAMES = {"report": "Report", "alert": "AlertDocument", "call": "Call"}


def of(document: Document) -> dict[str, Any]:
    schema: dict[str, Any] = SCHEMAS[NAMES[document.kind]]
    return schema


@pytest.mark.parametrize("document", [REPORT, FIRED, CALL], ids=lambda each: str(each.kind))
def test_every_field_is_described_and_promised(document: Document) -> None:
    told = json.loads(freeze(document).payload)
    assert set(told) == set(of(document)["properties"]) == set(of(document)["required"])
    assert {f"#/components/schemas/{name}" for name in NAMES.values()} == set(
        SCHEMAS["Document"]["discriminator"]["mapping"].values()
    )


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


def _is_acknowledgement(told: dict[str, Any]) -> None:
    assert set(told) == set(SCHEMAS["Acknowledgement"]["required"])


def test_a_call_without_an_answer_keeps_its_fields() -> None:
    call: CallDocument = replace(CALL, answered_at=None, report_id=None)
    assert set(json.loads(freeze(call).payload)) == set(of(call)["properties"])
