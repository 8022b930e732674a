"""FHIR bundles: valid by fhir.resources (R4B), with the codes of the standard, and the same however often sent."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from ivr.call import Outcome
from ivr.questionnaire.model import Questionnaire
from ivr.questionnaire.parse import parse
from ivr.sync.codes import LOINC, MEASURED
from ivr.sync.documents import UNITS, AlertDocument, CallDocument, Document, GivenAnswer, ReportDocument
from ivr.sync.fhir import bundle_of, record_of
from tests.sync.test_documents import CALL, ERASURE, FIRED, REPORT

BASE = "https://fhir.example.jp/kenko"
ROOT = Path(__file__).parent.parent.parent
AT = datetime(2025, 1, 6, 0, 5, tzinfo=UTC)


def asked(name: str = "daily.yaml") -> Questionnaire:
    return parse((ROOT / "questionnaires" / name).read_bytes(), name)


def validated(document: Document, questionnaire: Questionnaire | None = None) -> dict[str, Any]:
    bundle = bundle_of(document, BASE, questionnaire)
    Bundle.model_validate_json(json.dumps(bundle))
    return bundle


def resources(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] == kind]


@pytest.mark.parametrize("document", [REPORT, FIRED, CALL], ids=lambda each: str(each.kind))
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("whose", ["person", "claimed", "nobody"])
def test_every_bundle_is_valid(
    document: ReportDocument | AlertDocument | CallDocument, known: bool, whose: str
) -> None:
    if whose != "person":
        document = replace(document, person_id=None)
        if not isinstance(document, CallDocument):
            document = replace(document, claimed_id="99999999" if whose == "claimed" else None)
    validated(document, asked() if known else None)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_of_a_call_is_a_communication(outcome: Outcome) -> None:
    (told,) = resources(validated(replace(CALL, outcome=str(outcome))), "Communication")
    assert (told["status"] == "completed") is (outcome is Outcome.ANSWERED)
    assert told["statusReason"]["coding"][0]["code"] == outcome


def test_an_erasure_is_recorded_and_takes_away_each_resource_that_was_sent() -> None:
    sent = [validated(each, asked()) for each in (REPORT, FIRED, CALL)]
    told = bundle_of(replace(ERASURE, attempt_ids=("kc-2",)), BASE, None, ["fever"])
    Bundle.model_validate_json(json.dumps(told))
    first, *rest = told["entry"]
    audit = first["resource"]
    assert (audit["resourceType"], audit["action"]) == ("AuditEvent", "D")
    assert audit["entity"][0]["what"]["identifier"] == {"system": f"{BASE}/person", "value": "00123456"}
    assert first["request"]["ifNoneExist"].endswith(audit["entity"][0]["name"])
    assert {each["request"]["method"] for each in rest} == {"DELETE"}
    assert all(set(each) == {"request"} for each in rest)
    gone = {each["request"]["url"] for each in rest}
    for bundle in sent:
        for each in bundle["entry"]:
            request, kind = each["request"], each["resource"]["resourceType"]
            # What was asked is the same for all, and stays.
            if kind != "Questionnaire":
                search = request.get("ifNoneExist") or request["url"].partition("?")[2]
                assert f"{kind}?{search}" in gone
    assert told == bundle_of(replace(ERASURE, attempt_ids=("kc-2",)), BASE, None, ["fever"])


@pytest.mark.parametrize(
    ("statuses", "record"),
    [
        pytest.param(["201 Created", "204", "204", "204", "204 No Content"], "AuditEvent/7", id="done"),
        pytest.param(["200", "404", "410", "200 OK", "204"], "AuditEvent/7", id="done before"),
        pytest.param(["201", "204", "204", "204", "412"], None, id="not selective enough"),
        pytest.param(["404", "204", "204", "204", "204"], None, id="not recorded"),
    ],
)
def test_an_erasure_counts_when_all_of_it_is_gone(statuses: list[str], record: str | None) -> None:
    bundle = bundle_of(replace(ERASURE, attempt_ids=("kc-2",)), BASE)
    location = {"location": "AuditEvent/7/_history/1"}
    entries = [{"response": {"status": each} | (location if at == 0 else {})} for at, each in enumerate(statuses)]
    assert len(entries) == len(bundle["entry"])
    assert record_of(bundle, {"type": "transaction-response", "entry": entries}) == record


#: Question, value, LOINC codes, UCUM code, profile. From hl7.org/fhir/R4/bodytemp.html and oxygensat.html.
STANDARD = [
    ("temperature", "36.5", {"8310-5"}, "Cel", "bodytemp"),
    ("oxygen", "98", {"2708-6", "59408-5"}, "%", "oxygensat"),
]


@pytest.mark.parametrize(("question", "value", "codes", "unit", "profile"), STANDARD)
def test_codes_and_units_are_those_of_the_standard(
    question: str, value: str, codes: set[str], unit: str, profile: str
) -> None:
    report = replace(REPORT, answers=(GivenAnswer(question, value, unit, AT),), alerts=())
    (told,) = resources(validated(report, asked()), "Observation")
    assert {each["code"] for each in told["code"]["coding"] if each["system"] == LOINC} == codes
    quantity = told["valueQuantity"]
    assert (quantity["system"], quantity["code"]) == ("http://unitsofmeasure.org", unit)
    assert json.dumps(quantity["value"]) == value
    assert f"http://hl7.org/fhir/StructureDefinition/{profile}" in told["meta"]["profile"]
    assert told["category"][0]["coding"][0]["code"] == "vital-signs"


def test_documents_and_codes_agree_on_the_units_and_every_code_has_a_source() -> None:
    assert {question: each.unit for question, each in MEASURED.items()} == dict(UNITS)
    assert all(each.sources for each in MEASURED.values())
    formats = (ROOT / "docs/centre-formats.md").read_text(encoding="utf-8")
    for each in MEASURED.values():
        assert all(code in formats for code, _ in each.loinc)
        assert all(source in formats for source in each.sources)


def test_a_value_that_could_not_be_measured_is_absent_and_said_so() -> None:
    report = replace(REPORT, answers=(GivenAnswer("temperature", "no_thermometer", None, AT),))
    bundle = validated(report, asked())
    (told,) = resources(bundle, "Observation")
    assert "valueQuantity" not in told
    assert told["dataAbsentReason"]["coding"][0]["code"] == "not-performed"
    (response,) = resources(bundle, "QuestionnaireResponse")
    assert response["item"][0]["linkId"] == "temperature.other"


@pytest.mark.parametrize("name", sorted(each.name for each in (ROOT / "questionnaires").glob("*.yaml")))
def test_every_answer_belongs_to_an_item_of_the_questionnaire(name: str) -> None:
    questionnaire = asked(name)
    answers = tuple(
        GivenAnswer(each.id, value, None, AT)
        for each in questionnaire.questions
        for value in list(dict.fromkeys(each.options.values()))[:1]
    )
    bundle = validated(replace(REPORT, answers=answers, alerts=()), questionnaire)
    (sheet,), (response,) = resources(bundle, "Questionnaire"), resources(bundle, "QuestionnaireResponse")
    items = {each["linkId"]: each for each in sheet["item"]}
    assert len(items) == len(sheet["item"])
    for each in response["item"]:
        options = [one["valueCoding"] for one in items[each["linkId"]]["answerOption"]]
        given = each["answer"][0]["valueCoding"]
        assert given in [{key: one[key] for key in given} for one in options]
    assert response["questionnaire"].startswith(sheet["url"] + "|")


def test_what_comes_twice_makes_no_second_record() -> None:
    once, again = bundle_of(REPORT, BASE, asked()), bundle_of(REPORT, BASE, asked())
    assert json.dumps(once) == json.dumps(again)
    for entry in once["entry"]:
        request = entry["request"]
        assert "?identifier=" in request["url"] if request["method"] == "PUT" else request["ifNoneExist"]
    # A later revision is the same record: it takes the place of the earlier one.
    later = bundle_of(replace(REPORT, revision=2, sequence=9), BASE, asked())
    assert [each["request"] for each in later["entry"]] == [each["request"] for each in once["entry"]]
    assert len({each["fullUrl"] for each in once["entry"]}) == len(once["entry"])


def test_an_alert_that_went_ahead_is_the_one_of_its_report() -> None:
    ahead = bundle_of(FIRED, BASE)["entry"][0]["request"]
    assert ahead in [each["request"] for each in bundle_of(REPORT, BASE)["entry"]]


def answer(*statuses: str, location: str = "https://x.example/fhir/QuestionnaireResponse/7/_history/1") -> object:
    entries = [{"response": {"status": each, "location": location}} for each in statuses]
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}


def test_only_an_answer_that_names_every_entry_is_an_acknowledgement() -> None:
    bundle = bundle_of(FIRED, BASE)
    assert record_of(bundle, answer("201 Created")) == "QuestionnaireResponse/7"
    assert record_of(bundle, answer("200 OK", location="Flag/3")) == "Flag/3"
    for wrong in (answer(), answer("201", "201"), answer("412"), answer("201", location=""), {}, [], None):
        assert record_of(bundle, wrong) is None
