"""The frozen records of what leaves for the centre, and their bytes. Pure; every way out is made from these.

No name, no telephone number: the centre knows its persons by their ids.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

#: The form of all documents; a field that is added later keeps it, one that changes its meaning does not.
FORMAT = 1

#: Keys are UUIDs (version 5, RFC 9562) of the content under this name: equal content has an equal key, whenever and on
#: whichever copy of the database it is frozen.
_KEYS = uuid.UUID("6a8a3a3e-0f3a-5f0b-9c34-5b1e3d1f7a10")

#: Question id -> unit of its numbers, as a UCUM code (ucum.org): questionnaires do not name units.
UNITS: Mapping[str, str] = {"temperature": "Cel", "oxygen": "%"}


class Kind(StrEnum):
    """What a document tells."""

    REPORT = "report"
    ALERT = "alert"
    CALL = "call"  #: an attempt to reach somebody
    ERASURE = "erasure"  #: everything about somebody is to be erased


@dataclass(frozen=True)
class GivenAnswer:
    """The last answer to a question."""

    question: str
    value: str  #: canonical, see ivr.questionnaire.model.Answer
    unit: str | None  #: UCUM; None: the value is no number, or its unit is not known
    at: datetime


@dataclass(frozen=True)
class FiredAlert:
    """A rule that fired on a report."""

    rule: str
    level: str  #: emergency or urgent
    reason: Mapping[str, str]  #: language -> text, as it was when it fired
    at: datetime


@dataclass(frozen=True, kw_only=True)
class _Frozen:
    """What all documents hold. Moments are UTC."""

    person_id: str | None  #: None: the caller was not found on the roster
    day: date  #: local day of the health centre
    sequence: int  #: of what was frozen about this person (or this unknown caller's report), from 1: the order in which
    #: it happened. Gaps are documents that are still to come: alerts go ahead of reports, and what was refused waits.
    frozen_at: datetime


@dataclass(frozen=True, kw_only=True)
class ReportDocument(_Frozen):
    """One report as it stood. A higher revision of the same report takes the place of a lower one."""

    kind: ClassVar[Kind] = Kind.REPORT

    report_id: str
    revision: int  #: from 1
    claimed_id: str | None  #: what was keyed as ID, if the caller was asked for it
    slot: str | None  #: None: not a call of ours, the person rang
    completeness: str  #: complete or partial
    source: str  #: automatic_call, health_call or self_entry
    auth: str  #: how strong: registered_number, keyed_id or outbound
    language: str | None  #: None: came from outside
    questionnaire: str | None  #: its id; None: came from outside
    version: str | None  #: SHA-256 of the questionnaire's file, hex
    began_at: datetime
    changed_at: datetime
    answers: tuple[GivenAnswer, ...]  #: each question once, in the order in which they were answered
    alerts: tuple[FiredAlert, ...]

    @property
    def subject(self) -> str:
        """What it is about: documents of one kind and subject are revisions of each other."""
        return self.report_id


@dataclass(frozen=True, kw_only=True)
class AlertDocument(_Frozen):
    """An alert, alone and at once: it goes ahead of the report, which is perhaps not finished yet."""

    kind: ClassVar[Kind] = Kind.ALERT
    revision: ClassVar[int] = 1  #: an alert fires once and stays

    report_id: str
    claimed_id: str | None
    questionnaire: str | None
    version: str | None
    alert: FiredAlert
    answers: tuple[GivenAnswer, ...]  #: those that were there when it fired

    @property
    def subject(self) -> str:
        """See ReportDocument."""
        return f"{self.report_id}/{self.alert.rule}"


@dataclass(frozen=True, kw_only=True)
class CallDocument(_Frozen):
    """An attempt to reach a person, when it is over. The number stays with us."""

    kind: ClassVar[Kind] = Kind.CALL
    revision: ClassVar[int] = 1  #: an attempt ends once

    attempt_id: str
    slot: str
    outcome: str  #: see ivr.call.Outcome
    planned_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    report_id: str | None  #: of the report that it brought, or went on with

    @property
    def subject(self) -> str:
        """See ReportDocument."""
        return self.attempt_id


@dataclass(frozen=True, kw_only=True)
class ErasureDocument(_Frozen):
    """All about a person was erased here, and is to be erased at the centre: the last that is ever told of the ID.

    It stays here, too, so it says nothing of how the person was: not even which alerts there had been.
    """

    kind: ClassVar[Kind] = Kind.ERASURE
    revision: ClassVar[int] = 1  #: an ID is erased once

    person_id: str
    report_ids: tuple[str, ...]  #: of reports and alerts that may have left, in the order in which they were frozen
    attempt_ids: tuple[str, ...]

    @property
    def subject(self) -> str:
        """See ReportDocument."""
        return self.person_id


Document = ReportDocument | AlertDocument | CallDocument | ErasureDocument


@dataclass(frozen=True)
class Frozen:
    """A document as it lies in the outbox: these bytes and no others are sent, however often."""

    key: str  #: idempotency key
    payload: bytes
    sha256: str = field(init=False)  #: of the payload, hex

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", hashlib.sha256(self.payload).hexdigest())


def unit_of(question: str, value: str) -> str | None:
    """The unit of an answer; None if it is no number (`no_thermometer`) or nothing is known of its unit."""
    try:
        Decimal(value)
    except InvalidOperation:
        return None
    return UNITS.get(question)


def freeze(document: Document) -> Frozen:
    """The document's key and bytes, for good."""
    return Frozen(key_of(document), to_json_bytes(document))


