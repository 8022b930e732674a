"""Documents as the two files that cross a gateway or a stick: JSON Lines and CSV, and the manifest beside them. Pure.

docs/centre-formats.md documents both for the receiver; a change of HEADER needs a new FORMAT.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence

from ivr.spreadsheet import unchanged
from ivr.sync.documents import AlertDocument, CallDocument, Document, ErasureDocument, document_from

FORMAT = 1
#: The columns of the CSV, for good: one line for each answer, alert and call, whatever the questionnaire asks.
HEADER = (
    *("key", "kind", "person_id", "claimed_id", "day", "sequence", "revision", "report_id", "slot", "completeness"),
    *("source", "version", "at", "item", "value", "unit"),
)


def json_lines(payloads: Sequence[bytes]) -> bytes:
    """The frozen bytes as they are, one document a line: their SHA-256 stays the one of the outbox."""
    return b"".join(each + b"\n" for each in payloads)


def csv_lines(documents: Mapping[str, Document]) -> bytes:
    """Key -> document as CSV: UTF-8 with byte order mark, CRLF, every cell quoted.

    Cells that a spreadsheet would run as formulas or change get a leading apostrophe (ivr.spreadsheet).
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(HEADER)
    for key, document in documents.items():
        writer.writerows([_cell(each) for each in line] for line in _lines(key, document))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cell(value: object) -> str:
    return "" if value is None else unchanged(str(value))


#: Columns that not every kind has something for.
_OPTIONAL = ("claimed_id", "report_id", "slot", "completeness", "source", "version")


def _lines(key: str, document: Document) -> Iterator[tuple[object, ...]]:
    def line(at: object, item: str, value: str, unit: str | None = None) -> tuple[object, ...]:
        claimed, report, slot, completeness, source, version = (getattr(document, name, None) for name in _OPTIONAL)
        return (
            *(key, document.kind, document.person_id, claimed, document.day, document.sequence, document.revision),
            *(report, slot, completeness, source, version, at, item, value, unit),
        )

    if isinstance(document, ErasureDocument):
        # Which reports and attempts those were stands in the JSON Lines beside it.
        yield line(document.frozen_at.isoformat(), "erasure", "all")
    elif isinstance(document, CallDocument):
        yield line(document.ended_at.isoformat(), "outcome", document.outcome)
    elif isinstance(document, AlertDocument):
        yield line(document.alert.at.isoformat(), f"alert.{document.alert.rule}", document.alert.level)
    else:
        for answer in document.answers:
            yield line(answer.at.isoformat(), f"answer.{answer.question}", answer.value, answer.unit)
        for alert in document.alerts:
            yield line(alert.at.isoformat(), f"alert.{alert.rule}", alert.level)
        if not document.answers and not document.alerts:
            yield line(document.changed_at.isoformat(), "", "")


def batch(sequence: int, payloads: Mapping[str, bytes]) -> dict[str, bytes]:
    """File name -> bytes of one batch, the manifest last. `payloads`: key -> frozen bytes, in order.

    Names sort by `sequence` (from 1), never by a clock.
    """
    stem = f"kenko-{sequence:010}"
    documents = {key: document_from(each) for key, each in payloads.items()}
    files = {f"{stem}.jsonl": json_lines(tuple(payloads.values())), f"{stem}.csv": csv_lines(documents)}
    manifest = {
        "format": FORMAT,
        "sequence": sequence,
        "documents": len(payloads),
        "files": [
            {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        ],
    }
    told = json.dumps(manifest, sort_keys=True, indent=1) + "\n"
    return files | {f"{stem}.manifest.json": told.encode()}
