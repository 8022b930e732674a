"""Reports as text for other programs: CSV for spreadsheets, JSON for machines. Pure.

No name and no telephone number: the receiver knows its persons by their ids.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from ivr.spreadsheet import harmless


@dataclass(frozen=True)
class ReportRow:
    """One report with everything that belongs to it."""

    report_id: str
    day: date  #: local day
    person_id: str | None  #: None: the caller was not found on the roster
    claimed_id: str | None  #: what such a caller keyed as ID
    completeness: str
    source: str
    auth: str
    created_at: datetime
    updated_at: datetime
    answers: Mapping[str, str]  #: question id -> the last value
    alerts: tuple[str, ...]  #: ids of the rules that fired
    follow_ups: tuple[str, ...]  #: reasons, of that person on that day; closed ones too
    version: str | None = None  #: hash of the questionnaire that was asked; None: the report came from outside
    superseded: bool = False  #: a later complete report of the same person and day is in: that one counts


_FIXED = (
    *("report_id", "day", "person_id", "claimed_id", "completeness", "source", "auth", "created_at", "updated_at"),
    "version",
    "superseded",
)


def question_columns(rows: Iterable[ReportRow], first: Sequence[str] = ()) -> tuple[str, ...]:
    """Question ids in column order: those of `first` (the questionnaire of today), then any others as they appear."""
    return tuple(dict.fromkeys([*first, *(question for row in rows for question in row.answers)]))


def to_csv(rows: Sequence[ReportRow], zone: tzinfo, questions: Sequence[str] = ()) -> str:
    """One line a report, one column a question; CRLF, and a byte order mark without which Excel breaks Japanese.

    A cell that a spreadsheet would run as a formula (it begins with = + - @, tab or line break) gets a leading
    apostrophe. Times are in `zone`, ISO 8601 with offset; several alerts or follow-ups stand apart by a space. To
    open in Excel without losing leading zeros, import the file with all columns as text. Encode as UTF-8.
    """
    columns = question_columns(rows, questions)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    # Question ids are prefixed: one may be called `day`.
    writer.writerow([*_FIXED, "alerts", "follow_ups", *(harmless(f"answer.{each}") for each in columns)])
    for row in rows:
        lists = [" ".join(row.alerts), " ".join(row.follow_ups)]
        cells = [*_fixed(row, zone).values(), *lists, *(row.answers.get(each, "") for each in columns)]
        writer.writerow([harmless(each or "") for each in cells])
    return "\ufeff" + out.getvalue()


def to_json(rows: Sequence[ReportRow], zone: tzinfo) -> str:
    """A list with one object a report; an unknown person is null. Times as in `to_csv`. Encode as UTF-8."""
    return json.dumps(
        [
            {
                **_fixed(row, zone),
                "alerts": list(row.alerts),
                "follow_ups": list(row.follow_ups),
                "answers": dict(row.answers),
            }
            for row in rows
        ],
        ensure_ascii=False,
        indent=2,
    )


def _fixed(row: ReportRow, zone: tzinfo) -> dict[str, str | None]:
    shown: dict[str, str | None] = {}
    for name in _FIXED:
        value = getattr(row, name)
        if isinstance(value, bool):
            value = "yes" if value else None
        if isinstance(value, datetime):
            value = value.astimezone(zone).isoformat(timespec="seconds")
        shown[name] = None if value is None else str(value)
    return shown
