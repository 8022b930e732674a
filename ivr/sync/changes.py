"""What a centre says has changed: people as they stand there, and reports from other ways. Text into records. Pure.

All of it, or everything that is wrong with it. The problems repeat nothing that was given: they may end in a log.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from ivr.cells import read_text
from ivr.errors import BadInput, Problem, problem
from ivr.files.given_text import WrongCell, clean
from ivr.person import OWN_TIME, Person
from ivr.reported import COLUMNS as REPORT_COLUMNS
from ivr.reported import Reported, read_reported
from ivr.roster import NUMBER_COLUMNS, Rules, read_cells

#: Changes of one page or file; all of them are one transaction, for which the answers of calls wait.
MOST_CHANGES = 1000
_Text = Annotated[str, StringConstraints(max_length=200)]
_Word = Annotated[str, StringConstraints(pattern=r"^[^\s;,、；，]{1,64}$")]
_FactName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
_FactValue = Annotated[str, StringConstraints(pattern=r"^[^;\r\n]{1,100}$")]
#: JSON has no bigger whole number that every program reads alike.
MOST_REVISIONS = 2**53 - 1


class _Part(BaseModel):
    """Nothing else may be said, and nothing is bent: a number is no text."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, str_strip_whitespace=True)


def _as_text(given: object) -> object:
    """A bare number would be read as seconds since 1970."""
    if not isinstance(given, str):
        raise ValueError("no text")
    return given


class Closed(_Part):
    """Somebody at the centre has ended the observation."""

    at: Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_as_text)]
    by: _Text
    reason: _Text


class GivenPerson(_Part):
    """A person as docs/centre-api.yaml says. Every field is there: one that is left out could not be told from none."""

    kind: Literal["person"]
    revision: int = Field(ge=1, le=MOST_REVISIONS)
    id: _Text
    name: _Text
    kana: _Text
    numbers: list[_Text] = Field(min_length=1, max_length=len(NUMBER_COLUMNS))
    slots: list[_Word] = Field(max_length=20)
    own_time: _Text | None
    language: _Text | None
    risk: _Text | None
    begins: _Text | None
    ends: _Text | None
    hours_from: _Text | None
    hours_until: _Text | None
    facts: dict[_FactName, _FactValue] = Field(max_length=50)
    birth_date: _Text | None
    closed: Closed | None


class GivenReport(_Part):
    """That somebody reported by another way. What they said stays at the centre."""

    kind: Literal["report"]
    report_id: _Text
    person_id: _Text
    day: _Text


class _Page(_Part):
    """The frame of a page; what it holds is looked at one by one."""

    format: Literal[1]
    cursor: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]
    more: bool
    changes: list[Any] = Field(max_length=MOST_CHANGES)


@dataclass(frozen=True)
class Theirs:
    """A person as the centre has them."""

    person: Person
    revision: int  #: rises with each change at the centre
    closed: datetime | None  #: when the centre closed; None: under observation there
    closed_by: str
    closed_reason: str
    line: int


@dataclass(frozen=True)
class Changes:
    """What was said, in order. A person who was named more than once is there once, as last said."""

    people: tuple[Theirs, ...]
    reports: tuple[Reported, ...]


@dataclass(frozen=True)
class Page:
    """One page of them."""

    cursor: str  #: what comes after it begins here
    more: bool  #: there is more now
    changes: Changes


def parse_page(body: object, since: str, file: str, rules: Rules, today: date) -> Page:
    """A page that was asked for with the cursor `since`; `line` of a problem is the place of the change, from 1.

    Raises BadInput with every problem; so does a page after which we would ask the same again without end.
    """
    try:
        page = _Page.model_validate(body)
    except ValidationError as error:
        raise BadInput(*_problems(error, file, None)) from None
    if page.more and (page.cursor == since or not page.changes):
        raise BadInput(problem("changes.stuck", file))
    return Page(page.cursor, page.more, _read(enumerate(page.changes, 1), file, rules, today))


