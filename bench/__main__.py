"""`python -m bench`, as `scripts/bench` calls it."""

from pathlib import Path
from typing import Annotated

import typer

from bench.ending import finish, tell
from bench.figures import as_json, in_words, wrong
from bench.run import Plan, measure
from ivr.messages import text

QUICK_CALLS = 40


def run(
    calls: Annotated[int, typer.Option(min=4, max=2000, help=text("bench.help_calls"))] = 200,
    rate: Annotated[float, typer.Option(min=0.5, max=20, help=text("bench.help_rate"))] = 10,
    quick: Annotated[bool, typer.Option("--quick", help=text("bench.help_quick"))] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help=text("bench.help_json"))] = None,
    base_port: Annotated[int, typer.Option(min=1024, max=63000, help=text("bench.help_base_port"))] = 40000,
    folder: Annotated[Path, typer.Option(help=text("bench.help_folder"))] = Path("var/bench"),
) -> None:
    """Exit code 0; 1 if a goal was missed; 2 if it could not be measured."""
    wanted = min(calls, QUICK_CALLS) if quick else calls
    plan = Plan(wanted, rate, held=20 if quick else 50)
    finish(measure(plan, folder.resolve(), base_port, tell), in_words, as_json, wrong, json_file)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False)
    app.command(help=text("bench.help"))(run)
    app()
