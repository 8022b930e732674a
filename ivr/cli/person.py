"""`kenko-call person export|erase`: all that there is of one person, to be given to them or to be erased."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ivr.cli.output import DEFAULT_CONFIG, ConfigPath, now_at, write_out
from ivr.cli.staff import By, Reason, signed_by
from ivr.config import Config, read_config
from ivr.erased import forget_traces, remove_recordings, write_erased
from ivr.errors import BadInput, Problem, StorageError, problem
from ivr.files.saving import save_or_refuse
from ivr.messages import text
from ivr.storage.database import open_database, open_reader
from ivr.storage.decisions import Signed
from ivr.storage.erasure import Extent, Refused, check_erasable, erase_person, extent_of
from ivr.storage.people import get_person
from ivr.storage.personal import rows_about
from ivr.storage.tombstones import tombstones

Id = Annotated[str, typer.Argument(help=text("cli.person.id"), metavar="ID")]


def export(
    id: Id,
    config: ConfigPath = DEFAULT_CONFIG,
    output: Annotated[Path | None, typer.Option("--output", "-o", help=text("cli.person.export.output"))] = None,
    recordings: Annotated[Path | None, typer.Option("--recordings", help=text("cli.person.export.recordings"))] = None,
) -> None:
    settings = read_config(config)
    with open_reader(settings.database) as reader:
        if reader.read(get_person, id) is None:
            raise BadInput(problem("cli.people.nobody", id=id))
        found = reader.read(rows_about, id)
        extent = reader.read(extent_of, id)
    if recordings is not None:
        _copy_recordings(settings, extent.recordings, recordings)
    told = {
        "person_id": id,
        "exported_at": _said(settings, now_at(settings)),
        "centre": settings.centre.name,
        "sections": [
            {"table": name, "title": text(f"table.{name}"), "rows": [_row(settings, each) for each in rows]}
            for name, rows in found.items()
        ],
        "recordings": [f"{each}.wav" for each in extent.recordings],
    }
    written = json.dumps(told, ensure_ascii=False, indent=2)
    write_out(output, written.encode() + b"\n")
    if output is None:
        return
    count = sum(map(len, found.values()))
    typer.echo(text("cli.person.exported", id=id, rows=count, file=output), err=True)


def _row(settings: Config, row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _said(settings, value) for name, value in row.items()}


def _said(settings: Config, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(settings.centre.zone).isoformat(timespec="seconds")
    return value if value is None or isinstance(value, int | float | str | dict | list) else str(value)


def _copy_recordings(settings: Config, ids: tuple[str, ...], folder: Path) -> None:
    """Those that cannot be read are a problem each: whoever asked for all must not get less unnoticed."""
    problems: list[Problem] = []
    for each in ids:
        source = settings.voice_messages / f"{each}.wav"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            content = source.read_bytes()
            save_or_refuse(folder / source.name, content)
        except BadInput as bad:
            problems += bad.problems
        except OSError as error:
            where = str(error.filename or source)
            problems.append(problem("file.unreadable", where, reason=error.strerror or str(error)))
    if problems:
        raise BadInput(*problems)


def erase(
    id: Id,
    reason: Reason,
    config: ConfigPath = DEFAULT_CONFIG,
    by: By = None,
    yes: Annotated[bool, typer.Option("--yes", help=text("cli.person.erase.yes"))] = False,
    unsent_too: Annotated[bool, typer.Option("--unsent-too", help=text("cli.person.erase.unsent_too"))] = False,
) -> None:
    settings = read_config(config)
    signed = signed_by(settings, by, reason)
    # Without a centre nothing would ever leave.
    unsent_too = unsent_too or settings.sync.destination is None
    try:
        with open_reader(settings.database) as reader:
            reader.read(check_erasable, id, signed, unsent_too=unsent_too)
            extent = reader.read(extent_of, id)
        typer.echo(_extent_line(id, extent), err=True)
        if not yes and typer.prompt(text("cli.person.erase.confirm"), default="", show_default=False, err=True) != id:
            raise BadInput(problem("cli.person.erase.not_confirmed"))
        asyncio.run(_erase(settings, id, signed, unsent_too=unsent_too))
    except Refused as refused:
        raise BadInput(problem(f"cli.person.refused.{refused.why}", id=id)) from None
    typer.echo(text("cli.person.erased", id=id))


def _extent_line(id: str, extent: Extent) -> str:
    return text(
        "cli.person.erase.extent",
        id=id,
        rows=extent.rows,
        recordings=len(extent.recordings),
        unsent=extent.unsent,
        tasks=extent.open_tasks,
        alerts=extent.open_alerts,
    )


async def _erase(settings: Config, id: str, signed: Signed, *, unsent_too: bool) -> None:
    day = signed.at.astimezone(settings.centre.zone).date()
    remove = partial(remove_recordings, settings.voice_messages)
    async with await open_database(settings.database, beside_service=True) as database:
        await database.write(erase_person, id, signed, day, remove, unsent_too=unsent_too)
        stones = await database.read(tombstones)
        write_erased(settings.erased, stones)
        try:
            done = await forget_traces(database)
        except StorageError as error:
            # Erased it is; what is left of it in free space goes at the next start.
            raise StorageError(*error.problems, problem("cli.person.erase.traces", id=id)) from None
        if not done:
            raise StorageError(problem("cli.person.erase.traces", id=id))
    if settings.erased_copy is not None:
        try:
            write_erased(settings.erased_copy, stones)
        except BadInput as bad:
            # Written again by the next backup.
            typer.echo(bad.render(), err=True)
