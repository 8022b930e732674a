"""`kenko-call people import|export|list|show`: who is under observation."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ivr.cells import write_time
from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, now_at, print_json, word, write_out
from ivr.cli.screen import print_table
from ivr.config import Config, read_config
from ivr.errors import BadInput, problem
from ivr.messages import text
from ivr.numbers import mask
from ivr.person import OWN_TIME, Person, is_paused, is_period_over
from ivr.roster import rows_of, write_people
from ivr.storage.database import open_reader
from ivr.storage.decisions import decisions_about
from ivr.storage.people import get_person, household_of, list_people


class Encoding(StrEnum):
    """How an export is written."""

    UTF_8 = "utf-8"  #: with the byte order mark without which Excel breaks Japanese
    SHIFT_JIS = "shift_jis"  #: as Japanese Windows programs of old read it


class Standing(StrEnum):
    """What staff or a date have made of somebody's calls."""

    CALLED = "called"
    PAUSED = "paused"
    PERIOD_OVER = "period_over"  #: called all the same
    CLOSED = "closed"


class Format(StrEnum):
    """Forms of a roster."""

    CSV = "csv"
    XLSX = "xlsx"


def export_people(
    config: ConfigPath = DEFAULT_CONFIG,
    output: Annotated[Path | None, typer.Option("--output", "-o", help=text("cli.reports.export.output"))] = None,
    form: Annotated[Format, typer.Option("--format", help=text("cli.people.export.format"))] = Format.CSV,
    encoding: Annotated[Encoding, typer.Option("--encoding", help=text("cli.people.export.encoding"))] = Encoding.UTF_8,
) -> None:
    settings = read_config(config)
    with open_reader(settings.database) as reader:
        found = reader.read(list_people)
    if form is Format.XLSX:
        # Only now: nothing else wants what writes workbooks.
        from ivr.files.workbook import write_workbook

        content = write_workbook(text("cli.people.export.sheet"), rows_of(found))
    elif encoding is Encoding.UTF_8:
        content = write_people(found).encode("utf-8-sig")
    else:
        content = _in_shift_jis(found, str(output or "-"))
    write_out(output, content)
    if output is not None:
        typer.echo(text("cli.people.exported", count=len(found), file=output), err=True)


def _in_shift_jis(people: Sequence[Person], file: str) -> bytes:
    """Raises BadInput with everybody who has a letter that Shift_JIS lacks."""
    written = write_people(people)
    try:
        return written.encode("cp932")
    except UnicodeEncodeError:
        pass
    problems = []
    for line, cells in enumerate(rows_of(people), 1):
        lacking = dict.fromkeys(each for each in "".join(cells) if not _has_shift_jis(each))
        if lacking:
            codes = " ".join(f"U+{ord(each):04X}" for each in lacking)
            letters = "".join(lacking)
            problems.append(
                problem("cli.people.export.not_shift_jis", file, line, id=cells[0], letters=letters, codes=codes)
            )
    raise BadInput(*problems)


def _has_shift_jis(letter: str) -> bool:
    try:
        return letter.encode("cp932") != b""
    except UnicodeEncodeError:
        return False


def list_roster(
    config: ConfigPath = DEFAULT_CONFIG,
    closed: Annotated[bool, typer.Option("--closed", help=text("cli.people.list.closed"))] = False,
    as_json: AsJson = False,
) -> None:
    settings = read_config(config)
    at = now_at(settings)
    with open_reader(settings.database) as reader:
        found = reader.read(list_people, closed=closed)
    if as_json:
        print_json({"people": [as_data(settings, each, at) for each in found]})
        return
    columns = ("id", "name", "slot", "risk", "number", "period", "state")
    rows = (_line(settings, each, at) for each in found)
    print_table(text("cli.people.list.title", count=len(found)), [f"column.{each}" for each in columns], rows)


def show_person(
    id: Annotated[str, typer.Argument(help=text("cli.people.show.id"))],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    settings = read_config(config)
    at = now_at(settings)
    with open_reader(settings.database) as reader:
        person = reader.read(get_person, id)
        if person is None:
            raise BadInput(problem("cli.people.nobody", id=id))
        households = {number: reader.read(household_of, number) for number in person.numbers}
        decisions = reader.read(decisions_about, id)
    shown = as_data(settings, person, at) | {
        "household": sorted({each.person.id for members in households.values() for each in members} - {id}),
        "places": [
            f"{number}: {each.place}"
            for number, members in households.items()
            for each in members
            if len(members) > 1 and each.person.id == id
        ],
        "decisions": [asdict(each) | {"at": _local(settings, each.at)} for each in decisions],
    }
    shown["decisions"] = [each | {"until": _local(settings, each["until"])} for each in shown["decisions"]]
    if as_json:
        print_json(shown)
        return
    columns = ("field", "value")
    rows = [(word("people_field", name), _plain(value)) for name, value in shown.items() if name != "decisions"]
    print_table(text("cli.people.show.title", id=id), [f"column.{each}" for each in columns], rows)
    made = [
        (each["at"], word("decided", each["kind"]), each["until"] or "", each["by"], each["reason"])
        for each in shown["decisions"]
    ]
    print_table(text("cli.people.show.decisions"), DECISION_COLUMNS, made)


DECISION_COLUMNS = tuple(f"column.{each}" for each in ("decided_at", "decision", "decided_until", "by", "reason"))


def standing(settings: Config, person: Person, at: datetime) -> Standing:
    """Whether the person is called, and if not, whose decision that is."""
    if person.closing:
        return Standing.CLOSED
    if is_paused(person, at):
        return Standing.PAUSED
    over = is_period_over(person, at.astimezone(settings.centre.zone).date())
    return Standing.PERIOD_OVER if over else Standing.CALLED


def as_data(settings: Config, person: Person, at: datetime) -> dict[str, Any]:
    """Everything that is known of a person, for programs; times in the centre's zone."""
    given = asdict(person)
    given["own_time"] = write_time(person.own_time) or None
    given["hours"] = [write_time(each) for each in (person.hours.first, person.hours.until)] if person.hours else None
    for name, moments in (("pause", ("since", "until")), ("closing", ("at",))):
        if given[name]:
            given[name] |= {each: _local(settings, given[name][each]) for each in moments}
    return given | {"state": standing(settings, person, at)}


def _line(settings: Config, person: Person, at: datetime) -> tuple[str, ...]:
    slots = [write_time(person.own_time) if each == OWN_TIME else each for each in person.slots]
    period = "–".join(each.isoformat() if each else "" for each in (person.begins, person.ends))
    return (
        person.id,
        person.name,
        " ".join(slots),
        word("risk", person.risk),
        " ".join(map(mask, person.numbers)),
        period.strip("–") and period,
        word("standing", standing(settings, person, at)),
    )


def _local(settings: Config, moment: datetime | None) -> str | None:
    return moment.astimezone(settings.centre.zone).isoformat(timespec="seconds") if moment else None


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={each}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
