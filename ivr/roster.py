"""Persons from a CSV file and back: all of them, or everything that is wrong with it at once. See docs/people.md.

The messages never repeat a name, an id or a number: they may end in a log.
"""

import csv
import io
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ivr.cells import (
    WrongCell,
    read_birth_date,
    read_choice,
    read_day,
    read_facts,
    read_hours,
    read_id,
    read_own_time,
    read_risk,
    read_slots,
    read_text,
    write_facts,
    write_slots,
    write_time,
)
from ivr.csvtable import columns_of, lines_of
from ivr.errors import BadInput, Problem, problem
from ivr.numbers import BadNumber
from ivr.person import OWN_TIME, Person
from ivr.spreadsheet import harmless

NUMBER_COLUMNS = ("number1", "number2", "number3", "number4", "number5")
REQUIRED = ("id", "name", "kana", "number1", "slot")
COLUMNS = (
    *("id", "name", "kana"),
    *NUMBER_COLUMNS,
    *("slot", "own_time", "language", "risk", "begins", "ends", "hours_from", "hours_until", "facts", "birth_date"),
)


@dataclass(frozen=True)
class Rules:
    """What this installation allows."""

    #: The national form of a number that may be rung; raises BadNumber (ivr.numbers.dialable).
    check_number: Callable[[str], str]
    slots: Collection[str]
    languages: Collection[str] = ("ja",)
    check_digit: bool = False  #: whether the last digit of every ID must be its check digit


@dataclass(frozen=True)
class Roster:
    """What a file held."""

    people: tuple[Person, ...]  #: of the good rows
    problems: tuple[Problem, ...]  #: of the others, in the order of the lines


def parse_people(content: bytes, file: str, rules: Rules) -> tuple[Person, ...]:
    """Persons of the bytes of a CSV file; `file` is only for messages. Raises BadInput with every problem."""
    found = parse_roster(content, file, rules)
    if found.problems:
        raise BadInput(*found.problems)
    return found.people


def parse_roster(
    content: bytes, file: str, rules: Rules, progress: Callable[[int], None] = lambda line: None
) -> Roster:
    """The good rows and what is wrong with the others; `progress` is told the lines read, now and then.

    Of several rows with one id none is good. Behind a place where the CSV breaks nothing can be read: what stands
    before it is kept. Raises BadInput for a file that is no roster at all.
    """
    lines = lines_of(content, file)
    header = next(lines, None)
    if header is None:
        raise BadInput(problem("roster.empty", file))
    columns = columns_of(*header, file, REQUIRED, COLUMNS)
    people: dict[str, Person] = {}
    problems: list[Problem] = []
    first_line: dict[str, int] = {}
    try:
        for line, row in lines:
            id, found, wrong = _read_row(columns, row, rules)
            # Also of a bad line: whether its id stands elsewhere too is worth saying now, not on the next try.
            if id in first_line:
                wrong.append(problem("roster.id_twice", first=first_line[id]))
                people.pop(id, None)
            elif found is not None and not wrong:
                people[found.id] = found
            if id is not None:
                first_line.setdefault(id, line)
            problems += [Problem(each.message, each.values, file, line) for each in wrong]
            if line % 1000 == 0:
                progress(line)
    except BadInput as broken:
        problems += broken.problems
    if not first_line and not problems:
        problems.append(problem("roster.empty", file))
    return Roster(tuple(people.values()), tuple(problems))


def _read_row(
    columns: tuple[str, ...], row: list[str], rules: Rules
) -> tuple[str | None, Person | None, list[Problem]]:
    """The id of one line if it has one, its person if the line is good, and what is wrong with it."""
    if len(row) != len(columns):
        return None, None, [problem("roster.cells", wanted=len(columns), found=len(row))]
    return read_cells(dict(zip(columns, row, strict=True)), rules)


def read_cells(cells: Mapping[str, str], rules: Rules) -> tuple[str | None, Person | None, list[Problem]]:
    """One person from trimmed cells, column -> text: the id if it is one, the person if all is well, what is wrong.

    A column that is left out is empty. The problems have no place yet.
    """
    given = dict.fromkeys(COLUMNS, "") | dict(cells)
    numbers, problems = _numbers(given, rules)
    found: dict[str, Any] = {}

    def read(column: str, reader: Callable[..., object], *others: object) -> None:
        try:
            found[column] = reader(given[column], *others)
        except WrongCell as wrong:
            problems.append(Problem(wrong.message, {"column": column} | wrong.values))

    read("id", read_id, rules.check_digit)
    read("name", read_text)
    read("kana", read_text)
    read("slot", read_slots, rules.slots)
    read("own_time", read_own_time)
    given["language"] = given["language"] or "ja"
    read("language", read_choice, rules.languages)
    read("risk", read_risk)
    read("begins", read_day)
    read("ends", read_day)
    read("hours_from", read_hours, given["hours_until"])
    read("facts", read_facts)
    read("birth_date", read_birth_date)
    problems += _contradictions(found)
    return found.get("id"), None if problems else _person(found, numbers), problems


def _contradictions(found: dict[str, Any]) -> list[Problem]:
    """What is wrong with cells that are right each for itself."""
    problems = []
    if found.get("slot") == () and found.get("own_time", ...) is None:
        problems.append(problem("roster.no_slot"))
    if found.get("begins") and found.get("ends") and found["begins"] > found["ends"]:
        problems.append(problem("roster.period"))
    return problems


def _person(found: dict[str, Any], numbers: tuple[str, ...]) -> Person:
    return Person(
        id=found["id"],
        name=found["name"],
        kana=found["kana"],
        numbers=numbers,
        slots=(*found["slot"], OWN_TIME) if found["own_time"] else found["slot"],
        language=found["language"],
        own_time=found["own_time"],
        hours=found["hours_from"],
        risk=found["risk"],
        facts=found["facts"],
        begins=found["begins"],
        ends=found["ends"],
        birth_date=found["birth_date"],
    )


def _numbers(given: dict[str, str], rules: Rules) -> tuple[tuple[str, ...], list[Problem]]:
    numbers: list[str] = []
    problems: list[Problem] = []
    if not given["number1"]:
        problems.append(problem("roster.no_text", column="number1"))
    for column in NUMBER_COLUMNS:
        if not given[column]:
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


def write_people(people: Iterable[Person]) -> str:
    """A file that reads as the same people: every column, CRLF. No pause and no closing: those are no matter of files.

    A cell that a spreadsheet would run as a formula gets a leading apostrophe (and is refused when read: none that
    was read here begins so).
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(map(_row, people))
    return out.getvalue()


def cells_of(person: Person) -> dict[str, str]:
    """What `read_cells` reads: every column -> text, empty where nothing is known."""
    numbers = [*person.numbers, *[""] * len(NUMBER_COLUMNS)][: len(NUMBER_COLUMNS)]
    hours = (person.hours.first, person.hours.until) if person.hours else (None, None)
    row = [
        *(person.id, person.name, person.kana, *numbers, write_slots(person.slots)),
        *(write_time(person.own_time), person.language, person.risk),
        *(each.isoformat() if each else "" for each in (person.begins, person.ends)),
        *map(write_time, hours),
        write_facts(person.facts),
        person.birth_date.isoformat() if person.birth_date else "",
    ]
    return dict(zip(COLUMNS, map(str, row), strict=True))


def _row(person: Person) -> list[str]:
    return [harmless(each) for each in cells_of(person).values()]
