"""What Asterisk's own call records say of calls that we lost sight of: the evidence after a crash.

The file is written by dialplan/cdr_custom.conf.j2, one line a call, its first column our call id.
"""

import csv
from collections.abc import Collection, Iterable
from pathlib import Path

from ivr.call import Outcome

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
