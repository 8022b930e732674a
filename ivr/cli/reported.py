"""`kenko-call reports import`: who reported by another way, so that nobody rings them in vain."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, day_of, now_at, print_json
from ivr.config import Config, read_config
from ivr.document import read_content
from ivr.messages import text
from ivr.reported import Reported, parse_reported
from ivr.storage.database import open_database
from ivr.storage.elsewhere import take_reported


def import_reports(
    file: Annotated[Path, typer.Argument(help=text("cli.reports.import.file"))],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    settings = read_config(config)
    given = parse_reported(read_content(file), str(file), day_of(settings, None))
    new = asyncio.run(_store(settings, file, given))
    if as_json:
        print_json({"reports": len(given), "new": new})
    else:
        typer.echo(text("cli.reports.imported", count=len(given), new=new))


async def _store(settings: Config, file: Path, given: tuple[Reported, ...]) -> int:
    async with await open_database(settings.database, beside_service=True) as database:
        return await database.write(take_reported, given, str(file), now_at(settings))
