"""The studio of one site: its PIN, its prompts, and its takes, which pass through the same chain as imported files.

A take lies in the folder of the links to values, the one place of ours that Asterisk reads, under a name of chance,
until it is accepted or given up. What the audio libraries do happens in a process of its own: here it would hold up
the sound of all calls, and they would stay in memory.
"""

import asyncio
import multiprocessing
import os
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path

from ivr.errors import BadInput, StorageError, problem
from ivr.prompts import Sound
from ivr.recordings import length_of
from ivr.site import Site
from ivr.studio import Studio
from ivr.voice.manifest import NARROW, sound_path
from ivr.voice.review import read_script

_PREFIX = "take-"


def read_pin(path: Path) -> str:
    """The PIN of the studio, 4 to 8 digits: all of a file of its own. Raises BadInput."""
    try:
        pin = path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        raise BadInput(problem("config.no_pin", str(path), reason=error.strerror or str(error))) from None
    if not re.fullmatch(r"[0-9]{4,8}", pin):
        # Without what stands there: it may be nearly the PIN.
        raise BadInput(problem("config.bad_pin", str(path), 1))
    return pin


def studio_of(
    site: Site, pin: str, new_name: Callable[[], str], sleep: Callable[[float], Awaitable[None]], one: asyncio.Lock
) -> Studio:
    """What a call needs to record the prompts of the questionnaire's language. Raises BadInput if its script is wrong.

    `one` lets two calls keep their takes one after another: both write the same lists.
    """
    folder, language, drafts = site.config.prompts, site.questionnaire.language, site.config.pbx.value_links
    assert site.prompts.beep is not None  # a running service has one, see ivr.live

    def present(prompt: str) -> Sound | None:
        path = sound_path(folder, f"{language}/{prompt}", NARROW)
        seconds = length_of(path)
        return Sound(prompt, path, seconds) if seconds else None

    async def keep(prompt: str, take: Path) -> None:
        async with one:
            await import_apart(folder, language, site.today().isoformat(), prompt, take)

    return Studio(
        pin,
        [each.prompt for each in read_script(folder, language).lines],
        present,
        lambda: drafts / f"{_PREFIX}{new_name()}.wav",
        reveal,
        site.prompts.beep,
        keep,
        sleep,
    )


def reveal(take: Path) -> None:
    """Let Asterisk, another user of this machine, read a take. Raises StorageError."""
    try:
        take.chmod(0o644)
    except OSError as error:
        raise StorageError(problem("file.unwritable", str(take), reason=error.strerror or str(error))) from error


def forget_takes(folder: Path) -> None:
    """Remove what calls of a process before us left."""
    for each in folder.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            each.unlink()


async def import_apart(folder: Path, language: str, day: str, prompt: str, take: Path) -> None:
    """`import_recording` in a process of its own. Raises BadInput, and changes nothing, if the take is not fit."""
    # Started afresh, not forked: threads of ours hold locks.
    pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
    try:
        await asyncio.get_running_loop().run_in_executor(pool, _import, folder, language, day, prompt, take)
    finally:
        pool.shutdown(wait=False)


def _import(folder: Path, language: str, day: str, prompt: str, take: Path) -> None:
    from ivr.voice.build import Wanted, import_recording

    os.umask(0o022)  # a service may be told to write for itself alone, but Asterisk has to read the finished sound
    import_recording(Wanted(folder, language, day), prompt, take)
