"""The file of those who were erased: one tombstone a line, beside the database and with every backup.

A backup from before an erasure brings the person back; what stands here is then erased again.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path

from ivr.config import Config
from ivr.errors import BadInput, problem
from ivr.files.saving import save_or_refuse
from ivr.storage.database import Database
from ivr.storage.erasure import erase_again, forgotten, must_forget
from ivr.storage.sqlite import hand_over
from ivr.storage.tombstones import Tombstone, tombstones

log = logging.getLogger(__name__)


def read_erased(file: Path) -> tuple[Tombstone, ...]:
    """What the file holds; nothing if there is none. Raises BadInput for a line that is no tombstone."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(problem("file.unreadable", str(file), reason=str(error))) from None
    found = []
    for number, line in enumerate(lines, 1):
        try:
            told = json.loads(line)
            at = datetime.fromisoformat(told["at"])
            found.append(Tombstone(str(told["person_id"]), at, str(told["by"]), str(told["reason"])))
        except (ValueError, KeyError, TypeError):
            # Half a list would bring somebody back.
            raise BadInput(problem("erased.bad_line", str(file), number)) from None
    return tuple(found)


def write_erased(file: Path, stones: Sequence[Tombstone]) -> None:
    """Write these and those that stood there already; the file is there whole or as it was. Raises BadInput."""
    known = {each.person_id: each for each in (*read_erased(file), *stones)}
    lines = [json.dumps(vars(each), default=datetime.isoformat, ensure_ascii=False) for each in known.values()]
    save_or_refuse(file, "".join(f"{each}\n" for each in lines).encode())
    hand_over(file)


def remove_recordings(folder: Path, ids: Sequence[str]) -> None:
    """Delete the files of these voice messages; those that are gone are no matter. Raises BadInput."""
    for each in ids:
        try:
            (folder / f"{each}.wav").unlink(missing_ok=True)
        except OSError as error:
            where = str(folder / f"{each}.wav")
            raise BadInput(problem("file.unwritable", where, reason=error.strerror or str(error))) from None


async def forget_traces(database: Database) -> bool:
    """Clear what is left of the erased in free space; False if that has to wait for a start. Raises StorageError."""
    if await database.read(must_forget):
        if not await database.forget():
            return False
        await database.write(forgotten)
    return True


def _read_copy(copy: Path | None) -> tuple[Tombstone, ...]:
    """What the copy beside the backups holds; it may be of root's, or on a disk that is not there."""
    try:
        return read_erased(copy) if copy else ()
    except BadInput as bad:
        log.warning("%s", bad.render("en"), extra={"action": "erased_copy_unreadable"})
        return ()


async def erase_restored(database: Database, config: Config, day: date) -> None:
    """At a start, before anything else is done: whom a restored backup brought back is erased again.

    What only the database knows comes into the file. Raises BadInput, StorageError.
    """
    file, recordings = config.erased, config.voice_messages
    written = read_erased(file)
    before = (*written, *(await asyncio.to_thread(_read_copy, config.erased_copy)))
    known = await database.read(tombstones)
    if missing := {each.person_id for each in before} - {each.person_id for each in known}:
        again = list({each.person_id: each for each in before if each.person_id in missing}.values())
        await database.write(erase_again, again, day, partial(remove_recordings, recordings))
        log.warning("%s people of a restored backup were erased again", len(again), extra={"action": "erased_again"})
    await forget_traces(database)
    known = await database.read(tombstones)
    if {each.person_id for each in known} - {each.person_id for each in written}:
        write_erased(file, known)
