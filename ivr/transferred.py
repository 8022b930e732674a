"""What goes from one centre to another with a person, as JSON: who they are, what they reported, what is still open.

Pure. The person is told as a line of a roster, so that whoever takes them over checks it as any roster.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ivr.person import Person
from ivr.reported import Reported
from ivr.roster import COLUMNS, write_people

FORMAT = 1


@dataclass(frozen=True)
class OpenTask:
    """A follow-up, or an alert that nobody has acknowledged."""

    day: date
    reason: str


@dataclass(frozen=True)
class Transferred:
    """What a file said."""

    roster: Mapping[str, str]  #: column -> cell, as in a roster
    reports: tuple[Reported, ...]  #: the complete ones
    tasks: tuple[OpenTask, ...]
    open_alerts: tuple[OpenTask, ...]  #: `reason`: emergency or urgent


class NotUnderstood(ValueError):
    """What was in the file is not what a hand-over says."""


def to_content(person: Person, centre: str, history: Mapping[str, object]) -> bytes:
    """The content of the file. `history`: what ivr.storage.transfers.history_of found."""
    (row,) = csv.DictReader(io.StringIO(write_people((person,))))
    told = {"format": FORMAT, "centre": centre, "person": row, **history}
    return json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True).encode()


def read_content(content: bytes) -> Transferred:
    """Raises NotUnderstood. What a later version adds is passed over."""
    try:
        told: dict[str, Any] = json.loads(content)
        if told["format"] != FORMAT:
            raise NotUnderstood
        person = {str(name): str(cell) for name, cell in told["person"].items() if name in COLUMNS}
        return Transferred(
            roster=person,
            reports=tuple(
                Reported(str(each["id"]), person["id"], date.fromisoformat(each["day"]), 0)
                for each in told["reports"]
                if each["completeness"] == "complete"
            ),
            tasks=_tasks(told["follow_ups"], "reason"),
            open_alerts=_tasks([each for each in told["alerts"] if each["open"]], "level"),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NotUnderstood from None


def _tasks(told: Sequence[Mapping[str, Any]], word: str) -> tuple[OpenTask, ...]:
    return tuple(OpenTask(date.fromisoformat(each["day"]), str(each[word])) for each in told)


def roster_of(told: Transferred, id: str | None, slot: str | None) -> bytes:
    """The person as the bytes of a roster, with another ID or slot if one is given."""
    changed = {name: each for name, each in (("id", id), ("slot", slot)) if each is not None}
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerow({**told.roster, **changed})
    return out.getvalue().encode()
