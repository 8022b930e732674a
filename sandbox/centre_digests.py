"""What the stand-in centre tells of the documents that it holds, day by day: the digests of docs/centre-api.yaml."""

import hashlib
import json
import re
from datetime import date

from aiohttp import web
from pysqlite3 import dbapi2 as sqlite3

PATH = "/v1/digests"
MOST = 1000
_KEY = re.compile(r"[!-~]{1,200}")
#: Of a request whose answer is to name another day than it asked about.
OTHER_DAY = web.RequestKey("other_day", bool)
#: The UTC day of `frozen_at`, for whatever body has such a field.
_DAY = (
    "CASE WHEN json_valid(CAST(body AS TEXT)) THEN substr(json_extract(CAST(body AS TEXT), '$.frozen_at'), 1, 10) END"
)


def add_digests(app: web.Application, database: sqlite3.Connection) -> None:
    """Answer for the table `documents` of the centre."""
    database.execute(f"CREATE INDEX IF NOT EXISTS documents_by_day ON documents (({_DAY}), key)")

    async def digest(request: web.Request) -> web.Response:
        day = _day(request.query.get("day", ""))
        told = hashlib.sha256()
        count = 0
        for key, sha256 in database.execute(f"SELECT key, sha256 FROM documents WHERE {_DAY} = ? ORDER BY key", (day,)):
            told.update(f"{key} {sha256}\n".encode())
            count += 1
        return web.json_response({"day": _echoed(request, day), "documents": count, "sha256": told.hexdigest()})

    async def documents(request: web.Request) -> web.Response:
        day, after, limit = _day(request.match_info["day"]), request.query.get("after"), _limit(request)
        if after is not None and not _KEY.fullmatch(after):
            raise _refused("after")
        wanted = f"SELECT key, sha256 FROM documents WHERE {_DAY} = ? AND key > ? ORDER BY key LIMIT ?"
        found = database.execute(wanted, (day, after or "", limit + 1)).fetchall()
        page = [{"key": key, "sha256": sha256} for key, sha256 in found[:limit]]
        told = {"day": _echoed(request, day), "documents": page, "more": len(found) > limit}
        return web.json_response(told)

    app.router.add_get(PATH, digest)
    app.router.add_get(f"{PATH}/{{day}}/documents", documents)


def _day(given: str) -> str:
    try:
        if date.fromisoformat(given).isoformat() == given:
            return given
    except ValueError:
        pass
    raise _refused("day")


def _limit(request: web.Request) -> int:
    given = request.query.get("limit", str(MOST))
    if not re.fullmatch("[0-9]{1,4}", given) or not 1 <= int(given) <= MOST:
        raise _refused("limit")
    return int(given)


def _refused(what: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=json.dumps({"error": what}), content_type="application/json")


def _echoed(request: web.Request, day: str) -> str:
    return "1970-01-01" if request.get(OTHER_DAY) else day
