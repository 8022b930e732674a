"""`kenko-call sync`: how the way to the centre stands, what it refused, and trying again."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import typer

from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, local_moment, now_at, print_json, word
from ivr.cli.screen import console, print_table
from ivr.cli.standing import is_troubled, pull_data, pull_lines, spoken_age
from ivr.config import Config, read_config
from ivr.errors import BadInput, problem
from ivr.messages import text
from ivr.storage.comparisons import latest
from ivr.storage.database import open_database, open_reader
from ivr.storage.link import get_link, wish_now
from ivr.storage.outbox import Row, backlog, parked_rows, retry
from ivr.storage.pulled import get_pulled
from ivr.sync.delivery import Link


def status(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    """Exit code 1 while nothing gets through, something is parked, or the centre holds other documents."""
    settings = read_config(config)
    with open_reader(settings.database) as reader:
        found, link = reader.read(backlog), reader.read(get_link)
        compared, pulled = reader.read(latest), reader.read(get_pulled)
    age = found.age(now_at(settings))
    off = settings.sync.destination is None
    if as_json:
        print_json(
            {
                "way": settings.sync.way,
                "centre": settings.sync.destination,
                "oldest_seconds": age,
                **asdict(found),
                "link": asdict(link),
                "compared": asdict(compared),
                "pull": pull_data(settings, pulled),
            }
        )
    else:
        counts = text("cli.sync.counts", unsent=found.unsent, parked=found.parked, acknowledged=found.acknowledged)
        console.print(counts)
        if found.oldest is not None:
            console.print(text("cli.sync.oldest", age=spoken_age(age)))
        console.print(text("cli.sync.no_centre") if off else _way(settings, link))
        if compared.at is not None:
            at = local_moment(settings, compared.at)
            console.print(text("cli.sync.compared", day=compared.day, at=at, differing=compared.differing))
        for line in pull_lines(settings, pulled):
            console.print(line)
    troubled = not off and (link.problem or found.parked or compared.differing)
    return 1 if troubled or is_troubled(settings, pulled) else 0


def _way(settings: Config, link: Link) -> str:
    if not link.problem:
        if link.last_success is None:
            return text("cli.sync.never")
        return text("cli.sync.works", last=local_moment(settings, link.last_success))
    until = local_moment(settings, link.until) if link.until else "-"
    if link.stopped:
        return text("cli.sync.stopped", problem=link.problem, until=until)
    return text("cli.sync.fails", failures=link.failures, problem=link.problem, until=until)


def parked(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    """Exit code 1 if there are any."""
    settings = read_config(config)
    with open_reader(settings.database) as reader:
        found = reader.read(parked_rows)
    if as_json:
        print_json({"parked": [_as_json(each) for each in found]})
    else:
        columns = [f"column.{each}" for each in ("parked_id", "frozen", "sent_kind", "id", "refused_for")]
        rows = (
            (
                str(each.id),
                local_moment(settings, each.queued_at),
                word("sent", each.kind),
                each.about,
                each.problem,
            )
            for each in found
        )
        print_table(text("cli.sync.parked.title"), columns, rows)
    return 1 if found else 0


def _as_json(row: Row) -> dict[str, object]:
    """Everything but the answers: whoever wants those asks for the report."""
    return {name: value for name, value in asdict(row).items() if name != "payload"}


def now(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """A wish: the service carries it out at its next look."""
    settings = read_config(config)
    if settings.sync.destination is None:
        raise BadInput(problem("cli.sync.no_centre"))
    asyncio.run(_write(settings, wish_now, now_at(settings)))
    typer.echo(text("cli.sync.now.done"))


def retry_parked(
    ids: Annotated[list[int] | None, typer.Argument(help=text("cli.sync.retry.ids"))] = None,
    every: Annotated[bool, typer.Option("--all", help=text("cli.sync.retry.all"))] = False,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """All of those that are named are parked, or nothing is done."""
    settings = read_config(config)
    if not ids and not every:
        raise BadInput(problem("cli.sync.retry.none"))
    with open_reader(settings.database) as reader:
        known = {each.id for each in reader.read(parked_rows)}
    unknown = [each for each in ids or () if each not in known]
    if unknown:
        raise BadInput(*(problem("cli.sync.retry.unknown", id=each) for each in unknown))
    count = asyncio.run(_write(settings, retry, None if every else ids, now_at(settings)))
    typer.echo(text("cli.sync.retry.done", count=count))


async def _write(settings: Config, function: Callable[..., int | None], *arguments: object) -> int | None:
    async with await open_database(settings.database, beside_service=True) as database:
        return await database.write(function, *arguments)
