"""Documents as FHIR R4 transaction bundles, and what a FHIR server answers to one. Pure.

A transaction that comes twice makes no second record: what may change is written by conditional update (PUT with its
identifier), what happens once by conditional create (ifNoneExist), what is erased goes by conditional delete.
hl7.org/fhir/R4/http.html#cond-update, #ccreate, #delete.
"""

import uuid
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from ivr.call import Outcome
from ivr.questionnaire.model import Kind, Question, Questionnaire
from ivr.sync.codes import CATEGORY, JP_CATEGORY, JP_PROFILE, JP_VITAL_SIGN, LOINC, MEASURED, UCUM
from ivr.sync.documents import (
    AlertDocument,
    CallDocument,
    Document,
    ErasureDocument,
    FiredAlert,
    GivenAnswer,
    ReportDocument,
    key_of,
)
from ivr.sync.fhir_questionnaire import canonical, choices, coding, questionnaire_entry

Resource = dict[str, Any]

#: How an outcome stands in Communication.status; all others are `not-done`.
_STATUS = {Outcome.ANSWERED: "completed", Outcome.CUT_OFF: "stopped", Outcome.UNKNOWN: "unknown"}
_PHONE = ("http://terminology.hl7.org/CodeSystem/v3-ParticipationMode", "PHONE")
_CLINICAL = ("http://terminology.hl7.org/CodeSystem/flag-category", "clinical")
_PATIENT_RECORD = ("http://dicom.nema.org/resources/ontology/DCM", "110110", "Patient Record")
_ERASED = (
    "http://terminology.hl7.org/CodeSystem/dicom-audit-lifecycle",
    *("15", "Permanent erasure / Physical destruction"),
)
_ABSENT = ("http://terminology.hl7.org/CodeSystem/data-absent-reason", "not-performed")


def bundle_of(
    document: Document, base: str, questionnaire: Questionnaire | None = None, rules: Collection[str] = ()
) -> Resource:
    """The document as a transaction; its first entry is what it is about.

    `base`: the URI under which this installation's identifiers are told apart from others', without a slash at its
    end. `questionnaire`: the version that was asked; without one all answers are text, and the questionnaire itself
    is left out. `rules`: ids of all alerts that any version had, for an erasure. Equal documents give equal bundles.
    """
    if isinstance(document, ReportDocument):
        entries = [*_report(document, base, questionnaire)]
    elif isinstance(document, CallDocument):
        entries = [_communication(document, base)]
    elif isinstance(document, ErasureDocument):
        entries = [*_erasure(document, base, rules)]
    else:
        entries = [_flag(document, document.alert, base)]
    key = uuid.UUID(key_of(document))
    for position, entry in enumerate(entries):
        if "resource" in entry:
            entry["fullUrl"] = f"urn:uuid:{uuid.uuid5(key, str(position))}"
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def record_of(bundle: Resource, answer: object) -> str | None:
    """The server's id of the first entry, such as `Observation/12`; None if `answer` does not say that all is stored.

    hl7.org/fhir/R4/bundle.html#bundle-response: one entry for each that was sent, in the same order.
    """
    if not isinstance(answer, dict) or answer.get("type") != "transaction-response":
        return None
    entries = answer.get("entry")
    if not isinstance(entries, list) or len(entries) != len(bundle["entry"]):
        return None
    told = [each.get("response") if isinstance(each, dict) else None for each in entries]
    if not all(map(_is_done, bundle["entry"], told)):
        return None
    parts = str((told[0] or {}).get("location") or "").split("/_history/")[0].split("/")
    return "/".join(parts[-2:]) if len(parts) >= 2 and parts[-1] else None


def _is_done(sent: Resource, response: object) -> bool:
    """Whether the server did what this entry wanted. What is to be deleted may be gone, or never have been there."""
    if not isinstance(response, dict):
        return False
    done = ("200", "204", "404", "410") if sent["request"]["method"] == "DELETE" else ("200", "201")
    return str(response.get("status"))[:3] in done


def _report(document: ReportDocument, base: str, questionnaire: Questionnaire | None) -> Iterator[Resource]:
    yield _response(document, base, questionnaire)
    if questionnaire is not None:
        yield questionnaire_entry(questionnaire, base)
    for answer in document.answers:
        if answer.question in MEASURED:
            yield _observation(document, answer, base)
    for alert in document.alerts:
        yield _flag(document, alert, base)


