"""`python -m bench`, as `scripts/bench` calls it."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.figures import as_json, in_words, wrong
from bench.run import Plan, measure
from ivr.errors import KenkoError
from ivr.messages import text

QUICK_CALLS = 40
out = Console(highlight=False, soft_wrap=True)


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
    try:
        figures = asyncio.run(measure(plan, folder.resolve(), base_port, lambda said: out.print(said, markup=False)))
    except KenkoError as error:
        out.print(error.render(), markup=False, style="red")
        sys.exit(2)
    out.print(in_words(figures), markup=False)
    if json_file is not None:
        json_file.write_text(json.dumps(as_json(figures), indent=2) + "\n", encoding="utf-8")
    sys.exit(1 if wrong(figures) else 0)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False)
    app.command(help=text("bench.help"))(run)
    app()
