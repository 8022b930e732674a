"""The command `kenko-call`: what people type. It writes rows and shows them, and never touches a channel."""

import gc
import os
import sys
from collections.abc import Sequence

from ivr.messages import LANGUAGES


def main() -> None:
    """Entry point. Exit code 0: done; 1: done, and something needs a person; 2: wrong input, nothing was started."""
    language = _language_wanted(sys.argv[1:])
    if language:
        os.environ["KENKO_LANG"] = language
    # What is imported stays. Looking through it for garbage, now and at the end, would cost a command a quarter of its
    # time; the command itself runs with the collector on (`LazyCommand`).
    gc.disable()
    # Only now: the help texts are made in the language in force when the commands are imported.
    from ivr.cli.commands import run

    sys.exit(run(sys.argv[1:]))


def _language_wanted(arguments: Sequence[str]) -> str | None:
    for option, value in zip(arguments, [*arguments[1:], ""], strict=False):
        if option == "--lang" and value in LANGUAGES:
            return value
        if option.startswith("--lang=") and option[7:] in LANGUAGES:
            return option[7:]
    return None
