"""A stand-in centre: keeps what it is sent in a database of its own, once a key, and fails as told.

It does what docs/centre-api.yaml asks of a centre and nothing else: it understands no document, and hands out changes
that it was given. At /fhir it answers as a FHIR server that has stored every entry.
"""

import asyncio
import hashlib
import json
import re
import ssl
import sys
from collections import deque
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from aiohttp import web
from pysqlite3 import dbapi2 as sqlite3

from sandbox.centre_changes import PATH as CHANGES_PATH
from sandbox.centre_changes import Changes
from sandbox.centre_digests import Digests
from sandbox.certificates import Certificates, make_certificates

ADDRESS = "127.0.0.1"
PATH, FHIR_PATH = "/v1/documents", "/fhir"
#: Its file in the folder.
DATABASE = "centre.db"
_DOCUMENTS = "SELECT key, body FROM documents ORDER BY record_id"
LONGEST_DOCUMENT = 1024 * 1024
_KEY = re.compile(r"[!-~]{1,200}")


class Fault(StrEnum):
    """What the centre does in place of an honest answer to one request."""

    SLOW = "slow"  #: stores, and answers after `slow_seconds`
    BUSY = "busy"  #: 429, `Retry-After: 7`
    ERROR = "error"  #: 500
    GATEWAY = "gateway"  #: 503
    REFUSED = "refused"  #: 400
    UNKNOWN = "unknown"  #: 401
    MOVED = "moved"  #: 307 to another address
    CUT_BEFORE = "cut_before"  #: the connection ends before anything is stored
    CUT_AFTER = "cut_after"  #: ... and after it
    TWICE = "twice"  #: stores, and acknowledges twice on one connection
    WRONG_KEY = "wrong_key"  #: stores, and acknowledges another key
    NO_ID = "no_id"  #: stores, and names no record id
    HTML = "html"  #: 200 with a page of some proxy
    HUGE = "huge"  #: 200 with 10 MB
    ENDLESS = "endless"  #: 200 with a body that never ends


@dataclass
class Centre:
    """One centre; `start` and `stop` it as often as you like: the database stays."""

    folder: Path
    certificates: Certificates
    slow_seconds: float = 60.0
    faults: deque[Fault] = field(default_factory=deque)  #: one a request; then all goes well
    requests: int = 0
    port: int = 0  #: 0: any, until the first start
    redirected: int = 0  #: requests that obeyed MOVED
    _runner: web.AppRunner | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.database = sqlite3.connect(self.folder / DATABASE, isolation_level=None)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = FULL")
        self.database.execute(
            "CREATE TABLE IF NOT EXISTS documents (record_id INTEGER PRIMARY KEY AUTOINCREMENT, "
            "key TEXT NOT NULL UNIQUE, sha256 TEXT NOT NULL, body BLOB NOT NULL) STRICT"
        )
        self.digests = Digests(self.database, _INSTEAD, self.slow_seconds)
        self.changes = Changes(self.database, _INSTEAD, self.slow_seconds)

    @property
    def url(self) -> str:
        """Its address, once it was started."""
        return f"https://{ADDRESS}:{self.port}"

    async def start(self) -> None:
        """Listen, on the same port as before."""
        app = web.Application(client_max_size=LONGEST_DOCUMENT)
        app.router.add_post(PATH, self._received)
        app.router.add_post(FHIR_PATH, self._received)
        self.digests.add_to(app)
        app.router.add_get(CHANGES_PATH, self.changes.get)
        app.router.add_post("/moved", self._moved)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, ADDRESS, self.port, ssl_context=_tls(self.certificates))
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Hang up on everybody."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def documents(self) -> list[tuple[str, bytes]]:
        """Key and body of all that it holds, in the order in which they came."""
        return list(self.database.execute(_DOCUMENTS))

    async def _moved(self, _: web.Request) -> web.Response:
        self.redirected += 1
        return web.json_response({}, status=500)

    async def _received(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        fault = self.faults.popleft() if self.faults else None
        key = request.headers.get("Idempotency-Key", "")
        body = await request.read()
        if fault in _INSTEAD:
            return await _INSTEAD[fault](request)
        if not _KEY.fullmatch(key) or not _is_object(body):
            return web.json_response({"error": "key or body"}, status=400)
        sha256 = hashlib.sha256(body).hexdigest()
        new = self.database.execute(
            "INSERT INTO documents (key, sha256, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (key, sha256, body)
        ).rowcount
        found = self.database.execute("SELECT record_id, sha256 FROM documents WHERE key = ?", (key,))
        record_id, stored = found.fetchone()
        if stored != sha256:
            return web.json_response({"error": "another body has this key"}, status=422)
        if request.path == FHIR_PATH:
            told = _stored_bundle(body, record_id)
            if fault in (Fault.WRONG_KEY, Fault.NO_ID):
                told["entry"][0]["response"] = {"status": "201 Created"}
                fault = None
        else:
            told = {"key": key, "sha256": stored, "record_id": f"R-{record_id}"}
        return await self._answer(request, fault, told, 201 if new else 200)

    async def _answer(
        self, request: web.Request, fault: Fault | None, told: dict[str, Any], status: int
    ) -> web.StreamResponse:
        match fault:
            case Fault.CUT_AFTER:
                return await _cut(request)
            case Fault.SLOW:
                await asyncio.sleep(self.slow_seconds)
            case Fault.WRONG_KEY:
                told["key"] = "another"
            case Fault.NO_ID:
                del told["record_id"]
            case Fault.TWICE:
                await _twice(request, told)
        return web.json_response(told, status=status)


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


def _stored_bundle(body: bytes, record_id: int) -> dict[str, Any]:
    """hl7.org/fhir/R4/bundle.html#bundle-response."""
    stored = {"status": "201 Created", "location": f"Record/R-{record_id}/_history/1"}
    deleted = {"status": "204 No Content"}
    methods = [each["request"]["method"] for each in json.loads(body).get("entry", ())]
    entries = [{"response": dict(deleted if each == "DELETE" else stored)} for each in methods]
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}