def _response(document: ReportDocument, base: str, questionnaire: Questionnaire | None) -> Resource:
    asked = {each.id: each for each in questionnaire.questions} if questionnaire else {}
    resource: Resource = {
        "resourceType": "QuestionnaireResponse",
        "identifier": _identifier(base, "report", document.report_id),
        # A partial report may go on later in the day.
        "status": "completed" if document.completeness == "complete" else "in-progress",
        "subject": _subject(document, base),
        "authored": _moment(document.changed_at),
        "source": _subject(document, base),
        "item": [_item(each, asked.get(each.question), base) for each in document.answers],
    }
    if document.questionnaire and document.version:
        resource["questionnaire"] = f"{canonical(base, document.questionnaire)}|{document.version}"
    if document.language:
        resource["language"] = document.language
    if not resource["item"]:
        del resource["item"]
    return _put(resource, base, "report", document.report_id)


def _item(answer: GivenAnswer, question: Question | None, base: str) -> Resource:
    values: list[Resource]
    link = answer.question
    if question is None or question.kind is Kind.VOICE_MESSAGE:
        values = [{"valueString": answer.value}]
    elif question.kind is Kind.NUMBER and (number := _number(answer.value)) is not None:
        values = [{"valueQuantity": _quantity(answer)}] if answer.unit else [{"valueDecimal": number}]
    else:
        # A number question's other keys have an item of their own: one item has one type.
        link = choices(question)
        given = answer.value.split(",") if question.kind is Kind.MULTI else [answer.value]
        values = [{"valueCoding": coding(base, question.id, each)} for each in given]
    return {"linkId": link, "answer": values}


def _observation(document: ReportDocument, answer: GivenAnswer, base: str) -> Resource:
    """Also of a value that could not be measured: it takes the place of one that was keyed before and taken back."""
    measured = MEASURED[answer.question]
    subject = f"{document.report_id}/{answer.question}"
    resource: Resource = {
        "resourceType": "Observation",
        "meta": {"profile": [measured.profile, JP_PROFILE]},
        "identifier": [_identifier(base, "observation", subject)],
        "status": "final" if document.completeness == "complete" else "preliminary",
        "category": [
            {"coding": [{"system": CATEGORY, "code": "vital-signs"}]},
            {"coding": [{"system": JP_CATEGORY, "code": "vital-signs"}]},
            {"coding": [dict(zip(("system", "code", "display"), (JP_VITAL_SIGN, *measured.jp_category), strict=True))]},
        ],
        "code": {"coding": [{"system": LOINC, "code": code, "display": name} for code, name in measured.loinc]},
        "subject": _subject(document, base),
        "effectiveDateTime": _moment(answer.at),
        "issued": _moment(document.frozen_at),
        "performer": [_subject(document, base)],
    }
    if answer.unit is None:
        absent = dict(zip(("system", "code"), _ABSENT, strict=True))
        resource["dataAbsentReason"] = {"coding": [absent], "text": answer.value}
    else:
        resource["valueQuantity"] = _quantity(answer)
    return _put(resource, base, "observation", subject)


def _communication(document: CallDocument, base: str) -> Resource:
    resource: Resource = {
        "resourceType": "Communication",
        "identifier": [_identifier(base, "attempt", document.attempt_id)],
        "status": _STATUS.get(Outcome(document.outcome), "not-done"),
        "statusReason": {"coding": [coding(base, "call-outcome", document.outcome)]},
        "medium": [{"coding": [dict(zip(("system", "code"), _PHONE, strict=True))]}],
        "subject": _subject(document, base),
        "topic": {"text": document.slot},
        "sent": _moment(document.planned_at),
        "recipient": [_subject(document, base)],
    }
    if document.answered_at is not None:
        resource["received"] = _moment(document.answered_at)
    if document.report_id is not None:
        report = _identifier(base, "report", document.report_id)
        resource["about"] = [{"type": "QuestionnaireResponse", "identifier": report}]
    return _create(resource, base, "attempt", document.attempt_id)


