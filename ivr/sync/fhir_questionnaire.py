"""A questionnaire as the FHIR R4 resource, and the names by which answers refer to it. Pure.

When a question is asked (`when`, `then`) is not told: FHIR cannot compare with the last report or with facts.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from ivr.questionnaire.model import Kind, Question, Questionnaire
from ivr.sync.documents import UNITS

#: Values of yes/no questions, which the file does not list.
_YES_NO = ("yes", "no", "unknown")


def canonical(base: str, questionnaire_id: str) -> str:
    """The URL of a questionnaire, whatever its version."""
    return f"{base}/Questionnaire/{questionnaire_id}"


def coding(base: str, system: str, code: str) -> dict[str, str]:
    """A code of ours."""
    return {"system": f"{base}/CodeSystem/{system}", "code": code}


def choices(question: Question) -> str:
    """The linkId of what can be chosen: of a number question, an item besides that of the number."""
    return f"{question.id}.other" if question.kind is Kind.NUMBER else question.id


def questionnaire_entry(questionnaire: Questionnaire, base: str) -> dict[str, Any]:
    """The entry of a transaction that makes the version known: created once."""
    url = canonical(base, questionnaire.id)
    resource = {
        "resourceType": "Questionnaire",
        "url": url,
        "version": questionnaire.hash,
        "status": "active",
        "title": questionnaire.title.get(questionnaire.language) or next(iter(questionnaire.title.values())),
        "language": questionnaire.language,
        "subjectType": ["Patient"],
        "item": [item for each in questionnaire.questions for item in _items(questionnaire, each, base)],
    }
    known = f"url={quote(url, safe='')}&version={questionnaire.hash}"
    return {"resource": resource, "request": {"method": "POST", "url": "Questionnaire", "ifNoneExist": known}}


def _items(questionnaire: Questionnaire, question: Question, base: str) -> Iterator[dict[str, Any]]:
    text = _word(questionnaire, question.id)
    match question.kind:
        case Kind.SAY:
            yield {"linkId": question.id, "type": "display", "text": text}
            return
        case Kind.VOICE_MESSAGE:
            yield {"linkId": question.id, "type": "string", "text": text}
            return
        case Kind.NUMBER:
            kind = "quantity" if question.id in UNITS else "decimal"
            yield {"linkId": question.id, "type": kind, "text": text}
    values = tuple(dict.fromkeys(question.options.values()))
    if question.kind is Kind.YES_NO_UNKNOWN:
        values = values or _YES_NO
    if values:
        item: dict[str, Any] = {
            "linkId": choices(question),
            "type": "choice",
            "text": text,
            "answerOption": [
                {"valueCoding": {**coding(base, question.id, each), "display": _word(questionnaire, each)}}
                for each in values
            ],
        }
        if question.kind is Kind.MULTI:
            item["repeats"] = True
        yield item


def _word(questionnaire: Questionnaire, name: str) -> str:
    words = questionnaire.words.get(name, {})
    return words.get(questionnaire.language) or next(iter(words.values()), name)
