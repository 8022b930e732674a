"""`kenko-call check`: every mistake at once. Somebody waits for it, so it imports no more than it needs."""

from pathlib import Path
from typing import Annotated

import typer

from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, print_json
from ivr.config import read_config
from ivr.errors import BadInput, Problem
from ivr.loading import read_disk
from ivr.messages import text
from ivr.questionnaire.hints import find_hints


def check(
    questionnaire: Annotated[Path | None, typer.Argument(help=text("cli.check.questionnaire"))] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> int:
    problems: list[Problem] = []
    hints: list[Problem] = []
    try:
        settings = read_config(config)
        tried = settings.model_copy(update={"questionnaire": questionnaire}) if questionnaire else settings
        found = read_disk(tried)
        problems = list(found.problems)
        hints = find_hints(found.questionnaire) if found.questionnaire else []
    except BadInput as error:
        problems = list(error.problems)
    if as_json:
        print_json({"problems": _plain(problems), "hints": _plain(hints)})
    else:
        for each in (*hints, *problems):
            typer.echo(each.render(), err=True)
        typer.echo(text("cli.check.problems", count=len(problems)) if problems else text("cli.check.fine"))
    return 2 if problems else 0


def _plain(found: list[Problem]) -> list[dict[str, object]]:
    return [{"file": each.file, "line": each.line, "text": each.render()} for each in found]
