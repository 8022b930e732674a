"""`kenko-call doctor` and `backup`: what an administrator asks and does every day."""

import asyncio
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from ivr.ari.settings import PbxSettings
from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, print_json, print_table
from ivr.config import Config, read_config
from ivr.doctor.judgement import Light, Line, examine, worst
from ivr.errors import BadInput, problem
from ivr.messages import text
from ivr.storage.backup import copy_database


def doctor(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    # Only now: every other command would wait for all that talks to Asterisk.
    from ivr.doctor.facts import gather
    from ivr.service import pbx_settings

    settings = read_config(config)
    reached: PbxSettings | BadInput
    try:
        reached = pbx_settings(settings)
    except BadInput as bad:
        reached = bad
    lines = examine(asyncio.run(gather(settings, reached, datetime.now(UTC))))
    light = worst(lines)
    if as_json:
        print_json({"light": light.name.lower(), "lines": [_as_json(each) for each in lines]})
    else:
        rows = ((text(f"doctor_check.{each.check}"), _shown(each.light), escape(each.says.render())) for each in lines)
        print_table(text("cli.doctor.title"), ("column.check", "column.light", "column.says"), rows)
    return int(light)


def backup(
    config: ConfigPath = DEFAULT_CONFIG,
    output: Annotated[Path | None, typer.Option("--output", "-o", help=text("cli.backup.output"))] = None,
) -> None:
    settings = read_config(config)
    folder = output or settings.backups
    if folder is None:
        raise BadInput(problem("cli.backup.no_folder"))
    made = folder / f"kenko-call-{datetime.now(settings.centre.zone):%Y%m%d-%H%M%S}"
    fresh = made.with_name(f"{made.name}.part")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.mkdir(mode=0o700)
        try:
            _copy(settings, fresh)
            fresh.rename(made)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        os.sync()
    except OSError as error:
        raise BadInput(problem("file.unwritable", str(made), reason=error.strerror or str(error))) from None
    typer.echo(text("cli.backup.done", folder=made))


def _copy(settings: Config, folder: Path) -> None:
    copy_database(settings.database, folder / settings.database.name)
    # After the database: a recording that a row names is there; one more harms nobody.
    if settings.voice_messages.is_dir():
        shutil.copytree(settings.voice_messages, folder / settings.voice_messages.name)


def _as_json(line: Line) -> dict[str, str]:
    return {"check": line.check, "light": line.light.name.lower(), "id": line.says.message, "says": line.says.render()}


def _shown(light: Light) -> str:
    colour = light.name.lower()
    return f"[{colour}]●[/{colour}] {text(f'light.{colour}')}"
