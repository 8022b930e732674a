"""Requests to Asterisk over HTTP, and what any reply means. Status first, body second: the body may be anything."""

import asyncio
import base64
import json
import re
from collections.abc import Mapping
from typing import Any

import aiohttp

from ivr.ari.settings import PbxSettings
from ivr.errors import BadInput, PbxRefused, PbxSilent, PbxUnreachable, problem

#: No reply of Asterisk's is longer, but for `GET /channels` of a PBX with thousands of calls.
LONGEST_REPLY = 4 * 1024 * 1024
#: Half an hour of speech.
LONGEST_FILE = 32 * 1024 * 1024
_LONGEST_REASON = 200
#: Asterisk keeps an idle connection 15 s (`session_keep_alive`); a client that keeps it as long sends a request into a
#: connection that closes just then, and cannot know whether a call was placed.
_KEEP_ALIVE_SECONDS = 5.0
_CONNECT_SECONDS = 3.0

Params = Mapping[str, str]


def open_session(settings: PbxSettings) -> aiohttp.ClientSession:
    """A session that carries the secret in a header, never in a URL, and obeys no proxy and no redirect."""
    word = base64.b64encode(f"{settings.user}:{settings.secret}".encode()).decode()
    return aiohttp.ClientSession(
        base_url=settings.url.rstrip("/") + "/",
        headers={"Authorization": f"Basic {word}"},
        connector=aiohttp.TCPConnector(keepalive_timeout=_KEEP_ALIVE_SECONDS, limit=0),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
    )


async def send_http(
    session: aiohttp.ClientSession,
    settings: PbxSettings,
    request: tuple[str, str],
    params: Params | None,
    body: object,
    deadline: float,
) -> Any:
    """One request, `(method, path)`, sent at most once; for the rest see `AriClient.request`."""
    status, phrase, text = await _send(session, settings, request, params, body, deadline, LONGEST_REPLY)
    return understand(settings, " ".join(request), status, phrase, text)


async def fetch_http(session: aiohttp.ClientSession, settings: PbxSettings, path: str, deadline: float) -> bytes:
    """The bytes of a file; for the rest see `AriClient.request`."""
    request = ("GET", path)
    status, phrase, found = await _send(session, settings, request, None, None, deadline, LONGEST_FILE)
    if status != 200 or found is None:
        understand(settings, " ".join(request), status, phrase, found)
        raise PbxSilent(problem("pbx.unreadable", request=" ".join(request), status=status))
    return found


async def _send(
    session: aiohttp.ClientSession,
    settings: PbxSettings,
    request: tuple[str, str],
    params: Params | None,
    body: object,
    deadline: float,
    longest: int,
) -> tuple[int, str, bytes | None]:
    """Status, phrase and body of the reply; no body if it is longer than so many bytes."""
    method, path = request
    said = f"{method} {path}"
    try:
        async with (
            asyncio.timeout(deadline),
            session.request(method, f"ari{path}", params=params, json=body, allow_redirects=False) as reply,
        ):
            return reply.status, reply.reason or "", await _read(reply, longest)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise unreachable(settings) from error
    except (TimeoutError, aiohttp.ClientError, ConnectionError) as error:
        # Sent, or half sent, and then nothing: nobody knows.
        raise PbxSilent(problem("pbx.silent", request=said)) from error


async def _read(reply: aiohttp.ClientResponse, longest: int) -> bytes | None:
    """The body; None if it is longer than any that Asterisk sends."""
    found = bytearray()
    async for piece in reply.content.iter_chunked(65536):
        found += piece
        if len(found) > longest:
            reply.close()
            return None
    return bytes(found)


def understand(settings: PbxSettings, request: str, status: int, phrase: str, body: bytes | None) -> Any:
    """What a reply says: the decoded body of a success (None if empty).

    Raises PbxRefused with Asterisk's words, PbxUnreachable while it boots, PbxSilent for a success that cannot be read:
    it was carried out, but what came of it is not known.
    """
    if status == 503:
        # "Asterisk not booted", 22.10.1: the request was not looked at.
        raise unreachable(settings)
    if not 200 <= status <= 299:
        raise PbxRefused(status, _reason(phrase, body), request)
    if body is not None and not body.strip():
        return None
    try:
        return json.loads(body or b"")
    except (ValueError, RecursionError) as error:
        raise PbxSilent(problem("pbx.unreadable", request=request, status=status)) from error


def unreachable(settings: PbxSettings) -> PbxUnreachable:
    """Nothing answers there."""
    return PbxUnreachable(problem("pbx.unreachable", url=settings.url))


def wrong_secret(settings: PbxSettings) -> BadInput:
    """Asterisk knows neither this user nor this secret."""
    return BadInput(problem("pbx.wrong_secret", url=settings.url, user=settings.user))


def _reason(phrase: str, body: bytes | None) -> str:
    """Asterisk's own words, short, on one line, and without anything that could be a telephone number."""
    said = phrase
    try:
        fields = json.loads(body or b"")
        if isinstance(fields, dict):
            said = str(fields.get("message") or fields.get("error") or phrase)
    except (ValueError, RecursionError):
        said = (body or b"")[:_LONGEST_REASON].decode("utf-8", "replace") or phrase
    return re.sub(r"[0-9]{7,}", "…", " ".join(said.split()))[:_LONGEST_REASON]
