"""`kenko-call doctor` and `backup`: what an administrator asks and does every day."""

import asyncio
import errno
import os
import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from ivr.ari.settings import PbxSettings
from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, print_json
from ivr.cli.screen import print_table
from ivr.config import Config, read_config
from ivr.doctor.access import may_write, owner_of
from ivr.doctor.chosen import examine_chosen
from ivr.doctor.judgement import Light, Line, examine, worst
from ivr.doctor.pull import examine_pull
from ivr.doctor.secondway import examine_recordings, examine_second_way, without_ari
from ivr.doctor.watch import examine_call, examine_watch
from ivr.erased import write_erased
from ivr.errors import BadInput, problem
from ivr.files.saving import unwritable
from ivr.messages import text
from ivr.selftest import ANSWERED, Answer, read_answer, wish
from ivr.storage.backup import copy_database
from ivr.storage.database import open_database, open_reader
from ivr.storage.facts import get_fact
from ivr.storage.sqlite import is_locked
from ivr.storage.tombstones import tombstones

#: So long the running service may take to call itself: 17 s at most, and a look.
CALL_SECONDS = 25.0
_LOOK_SECONDS = 0.25

WithCall = Annotated[bool, typer.Option("--call", help=text("cli.doctor.call"))]


def doctor(config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False, call: WithCall = False) -> int:
    # Only now: every other command would wait for all that talks to Asterisk.
    from ivr.doctor.facts import fastagi_listens, gather, last_pulled, last_watched
    from ivr.drivers import pbx_settings

    settings = read_config(config)
    reached: PbxSettings | BadInput
    try:
        reached = pbx_settings(settings)
    except BadInput as bad:
        reached = bad
    now = datetime.now(UTC)
    found = asyncio.run(gather(settings, reached, now))
    duty, port = settings.duty, settings.fastagi.port
    lines = without_ari(examine(found), settings.fastagi.only)
    if not settings.fastagi.only:
        lines += examine_chosen(found.pbx, found.trunks, duty.endpoint, has_duty=bool(duty.endpoint or duty.number))
    lines.append(examine_second_way(port, port is not None and asyncio.run(fastagi_listens(port))))
    pulled = last_pulled(settings.database)
    trouble, age = (pulled.link.problem, pulled.age(now)) if pulled else ("", None)
    lines.append(examine_pull(settings.sync.pulls, trouble, age, settings.sync.alarm_hours))
    if port is not None:
        lines.append(_recordings(settings))
    lines += examine_watch(settings.watch.ami_secret_file is not None, last_watched(settings.database), now)
    if call:
        lines.append(examine_call(asyncio.run(_call(settings.database)), CALL_SECONDS))
    light = worst(lines)
    if as_json:
        print_json({"light": light.name.lower(), "lines": [_as_json(each) for each in lines]})
    else:
        rows = ((text(f"doctor_check.{each.check}"), _shown(each.light), each.says.render()) for each in lines)
        print_table(text("cli.doctor.title"), ("column.check", "column.light", "column.says"), rows)
    return int(light)


def _recordings(config: Config) -> Line:
    folder = config.fastagi.recordings
    # The service's user is whoever the database belongs to.
    users = (config.pbx.asterisk.run_as, owner_of(config.database) or "")
    return examine_recordings(str(folder), folder.is_dir(), {each: may_write(folder, each) for each in users if each})


async def _call(file: Path) -> Answer | None:
    """Ask the running service for a test call, and wait for its answer."""
    wanted = uuid.uuid4().hex
    if not is_locked(file):  # no service: nobody would take it up
        return None
    async with await open_database(file, beside_service=True) as database:
        await wish(database, wanted, datetime.now(UTC))
        for _ in range(int(CALL_SECONDS / _LOOK_SECONDS)):
            await asyncio.sleep(_LOOK_SECONDS)
            if answer := read_answer(await database.read(get_fact, ANSWERED), wanted):
                return answer
    return None


def backup(
    config: ConfigPath = DEFAULT_CONFIG,
    output: Annotated[Path | None, typer.Option("--output", "-o", help=text("cli.backup.output"))] = None,
) -> None:
    settings = read_config(config)
    folder = output or settings.backups
    if folder is None:
        raise BadInput(problem("cli.backup.no_folder"))
    if not settings.database.exists():
        raise BadInput(problem("doctor.no_database", path=settings.database))
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
        raise BadInput(unwritable(made, error)) from None
    typer.echo(text("cli.backup.done", folder=made))


def _copy(settings: Config, folder: Path) -> None:
    copy_database(settings.database, folder / settings.database.name)
    # Whoever restores an older one than this needs to know who has been erased since: beside it, and in it.
    with open_reader(folder / settings.database.name) as reader:
        stones = reader.read(tombstones)
    if stones:
        for beside in (folder, folder.parent):
            write_erased(beside / settings.erased.name, stones)
    # After the database: a recording that a row names is there; one more harms nobody.
    if settings.voice_messages.is_dir():
        try:
            shutil.copytree(settings.voice_messages, folder / settings.voice_messages.name)
        except shutil.Error as error:
            # One reason for each file; a full disk is the same for all.
            reason = error.args[0][0][2] if error.args and error.args[0] else str(error)
            full = OSError(errno.ENOSPC, "") if os.strerror(errno.ENOSPC) in str(reason) else OSError(str(reason))
            raise full from None


def _as_json(line: Line) -> dict[str, str]:
    return {"check": line.check, "light": line.light.name.lower(), "id": line.says.message, "says": line.says.render()}


def _shown(light: Light) -> Text:
    colour = light.name.lower()
    return Text.assemble(("●", colour), " ", text(f"light.{colour}"))
