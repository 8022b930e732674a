"""`kenko-call reload` and `questionnaires`: which version is live, which were, and how to go back to one.

Nothing here touches the service: a wish is written down, and the service says in the same row what became of it.
"""

import asyncio
from typing import Annotated

import typer

from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, local_moment, now_at, operator, print_json, word
from ivr.cli.plan import preview_tomorrow, print_changes
from ivr.cli.screen import console, print_table
from ivr.cli.standing import refusal_line, refusals
from ivr.config import Config, read_config
from ivr.errors import BadInput, problem
from ivr.inforce import IN_FORCE, hours_text, with_hours
from ivr.messages import text
from ivr.storage.database import Reader, open_database, open_reader
from ivr.storage.facts import get_fact
from ivr.storage.people import list_people
from ivr.storage.questionnaires import (
    Activation,
    Standing,
    Version,
    get_activation,
    questionnaire_source,
    standing,
    versions_like,
    wish,
)
from ivr.storage.questionnaires import history as journal
from ivr.storage.words import Cause, Verdict

#: So much of a hash is shown, and enough to name a version.
SHOWN = 12
#: Seconds in which a service that is up has decided; it looks every second, and a check of all prompts takes one.
_PATIENCE = 8.0
_LOOK_SECONDS = 0.1

Hash = Annotated[str, typer.Argument(help=text("cli.questionnaires.hash"), metavar="HASH")]


def reload(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    settings = read_config(config)
    code = asyncio.run(_ask(settings, Cause.RELOAD, None, as_json))
    if not as_json:
        _tell_tomorrow(settings)
    return code


def _tell_tomorrow(settings: Config) -> None:
    """What the hours on disk do to tomorrow, against those by which the service calls since its start."""
    with open_reader(settings.database) as reader:
        stored, people = reader.read(get_fact, IN_FORCE), reader.read(list_people)
    if stored is None:
        return
    print_changes(settings, preview_tomorrow((with_hours(settings, stored), people), (settings, people)))
    if hours_text(settings) != stored:
        typer.echo(text("cli.reload.restart"))


def activate(version: Hash, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False) -> int:
    settings = read_config(config)
    with open_reader(settings.database) as reader:
        wanted = _the_version(reader, version)
    return asyncio.run(_ask(settings, Cause.ACTIVATE, wanted.hash, as_json))


def show(
    version: Annotated[str | None, typer.Argument(help=text("cli.questionnaires.show.hash"), metavar="HASH")] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    settings = read_config(config)
    with open_reader(settings.database) as reader:
        live = reader.read(standing).live
        wanted = _the_version(reader, version or (live and live.hash) or "")
        source = reader.read(questionnaire_source, wanted.hash)
    if as_json:
        print_json({"hash": wanted.hash, "id": wanted.id, "stored_at": wanted.stored_at, "source": source})
    else:
        typer.echo(source, nl=False)


def history(
    config: ConfigPath = DEFAULT_CONFIG,
    most: Annotated[int, typer.Option("--most", min=1, help=text("cli.questionnaires.history.most"))] = 20,
    as_json: AsJson = False,
) -> None:
    settings = read_config(config)
    with open_reader(settings.database) as reader:
        now, rows = reader.read(standing), reader.read(journal, most)
    if as_json:
        print_json({"live": now.live and now.live.hash, "activations": [_data(each) for each in rows]})
        return
    columns = [f"column.{each}" for each in ("when", "version", "cause", "by_whom", "verdict")]
    print_table(text("cli.questionnaires.history.title"), columns, (_row(settings, now, each) for each in rows))
    if now.refused is not None:
        console.print(refusal_line(now.refused))
        for line in refusals(now.refused):
            typer.echo(line)


def _row(settings: Config, now: Standing, each: Activation) -> tuple[str, ...]:
    verdict = word("verdict", "live" if now.live and now.live.id == each.id else each.verdict)
    version = (each.hash or each.file_hash or "")[:SHOWN]
    when = local_moment(settings, each.decided_at or each.wished_at)
    return when, version, word("cause", each.cause), each.by_whom or "", verdict


def _data(each: Activation) -> dict[str, object]:
    return {
        "version": each.hash,
        "file": each.file_hash,
        "cause": each.cause,
        "by_whom": each.by_whom,
        "verdict": each.verdict,
        "problems": refusals(each),
        "wished_at": each.wished_at,
        "decided_at": each.decided_at,
    }


def _the_version(reader: Reader, beginning: str) -> Version:
    """The one version whose hash begins so. Raises BadInput."""
    found = reader.read(versions_like, beginning.lower())
    if len(found) != 1:
        message = "cli.questionnaires.several" if found else "cli.questionnaires.none"
        raise BadInput(problem(message, given=beginning, count=len(found)))
    return found[0]


async def _ask(settings: Config, cause: Cause, version: str | None, as_json: bool) -> int:
    async with await open_database(settings.database, beside_service=True) as database:
        wished = await database.write(wish, cause, operator(), version, now_at(settings))
        found = await database.read(get_activation, wished)
        waits = _PATIENCE if database.beside_service else 0.0
        while found.verdict is Verdict.WISHED and waits > 0:
            await asyncio.sleep(_LOOK_SECONDS)
            waits -= _LOOK_SECONDS
            found = await database.read(get_activation, wished)
        alone = not database.beside_service
    if as_json:
        print_json(_data(found))
    elif found.verdict is Verdict.WISHED:
        typer.echo(text("cli.questionnaires.later" if alone else "cli.questionnaires.slow"))
    elif found.verdict is Verdict.DONE:
        typer.echo(text("cli.questionnaires.done", version=(found.hash or "")[:SHOWN]))
    else:
        for line in refusals(found):
            typer.echo(line, err=True)
        typer.echo(text("cli.questionnaires.refused", count=len(found.problems)), err=True)
    return {Verdict.DONE: 0, Verdict.REFUSED: 2, Verdict.WISHED: 0 if alone else 1}[found.verdict]
