"""Persons from a table and back: all of them, or everything that is wrong with it at once. See docs/people.md.

The messages never repeat a name, an id or a number: they may end in a log.
"""

import csv
import io
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from typing import Any

from ivr.cells import (
    read_begin,
    read_birth_date,
    read_choice,
    read_end,
    read_facts,
    read_hours,
    read_id,
    read_own_time,
    read_risk,
    read_slots,
    read_text,
    why_no_digits,
    write_facts,
    write_slots,
    write_time,
)
from ivr.errors import BadInput, Problem, problem
from ivr.files.given_text import WrongCell, clean
from ivr.files.roster_rules import Rules as Rules
from ivr.files.tables import Layout, read_table
from ivr.identity import padded_ids
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


#: What Japanese offices call the columns, as `ivr.files.given_text.fold` gives it.
NAMES = {
    **dict.fromkeys(("観察番号", "番号", "患者番号", "管理番号"), "id"),
    **dict.fromkeys(("氏名", "名前", "お名前", "患者氏名", "対象者氏名"), "name"),
    **dict.fromkeys(("カナ", "かな", "フリガナ", "ふりがな", "ヨミ", "よみ", "読み", "氏名カナ", "氏名(カナ)"), "kana"),
    **dict.fromkeys(("カナ氏名", "氏名よみ", "氏名のよみ", "氏名フリガナ", "氏名(フリガナ)", "よみがな"), "kana"),
    **dict.fromkeys(("電話番号", "電話", "連絡先"), "number1"),
    **{f"{word}{at}": f"number{at}" for word in ("電話番号", "電話", "連絡先", "番号") for at in range(1, 6)},
    **dict.fromkeys(("時間帯", "架電時間帯"), "slot"),
    "希望時刻": "own_time",
    "言語": "language",
    **dict.fromkeys(("重症化リスク", "リスク"), "risk"),
    **dict.fromkeys(("観察開始日", "開始日", "観察の最初の日"), "begins"),
    **dict.fromkeys(("観察終了予定日", "観察終了日", "終了予定日", "終了日", "観察の最後の日"), "ends"),
    **dict.fromkeys(("電話してよい時間(から)", "電話してよい時間から", "電話可能時間(から)"), "hours_from"),
    **dict.fromkeys(("電話してよい時間(まで)", "電話してよい時間まで", "電話可能時間(まで)"), "hours_until"),
    **dict.fromkeys(("持ち物など", "持ち物"), "facts"),
    "生年月日": "birth_date",
}
_HOURS = frozenset(("hours_from", "hours_until"))
_LAYOUT = Layout(COLUMNS, REQUIRED, problem("roster.empty"), NAMES, frozenset({"kana", "facts"}))


@dataclass(frozen=True)
class Roster:
    """What a file held."""

    people: tuple[Person, ...]  #: of the good rows; a column that the file lacks is empty
    problems: tuple[Problem, ...]  #: of the others, in the order of the lines
    columns: frozenset[str] = frozenset(COLUMNS)  #: those of the file: what it does not name is left as it is
    lines: Mapping[str, int] = field(default_factory=dict)  #: id -> line of the file


def parse_people(content: bytes, file: str, rules: Rules) -> tuple[Person, ...]:
    """Persons of the bytes of a file; `file` is only for messages. Raises BadInput with every problem."""
    found = complete_roster(parse_roster(content, file, rules), {}, file)
    if found.problems:
        raise BadInput(*found.problems)
    return found.people


def parse_roster(
    content: bytes, file: str, rules: Rules, progress: Callable[[int], None] = lambda line: None
) -> Roster:
    """The good rows and what is wrong with the others; `progress` is told the lines read, now and then.

    Of several rows with one id none is good, nor of ids that are one but for zeros in front. Behind a place where
    the CSV breaks nothing can be read: what stands before it is kept. Raises BadInput for a file that is no roster.
    """
    table = read_table(content, file, _LAYOUT)
    columns = frozenset(table.columns)
    if not columns >= _HOURS:
        columns -= _HOURS  # half of them says nothing
    people: dict[str, Person] = {}
    problems: list[Problem] = []
    lines: dict[str, int] = {}
    try:
        for line, row in table.rows:
            if isinstance(row, Problem):
                problems.append(replace(row, file=file, line=line))
                continue
            id, found, wrong = read_cells(row, rules, columns)
            # Also of a bad line: that its id stands elsewhere too is worth saying now, not on the next try.
            wrong += _repeated(id, lines, people)
            if found is not None and not wrong:
                people[found.id] = found
            if id is not None:
                lines.setdefault(id, line)
            problems += [Problem(each.message, each.values, file, line) for each in wrong]
            if line % 1000 == 0:
                progress(line)
    except BadInput as broken:
        problems += broken.problems
    if not lines and not problems:
        problems.append(problem("roster.empty", file))
    return Roster(tuple(people.values()), tuple(problems), columns, lines)


