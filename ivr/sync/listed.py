"""What the receiver of files says that it holds, from a CSV file: all of it, or everything that is wrong with it. Pure.

docs/centre-formats.md tells the receiver how to make one.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from ivr.errors import BadInput, Problem, problem
from ivr.files.dates import read_day
from ivr.files.given_text import WrongCell
from ivr.files.tables import Layout, read_table
from ivr.sync.comparison import KEY, SHA256

COLUMNS = ("day", "key", "sha256")
_LAYOUT = Layout(COLUMNS, COLUMNS, problem("listed.empty", columns=", ".join(COLUMNS)))


def parse_listed(content: bytes, file: str) -> Mapping[date, Mapping[str, str]]:
    """Day -> key -> SHA-256; `file` is only for messages. A header alone says that the receiver holds nothing.

    Raises BadInput with every problem.
    """
    found: dict[date, dict[str, str]] = {}
    first: dict[str, int] = {}
    problems: list[Problem] = []
    for line, given in read_table(content, file, _LAYOUT).rows:
        if isinstance(given, Problem):
            problems.append(replace(given, file=file, line=line))
            continue
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
