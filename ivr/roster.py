"""Reads persons from a CSV file: everything that is wrong with it at once, or all of them.

The first line names the columns, in any order:

| column | what stands there |
| --- | --- |
| `id` | 6 to 8 digits; leading zeros count |
| `name` | the name, as staff write it |
| `kana` | its reading |
| `number1` | the telephone number to try first |
| `number2`, `number3` | further ones, in order; may be empty; the columns may be missing |
| `slot` | a slot of config.yaml |
| `language` | language of the prompts; `ja` if empty or missing |

UTF-8 (with or without byte order mark) or Shift_JIS as Japanese Excel writes it; CRLF or LF; quotes as usual in CSV.
Lines without content are skipped. The messages never repeat a name, an id or a number: they may end in a log.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from ivr.errors import BadInput, Problem, problem
from ivr.numbers import BadNumber
from ivr.person import Person

NUMBER_COLUMNS = ("number1", "number2", "number3")
REQUIRED = ("id", "name", "kana", "number1", "slot")
COLUMNS = ("id", "name", "kana", *NUMBER_COLUMNS, "slot", "language")


@dataclass(frozen=True)
class Rules:
    """What this installation allows."""

    #: The national form of a number that may be rung; raises BadNumber (ivr.numbers.normalise with its plan).
    check_number: Callable[[str], str]
    slots: Collection[str]
    languages: Collection[str] = ("ja",)


def read_people(path: Path, rules: Rules) -> tuple[Person, ...]:
    """Read the file at `path`. Raises BadInput with every problem as `file:line`."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise BadInput(problem("file.missing", str(path))) from None
    except OSError as error:
        raise BadInput(problem("file.unreadable", str(path), reason=error.strerror or str(error))) from None
    return parse_people(content, str(path), rules)


def parse_people(content: bytes, file: str, rules: Rules) -> tuple[Person, ...]:
    """Persons of the bytes of a CSV file; `file` is only for messages. Raises BadInput as `read_people` does."""
    lines = _lines(_decode(content, file), file)
    header = next(lines, None)
    if header is None:
        raise BadInput(problem("roster.empty", file))
    columns = _columns(*header, file)
    people: list[Person] = []
    problems: list[Problem] = []
    first_line: dict[str, int] = {}
    try:
        for line, cells in lines:
            found, wrong = _person(columns, cells, rules)
            problems += [Problem(each.message, each.values, file, line) for each in wrong]
            if found is None:
                continue
            if found.id in first_line:
                problems.append(problem("roster.id_twice", file, line, first=first_line[found.id]))
            first_line.setdefault(found.id, line)
            people.append(found)
    except BadInput as broken:
        problems += broken.problems
    if not people and not problems:
        problems.append(problem("roster.empty", file))
    if problems:
        raise BadInput(*problems)
    return tuple(people)


def _decode(content: bytes, file: str) -> str:
    # A NUL is in no text, but in every UTF-16 file ("Unicode text" of Excel), workbook and picture.
    if b"\0" not in content:
        # UTF-8 first: Shift_JIS is almost never valid UTF-8, while UTF-8 often passes as Shift_JIS.
        for encoding in ("utf-8-sig", "cp932"):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                pass
    raise BadInput(problem("roster.encoding", file))


def _lines(content: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """The line on which each record begins, and its cells trimmed. Raises BadInput where the CSV breaks."""
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    line = 1
    try:
        for record in reader:
            cells = [each.strip() for each in record]
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadInput(problem("roster.broken", file, line, reason=str(error))) from None


def _columns(line: int, cells: list[str], file: str) -> tuple[str, ...]:
    names = tuple(unicodedata.normalize("NFKC", each).lower() for each in cells)
    problems = [problem("roster.unknown_column", file, line, column=each) for each in names if each not in COLUMNS]
    problems += [problem("roster.missing_column", file, line, column=each) for each in REQUIRED if each not in names]
    twice = sorted({each for each in names if names.count(each) > 1})
    problems += [problem("roster.column_twice", file, line, column=each) for each in twice]
    if problems:
        allowed = problem("roster.columns", file, line, required=", ".join(REQUIRED), allowed=", ".join(COLUMNS))
        raise BadInput(*problems, allowed)
    return names


def _person(columns: tuple[str, ...], cells: list[str], rules: Rules) -> tuple[Person | None, list[Problem]]:
    """The person of one line, or None; and what is wrong with it."""
    if len(cells) != len(columns):
        return None, [problem("roster.cells", wanted=len(columns), found=len(cells))]
    given = dict(zip(columns, cells, strict=True))
    numbers, problems = _numbers(given, rules)
    id = unicodedata.normalize("NFKC", given["id"])
    if not re.fullmatch(r"[0-9]{6,8}", id):
        problems.append(problem("roster.bad_id"))
    for column in ("name", "kana"):
        if wrong := _bad_text(given[column]):
            problems.append(problem(wrong, column=column))
    language = given.get("language") or "ja"
    for column, value, allowed in (("slot", given["slot"], rules.slots), ("language", language, rules.languages)):
        if value not in allowed:
            problems.append(problem("roster.not_allowed", column=column, given=value, allowed=", ".join(allowed)))
    # Also of a bad line: whether its id stands elsewhere too is worth saying now, not on the next try.
    return Person(id, given["name"], given["kana"], numbers, (given["slot"],), language), problems


def _bad_text(given: str) -> str | None:
    if not given:
        return "roster.no_text"
    # What a spreadsheet shows as a name but runs as a formula has no place in ours, nor in the next export.
    if given.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")):
        return "roster.formula"
    if any(unicodedata.category(each) in ("Cc", "Cs", "Co", "Cn") for each in given):
        return "roster.control"
    return None


def _numbers(given: dict[str, str], rules: Rules) -> tuple[tuple[str, ...], list[Problem]]:
    numbers: list[str] = []
    problems: list[Problem] = []
    if not given["number1"]:
        problems.append(problem("roster.no_text", column="number1"))
    for column in NUMBER_COLUMNS:
        if not given.get(column):
            continue
        try:
            number = rules.check_number(given[column])
        except BadNumber as bad:
            problems.append(problem("roster.number", column=column, reason=problem(bad.message)))
            continue
        if number in numbers:
            problems.append(problem("roster.number_twice", column=column))
        numbers.append(number)
    return tuple(numbers), problems
