"""`kenko-call sync take|conflicts|settle`: the centre's changes from a file, and where it and we disagree."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, day_of, local_moment, now_at, print_json, word
from ivr.cli.screen import print_table
from ivr.cli.staff import By, Reason, signed_by
from ivr.config import Config, read_config
from ivr.document import read_content
from ivr.messages import text
from ivr.storage import conflicts as stored
from ivr.storage.arriving import Arrived, take_changes
from ivr.storage.database import open_database, open_reader
from ivr.storage.decisions import Signed
from ivr.sync.changes import Changes, parse_lines
from ivr.sync.merging import Kept


def take(
    file: Annotated[Path, typer.Argument(help=text("cli.sync.take.file"))],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> int:
    """Exit code 1 if there are differences that are new."""
    settings = read_config(config)
    given = parse_lines(read_content(file), str(file), settings.roster_rules, day_of(settings, None))
    arrived = asyncio.run(_take(settings, given, file))
    if as_json:
        print_json(asdict(arrived))
    else:
        typer.echo(text("cli.sync.taken", None, **asdict(arrived)))
        if arrived.conflicts:
            typer.echo(text("cli.sync.pull.conflicts", count=arrived.conflicts), err=True)
    return 1 if arrived.conflicts else 0


async def _take(settings: Config, given: Changes, file: Path) -> Arrived:
    async with await open_database(settings.database, beside_service=True) as database:
        return await database.write(take_changes, given, str(file), settings.centre.zone, now_at(settings))


def conflicts(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    """Exit code 1 if there are any."""
    settings = read_config(config)
    with open_reader(settings.database) as reader:
        found = reader.read(stored.open_conflicts)
    if as_json:
        print_json({"conflicts": [asdict(each) for each in found]})
    else:
        columns = ("conflict", "found", "id", "conflict_field", "conflict_here", "conflict_centre", "conflict_kept")
        rows = (
            (
                str(each.id),
                local_moment(settings, each.found_at)[5:16],
                each.person_id,
                word("conflict_field", each.field),
                _shown(each.here),
                _shown(each.centre),
                word("conflict_kept", each.kept),
            )
            for each in found
        )
        print_table(text("cli.sync.conflicts.title"), [f"column.{each}" for each in columns], rows)
    return 1 if found else 0


def _shown(value: Mapping[str, str]) -> str:
    return "\n".join(word("conflict_standing", each) for each in value.values() if each) or "-"


def settle(
    ids: Annotated[list[int], typer.Argument(help=text("cli.sync.settle.ids"))],
    keep: Annotated[Kept, typer.Option("--keep", help=text("cli.sync.settle.keep"))],
    reason: Reason,
    config: ConfigPath = DEFAULT_CONFIG,
    by: By = None,
) -> None:
    settings = read_config(config)
    asyncio.run(_settle(settings, ids, keep, signed_by(settings, by, reason)))
    typer.echo(text("cli.sync.settled", count=len(ids)))


async def _settle(settings: Config, ids: list[int], kept: Kept, signed: Signed) -> None:
    async with await open_database(settings.database, beside_service=True) as database:
        await database.write(stored.settle, ids, kept, settings.roster_rules, signed)
