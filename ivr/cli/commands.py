"""All commands under one name, and the border at which errors become sentences and exit codes.

A command's module is imported when the command is called (`LazyCommand`), so each command pays only for what it uses.
Such a module in turn imports a heavy library inside the function that needs it, if others of its functions do without.
"""

import errno
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

from ivr.errors import KenkoError
from ivr.messages import text

#: Command, with its group -> its module in ivr.cli and its function; in the order in which the help shows them.
COMMANDS = {
    "run": ("live", "run"),
    "demo": ("live", "demo"),
    "check": ("checking", "check"),
    "try": ("author", "try_questionnaire"),
    "reload": ("questionnaires", "reload"),
    "flow": ("author", "draw_flow"),
    "leaflet": ("author", "print_leaflet"),
    "status": ("day", "status"),
    "plan": ("plan", "plan"),
    "simulate": ("plan", "simulate"),
    "call-list": ("plan", "call_list"),
    "alarms": ("plan", "alarms"),
    "calls": ("day", "calls"),
    "doctor": ("doctor", "doctor"),
    "backup": ("doctor", "backup"),
    "people import": ("importing", "import_people"),
    "people export": ("roster", "export_people"),
    "people list": ("roster", "list_roster"),
    "people show": ("roster", "show_person"),
    "people pause": ("staff", "pause"),
    "people resume": ("staff", "resume"),
    "people close": ("staff", "close"),
    "people new-id": ("callers", "new_ids"),
    "people unlock": ("callers", "unlock"),
    "person export": ("person", "export"),
    "person erase": ("person", "erase"),
    "person make-key": ("transfer", "make_key"),
    "person hand-over": ("transfer", "hand_over"),
    "person take-over": ("transfer", "take_over_person"),
    "questionnaires history": ("questionnaires", "history"),
    "questionnaires show": ("questionnaires", "show"),
    "questionnaires activate": ("questionnaires", "activate"),
    "voice-messages list": ("voice_messages", "list_messages"),
    "voice-messages export": ("voice_messages", "export"),
    "reports export": ("reports", "export_reports"),
    "reports import": ("reports", "import_reports"),
    "prompts build": ("prompts", "build"),
    "prompts list": ("prompts", "list_prompts"),
    "prompts check": ("prompts", "check"),
    "prompts import": ("prompts", "import_file"),
    "prompts audition": ("prompts", "audition"),
    "pbx render": ("pbx", "render"),
    "pbx diff": ("pbx", "diff"),
    "pbx check": ("pbx", "check"),
    "sync status": ("sync", "status"),
    "sync now": ("sync", "now"),
    "sync parked": ("sync", "parked"),
    "sync retry": ("sync", "retry_parked"),
    "sync reconcile": ("reconcile", "reconcile"),
    "sync take": ("arriving", "take"),
    "sync conflicts": ("arriving", "conflicts"),
    "sync settle": ("arriving", "settle"),
}


def options(
    lang: Annotated[str | None, typer.Option("--lang", help=text("cli.option.lang"), metavar="ja|en")] = None,
) -> None:
    """Options of every command; `--lang` took effect before this."""
    if lang not in (None, "ja", "en"):
        raise typer.BadParameter("ja, en")


class LazyCommand(TyperCommand):
    """A command whose module is imported when it is called. Help lists it by its line in the catalogue."""

    def __init__(self, name: str) -> None:
        super().__init__(name.split()[-1], help=_help(name))
        self._of_commands = name

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Click calls this for the command that the arguments name. The context belongs to the loaded command."""
        return load(self._of_commands).make_context(info_name, args, parent, **extra)


def load(name: str) -> TyperCommand:
    """Import the module of a command of `COMMANDS`; the command with its options."""
    module, function = COMMANDS[name]
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name.split()[-1], help=_help(name))(getattr(import_module(f"ivr.cli.{module}"), function))
    if not gc.isenabled():  # `main` put it off until here
        gc.freeze()
        gc.enable()
    return cast(TyperCommand, get_command(app))


def command_line() -> TyperGroup:
    """Every command and group, in the order of `COMMANDS`, none of them imported."""
    app = typer.Typer(
        name="kenko-call", help=text("cli.help"), no_args_is_help=True, add_completion=False, rich_markup_mode=None
    )
    app.callback()(options)
    root = cast(TyperGroup, get_command(app))
    for name in COMMANDS:
        group, _, word = name.rpartition(" ")
        if group and group not in root.commands:
            root.add_command(TyperGroup(name=group, help=_help(group), no_args_is_help=True, rich_markup_mode=None))
        (cast(TyperGroup, root.commands[group]) if group else root).add_command(LazyCommand(name), word or name)
    return root


def run(arguments: Sequence[str]) -> int:
    """Run one command; see `main` for the exit codes."""
    try:
        result = command_line()(list(arguments), standalone_mode=False)
        sys.stdout.flush()
    except KenkoError as error:
        typer.echo(error.render(), err=True)
        return 2
    except TyperException as error:
        typer.echo(error.format_message(), err=True)
        return 2
    except typer.Abort:
        return 2
    except OSError as error:
        return _stdout_failed(error)
    return result if isinstance(result, int) else 0


def _stdout_failed(error: OSError) -> int:
    """What a command prints met a full disk or a closed pipe; any other error of the system is a fault of ours."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EPIPE, errno.EIO, errno.EFBIG):
        raise error
    if error.errno != errno.EPIPE:  # the reader of a closed pipe has seen enough
        typer.echo(text("file.stdout_full", reason=error.strerror), err=True)
    # Python would try again to write what is left when it ends, and complain in its own words.
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 2


def _help(name: str) -> str:
    return text(f"cli.{name.replace(' ', '.').replace('-', '_')}.help")
