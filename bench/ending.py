"""How a benchmark ends: its figures on the screen and in a file, and the exit code."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from rich.console import Console

from ivr.errors import KenkoError

Figures = TypeVar("Figures")
_OUT = Console(highlight=False, soft_wrap=True)


def tell(said: str) -> None:
    """Say how far it is."""
    _OUT.print(said, markup=False)


def finish(
    measuring: Coroutine[Any, Any, Figures],
    in_words: Callable[[Figures], str],
    as_json: Callable[[Figures], dict[str, object]],
    wrong: Callable[[Figures], Sequence[str]],
    json_file: Path | None,
) -> NoReturn:
    """Measure, show, and end the process: 0; 1 if a goal was missed; 2 if it could not be measured."""
    try:
        figures = asyncio.run(measuring)
    except KenkoError as error:
        _OUT.print(error.render(), markup=False, style="red")
        sys.exit(2)
    tell(in_words(figures))
    if json_file is not None:
        json_file.write_text(json.dumps(as_json(figures), indent=2) + "\n", encoding="utf-8")
    sys.exit(1 if wrong(figures) else 0)
