"""`kenko-call people new-id|unlock`: IDs for those who ring us, and IDs that too many wrong birth dates have locked."""

import asyncio
import secrets
from typing import Annotated

import typer

from ivr.cli.output import DEFAULT_CONFIG, ConfigPath
from ivr.cli.staff import By, Ids, Reason, decide, signed_by
from ivr.config import read_config
from ivr.identity import new_id
from ivr.messages import text
from ivr.storage.callers import unlock_caller
from ivr.storage.database import open_reader
from ivr.storage.people import list_people
from ivr.storage.tombstones import tombstones


def new_ids(
    config: ConfigPath = DEFAULT_CONFIG,
    count: Annotated[int, typer.Option("--count", min=1, max=10_000, help=text("cli.people.new_id.count"))] = 1,
) -> None:
    """Nothing is stored: an ID is somebody's when it comes back in a roster."""
    settings = read_config(config)
    taken: set[str] = set()
    # IDs are wanted before the first roster is.
    if settings.database.exists():
        with open_reader(settings.database) as reader:
            taken = {each.id for each in reader.read(list_people, closed=True)}
            taken |= {each.person_id for each in reader.read(tombstones)}
    for _ in range(count):
        fresh = new_id(secrets.randbelow, taken.__contains__)
        taken.add(fresh)
        typer.echo(fresh)


def unlock(ids: Ids, reason: Reason, config: ConfigPath = DEFAULT_CONFIG, by: By = None) -> None:
    settings = read_config(config)
    asyncio.run(decide(settings, ids, "cli.people.not_locked", unlock_caller, signed_by(settings, by, reason)))
    typer.echo(text("cli.people.unlocked", count=len(ids)))
