"""`kenko-call pbx render|diff|check`: the files of Asterisk, what would change, and what differs from what runs."""

import asyncio
import os
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ivr import pbx_files
from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, print_json
from ivr.config import Config, read_config
from ivr.errors import BadInput, KenkoError, Problem, problem
from ivr.files.saving import unwritable
from ivr.messages import text
from ivr.pbx import write
from ivr.pbx_check import (
    BRIDGING,
    NEEDED,
    SECOND_WAY,
    SHOWN,
    TEST_CALL,
    FileFacts,
    compare_files,
    compare_includes,
    compare_running,
    wanted_objects,
)

Existing = Annotated[bool, typer.Option("--existing", help=text("cli.pbx.existing"))]


def render(
    output: Annotated[Path, typer.Option("--output", "-o", help=text("cli.pbx.output"))],
    config: ConfigPath = DEFAULT_CONFIG,
    existing: Existing = False,
    replace: Annotated[bool, typer.Option("--replace", help=text("cli.pbx.replace"))] = False,
) -> None:
    settings = read_config(config)
    files = pbx_files.render(settings, existing=existing)
    there = pbx_files.read_files(output, files)
    strange = [name for name, found in there.items() if found is not None and not found.startswith(pbx_files.OURS)]
    if strange and not replace:
        raise BadInput(problem("pbx.not_ours", str(output), files=", ".join(strange)))
    try:
        for name in strange:
            shutil.copy2(output / name, output / f"{name}.before-kenko")
        # What is as it should be keeps its time: `check` compares that with Asterisk's last reload.
        write({name: said for name, said in files.items() if said != there[name]}, output)
        _hand_over(files, output, settings.pbx.asterisk.run_as)
    except OSError as error:
        raise BadInput(unwritable(output, error)) from None
    typer.echo(text("cli.pbx.written", count=len(files), folder=output))
    if existing:
        for name in files:
            target = _first_there(settings.pbx.asterisk.etc, pbx_files.INCLUDED_FROM[name])
            typer.echo(text("cli.pbx.include", target=settings.pbx.asterisk.etc / target, name=name))
    typer.echo(text("cli.pbx.load"))


def diff(config: ConfigPath = DEFAULT_CONFIG, existing: Existing = False) -> int:
    settings = read_config(config)
    etc = settings.pbx.asterisk.etc
    files = pbx_files.render(settings, existing=existing)
    there = pbx_files.read_files(etc, files)
    changes = "".join(pbx_files.difference(name, there[name], ours) for name, ours in files.items())
    typer.echo(changes or text("cli.pbx.same", folder=etc))
    return 1 if changes else 0


def check(config: ConfigPath = DEFAULT_CONFIG, existing: Existing = False, as_json: AsJson = False) -> int:
    settings = read_config(config)
    found = asyncio.run(find_differences(settings, existing=existing))
    if as_json:
        print_json({"differences": [{"id": each.message, "says": each.render()} for each in found]})
    else:
        typer.echo("\n".join(each.render() for each in found) or text("cli.pbx.in_order"))
    return 1 if found else 0


async def find_differences(config: Config, *, existing: bool) -> list[Problem]:
    """Everything in which this machine is not what was rendered. Raises BadInput for settings of which none can be."""
    ours = pbx_files.render(config, existing=existing)
    callers = config.caller_of_trunk()
    wanted = {("endpoint", name) for name in callers} if existing else wanted_objects(ours["pjsip.conf"])
    objects = [key for key in wanted if key[0] in SHOWN]
    # Only now: every other command would wait for all that talks to Asterisk.
    from ivr.ari.inspection import inspect
    from ivr.drivers import pbx_settings

    settings = pbx_settings(config)
    found: list[Problem] = []
    running = None
    if not config.fastagi.only:  # else there is nobody to ask
        try:
            running = await inspect(settings, objects)
        except KenkoError as error:
            found += error.problems
    etc = config.pbx.asterisk.etc
    texts = pbx_files.read_files(etc, ours)
    found += compare_files(ours, {name: _facts(etc / name, said) for name, said in texts.items()}, running)
    if existing:
        found += compare_includes(_includes(etc, ours))
    if running is not None:
        trunks = (settings.trunk, *settings.more_trunks)
        found += compare_running(running, settings.app, trunks, None if existing else ours, _needed(config), callers)
    return found


def _needed(config: Config) -> frozenset[str]:
    """The modules that a PBX which is not ours must load for us."""
    second = SECOND_WAY if config.fastagi.port else frozenset()
    duty = BRIDGING if config.duty.endpoint or config.duty.number else frozenset()
    return NEEDED | TEST_CALL | second | duty


def _facts(path: Path, said: str | None) -> FileFacts:
    if said is None:
        return FileFacts(None)
    stat = path.stat()
    return FileFacts(said, stat.st_mode & 0o777, datetime.fromtimestamp(stat.st_mtime, UTC))


def _includes(etc: Path, ours: Iterable[str]) -> dict[str, tuple[str, str | None]]:
    found: dict[str, tuple[str, str | None]] = {}
    for name in ours:
        target = _first_there(etc, pbx_files.INCLUDED_FROM[name])
        found[name] = (target, pbx_files.read_files(etc, {target: ""})[target])
    return found


def _first_there(etc: Path, targets: tuple[str, ...]) -> str:
    """The first of these files that there is, else the last."""
    return next((each for each in targets if (etc / each).exists()), targets[-1])


def _hand_over(files: dict[str, str], folder: Path, group: str) -> None:
    """Given by root, so that Asterisk can read them and nobody else can."""
    if os.geteuid() == 0:
        for name in files:
            try:
                shutil.chown(folder / name, group=group)
            except LookupError:
                return  # not installed yet: `pbx check` says what cannot be read