def key_of(document: Document) -> str:
    """The idempotency key: a UUID that only this content has."""
    content = _canonical({"format": FORMAT, "kind": document.kind, **_plain(document)})
    return str(uuid.uuid5(_KEYS, hashlib.sha256(content).hexdigest()))


def to_json_bytes(document: Document) -> bytes:
    """The document as JSON: UTF-8, keys sorted, no blanks, moments in UTC to the microsecond with Z.

    Equal documents give equal bytes on every machine. `document_from` gives the document back.
    """
    told = {"format": FORMAT, "key": key_of(document), "kind": document.kind, **_plain(document)}
    return _canonical(told)


def document_from(payload: bytes) -> Document:
    """The document that became these bytes. Fields that it does not know are passed over.

    Raises ValueError (KeyError for a field that is missing) for anything else.
    """
    told: dict[str, Any] = json.loads(payload)
    if told["format"] != FORMAT:
        raise ValueError(f"documents of format {told['format']} are not known")
    return _made(_CLASSES[Kind(told["kind"])], told)


def same_content(one: ReportDocument, other: ReportDocument) -> bool:
    """Whether two revisions tell the same."""
    return one == replace(
        other,
        revision=one.revision,
        sequence=one.sequence,
        frozen_at=one.frozen_at,
        changed_at=one.changed_at,
    )


_CLASSES: Mapping[Kind, type[Document]] = {
    each.kind: each for each in (ReportDocument, AlertDocument, CallDocument, ErasureDocument)
}


def _canonical(told: Mapping[str, object]) -> bytes:
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _plain(record: object) -> dict[str, object]:
    return {each.name: _value(getattr(record, each.name)) for each in fields(record)}  # type: ignore[arg-type]


def _value(given: object) -> object:
    if isinstance(given, datetime):
        # isoformat, not strftime: the C library writes the year 999 with three digits.
        return given.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    if isinstance(given, date):
        return given.isoformat()
    if isinstance(given, tuple):
        return [_value(each) for each in given]
    if isinstance(given, GivenAnswer | FiredAlert):
        return _plain(given)
    return dict(given) if isinstance(given, Mapping) else given


_Record = TypeVar("_Record")


def _made(kind: type[_Record], told: Mapping[str, Any]) -> _Record:
    """A record of this class from its JSON object."""
    return kind(
        **{each.name: _READ.get(each.name, _same)(told[each.name]) for each in fields(kind)}  # type: ignore[arg-type]
    )


def _same(given: Any) -> Any:
    return given


def _moment(given: str | None) -> datetime | None:
    return None if given is None else datetime.fromisoformat(given)


#: Field name -> how it is read back, where JSON cannot hold it.
_READ: Mapping[str, Callable[[Any], Any]] = {
    "day": date.fromisoformat,
    **dict.fromkeys(("at", "frozen_at", "began_at", "changed_at", "planned_at", "answered_at", "ended_at"), _moment),
    **dict.fromkeys(("report_ids", "attempt_ids"), tuple),
    "answers": lambda given: tuple(_made(GivenAnswer, each) for each in given),
    "alerts": lambda given: tuple(_made(FiredAlert, each) for each in given),
    "alert": lambda given: _made(FiredAlert, given),
}
