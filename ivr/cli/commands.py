"""All commands under one name, and the border at which errors become sentences and exit codes.

A command's module is imported when it is named, not before: `check` needs neither database nor dialler.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer
from typer.exceptions import TyperException

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
    "reports export": ("day", "export_reports"),
    "reports import": ("reported", "import_reports"),
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


def app_of(first: str | None = None) -> typer.Typer:
    """The command line: the command or group called `first`; everything if there is none of that name."""
    names = [each for each in COMMANDS if each.split()[0] == first] or list(COMMANDS)
    app = typer.Typer(
        name="kenko-call",
        help=text("cli.help"),
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(options)
    groups: dict[str, typer.Typer] = {}
    for name in names:
        *group, word = name.split()
        for each in group:
            if each not in groups:
                groups[each] = typer.Typer(help=_help(each), no_args_is_help=True)
                app.add_typer(groups[each], name=each)
        module, function = COMMANDS[name]
        command = getattr(import_module(f"ivr.cli.{module}"), function)
        (groups[group[0]] if group else app).command(word, help=_help(name))(command)
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command; see `main` for the exit codes."""
    first = next((each for each in arguments if each in {name.split()[0] for name in COMMANDS}), None)
    try:
        result = app_of(None if "--help" in arguments[:1] else first)(list(arguments), standalone_mode=False)
    except KenkoError as error:
        typer.echo(error.render(), err=True)
        return 2
    except TyperException as error:
        typer.echo(error.format_message(), err=True)
        return 2
    except typer.Abort:
        return 2
    return result if isinstance(result, int) else 0


def _help(name: str) -> str:
    return text(f"cli.{name.replace(' ', '.').replace('-', '_')}.help")
