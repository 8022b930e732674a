"""What the stand-in centre tells of the documents that it holds, day by day; it fails as told."""

import asyncio
import hashlib
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from aiohttp import web
from pysqlite3 import dbapi2 as sqlite3

PATH = "/v1/digests"
PAGES_PATH = f"{PATH}/{{day}}/documents"
MOST = 1000
_KEY, _LIMIT = re.compile(r"[!-~]{1,200}"), re.compile(r"[0-9]{1,4}")
_BODY = "CAST(body AS TEXT)"


def _field(name: str) -> str:
    """What stands in a body under this name, for whatever body has it."""
    return f"CASE WHEN json_valid({_BODY}) THEN json_extract({_BODY}, '$.{name}') END"


#: The UTC day of `frozen_at`.
_DAY = f"substr({_field('frozen_at')}, 1, 10)"
_KIND = f"coalesce({_field('kind')}, '')"
_IS_ERASURE = f"{_KIND} = 'erasure'"
_ERASED = f"{_field('person_id')} FROM documents WHERE {_IS_ERASURE}"


def _one_of(name: str, among: str) -> str:
    return f"coalesce({_field(name)}, '') IN (SELECT {among})"


def _named(name: str) -> str:
    return f"named.value FROM documents, json_each({_BODY}, '$.{name}') AS named WHERE {_IS_ERASURE}"


_GONE = (
    _one_of("person_id", _ERASED),
    _one_of("claimed_id", _ERASED),
    _one_of("report_id", _named("report_ids")),
    _one_of("attempt_id", _named("attempt_ids")),
)
#: What a stored erasure names counts no more, from that moment on; the erasure itself does.
_COUNTS = f"({_IS_ERASURE} OR NOT ({' OR '.join(_GONE)}))"
_OF_DAY = f"SELECT key, sha256 FROM documents WHERE {_DAY} = ? AND {_COUNTS}"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class DigestFault(StrEnum):
    """What goes wrong with one answer, beside the faults of every request (sandbox.centre.Fault)."""

    NONE = "none"  #: an honest answer
    LATE = "late"  #: an honest answer, after `slow_seconds`
    WRONG_DAY = "wrong_day"  #: the answer names another day


class Digests:
    """Of the centre's table `documents`."""

    def __init__(self, database: sqlite3.Connection, instead: Mapping[Any, Handler], slow_seconds: float) -> None:
        self._database = database
        self._instead = instead
        self._slow_seconds = slow_seconds
        self.faults: deque[StrEnum] = deque()  #: one a request; then all goes well
        self.requests = 0
        database.execute(f"CREATE INDEX IF NOT EXISTS documents_by_day ON documents (({_DAY}), key)")
        database.execute(f"CREATE INDEX IF NOT EXISTS documents_by_kind ON documents (({_KIND}))")

    def add_to(self, app: web.Application) -> None:
        """Answer both questions."""
        app.router.add_get(PATH, self._digest)
        app.router.add_get(PAGES_PATH, self._page)

    async def _digest(self, request: web.Request) -> web.StreamResponse:
        day = _day(request.query.get("day", ""))
        if day is None:
            return _refused("day")
        listed = self._database.execute(f"{_OF_DAY} ORDER BY key", (day,))
        lines = [f"{key} {sha256}\n" for key, sha256 in listed]
        sha256 = hashlib.sha256("".join(lines).encode()).hexdigest()
        return await self._answer(request, day, {"documents": len(lines), "sha256": sha256})

    async def _page(self, request: web.Request) -> web.StreamResponse:
        day = _day(request.match_info["day"])
        after, limit = request.query.get("after"), request.query.get("limit", str(MOST))
        if day is None:
            return _refused("day")
        if after is not None and not _KEY.fullmatch(after):
            return _refused("after")
        if not _LIMIT.fullmatch(limit) or not 1 <= int(limit) <= MOST:
            return _refused("limit")
        wanted = f"{_OF_DAY} AND key > ? ORDER BY key LIMIT ?"
        found = self._database.execute(wanted, (day, after or "", int(limit) + 1)).fetchall()
        page = [{"key": key, "sha256": sha256} for key, sha256 in found[: int(limit)]]
        return await self._answer(request, day, {"documents": page, "more": len(found) > int(limit)})

    async def _answer(self, request: web.Request, day: str, told: Mapping[str, Any]) -> web.StreamResponse:
        self.requests += 1
        fault = self.faults.popleft() if self.faults else None
        if fault in self._instead:
            return await self._instead[fault](request)
        if fault is DigestFault.LATE:
            await asyncio.sleep(self._slow_seconds)
        return web.json_response({"day": "1970-01-01" if fault is DigestFault.WRONG_DAY else day, **told})


def _day(given: str) -> str | None:
    try:
        return given if date.fromisoformat(given).isoformat() == given else None
    except ValueError:
        return None


def _refused(what: str) -> web.Response:
    return web.json_response({"error": what}, status=400)
