"""Who reported by another way than the telephone, from a CSV file: all of it, or everything that is wrong with it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ivr.cells import read_id
from ivr.errors import BadInput, Problem, problem
from ivr.files.dates import read_day
from ivr.files.given_text import WrongCell, clean
from ivr.files.tables import Layout, read_table

COLUMNS = ("report_id", "person_id", "day")
_NAMES = {"報告番号": "report_id", "観察番号": "person_id", "日付": "day", "報告日": "day"}
_LAYOUT = Layout(COLUMNS, COLUMNS, problem("reported.empty"), _NAMES)
_REPORT_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


@dataclass(frozen=True)
class Reported:
    """One report that the centre has from somebody. What it says stays there."""

    id: str  #: the centre's
    person_id: str
    day: date  #: local day that it is about
    line: int  #: of the file


def parse_reported(content: bytes, file: str, today: date) -> tuple[Reported, ...]:
    """The reports of the bytes of a CSV file, oldest line first; `file` is only for messages.

    Raises BadInput with every problem: a day that is still to come would keep somebody from being called on it.
    """
    found: dict[str, Reported] = {}
    problems: list[Problem] = []
    for line, row in read_table(content, file, _LAYOUT).rows:
        one = (
            [replace(row, file=file, line=line)] if isinstance(row, Problem) else read_reported(row, file, line, today)
        )
        if isinstance(one, Reported):
            if one.id in found:
                problems.append(problem("reported.id_twice", file, line, first=found[one.id].line))
            found.setdefault(one.id, one)
        else:
            problems += one
    if problems:
        raise BadInput(*problems)
    if not found:
        raise BadInput(problem("reported.empty", file))
    return tuple(found.values())


def read_reported(given: Mapping[str, str], file: str, line: int, today: date) -> Reported | list[Problem]:
    """One report from its cells, column -> text, or everything that is wrong with it."""
    given = {name: clean(cell) for name, cell in given.items()}
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for column, reader in _READERS.items():
        try:
            values[column] = reader(given[column])
        except WrongCell as wrong:
            problems.append(problem(wrong.message, file, line, **{"column": column, **wrong.values}))
    day: Any = values.get("day")
    if not given["day"]:
        problems.append(problem("roster.no_text", file, line, column="day"))
    elif day is not None and day > today:
        problems.append(problem("reported.future", file, line))
    return problems or Reported(values["report_id"], values["person_id"], day, line)


def _report_id(cell: str) -> str:
    if not _REPORT_ID.fullmatch(cell):
        raise WrongCell("reported.bad_id")
    return cell


_READERS: Mapping[str, Callable[[str], object]] = {"report_id": _report_id, "person_id": read_id, "day": read_day}
