"""What has changed at the stand-in centre: an ordered list that is handed out in pages, and fails as told."""

import asyncio
import json
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any

from aiohttp import web
from pysqlite3 import dbapi2 as sqlite3

PATH = "/v1/changes"
MOST, USUAL = 1000, 200
_CURSOR = re.compile(r"c([0-9]{1,15})")
_LIMIT = re.compile(r"[0-9]{1,4}")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PageFault(StrEnum):
    """What goes wrong with one page, beside the faults of every request (sandbox.centre.Fault)."""

    LATE = "late"  #: an honest page, after `slow_seconds`
    HALF = "half"  #: the connection ends in the middle of the page
    BAD = "bad"  #: a change that is none stands at the end
    AGAIN = "again"  #: everything from the beginning, in one page
    STUCK = "stuck"  #: nothing, and the word that there is more


class Changes:
    """They lie in the centre's database, so that they survive it."""

    def __init__(self, database: sqlite3.Connection, instead: Mapping[Any, Handler], slow_seconds: float) -> None:
        self._database = database
        self._instead = instead
        self._slow_seconds = slow_seconds
        self.faults: deque[StrEnum] = deque()  #: one a request; then all goes well
        self.requests = 0
        database.execute(
            "CREATE TABLE IF NOT EXISTS changes (number INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT) STRICT"
        )

    def put(self, *changes: Mapping[str, Any]) -> None:
        """More of them, as docs/centre-api.yaml says."""
        rows = [(json.dumps(each, ensure_ascii=False),) for each in changes]
        self._database.executemany("INSERT INTO changes (body) VALUES (?)", rows)

    async def get(self, request: web.Request) -> web.StreamResponse:
        """One page."""
        self.requests += 1
        fault = self.faults.popleft() if self.faults else None
        if fault in self._instead:
            return await self._instead[fault](request)
        since = _CURSOR.fullmatch(request.query.get("since", "c0"))
        limit = request.query.get("limit", str(USUAL))
        if since is None or not _LIMIT.fullmatch(limit) or not 1 <= int(limit) <= MOST:
            return web.json_response({"error": "since or limit"}, status=400)
        if fault is PageFault.LATE:
            await asyncio.sleep(self._slow_seconds)
        page = self._page(0 if fault is PageFault.AGAIN else int(since[1]), MOST if fault else int(limit))
        if fault is PageFault.BAD:
            page["changes"].append({"kind": "person", "id": "1"})
        elif fault is PageFault.STUCK:
            page |= {"more": True, "cursor": since[0], "changes": []}
        elif fault is PageFault.HALF:
            return await _half(request, page)
        return web.json_response(page)

    def _page(self, since: int, limit: int) -> dict[str, Any]:
        found = self._database.execute(
            "SELECT number, body FROM changes WHERE number > ? ORDER BY number LIMIT ?", (since, limit + 1)
        ).fetchall()
        taken = found[:limit]
        cursor = taken[-1][0] if taken else since
        changes = [json.loads(body) for _, body in taken]
        return {"format": 1, "cursor": f"c{cursor}", "more": len(found) > limit, "changes": changes}


async def _half(request: web.Request, page: Mapping[str, Any]) -> web.StreamResponse:
    body = json.dumps(page).encode()
    answer = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await answer.prepare(request)
    await answer.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.abort()
    return answer
