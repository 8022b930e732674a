"""What the receiver of files says that it holds, from a CSV file: all of it, or everything that is wrong with it. Pure.

docs/centre-formats.md tells the receiver how to make one.
"""

from collections.abc import Mapping
from datetime import date

from ivr.cells import WrongCell, read_day
from ivr.csvtable import columns_of, lines_of
from ivr.errors import BadInput, Problem, problem
from ivr.sync.comparison import KEY, SHA256

COLUMNS = ("day", "key", "sha256")


def parse_listed(content: bytes, file: str) -> Mapping[date, Mapping[str, str]]:
    """Day -> key -> SHA-256; `file` is only for messages. A header alone says that the receiver holds nothing.

    Raises BadInput with every problem.
    """
    lines = lines_of(content, file)
    header = next(lines, None)
    if header is None:
        raise BadInput(problem("listed.empty", file, columns=", ".join(COLUMNS)))
    columns = columns_of(*header, file, COLUMNS, COLUMNS)
    found: dict[date, dict[str, str]] = {}
    first: dict[str, int] = {}
    problems: list[Problem] = []
    for line, row in lines:
        if len(row) != len(COLUMNS):
            problems.append(problem("roster.cells", file, line, wanted=len(COLUMNS), found=len(row)))
            continue
        given = dict(zip(columns, row, strict=True))
        key, sha256 = given["key"], given["sha256"].lower()
        try:
            day = read_day(given["day"])
            if day is None:
                raise WrongCell("roster.no_text")
            found.setdefault(day, {})[key] = sha256
        except WrongCell as wrong:
            problems.append(problem(wrong.message, file, line, column="day", **wrong.values))
        if not KEY.fullmatch(key):
            problems.append(problem("listed.bad_key", file, line))
        if not SHA256.fullmatch(sha256):
            problems.append(problem("listed.bad_sha256", file, line))
        if key in first:
            problems.append(problem("listed.twice", file, line, first=first[key]))
        first.setdefault(key, line)
    if problems:
        raise BadInput(*problems)
    return found
