"""The form in which the checks of a questionnaire complain, and what several of them say. Pure."""

from collections.abc import Iterable

from ivr.document import did_you_mean
from ivr.questionnaire.said import Place

#: A complaint about one place: message id, the place, and the values of the message.
Complaint = tuple[str, Place, dict[str, object]]


def unknown_value(place: Place, value: str, question: str, known: Iterable[str]) -> Complaint:
    """The question has no such value."""
    allowed = list(dict.fromkeys(known))
    named = {"value": value, "question": question, **nearest(value, allowed)}
    return "questionnaire.unknown_value", place, named


def unknown_question(place: Place, given: str, known: Iterable[str]) -> Complaint:
    """There is no such question."""
    return "questionnaire.unknown_question", place, {"id": given, "nearest": did_you_mean(given, list(known))}


def nearest(given: str, allowed: list[str]) -> dict[str, object]:
    """The values `nearest` and `allowed` of a message."""
    return {"nearest": did_you_mean(given, allowed), "allowed": ", ".join(allowed) or "–"}
