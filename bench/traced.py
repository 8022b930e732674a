"""`python -m bench.traced FILE …`: the service as `kenko-call …` runs it, with a trace of keys, commits and prompts.

Nothing of the product is changed for it: the two places through which everything passes are wrapped from outside. Keys
and prompts carry the time that Asterisk itself gave them.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.trace import Kind, Mark, write_marks
from ivr.ari import link
from ivr.ari.events import ChannelDtmfReceived, Event, PlaybackStarted, parse
from ivr.cli import main
from ivr.storage import sessions
from ivr.storage.database import Database

marks: list[Mark] = []


def _listening(read: Callable[[str | bytes], Event]) -> Callable[[str | bytes], Event]:
    def traced(text: str | bytes) -> Event:
        event = read(text)
        match event:
            case ChannelDtmfReceived():
                marks.append(Mark(_asterisk_time(text), Kind.KEY, event.channel.id))
            case PlaybackStarted():
                marks.append(Mark(_asterisk_time(text), Kind.PROMPT, event.playback.channel_id, event.playback.id))
        return event

    return traced


def _asterisk_time(text: str | bytes) -> float:
    return datetime.fromisoformat(json.loads(text)["timestamp"]).timestamp()


def _committing(write: Callable[..., Any]) -> Callable[..., Any]:
    async def traced(self: Database, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        began = time.time()
        result = await write(self, function, *args, **kwargs)
        now = time.time()
        if function is sessions.save_turn:
            marks.append(Mark(now, Kind.COMMIT, args[1]))
        marks.append(Mark(now, Kind.WRITE, "", repr(now - began)))
        return result

    return traced


def _run(file: Path) -> None:
    # As link imported it: the name in ivr.ari.events would be too late.
    vars(link)["parse"] = _listening(parse)
    setattr(Database, "write", _committing(Database.write))  # noqa: B010 - mypy refuses the plain form
    try:
        main()
    finally:
        file.write_text(write_marks(marks), encoding="utf-8")


if __name__ == "__main__":
    _run(Path(sys.argv.pop(1)))
