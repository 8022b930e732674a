"""`kenko-call people import|export|list|show`: who is under observation."""

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ivr.cells import write_time
from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, now_at, print_json, word, write_file
from ivr.cli.plan import preview_tomorrow, print_changes
from ivr.cli.screen import err_console, print_table
from ivr.cli.staff import By, signed_by
from ivr.config import Config, read_config
from ivr.document import read_content
from ivr.errors import BadInput, StorageError, problem
from ivr.messages import text
from ivr.numbers import mask
from ivr.person import OWN_TIME, Person, is_paused, is_period_over
from ivr.roster import Roster, parse_roster, write_people
from ivr.storage.database import open_database, open_reader
from ivr.storage.decisions import Signed, decisions_about
from ivr.storage.people import Stored, get_person, household_of, list_people, take_in
from ivr.storage.tombstones import refuse_erased

#: People stored in one transaction: up to so many an import is all or nothing whatever happens. 5,000 take 0.3 s.
AT_ONCE = 5000
#: SQLite looks at a lock that it waits for every 0.1 s at the latest.
GAP_SECONDS = 0.12


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


#: What a change does to tomorrow is told up to so many people; beyond, it would cost as much as the import.
MOST_TO_COMPARE = 20_000


def import_people(
    file: Annotated[Path, typer.Argument(help=text("cli.people.import.file"))],
    config: ConfigPath = DEFAULT_CONFIG,
    partial_rows: Annotated[bool, typer.Option("--partial", help=text("cli.people.import.partial"))] = False,
    by: By = None,
    as_json: AsJson = False,
) -> int:
    settings = read_config(config)
    signed = signed_by(settings, by, text("cli.people.import.reason", file=file.name))
    content = read_content(file)
    with _progress() as shown:
        roster = parse_roster(
            content, str(file), settings.roster_rules, shown("cli.people.import.reading", content.count(b"\n"))
        )
        if roster.problems and not (partial_rows and roster.people):
            raise BadInput(*roster.problems)
        told = shown("cli.people.import.storing", len(roster.people))
        # Looking through all the rows for garbage, again and again, doubles the time of storing them.
        gc.freeze()
        try:
            done = asyncio.run(_store(settings, roster.people, signed, told))
        finally:
            gc.unfreeze()
    _tell(roster, done.stored, as_json)
    if not as_json and len(done.after) <= MOST_TO_COMPARE:
        print_changes(settings, preview_tomorrow((settings, done.before), (settings, done.after)))
    return 1 if roster.problems or done.stored.closed else 0


def _tell(roster: Roster, stored: Stored, as_json: bool) -> None:
    if as_json:
        refused = [{"line": each.line, "reason": each.render().split(": ", 1)[-1]} for each in roster.problems]
        print_json({"people": len(roster.people), **asdict(stored), "refused": refused})
        return
    count = len(roster.people)
    typer.echo(text("cli.people.imported", count=count, added=stored.added, changed=stored.changed))
    for each in roster.problems:
        typer.echo(each.render(), err=True)
    if roster.problems:
        rows = len({each.line for each in roster.problems})
        typer.echo(text("cli.people.import.refused", rows=rows), err=True)
    if stored.closed:
        typer.echo(text("cli.people.import.closed", ids=", ".join(stored.closed)), err=True)


@contextmanager
def _progress() -> Iterator[Callable[[str, int], Callable[[int], None]]]:
    """Makes bars on standard error, if it is a terminal: `shown(message, total)` gives what to tell how far it is."""
    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*parts, console=err_console, transient=True, disable=not err_console.is_terminal) as bars:

        def shown(message: str, total: int) -> Callable[[int], None]:
            bar = bars.add_task(text(message), total=total)
            return lambda done: bars.update(bar, completed=done)

        yield shown


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    stored: Stored
    before: tuple[Person, ...]  #: under observation
    after: tuple[Person, ...]


async def _store(settings: Config, people: tuple[Person, ...], signed: Signed, told: Callable[[int], None]) -> Imported:
    """Store them, so many at once: a service beside us writes down answers, and waits for a lock 5 s at most."""
    added = changed = done = 0
    closed: tuple[str, ...] = ()
    async with await open_database(settings.database, beside_service=True) as database:
        # Before the first portion is stored.
        await database.read(refuse_erased, [each.id for each in people])
        before = await database.read(list_people)
        while done < len(people):
            part = people[done : done + AT_ONCE]
            try:
                stored = await database.write(take_in, part, signed, settings.centre.zone)
            except StorageError as error:
                raise StorageError(*error.problems, problem("cli.people.import.broken_off", count=done)) from error
            added, changed, closed = added + stored.added, changed + stored.changed, closed + stored.closed
            done += len(part)
            told(done)
            if done < len(people):
                await asyncio.sleep(GAP_SECONDS)
        after = await database.read(list_people)
    return Imported(Stored(added, changed, closed), before, after)


def export_people(
    config: ConfigPath = DEFAULT_CONFIG,
    output: Annotated[Path | None, typer.Option("--output", "-o", help=text("cli.reports.export.output"))] = None,
    encoding: Annotated[Encoding, typer.Option("--encoding", help=text("cli.people.export.encoding"))] = Encoding.UTF_8,
) -> None:
    settings = read_config(config)
    with open_reader(settings.database) as reader:
        found = reader.read(list_people)
    written = write_people(found)
    if output is None:
        typer.echo(written, nl=False)
        return
    try:
        content = written.encode("utf-8-sig" if encoding is Encoding.UTF_8 else "cp932")
    except UnicodeEncodeError as error:
        line = written.count("\r\n", 0, error.start) + 1
        raise BadInput(problem("cli.people.export.not_shift_jis", str(output), line)) from None
    write_file(output, content)
    typer.echo(text("cli.people.exported", count=len(found), file=output), err=True)


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
