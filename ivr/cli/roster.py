"""`kenko-call people`: who is under observation."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, now, print_json
from ivr.config import Config, read_config
from ivr.messages import text
from ivr.numbers import BadNumber, normalise
from ivr.roster import Person, Rules, read_people
from ivr.storage.database import open_database
from ivr.storage.people import upsert_people


def import_people(
    file: Annotated[Path, typer.Argument(help=text("cli.people.import.file"))],
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    settings = read_config(config)
    rules = Rules(partial(check_number, settings), tuple(settings.slots))
    people = read_people(file, rules)
    asyncio.run(_store(settings, people))
    if as_json:
        print_json({"people": len(people)})
    else:
        typer.echo(text("cli.people.imported", count=len(people)))


def check_number(settings: Config, raw: str) -> str:
    """The national form of a number that this installation may ring. Raises BadNumber."""
    number = normalise(raw, settings.numbers)
    if number in settings.pbx.inbound_numbers:
        raise BadNumber("number.own")
    return number


async def _store(settings: Config, people: tuple[Person, ...]) -> None:
    async with await open_database(settings.database, beside_service=True) as database:
        await database.write(upsert_people, people, now(settings))
