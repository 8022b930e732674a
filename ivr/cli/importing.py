"""`kenko-call people import`: says what it would do, does it, and undoes the last one."""

import asyncio
import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ivr.cli.import_preview import MOST_LINES, print_outcome, print_preview, say
from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, local_moment, print_json
from ivr.cli.plan import preview_tomorrow, print_changes
from ivr.cli.screen import err_console
from ivr.cli.staff import By, signed_by
from ivr.config import Config, read_config
from ivr.document import read_content
from ivr.errors import BadInput, Problem, StorageError, problem
from ivr.files.import_preview import Comparison, Preview
from ivr.messages import text
from ivr.person import Person
from ivr.roster import Roster, complete_roster, parse_roster
from ivr.storage.database import Database, Reader, open_database, open_reader
from ivr.storage.decisions import Signed
from ivr.storage.imports import (
    NotUndone,
    Refusal,
    begin_import,
    check_undo,
    count_earlier,
    count_imported,
    end_undo,
    forget_earlier,
    holders_of,
    ids_of,
    import_part,
    last_import,
    namesakes_of,
    undo_part,
)
from ivr.storage.people import Stored, count_people, known_people, list_people, padded_among
from ivr.storage.sqlite import database_file
from ivr.storage.tombstones import erased_among

#: People stored in one transaction: up to this size an import is all or nothing whatever happens. 5,000 take 0.3 s.
AT_ONCE = 5000
#: SQLite looks at a lock that it waits for every 0.1 s at the latest.
GAP_SECONDS = 0.12
#: What a change does to tomorrow is told for at most this number of people; beyond, it would cost as much as an import.
MOST_TO_COMPARE = 20_000

Yes = Annotated[bool, typer.Option("--yes", help=text("cli.people.import.yes"))]


def import_people(
    file: Annotated[Path | None, typer.Argument(help=text("cli.people.import.file"))] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    partial_rows: Annotated[bool, typer.Option("--partial", help=text("cli.people.import.partial"))] = False,
    by: By = None,
    yes: Yes = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=text("cli.people.import.dry_run"))] = False,
    undo: Annotated[bool, typer.Option("--undo", help=text("cli.people.import.undo"))] = False,
    as_json: AsJson = False,
) -> int:
    settings = read_config(config)
    if undo or file is None:
        if not undo or file is not None:
            raise BadInput(problem("cli.people.import.file_or_undo"))
        return _undo(settings, signed_by(settings, by, text("cli.people.import.undo_reason")), yes, as_json)
    signed = signed_by(settings, by, text("cli.people.import.reason", file=file.name))
    content = read_content(file)
    with _progress() as bar:
        roster = _read(settings, content, file, signed, bar("cli.people.import.reading", content.count(b"\n")))
        if roster.problems and not (partial_rows and roster.people):
            raise BadInput(*roster.problems)
        roster, preview = _look(settings, roster, str(file), signed, bar("cli.people.import.comparing", 0))
    if roster.problems and not (partial_rows and roster.people):
        raise BadInput(*roster.problems)
    if not as_json:
        print_preview(preview, len(roster.people))
    if dry_run or not _is_wanted(preview, yes, as_json):
        if as_json:
            print_outcome(roster, preview, None)
        return (1 if roster.problems else 0) if dry_run else 2
    return _carry_out(settings, roster, preview, file.name, signed, as_json)


def _read(settings: Config, content: bytes, file: Path, signed: Signed, told: Callable[[int], None]) -> Roster:
    today = signed.at.astimezone(settings.centre.zone).date()
    return parse_roster(content, str(file), settings.roster_rules.on(today), told)


def _look(
    settings: Config, roster: Roster, file: str, signed: Signed, told: Callable[[int], None]
) -> tuple[Roster, Preview]:
    """Compare with what is stored; the roster completed, without the rows that cannot be taken beside it."""
    comparison = Comparison(settings.calendar, signed.at.astimezone(settings.centre.zone).date())
    if not database_file(settings.database).exists():
        roster = complete_roster(roster, {}, file)
        comparison.add(roster.people, {})
        return roster, _finished(comparison, roster, None)
    with _reader(settings) as reader:
        people: list[Person] = []
        problems = list(roster.problems)
        for part in _parts(roster.people):
            stored = reader.read(known_people, part)
            refused = _refused(reader, [each.id for each in part if each.id not in stored], roster, file)
            problems += refused.values()
            whole = complete_roster(
                replace(roster, people=tuple(each for each in part if each.id not in refused), problems=()),
                stored,
                file,
            )
            problems += whole.problems
            comparison.add(whole.people, stored)
            people += whole.people
            told(len(people))
        problems.sort(key=lambda each: each.line or 0)
        roster = replace(roster, people=tuple(people), problems=tuple(problems))
        return roster, _finished(comparison, roster, reader)


def _parts(people: Sequence[Person]) -> Iterator[Sequence[Person]]:
    return (people[first : first + AT_ONCE] for first in range(0, len(people), AT_ONCE))


def _reader(settings: Config) -> Reader:
    try:
        return open_reader(settings.database)
    except StorageError:
        # Of an older version, or left by a process that died: put in order by opening it for writing.
        asyncio.run(_make_ready(settings))
        return open_reader(settings.database)


async def _make_ready(settings: Config) -> None:
    async with await open_database(settings.database, beside_service=True):
        pass


def _refused(reader: Reader, new: list[str], roster: Roster, file: str) -> dict[str, Problem]:
    """IDs that nobody new may have, and why."""
    refused = {each: problem("storage.erased", id=each) for each in reader.read(erased_among, new)}
    for id, stored in reader.read(padded_among, new).items():
        refused.setdefault(id, problem("roster.id_padded_stored", id=id, stored=stored))
    return {id: replace(each, file=file, line=roster.lines.get(id)) for id, each in refused.items()}


