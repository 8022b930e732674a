"""docs/centre-api.yaml on digests: the stand-in centre answers as it says, and it says what our side believes."""

import hashlib
import json
import re
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from ivr.sync.comparison import digest_of
from ivr.sync.digests import PAGE, PATH, digest_from, page_from
from ivr.sync.documents import Document, freeze
from ivr.sync.http import open_session
from sandbox.centre import PATH as DOCUMENTS
from sandbox.centre import Centre
from sandbox.certificates import Certificates
from tests.storage.records import DAY
from tests.sync.conftest import settings_of
from tests.sync.test_centre_api import API, SCHEMAS
from tests.sync.test_documents import CALL, ERASURE, REPORT

LISTED = f"{PATH}/{{day}}/documents"


def responses(path: str) -> dict[str, Any]:
    found: dict[str, Any] = API["paths"][path]["get"]["responses"]
    return found


async def get(centre: Centre, certificates: Certificates, path: str, **query: str) -> tuple[int, Any]:
    async with (
        open_session(settings_of(centre.url, certificates)) as session,
        session.get(centre.url + path, params=query) as answer,
    ):
        assert answer.content_type == "application/json"
        return answer.status, await answer.json()


def is_as_described(told: dict[str, Any], name: str) -> None:
    """All that is promised and nothing else, of the types and patterns that are promised."""
    schema = SCHEMAS[name]
    assert set(told) == set(schema["required"]) == set(schema["properties"])
    types = {"string": str, "integer": int, "boolean": bool, "array": list}
    for field, value in told.items():
        promised = schema["properties"][field]
        assert type(value) is types[promised["type"]]
        assert re.fullmatch(promised.get("pattern", ".*"), str(value))
    if name == "DocumentsOfDay":
        item = schema["properties"]["documents"]["items"]
        for each in told["documents"]:
            assert set(each) == set(item["required"]) == set(item["properties"])
            assert all(re.fullmatch(item["properties"][field]["pattern"], value) for field, value in each.items())


@pytest.fixture
async def stored(centre: Centre, certificates: Certificates) -> dict[str, str]:
    """Key -> SHA-256 of what the centre holds of the day; it also holds others."""
    body = freeze(REPORT).payload
    assert json.loads(body)["frozen_at"].startswith("2025-01-06")
    other = body.replace(b'"frozen_at":"2025-01-06', b'"frozen_at":"2025-01-07')
    async with open_session(settings_of(centre.url, certificates)) as session:
        given = [("b", body), ("a", body), ("Z", body), ("~", body), ("c", other), ("d", b'{"frozen_at":20250106}')]
        for key, each in (
            *given,
            ("e", b"{}"),
            ("f", '{"frozen_at":"2025-01-06"}'.encode("utf-16")),
            ("g", b'{"n":NaN}'),
        ):
            await send(session, centre, key, each)
    return dict.fromkeys(("b", "a", "Z", "~"), hashlib.sha256(body).hexdigest())


async def send(session: aiohttp.ClientSession, centre: Centre, key: str, body: bytes) -> None:
    async with session.post(centre.url + DOCUMENTS, data=body, headers={"Idempotency-Key": key}) as answer:
        assert answer.status == 201


async def test_what_an_erasure_names_counts_no_more(centre: Centre, certificates: Certificates) -> None:
    other = replace(REPORT, person_id="00999999", report_id="kc-9")
    left: tuple[Document, ...] = (
        replace(other, person_id=ERASURE.person_id),
        replace(other, person_id=None, claimed_id=ERASURE.person_id),
        replace(other, person_id=None, report_id=ERASURE.report_ids[0]),
        replace(CALL, person_id="00999999", attempt_id=ERASURE.attempt_ids[1]),
    )
    stays: tuple[Document, ...] = (other, replace(ERASURE, frozen_at=REPORT.frozen_at))
    async with open_session(settings_of(centre.url, certificates)) as session:
        for number, each in enumerate((*left, *stays)):
            await send(session, centre, str(number), freeze(each).payload)
    day = {"day": REPORT.frozen_at.date().isoformat()}
    _, told = await get(centre, certificates, LISTED.format(**day))
    assert [each["key"] for each in told["documents"]] == ["4", "5"]
    assert (await get(centre, certificates, PATH, **day))[1]["documents"] == 2


async def test_a_digest(centre: Centre, certificates: Certificates, stored: dict[str, str]) -> None:
    status, told = await get(centre, certificates, PATH, day="2025-01-06")
    assert (status, digest_from(told, DAY)) == (200, digest_of(stored))
    is_as_described(told, "Digest")
    status, told = await get(centre, certificates, PATH, day="2025-01-08")
    assert (told["documents"], told["sha256"]) == (0, hashlib.sha256(b"").hexdigest())
    says = SCHEMAS["Digest"]["properties"]["sha256"]["description"]
    assert hashlib.sha256(b"").hexdigest()[:8] in says
    is_as_described(told, "Digest")


@pytest.mark.parametrize("limit", ["1", "2", "3", "4", "1000", None])
async def test_page_by_page(
    centre: Centre, certificates: Certificates, stored: dict[str, str], limit: str | None
) -> None:
    found: dict[str, str] = {}
    after, more, pages = "", True, 0
    while more:
        query = {**({"limit": limit} if limit else {}), **({"after": after} if after else {})}
        status, told = await get(centre, certificates, LISTED.format(day="2025-01-06"), **query)
        assert status == 200
        is_as_described(told, "DocumentsOfDay")
        page, more = page_from(told, DAY, after)
        found |= page
        after, pages = next(reversed(page)), pages + 1
    assert found == stored
    assert list(found) == sorted(stored) == ["Z", "a", "b", "~"]
    assert pages == -(-4 // int(limit or "1000"))


@pytest.mark.parametrize(
    "day", ["", "today", "2025-1-6", "20250106", "2025-02-30", "2025-01-06T00:00", "２０２５-01-06"]
)
async def test_a_day_that_is_none(centre: Centre, certificates: Certificates, day: str) -> None:
    status, told = await get(centre, certificates, PATH, day=day)
    assert (status, told) == (400, {"error": "day"})
    assert str(status) in responses(PATH)
    if day:
        assert await get(centre, certificates, LISTED.format(day=day)) == (status, told)


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        *(({"limit": each}, "limit") for each in ("", "0", "1001", "-1", "1.0", "x", "0000001000999", "٣")),
        *(({"after": each}, "after") for each in ("", " ", "é", "k" * 201)),
    ],
)
async def test_a_question_that_is_none(
    centre: Centre, certificates: Certificates, query: dict[str, str], wrong: str
) -> None:
    status, told = await get(centre, certificates, LISTED.format(day="2025-01-06"), **query)
    assert (status, told) == (400, {"error": wrong})
    assert str(status) in responses(LISTED)


def test_we_ask_for_what_may_be_asked_for() -> None:
    limit, listed = (
        next(each["schema"] for each in API["paths"][LISTED]["get"]["parameters"] if each["name"] == "limit"),
        SCHEMAS["DocumentsOfDay"]["properties"]["documents"],
    )
    assert limit["minimum"] <= PAGE <= limit["maximum"] == listed["maxItems"]
