"""`kenko-call run` and `demo`: what stays in the foreground."""

import asyncio
import importlib
from pathlib import Path
from typing import Annotated

import typer

from ivr import logs
from ivr.cli.output import DEFAULT_CONFIG, ConfigPath
from ivr.config import read_config
from ivr.errors import BadInput, problem
from ivr.messages import text


def run(config: ConfigPath = DEFAULT_CONFIG) -> int:
    # Only now: every other command would wait for all that talks to Asterisk.
    from ivr import service

    settings = read_config(config)
    logs.log_to_stderr()
    return asyncio.run(service.serve(settings, service.real_world(settings)))


def demo(
    once: Annotated[bool, typer.Option("--once", help=text("cli.demo.once"))] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help=text("cli.demo.json"))] = None,
    folder: Annotated[Path, typer.Option("--folder", help=text("cli.demo.folder"))] = Path("var/demo"),
    base_port: Annotated[int | None, typer.Option("--base-port", help=text("cli.demo.base_port"))] = None,
) -> int:
    # The practice network is part of the repository, not of what a site installs.
    try:
        practice = importlib.import_module("sandbox.demo")
    except ModuleNotFoundError:
        raise BadInput(problem("cli.demo.no_sandbox")) from None
    code: int = asyncio.run(practice.run_demo(once=once, json_file=json_file, folder=folder, base_port=base_port))
    return code
