"""What Asterisk's own call records say of calls that we lost sight of, or never saw: the evidence after a crash.

The file is written by dialplan/cdr_custom.conf.j2, one line a call, its first column our call id.
"""

import csv
import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ivr.call import Outcome
from ivr.handover import PbxRecord

#: Asterisk's word -> how the attempt ended. ANSWERED is not among them: it does not tell whether anybody reported.
DISPOSITIONS = {
    "BUSY": Outcome.BUSY,
    "NO ANSWER": Outcome.NO_ANSWER,
    "CONGESTION": Outcome.CONGESTION,
    "FAILED": Outcome.FAILED,
}


def outcomes_of(lines: Iterable[str], call_ids: Collection[str]) -> dict[str, Outcome]:
    """Call id -> outcome, for those of the calls that the records name and that nobody answered."""
    found: dict[str, Outcome] = {}
    for row in csv.reader(lines):
        if row and row[0] in call_ids and row[-1] in DISPOSITIONS:
            found[row[0]] = DISPOSITIONS[row[-1]]
    return found


def read_outcomes(file: Path, call_ids: Collection[str]) -> dict[str, Outcome]:
    """The same from a file; nothing if there is none, or it may not be read: then the calls stay unknown."""
    if not call_ids:
        return {}
    try:
        with file.open(encoding="utf-8", errors="replace", newline="") as lines:
            return outcomes_of(lines, call_ids)
    except OSError:
        return {}


#: The context in which a call ends that nothing of ours took (dialplan/extensions.conf.j2).
LAST_WAY = "kenko-last-way"
#: The other contexts of calls to us: who calls, ARI, FastAGI.
_OTHER_WAYS = frozenset({"kenko-caller", "kenko-first-way", "kenko-second-way"})
#: The one in which a call ends that offers no sound that we can play.
NO_CODEC = "kenko-no-codec"
#: The context of a call to a number that is not ours, and what stands before that number as the last extension.
NOT_OURS, _DIALLED = "kenko-not-ours", "dialled"
#: How the channel is named by which Asterisk follows a redirect into the trunk's own context (22.10.1).
_REDIRECTED = "Local/"
#: Asterisk's uniqueid: perhaps a system's name, then when the channel began, in seconds of Unix time.
_UNIQUEID = re.compile(r"(?:[A-Za-z0-9_-]+-)?([0-9]{9,11})\.[0-9]+")
#: What is read at once, and the longest part of a file that is looked at again and again.
_MOST_BYTES = 4 * 1024 * 1024
_HEAD_BYTES = 512


@dataclass(frozen=True)
class Arrived:
    """Somebody rang us, and the call is over."""

    call_id: str
    caller: str  #: as the network gave it
    at: datetime  #: when it began; real time, UTC
    record: PbxRecord
    no_codec: bool = False  #: refused, because it offers no sound that we can play


@dataclass(frozen=True)
class Place:
    """How far a file was read: which file, by its first line, and up to which byte."""

    file: str = ""
    offset: int = 0

    @classmethod
    def read(cls, said: str | None) -> "Place":
        """From its own text; the beginning if there is none."""
        found = re.fullmatch(r"([0-9a-f]+):([0-9]+)", said or "")
        return cls(found[1], int(found[2])) if found else cls()

    def __str__(self) -> str:
        return f"{self.file}:{self.offset}"


def arrivals_of(lines: Iterable[str]) -> list[Arrived]:
    """The calls to us among these records. A call has several if it was put through: the last one counts."""
    found: dict[str, Arrived] = {}
    for row in _rows(lines):
        call = _arrival(*row[:1], *row[2:4])
        if call is not None:
            found[call.call_id] = call
    return list(found.values())


def _arrival(call_id: str, context: str, caller: str) -> Arrived | None:
    began = _UNIQUEID.fullmatch(call_id)
    let_go = context in (LAST_WAY, NO_CODEC)
    if began is None or not (let_go or context in _OTHER_WAYS):
        return None
    at = datetime.fromtimestamp(int(began[1]), UTC)
    record = PbxRecord.LAST_WAY if let_go else PbxRecord.TAKEN
    return Arrived(call_id, caller, at, record, no_codec=context == NO_CODEC)


def not_ours_of(lines: Iterable[str]) -> list[str]:
    """The numbers, as they came, of calls by which a provider wanted somebody who is not us.

    Not those to which a network redirects a call of ours: Asterisk takes up a 301 or 302 by such a call to itself.
    """
    return [
        row[4].removeprefix(_DIALLED)
        for row in _rows(lines)
        if row[2] == NOT_OURS and not row[1].startswith(_REDIRECTED)
    ]


def _rows(lines: Iterable[str]) -> Iterator[list[str]]:
    """The columns of each line, five at least; a line that cannot be read must not keep back those after it."""
    for line in lines:
        try:
            row = next(csv.reader([line]), [])
        except csv.Error:
            continue
        if len(row) > 4:
            yield row


def read_on(file: Path, place: Place) -> tuple[Sequence[str], Place]:
    """The whole lines since this place, and the place after them; nothing new: the same place.

    A file that was rotated away is read to its end first, as long as it lies beside the new one as `<name>.1`.
    Raises OSError if the file is there and may not be read.
    """
    lines: list[str] = []
    if place.file and _name_of(file) != place.file:
        rotated = file.with_name(f"{file.name}.1")
        if _name_of(rotated) == place.file:
            lines, _ = _lines_from(rotated, place.offset)
        place = Place()
    name = _name_of(file)
    if not name:
        return lines, place
    more, offset = _lines_from(file, place.offset)
    return [*lines, *more], Place(name, offset)


def _name_of(file: Path) -> str:
    """By what a file is known again: its first line; empty if there is no whole one."""
    try:
        with file.open("rb") as opened:
            head, newline, _ = opened.read(_HEAD_BYTES).partition(b"\n")
    except FileNotFoundError:
        return ""
    return hashlib.sha256(head).hexdigest()[:16] if newline else ""


def _lines_from(file: Path, offset: int) -> tuple[list[str], int]:
    with file.open("rb") as opened:
        opened.seek(offset)
        read = opened.read(_MOST_BYTES)
    whole = read[: read.rfind(b"\n") + 1]
    return whole.decode("utf-8", "replace").splitlines(), offset + len(whole)
