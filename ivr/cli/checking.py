"""`kenko-call check`: every mistake at once. Somebody waits for it, so it imports no more than it needs."""

from pathlib import Path
from typing import Annotated

import typer

from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, print_json
from ivr.config import read_config
from ivr.errors import BadInput, Problem
from ivr.loading import find_problems
from ivr.messages import text


def check(
    questionnaire: Annotated[Path | None, typer.Argument(help=text("cli.check.questionnaire"))] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> int:
    problems: list[Problem] = []
    try:
        settings = read_config(config)
        tried = settings.model_copy(update={"questionnaire": questionnaire}) if questionnaire else settings
        problems = find_problems(tried)
    except BadInput as error:
        problems = list(error.problems)
    if as_json:
        print_json({"problems": [{"file": p.file, "line": p.line, "text": p.render()} for p in problems]})
    else:
        for each in problems:
            typer.echo(each.render(), err=True)
        typer.echo(text("cli.check.problems", count=len(problems)) if problems else text("cli.check.fine"))
    return 2 if problems else 0
