"""Gives the recordings of read-back values names that say nothing.

Asterisk 22.10.1 logs `Playback failed for sound:…/value/temperature_365` when somebody hangs up just as it begins, and
its logger cannot leave that out: the answer would stand in a log. So it gets links with names of chance instead.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ivr.errors import BadInput, problem
from ivr.prompts import Prompts

#: Prompt ids that tell an answer begin so.
VALUES = "value/"


def veil(prompts: Prompts, folder: Path, new_name: Callable[[], str], before: Prompts | None = None) -> Prompts:
    """The same prompts, values by a link in `folder`.

    Without `before` the folder is emptied of the links of earlier runs. With it, what was veiled before keeps its
    links: calls in progress play them. Asterisk must be able to read the folder. Raises BadInput if it cannot be
    written.
    """
    veiled = dict(prompts.sounds)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if before is None:
            _empty(folder)
        for key, sound in prompts.sounds.items():
            if sound.prompt.startswith(VALUES):
                known = before.sounds.get(key) if before is not None else None
                veiled[key] = replace(sound, path=known.path if known else _link(sound.path, folder, new_name()))
    except OSError as error:
        raise BadInput(problem("config.no_links", str(folder), reason=error.strerror or str(error))) from None
    return replace(prompts, sounds=veiled)


def _empty(folder: Path) -> None:
    for old in folder.glob("*.wav"):
        if old.is_symlink():
            old.unlink()


def _link(target: Path, folder: Path, name: str) -> Path:
    link = folder.resolve() / f"{name}.wav"
    link.symlink_to(target)
    return link
