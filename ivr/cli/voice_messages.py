"""`kenko-call voice-messages`: what people said instead of keying it, for staff to hear."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, OnDay, day_of, local_time, print_json
from ivr.cli.screen import console, print_table
from ivr.config import Config, read_config
from ivr.errors import BadInput, problem
from ivr.files.saving import save_or_refuse
from ivr.messages import text
from ivr.recordings import orphans
from ivr.storage.database import open_reader
from ivr.storage.voice_messages import VoiceMessage, message_ids, messages_between, messages_like


def list_messages(
    config: ConfigPath = DEFAULT_CONFIG,
    date: OnDay = None,
    until: Annotated[
        datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help=text("cli.reports.export.until"))
    ] = None,
    as_json: AsJson = False,
) -> int:
    settings = read_config(config)
    day = day_of(settings, date)
    with open_reader(settings.database) as reader:
        found = reader.read(messages_between, day, until.date() if until else day)
        lost = orphans(settings.voice_messages, reader.read(message_ids))
    if as_json:
        print_json({"messages": [asdict(each) for each in found], "unnamed": [each.stem for each in lost]})
    else:
        columns = [f"column.{each}" for each in ("message", "day", "time", "id", "question", "seconds", "counts")]
        rows = (_row(settings, each) for each in found)
        print_table(text("cli.voice_messages.title", day=day), columns, rows)
        for each in lost:
            console.print(text("cli.voice_messages.unnamed", file=each))
    return 1 if lost else 0


def _row(settings: Config, each: VoiceMessage) -> tuple[str, ...]:
    counts = text("cli.voice_messages.counts" if each.is_answer else "cli.voice_messages.replaced")
    who = each.person_id or " ".join(filter(None, ("?", each.claimed_id, each.number)))
    at = local_time(settings, each.at)
    return each.id, str(each.day), at, who, each.question_id, f"{each.seconds:.0f}", counts


def export(
    message: Annotated[str, typer.Argument(help=text("cli.voice_messages.id"), metavar="ID")],
    output: Annotated[Path, typer.Option("--output", "-o", help=text("cli.voice_messages.output"))],
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    settings = read_config(config)
    with open_reader(settings.database) as reader:
        found = reader.read(messages_like, message)
    if len(found) != 1:
        name = "cli.voice_messages.several" if found else "cli.voice_messages.none"
        raise BadInput(problem(name, given=message, count=len(found)))
    (wanted,) = found
    source = settings.voice_messages / f"{wanted.id}.wav"
    target = output / f"{wanted.id}.wav" if output.is_dir() else output
    try:
        content = source.read_bytes()
    except OSError as error:
        raise BadInput(problem("file.unreadable", str(source), reason=error.strerror or str(error))) from None
    save_or_refuse(target, content)
    typer.echo(text("cli.voice_messages.exported", file=target), err=True)