def _finished(comparison: Comparison, roster: Roster, reader: Reader | None) -> Preview:
    added = set(comparison.added)
    new = [each for each in roster.people if each.id in added and each.birth_date]
    holders = reader.read(holders_of, comparison.gaining) if reader else {}
    namesakes = reader.read(namesakes_of, new) if reader else {}
    return comparison.finish(holders, new, namesakes)


def _is_wanted(preview: Preview, yes: bool, as_json: bool) -> bool:
    """Whether it may be done. Raises BadInput if nobody says yes."""
    if yes or not preview.loses:
        return True
    if as_json:
        return False
    _confirm()
    return True


def _confirm() -> None:
    """Raises BadInput if nobody says yes."""
    try:
        said = typer.prompt(text("cli.people.import.confirm"), default="", show_default=False, err=True)
    except typer.Abort:
        said = ""
    if said.strip().lower() not in ("yes", "はい"):
        raise BadInput(problem("cli.people.import.not_confirmed"))


def _carry_out(settings: Config, roster: Roster, preview: Preview, file: str, signed: Signed, as_json: bool) -> int:
    with _progress() as bar:
        told = bar("cli.people.import.storing", len(roster.people))
        # Looking through all the rows for garbage, again and again, doubles the time of storing them.
        gc.freeze()
        try:
            done = asyncio.run(_store(settings, roster, preview, file, signed, told))
        finally:
            gc.unfreeze()
    if as_json:
        print_outcome(roster, preview, done.stored)
    else:
        _tell(roster, done.stored)
        if done.before is not None and done.after is not None:
            print_changes(settings, preview_tomorrow((settings, done.before), (settings, done.after)))
    return 1 if roster.problems or done.stored.closed else 0


def _tell(roster: Roster, stored: Stored) -> None:
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
    """Makes bars on standard error, if it is a terminal: `bar(message, total)` gives what to tell how far it is."""
    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*parts, console=err_console, transient=True, disable=not err_console.is_terminal) as bars:

        def bar(message: str, total: int) -> Callable[[int], None]:
            task = bars.add_task(text(message), total=total or None)
            return lambda done: bars.update(task, completed=done)

        yield bar


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    stored: Stored
    before: tuple[Person, ...] | None  #: under observation; None: too many to compare
    after: tuple[Person, ...] | None


async def _store(
    settings: Config, roster: Roster, preview: Preview, file: str, signed: Signed, told: Callable[[int], None]
) -> Imported:
    """Store them, so many at once: a service beside us writes down answers, and waits for a lock 5 s at most."""
    added = changed = done = 0
    closed: tuple[str, ...] = ()
    before = after = None
    async with await open_database(settings.database, beside_service=True) as database:
        if max(len(roster.people), await database.read(count_people)) <= MOST_TO_COMPARE:
            before = await database.read(list_people)
        # An import that changes nothing leaves the one before it to be undone.
        key = await database.write(begin_import, file, signed) if preview.added or preview.changes else None
        for part in _parts(roster.people):
            try:
                stored = await database.write(import_part, key, part, roster.columns, signed, settings.centre.zone)
            except StorageError as error:
                raise StorageError(*error.problems, problem("cli.people.import.broken_off", count=done)) from error
            added, changed, closed = added + stored.added, changed + stored.changed, closed + stored.closed
            done += len(part)
            told(done)
            if done < len(roster.people):
                await asyncio.sleep(GAP_SECONDS)
        if key is not None:
            await _forget_earlier(database, key)
        if before is not None:
            after = await database.read(list_people)
    return Imported(Stored(added, changed, closed), before, after)


async def _forget_earlier(database: Database, key: int) -> None:
    for _ in range(0, await database.read(count_earlier, key), AT_ONCE):
        await database.write(forget_earlier, key, AT_ONCE)
        await asyncio.sleep(GAP_SECONDS)


def _undo(settings: Config, signed: Signed, yes: bool, as_json: bool) -> int:
    """Undo the last import. Raises BadInput if there is none, or if it is too late."""
    try:
        added, changed = asyncio.run(_undone(settings, signed, yes=yes or as_json))
    except NotUndone as refused:
        ids = ", ".join(refused.ids[:MOST_LINES])
        raise BadInput(problem(f"cli.people.import.not_undone.{refused.why}", ids=ids)) from None
    if as_json:
        print_json({"removed": added, "restored": changed})
    else:
        typer.echo(text("cli.people.import.undone", added=added, changed=changed))
    return 0


async def _undone(settings: Config, signed: Signed, *, yes: bool) -> tuple[int, int]:
    with open_reader(settings.database) as reader:
        last = reader.read(last_import)
        if last is None:
            raise NotUndone(Refusal.NONE)
        ids = reader.read(ids_of, last)
        for first in range(0, len(ids), AT_ONCE):
            reader.read(check_undo, last, ids[first : first + AT_ONCE])
        counts = reader.read(count_imported, last)
    added, changed = counts
    told = {"file": last.file, "by": last.by, "at": local_moment(settings, last.at)}
    say(text("cli.people.import.undo_extent", added=added, changed=changed, **told))
    if not yes:
        _confirm()
    async with await open_database(settings.database, beside_service=True) as database:
        for first in range(0, len(ids), AT_ONCE):
            await database.write(undo_part, last, ids[first : first + AT_ONCE], signed)
            await asyncio.sleep(GAP_SECONDS if first + AT_ONCE < len(ids) else 0)
        await database.write(end_undo, last, signed.at)
    return counts