async def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    await asyncio.sleep(0)
    return web.Response(status=500)


async def _twice(request: web.Request, told: dict[str, Any]) -> None:
    body = json.dumps(told).encode()
    head = f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    if request.transport is not None:
        request.transport.write(head.encode() + body)


async def _endless(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Type": "application/json"})
    await answer.prepare(request)
    while True:
        await answer.write(b" ")
        await asyncio.sleep(0.05)


async def _busy(_: web.Request) -> web.StreamResponse:
    return web.json_response({}, status=429, headers={"Retry-After": "7"})


async def _error(_: web.Request) -> web.StreamResponse:
    return web.json_response({}, status=500)


async def _gateway(_: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>503</html>", status=503)


async def _refused(_: web.Request) -> web.StreamResponse:
    return web.json_response({}, status=400)


async def _unknown(_: web.Request) -> web.StreamResponse:
    return web.json_response({}, status=401)


async def _redirect(_: web.Request) -> web.StreamResponse:
    return web.Response(status=307, headers={"Location": "/moved"})


async def _html(_: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>please log in</html>", content_type="text/html")


async def _huge(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b"[" * 10_000_000, content_type="application/json")


#: Faults in which nothing is stored.
_INSTEAD = {
    Fault.CUT_BEFORE: _cut,
    Fault.ENDLESS: _endless,
    Fault.BUSY: _busy,
    Fault.ERROR: _error,
    Fault.GATEWAY: _gateway,
    Fault.REFUSED: _refused,
    Fault.UNKNOWN: _unknown,
    Fault.MOVED: _redirect,
    Fault.HTML: _html,
    Fault.HUGE: _huge,
}


def _tls(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificates.centre.certificate, certificates.centre.key)
    context.load_verify_locations(cafile=certificates.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def documents_in(folder: Path) -> list[tuple[str, bytes]]:
    """Key and body of all that the centre of this folder holds, in the order in which they came; also while it runs."""
    with closing(sqlite3.connect(f"{(folder / DATABASE).resolve().as_uri()}?mode=ro", uri=True)) as database:
        return list(database.execute(_DOCUMENTS))


def certificates_in(folder: Path) -> Certificates:
    """Those of a folder, made at the first time."""
    return make_certificates(folder) if not (folder / "client.pem").exists() else Certificates.at(folder)


async def main(folder: Path, port: int) -> None:
    """Run until killed; prints the address when it listens."""
    centre = Centre(folder, certificates_in(folder / "certificates"), port=port)
    await centre.start()
    sys.stdout.write(f"{centre.url}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