def _erasure(document: ErasureDocument, base: str, rules: Collection[str]) -> Iterator[Resource]:
    """A record that it was done, which stays; then everything that was ever sent, each by its identifier.

    AuditEvent has no identifier: its entity is named with our key, by which a second transaction finds the first.
    """
    key = key_of(document)
    we = {"type": "Device", "display": "Kenko Call"}
    audit: Resource = {
        "resourceType": "AuditEvent",
        "type": dict(zip(("system", "code", "display"), _PATIENT_RECORD, strict=True)),
        "action": "D",
        "recorded": _moment(document.frozen_at),
        "outcome": "0",
        "agent": [{"who": we, "requestor": True}],
        "source": {"observer": we},
        "entity": [
            {
                "what": _subject(document, base),
                "lifecycle": dict(zip(("system", "code", "display"), _ERASED, strict=True)),
                "name": key,
            }
        ],
    }
    request = {"method": "POST", "url": "AuditEvent", "ifNoneExist": f"entity-name:exact={key}"}
    yield {"resource": audit, "request": request}
    for each in document.report_ids:
        yield _delete(base, "QuestionnaireResponse", "report", each)
        for question in MEASURED:
            yield _delete(base, "Observation", "observation", f"{each}/{question}")
        for rule in rules:
            yield _delete(base, "Flag", "alert", f"{each}/{rule}")
    for each in document.attempt_ids:
        yield _delete(base, "Communication", "attempt", each)


def _flag(document: ReportDocument | AlertDocument, alert: FiredAlert, base: str) -> Resource:
    report_id = document.report_id
    resource: Resource = {
        "resourceType": "Flag",
        "identifier": [_identifier(base, "alert", f"{report_id}/{alert.rule}")],
        "status": "active",
        "category": [{"coding": [dict(zip(("system", "code"), _CLINICAL, strict=True))]}],
        "code": {
            "coding": [coding(base, "alert-level", alert.level), coding(base, "alert-rule", alert.rule)],
            "text": next(iter(alert.reason.values()), alert.rule),
        },
        "subject": _subject(document, base),
        "period": {"start": _moment(alert.at)},
    }
    return _create(resource, base, "alert", f"{report_id}/{alert.rule}")


def _subject(document: Document, base: str) -> Resource:
    """The person, by the id that the centre knows; a caller who was not found, by what was keyed."""
    if document.person_id is not None:
        return {"type": "Patient", "identifier": _identifier(base, "person", document.person_id)}
    claimed = getattr(document, "claimed_id", None)
    if claimed is not None:
        return {"type": "Patient", "identifier": _identifier(base, "claimed-id", claimed)}
    return {"type": "Patient", "display": "a caller who was not found on the roster"}


def _quantity(answer: GivenAnswer) -> Resource:
    measured = MEASURED.get(answer.question)
    shown = measured.shown if measured and measured.unit == answer.unit else answer.unit
    return {"value": _number(answer.value), "unit": shown, "system": UCUM, "code": answer.unit}


def _number(value: str) -> int | float | None:
    """As JSON writes it with the digits that were keyed: 39.0 stays 39.0, 98 stays 98."""
    try:
        Decimal(value)
    except InvalidOperation:
        return None
    return float(value) if "." in value else int(value)


def _moment(given: Any) -> str:
    return str(given.isoformat(timespec="milliseconds")).replace("+00:00", "Z")


def _identifier(base: str, kind: str, value: str) -> Mapping[str, str]:
    return {"system": f"{base}/{kind}", "value": value}


def _search(base: str, kind: str, value: str) -> str:
    return "identifier=" + quote(f"{base}/{kind}|{value}", safe="")


def _put(resource: Resource, base: str, kind: str, value: str) -> Resource:
    url = f"{resource['resourceType']}?{_search(base, kind, value)}"
    return {"resource": resource, "request": {"method": "PUT", "url": url}}


def _delete(base: str, resource: str, kind: str, value: str) -> Resource:
    # One identifier each: not every server deletes several at once (CapabilityStatement, conditionalDelete).
    return {"request": {"method": "DELETE", "url": f"{resource}?{_search(base, kind, value)}"}}


def _create(resource: Resource, base: str, kind: str, value: str) -> Resource:
    request = {"method": "POST", "url": resource["resourceType"], "ifNoneExist": _search(base, kind, value)}
    return {"resource": resource, "request": request}
