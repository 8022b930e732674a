"""The way out that is a folder: a round becomes one batch, and is delivered when that lies there whole."""

import asyncio
import errno
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from ivr.storage.outbox import Row
from ivr.sync.delivery import Fault, Judged, Reply, Verdict, judge
from ivr.sync.documents import document_from
from ivr.sync.folder import Busy, write_batch

_FULL = (errno.ENOSPC, errno.EDQUOT)


class FolderCarrier:
    """See ivr.sync.carriers.Carrier."""

    #: A round is a batch of three files, each of which is synced: many small ones would cost more than they spare.
    most = 100

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, rows: Sequence[Row], now: Callable[[], datetime]) -> dict[int, Judged]:
        """The record id of a document is the name of its batch's manifest and its key."""
        judged = {each.id: judge(Reply(fault=Fault.UNSENDABLE), "", "") for each in rows if not _is_document(each)}
        payloads = {each.key: each.payload for each in rows if each.id not in judged}
        if not payloads:
            return judged
        try:
            # A stick may take seconds for it.
            manifest = await asyncio.to_thread(write_batch, self._folder, payloads)
        except Busy:
            failed = Judged(Verdict.RETRY, "folder_busy", of_link=True)
        except OSError as error:
            # Only people mend it: all of it waits, and they are told at once.
            reason = "folder_full" if error.errno in _FULL else "folder"
            failed = Judged(Verdict.STOP, reason, of_link=True)
        else:
            stored = {
                each.id: Judged(Verdict.ACKNOWLEDGED, "", f"{manifest}:{each.key}")
                for each in rows
                if each.id not in judged
            }
            return judged | stored
        return judged | {each.id: failed for each in rows if each.id not in judged}

    async def close(self) -> None:
        """Nothing is open between two batches."""


def _is_document(row: Row) -> bool:
    try:
        document_from(row.payload)
    except (ValueError, KeyError):
        return False
    return True
