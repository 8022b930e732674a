"""`kenko-call people pause|resume|close`: decisions of staff, each with a reason and the name of who made it."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from datetime import time as wall_time
from typing import Annotated

import typer

from ivr.cells import read_text
from ivr.cli.output import DEFAULT_CONFIG, ConfigPath, now_at, operator
from ivr.cli.plan import preview_tomorrow, print_changes
from ivr.config import Config, read_config
from ivr.errors import BadInput, Problem, problem
from ivr.files.given_text import WrongCell, clean
from ivr.messages import text
from ivr.storage.database import open_database
from ivr.storage.decisions import NotPossible, Signed, close_person, for_all, pause_person, take_up
from ivr.storage.people import list_people
from scheduler.forecast import Changes

#: A longer pause is a new decision: nobody must be forgotten in one.
LONGEST_PAUSE_DAYS = 31

Ids = Annotated[list[str], typer.Argument(help=text("cli.people.ids"), metavar="ID...")]
Reason = Annotated[str, typer.Option("--reason", help=text("cli.people.reason"))]
By = Annotated[str | None, typer.Option("--by", help=text("cli.people.by"))]
Until = Annotated[
    datetime,
    typer.Option("--until", formats=["%Y-%m-%d"], help=text("cli.people.pause.until", days=LONGEST_PAUSE_DAYS)),
]


def pause(ids: Ids, reason: Reason, until: Until, config: ConfigPath = DEFAULT_CONFIG, by: By = None) -> None:
    settings = read_config(config)
    signed = signed_by(settings, by, reason)
    today = signed.at.astimezone(settings.centre.zone).date()
    last = until.date()
    if not today <= last <= today + timedelta(days=LONGEST_PAUSE_DAYS):
        raise BadInput(problem("cli.people.pause.bad_day", days=LONGEST_PAUSE_DAYS))
    ends = datetime.combine(last + timedelta(days=1), wall_time.min, settings.centre.zone)
    found = asyncio.run(decide(settings, ids, "cli.people.not_observed", pause_person, ends, signed))
    typer.echo(text("cli.people.paused", count=len(ids), until=last))
    print_changes(settings, found)


def resume(ids: Ids, reason: Reason, config: ConfigPath = DEFAULT_CONFIG, by: By = None) -> None:
    settings = read_config(config)
    found = asyncio.run(decide(settings, ids, "cli.people.not_stopped", take_up, signed_by(settings, by, reason)))
    typer.echo(text("cli.people.resumed", count=len(ids)))
    print_changes(settings, found)


def close(ids: Ids, reason: Reason, config: ConfigPath = DEFAULT_CONFIG, by: By = None) -> None:
    settings = read_config(config)
    found = asyncio.run(decide(settings, ids, "cli.people.not_observed", close_person, signed_by(settings, by, reason)))
    typer.echo(text("cli.people.closed", count=len(ids)))
    print_changes(settings, found)


def signed_by(settings: Config, by: str | None, reason: str) -> Signed:
    """Who decides, now: the name given, else the login name. Raises BadInput for an empty name or reason."""
    given = {"--by": clean(operator() if by is None else by), "--reason": clean(reason)}
    problems = []
    for option, value in given.items():
        try:
            read_text(value)
        except WrongCell as wrong:
            problems.append(Problem(wrong.message, {"column": option, **wrong.values}))
    if problems:
        raise BadInput(*problems)
    return Signed(given["--by"], given["--reason"], now_at(settings))


async def decide(
    settings: Config,
    ids: list[str],
    message: str,
    decision: Callable[..., bool],
    *args: object,
) -> Changes:
    """The decision for all of them, or for none: BadInput names those for whom it makes no sense. What it changes."""
    async with await open_database(settings.database, beside_service=True) as database:
        before = await database.read(list_people)
        try:
            await database.write(for_all, ids, decision, *args)
        except NotPossible as refused:
            raise BadInput(*(problem(message, id=each) for each in refused.ids)) from None
        after = await database.read(list_people)
    return preview_tomorrow((settings, before), (settings, after))
