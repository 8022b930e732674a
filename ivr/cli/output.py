"""How commands read their common options and print what they found."""

import json
import os
import pwd
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any
from unicodedata import category

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ivr.config import Config
from ivr.errors import BadInput, problem
from ivr.messages import text

# Names come from outside: nothing in them is markup or the code of an emoji.
console = Console(markup=False, emoji=False)
err_console = Console(stderr=True, markup=False, emoji=False)

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


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> None:
    """A table; `columns` are ids of the catalogue. A cell that is a string is text, whatever stands in it."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(text(column), overflow="fold")  # a number that is cut is no number
    for row in rows:
        table.add_row(*(shown(each) if isinstance(each, str) else each for each in row))
    console.print(table)


def shown(cell: str) -> Text:
    """A cell as text that is nothing but text: what would move the cursor or turn the direction is shown as a dot."""
    if not cell.isprintable():
        cell = "".join(each if each == "\n" or category(each) not in ("Cc", "Cf", "Cs") else "·" for each in cell)
    return Text(cell)


def word(kind: str, value: str | None) -> str:
    """The catalogue's word for a value such as an outcome; the value itself if it has none."""
    if not value:
        return ""
    try:
        return text(f"{kind}.{value}")
    except KeyError:
        return value


def write_file(path: Path, content: bytes) -> None:
    """Write a file that somebody asked for. Raises BadInput if it cannot be written."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise BadInput(problem("file.unwritable", str(path), reason=error.strerror or str(error))) from None


def write_private(path: Path, content: bytes) -> None:
    """Write a file about somebody, for its owner's eyes only. Raises BadInput if it cannot be written."""
    try:
        with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise BadInput(problem("file.unwritable", str(path), reason=error.strerror or str(error))) from None
