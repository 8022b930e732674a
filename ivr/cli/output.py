"""How commands read their common options, and how they write JSON and files. `ivr.cli.screen` draws tables."""

import json
import os
import pwd
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any
from unicodedata import category

import typer

from ivr.config import Config
from ivr.files.saving import save_or_refuse
from ivr.messages import text

ConfigPath = Annotated[
    Path, typer.Option("--config", "-c", envvar="KENKO_CONFIG", help=text("cli.option.config"), show_default=True)
]
AsJson = Annotated[bool, typer.Option("--json", help=text("cli.option.json"))]
OnDay = Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help=text("cli.option.date"))]

DEFAULT_CONFIG = Path("config.yaml")


def now_at(config: Config) -> datetime:
    """Aware; in practice the moment at which practice begins."""
    return config.practice_begins or datetime.now(UTC)


def day_of(config: Config, wanted: datetime | None) -> date:
    """The day asked for; today in the centre's zone if none was."""
    return wanted.date() if wanted else now_at(config).astimezone(config.centre.zone).date()


def local_time(config: Config, moment: datetime | None) -> str:
    """hh:mm:ss in the centre's zone, for tables."""
    return moment.astimezone(config.centre.zone).strftime("%H:%M:%S") if moment else ""


def local_moment(config: Config, moment: datetime) -> str:
    """Date and hh:mm:ss in the centre's zone, for tables."""
    return moment.astimezone(config.centre.zone).strftime("%Y-%m-%d %H:%M:%S")


def operator() -> str:
    """The login name of whoever gives the command; behind sudo, of whoever used it."""
    if os.getuid() == 0 and (name := os.environ.get("SUDO_USER")):
        return name
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def print_json(data: Any) -> None:
    """One JSON document on stdout."""
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))


def as_text(said: str) -> str:
    """What is shown of words from outside: what would move the cursor or turn the direction is a dot."""
    if said.isprintable():
        return said
    return "".join(each if each == "\n" or category(each) not in ("Cc", "Cf", "Cs") else "·" for each in said)


def word(kind: str, value: str | None) -> str:
    """The catalogue's word for a value such as an outcome; the value itself if it has none."""
    if not value:
        return ""
    try:
        return text(f"{kind}.{value}")
    except KeyError:
        return value


def write_out(output: Path | None, content: bytes) -> None:
    """Write what somebody asked for into a file, or on standard output: the same bytes. Raises BadInput."""
    if output is not None:
        save_or_refuse(output, content)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
