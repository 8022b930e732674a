"""`kenko-call reports export|import`: the answers out; in, who reported by another way, so that nobody rings them."""

import asyncio
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, OnDay, day_of, now_at, print_json, write_out
from ivr.config import Config, read_config
from ivr.document import read_content
from ivr.export import to_csv, to_json
from ivr.loading import load_questionnaire
from ivr.messages import text
from ivr.reported import Reported, parse_reported
from ivr.storage.database import open_database, open_reader
from ivr.storage.elsewhere import take_reported
from ivr.storage.reports import export_rows


class Format(StrEnum):
    """Forms of an export."""

    CSV = "csv"
    JSON = "json"


def export_reports(
    config: ConfigPath = DEFAULT_CONFIG,
    form: Annotated[Format, typer.Option("--format", help=text("cli.reports.export.format"))] = Format.CSV,
    date: OnDay = None,
    until: Annotated[
        datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help=text("cli.reports.export.until"))
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help=text("cli.reports.export.output"))] = None,
) -> None:
    settings = read_config(config)
    day = day_of(settings, date)
    with open_reader(settings.database) as reader:
        rows = reader.read(export_rows, day, until.date() if until else day)
    zone = settings.centre.zone
    if form is Format.JSON:
        written = to_json(rows, zone)
    else:
        questionnaire, _ = load_questionnaire(settings.questionnaire)
        written = to_csv(rows, zone, [each.id for each in questionnaire.questions])
    write_out(output, written.encode())
    if output is not None:
        typer.echo(text("cli.reports.exported", count=len(rows), file=output), err=True)


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
