"""All commands under one name, and the border at which errors become sentences and exit codes."""

from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from ivr.cli import author, day, doctor, live, pbx, plan, prompts, questionnaires, roster, staff, sync, voice_messages
from ivr.errors import KenkoError
from ivr.messages import text

app = typer.Typer(
    name="kenko-call",
    help=text("cli.help"),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
people = typer.Typer(help=text("cli.people.help"), no_args_is_help=True)
versions = typer.Typer(help=text("cli.questionnaires.help"), no_args_is_help=True)
messages = typer.Typer(help=text("cli.voice_messages.help"), no_args_is_help=True)
reports = typer.Typer(help=text("cli.reports.help"), no_args_is_help=True)

app.command("run", help=text("cli.run.help"))(live.run)
app.command("demo", help=text("cli.demo.help"))(live.demo)
app.command("check", help=text("cli.check.help"))(author.check)
app.command("try", help=text("cli.try.help"))(author.try_questionnaire)
app.command("reload", help=text("cli.reload.help"))(questionnaires.reload)
versions.command("history", help=text("cli.questionnaires.history.help"))(questionnaires.history)
versions.command("show", help=text("cli.questionnaires.show.help"))(questionnaires.show)
versions.command("activate", help=text("cli.questionnaires.activate.help"))(questionnaires.activate)
app.command("flow", help=text("cli.flow.help"))(author.draw_flow)
app.command("leaflet", help=text("cli.leaflet.help"))(author.print_leaflet)
messages.command("list", help=text("cli.voice_messages.list.help"))(voice_messages.list_messages)
messages.command("export", help=text("cli.voice_messages.export.help"))(voice_messages.export)
app.command("status", help=text("cli.status.help"))(day.status)
app.command("plan", help=text("cli.plan.help"))(plan.plan)
app.command("simulate", help=text("cli.simulate.help"))(plan.simulate)
app.command("call-list", help=text("cli.call_list.help"))(plan.call_list)
app.command("alarms", help=text("cli.alarms.help"))(plan.alarms)
app.command("calls", help=text("cli.calls.help"))(day.calls)
app.command("doctor", help=text("cli.doctor.help"))(doctor.doctor)
app.command("backup", help=text("cli.backup.help"))(doctor.backup)
reports.command("export", help=text("cli.reports.export.help"))(day.export_reports)
people.command("import", help=text("cli.people.import.help"))(roster.import_people)
people.command("export", help=text("cli.people.export.help"))(roster.export_people)
people.command("list", help=text("cli.people.list.help"))(roster.list_roster)
people.command("show", help=text("cli.people.show.help"))(roster.show_person)
people.command("pause", help=text("cli.people.pause.help"))(staff.pause)
people.command("resume", help=text("cli.people.resume.help"))(staff.resume)
people.command("close", help=text("cli.people.close.help"))(staff.close)
app.add_typer(people, name="people")
app.add_typer(versions, name="questionnaires")
app.add_typer(messages, name="voice-messages")
app.add_typer(reports, name="reports")
app.add_typer(prompts.app, name="prompts")
app.add_typer(pbx.app, name="pbx")
app.add_typer(sync.app, name="sync")


@app.callback()
def options(
    lang: Annotated[str | None, typer.Option("--lang", help=text("cli.option.lang"), metavar="ja|en")] = None,
) -> None:
    """Options of every command; `--lang` took effect before this."""
    if lang not in (None, "ja", "en"):
        raise typer.BadParameter("ja, en")


def run(arguments: Sequence[str]) -> int:
    """Run one command; see `main` for the exit codes."""
    try:
        result = app(list(arguments), standalone_mode=False)
    except KenkoError as error:
        typer.echo(error.render(), err=True)
        return 2
    except TyperException as error:
        typer.echo(error.format_message(), err=True)
        return 2
    except typer.Abort:
        return 2
    return result if isinstance(result, int) else 0