def complete_roster(roster: Roster, stored: Mapping[str, Person], file: str) -> Roster:
    """With what is stored (id -> person) in the columns that the file lacks; what then contradicts itself is told."""
    people: list[Person] = []
    problems = list(roster.problems)
    for given in roster.people:
        before = stored.get(given.id)
        person = given if before is None else completed(given, before, roster.columns)
        wrong = contradictions(person)
        problems += [Problem(each.message, each.values, file, roster.lines.get(given.id)) for each in wrong]
        if not wrong:
            people.append(person)
    problems.sort(key=lambda each: each.line or 0)
    return replace(roster, people=tuple(people), problems=tuple(problems))


def _repeated(id: str | None, lines: Mapping[str, int], people: dict[str, Person]) -> list[Problem]:
    """What is wrong if the file had this id before, or one that a spreadsheet makes of it; then that row goes, too."""
    if id is None:
        return []
    problems = []
    if id in lines:
        problems.append(problem("roster.id_twice", first=lines[id]))
        people.pop(id, None)
    for each in padded_ids(id):
        if each in lines:
            problems.append(problem("roster.id_padded", first=lines[each]))
            people.pop(each, None)
    return problems


def read_cells(
    cells: Mapping[str, str], rules: Rules, columns: Collection[str] = COLUMNS
) -> tuple[str | None, Person | None, list[Problem]]:
    """One person from cells, column -> text: the id if it is one, the person if all is well, what is wrong.

    A column that is left out is empty. `columns`: those that are spoken of; what another one must say to fit is not
    asked (see `contradictions`). The problems have no place yet.
    """
    given = dict.fromkeys(COLUMNS, "") | {name: clean(cell) for name, cell in cells.items()}
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
    read("begins", read_begin, rules.today)
    read("ends", read_end, rules.today)
    read("hours_from", read_hours, given["hours_until"])
    read("facts", read_facts)
    read("birth_date", read_birth_date, rules.today)
    if "slot" in found and "own_time" in found and "own_time" in columns:
        problems += _check_time(found["slot"], found["own_time"])
    if "begins" in columns and "ends" in columns:
        problems += _check_period(found.get("begins"), found.get("ends"))
    return found.get("id"), None if problems else _person(found, numbers), problems


def contradictions(person: Person) -> list[Problem]:
    """What is wrong between cells that are right each for itself."""
    return _check_time(person.slots, person.own_time) + _check_period(person.begins, person.ends)


def _check_time(slots: tuple[str, ...], own_time: time | None) -> list[Problem]:
    return [] if slots or own_time else [problem("roster.no_slot")]


def _check_period(begins: date | None, ends: date | None) -> list[Problem]:
    return [problem("roster.period")] if begins and ends and begins > ends else []


def completed(given: Person, stored: Person, columns: Collection[str]) -> Person:
    """The person with what is stored in the columns that a file has not: those say nothing, not that there is nothing.

    A number stays in its place, unless it is one of those given now.
    """
    if len(columns) == len(COLUMNS):
        return given
    last = max((at for at, name in enumerate(NUMBER_COLUMNS, 1) if name in columns), default=0)
    own_time = given.own_time if "own_time" in columns else stored.own_time
    slots = given.slots if "slot" in columns else stored.slots
    slots = tuple(each for each in slots if each != OWN_TIME)
    kept = {name: getattr(stored, name) for name in _SINGLE if name not in columns}
    if "hours_from" not in columns:
        kept["hours"] = stored.hours
    return replace(
        given,
        numbers=(*given.numbers, *(each for each in stored.numbers[last:] if each not in given.numbers)),
        slots=(*slots, OWN_TIME) if own_time else slots,
        own_time=own_time,
        **kept,
    )


#: Columns that are one attribute of a person by the same name.
_SINGLE = ("name", "kana", "language", "risk", "facts", "begins", "ends", "birth_date")


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
            number = rules.check_number(given[column].removeprefix("'"))
        except BadNumber as bad:
            seen = why_no_digits(given[column]) if bad.message == "number.not_digits" else None
            problems.append(problem("roster.number", column=column, reason=problem(seen or bad.message)))
            continue
        if number in numbers:
            problems.append(problem("roster.number_twice", column=column))
        numbers.append(number)
    return tuple(numbers), problems


def write_people(people: Iterable[Person]) -> str:
    """A CSV file that reads as the same people: every column, CRLF; no pause and no closing, which no file makes.

    A cell that a spreadsheet would run as a formula gets a leading apostrophe (and is refused when read: none that
    was read here begins so).
    """
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([harmless(each) for each in row] for row in rows_of(people))
    return out.getvalue()


def rows_of(people: Iterable[Person]) -> Iterator[list[str]]:
    """The header, and the cells of each person."""
    yield list(COLUMNS)
    for person in people:
        yield list(cells_of(person).values())


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