def parse_lines(content: bytes, file: str, rules: Rules, today: date) -> Changes:
    """The changes of a JSON Lines file. Raises BadInput with every problem, at its line."""
    given: list[tuple[int, object]] = []
    problems: list[Problem] = []
    for line, text in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if text.strip():
            try:
                given.append((line, json.loads(text)))
            except (ValueError, RecursionError):
                problems.append(problem("changes.no_json", file, line))
    if len(given) > MOST_CHANGES:
        problems.append(problem("changes.too_many", file, most=MOST_CHANGES, found=len(given)))
    if not given and not problems:
        problems.append(problem("changes.empty", file))
    try:
        found = _read(given, file, rules, today)
    except BadInput as bad:
        problems += bad.problems
    if problems:
        raise BadInput(*sorted(problems, key=lambda each: each.line or 0))
    return found


def _read(given: Iterable[tuple[int, object]], file: str, rules: Rules, today: date) -> Changes:
    people: dict[str, Theirs] = {}
    reports: dict[str, Reported] = {}
    problems: list[Problem] = []
    rules = rules.on(today)
    for line, each in given:
        try:
            one = _CHANGE.validate_python(each)
        except ValidationError as error:
            problems += _problems(error, file, line)
            continue
        read = _person(one, rules, file, line) if isinstance(one, GivenPerson) else _report(one, file, line, today)
        if isinstance(read, list):
            problems += read
        elif isinstance(read, Theirs):
            problems += _said_before(people.get(read.person.id), read, file)
            people[read.person.id] = read
        else:
            before = reports.get(read.id)
            if before and (before.person_id, before.day) != (read.person_id, read.day):
                problems.append(problem("reported.id_twice", file, line, first=before.line))
            reports.setdefault(read.id, read)
    if problems:
        raise BadInput(*problems)
    return Changes(tuple(people.values()), tuple(reports.values()))


_CHANGE: TypeAdapter[GivenPerson | GivenReport] = TypeAdapter(
    Annotated[GivenPerson | GivenReport, Field(discriminator="kind")]
)


def _said_before(before: Theirs | None, now: Theirs, file: str) -> list[Problem]:
    """In order, or the last word would not be the newest."""
    if before is None or before.revision < now.revision:
        return []
    return [problem("changes.person_twice", file, now.line, first=before.line)]


def _person(given: GivenPerson, rules: Rules, file: str, line: int) -> Theirs | list[Problem]:
    _, person, wrong = read_cells(_cells(given), rules)
    problems = [Problem(each.message, each.values, file, line) for each in wrong]
    closed = given.closed
    for field in ("by", "reason") if closed else ():
        try:
            read_text(clean(getattr(closed, field)))
        except WrongCell as bad:
            problems.append(problem(bad.message, file, line, column=f"closed.{field}"))
    if problems or person is None:
        return problems
    if closed is None:
        return Theirs(person, given.revision, None, "", "", line)
    return Theirs(person, given.revision, closed.at, clean(closed.by), clean(closed.reason), line)


def _cells(given: GivenPerson) -> dict[str, str]:
    """As the columns of a roster have it: what a person may be is said in one place."""
    same = ("id", "name", "kana", "own_time", "language", "risk", "begins", "ends", "hours_from", "hours_until")
    cells = {name: getattr(given, name) or "" for name in (*same, "birth_date")}
    cells |= zip(NUMBER_COLUMNS, given.numbers, strict=False)
    # The own time has a field of its own; its word is that of a slot inside only.
    cells["slot"] = ";".join(each for each in given.slots if each != OWN_TIME)
    cells["facts"] = ";".join(f"{name}={value}" for name, value in given.facts.items())
    return cells


def _report(given: GivenReport, file: str, line: int, today: date) -> Reported | list[Problem]:
    return read_reported({name: getattr(given, name) for name in REPORT_COLUMNS}, file, line, today)


def _problems(error: ValidationError, file: str, line: int | None) -> Iterator[Problem]:
    """One for each field. Neither the value nor the name of a field that we do not know is repeated."""
    for each in error.errors(include_input=False, include_url=False):
        known = [str(part) for part in each["loc"] if isinstance(part, int) or part in _NAMES]
        if each["type"] == "extra_forbidden":
            yield problem("changes.unknown_field", file, line)
        elif each["type"].startswith("union_tag"):
            yield problem("changes.kind", file, line)
        else:
            yield problem("changes.field", file, line, field=".".join(known) or "-", kind=each["type"])


_NAMES = {name for model in (Closed, GivenPerson, GivenReport, _Page) for name in model.model_fields}
