"""What a centre may say has changed, for tests: fictional people."""

from datetime import date
from typing import Any

from ivr.person import Person
from ivr.roster import cells_of
from tests.storage.records import DAY


def said(person: Person, revision: int = 1, closed: dict[str, str] | None = None) -> dict[str, Any]:
    """The person as a centre tells of them."""
    cells = cells_of(person)
    empty_is_none = ("own_time", "language", "risk", "begins", "ends", "hours_from", "hours_until", "birth_date")
    return {
        "kind": "person",
        "revision": revision,
        "id": person.id,
        "name": person.name,
        "kana": person.kana,
        "numbers": list(person.numbers),
        "slots": cells["slot"].split(";") if cells["slot"] else [],
        **{name: cells[name] or None for name in empty_is_none},
        "facts": dict(person.facts),
        "closed": closed,
    }


def closing(at: str = "2025-01-06T00:00:00Z", by: str = "鈴木", reason: str = "回復") -> dict[str, str]:
    """Somebody at the centre ended the observation."""
    return {"at": at, "by": by, "reason": reason}


def reported(person: Person, report_id: str, day: date = DAY) -> dict[str, Any]:
    """That they reported by another way."""
    return {"kind": "report", "report_id": report_id, "person_id": person.id, "day": day.isoformat()}
