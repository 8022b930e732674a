"""Asks the centre over HTTPS, and says what came of it; never more than one request a document.

Both sides show a certificate, ours is checked against one CA and no other, and nothing falls back to less.
"""

import asyncio
import json
import ssl
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

import aiohttp
from yarl import URL

from ivr.sync.delivery import Fault, Reply
from ivr.sync.settings import Sync

#: No honest acknowledgement is longer, in bytes.
LONGEST_ANSWER = 64 * 1024
PATH = "/v1/documents"
_CONNECT_SECONDS = 10.0
_SAY_NOTHING_SECONDS = 1.0
#: A centre that closes idle connections sooner costs a try; servers commonly keep them 15 s and longer.
_KEEP_ALIVE_SECONDS = 5.0
#: Words of OpenSSL (3.x, `reason` of ssl.SSLError) for a handshake that no repetition will mend.
_REFUSALS = ("ALERT", "CERTIFICATE", "VERSION", "UNSUPPORTED_PROTOCOL", "WRONG_VERSION_NUMBER", "NO_SHARED_CIPHER")


def tls_of(settings: Sync) -> ssl.SSLContext:
    """TLS 1.2 or later, with the centre's CA only. Raises OSError (ssl.SSLError is one) if a file cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks host names and certificates
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Sync has made sure that all three are there. Without a CA OpenSSL would trust nobody.
    context.load_verify_locations(cafile=settings.ca_file)
    assert settings.certificate_file is not None
    # A password of the key would be asked for at the terminal that a service has not got.
    context.load_cert_chain(settings.certificate_file, settings.key_file, password="")
    return context


def open_session(settings: Sync) -> aiohttp.ClientSession:
    """A session for requests to the centre. It obeys no proxy of the environment, no redirect, and keeps no cookie.

    Raises OSError as `tls_of` does.
    """
    connector = aiohttp.TCPConnector(
        ssl=tls_of(settings), keepalive_timeout=_KEEP_ALIVE_SECONDS, limit=settings.connections
    )
    return aiohttp.ClientSession(
        connector=connector,
        trust_env=False,
        auto_decompress=False,  # a small body must not become a big one
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=settings.timeout_seconds, sock_connect=_CONNECT_SECONDS),
    )


async def post(
    session: aiohttp.ClientSession,
    settings: Sync,
    key: str,
    payload: bytes,
    now: datetime,
    path: str = PATH,
    content_type: str = "application/json",
) -> Reply:
    """Send these bytes once. Every outcome is a Reply. `now` is for a Retry-After that names a moment."""
    headers = {
        "Content-Type": content_type,
        "Accept": content_type,
        "Accept-Encoding": "identity",
        "Idempotency-Key": key,
        "Prefer": "return=minimal",  # RFC 7240; a FHIR server would send every resource back
    }
    return await _ask(session, settings, "POST", URL(address_of(settings, path)), headers, payload, LONGEST_ANSWER, now)


async def get(
    session: aiohttp.ClientSession, settings: Sync, path: str, query: Mapping[str, str], longest: int, now: datetime
) -> Reply:
    """Ask for at most so many bytes. As `post`, but aiohttp asks a second time when nothing came of the first."""
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    url = URL(address_of(settings, path)).with_query(query)
    return await _ask(session, settings, "GET", url, headers, None, longest, now)


def address_of(settings: Sync, path: str) -> str:
    """The address of something at the centre."""
    assert settings.centre_url is not None
    return settings.centre_url.rstrip("/") + path


async def _ask(
    session: aiohttp.ClientSession,
    settings: Sync,
    method: str,
    url: URL,
    headers: Mapping[str, str],
    payload: bytes | None,
    longest: int,
    now: datetime,
) -> Reply:
    try:
        async with (
            # aiohttp's own deadline covers this too; the second one also covers what it does between its reads.
            asyncio.timeout(settings.timeout_seconds),
            session.request(
                method, url, data=payload, headers=headers, proxy=settings.proxy, allow_redirects=False
            ) as answer,
        ):
            body = await _read(answer, longest)
            if body is None:
                answer.close()
                return Reply(answer.status, Fault.TOO_BIG)
            return Reply(answer.status, None, _parsed(body), retry_after(answer.headers.get("Retry-After"), now))
    except TimeoutError:
        return Reply(fault=Fault.TIMED_OUT)
    except aiohttp.ClientHttpProxyError as error:
        return Reply(error.status)
    except (aiohttp.ClientError, OSError) as error:
        return Reply(fault=fault_of(error))


async def _read(answer: aiohttp.ClientResponse, longest: int) -> bytes | None:
    """The body; None if it is too big, perhaps without end."""
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > longest:
            return None
    return bytes(body)


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def retry_after(given: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After asks for (RFC 9110, 10.2.3: seconds or a moment); None for anything else."""
    if given is None:
        return None
    given = given.strip()
    if given.isascii() and given.isdecimal():
        return float(given[:9])
    try:
        moment = parsedate_to_datetime(given)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, (moment - now).total_seconds())


async def refuses_us(settings: Sync) -> bool:
    """Whether the centre hangs up because of our certificate: connect, say nothing, and see.

    With TLS 1.3 it may refuse after our side has finished its handshake (RFC 8446, 4.4.2.4). What we had sent by then
    makes its system reset the connection, and the reason is lost: in a request it looks like a cut. Through a proxy
    nobody can tell, and it stays one.
    """
    url = URL(settings.centre_url or "")
    if settings.proxy is not None or url.host is None:
        return False
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(url.host, url.port, ssl=tls_of(settings))
    except (OSError, TimeoutError) as error:
        return fault_of(error) is Fault.TLS
    try:
        async with asyncio.timeout(_SAY_NOTHING_SECONDS):
            await reader.read(1)
    except (OSError, TimeoutError) as error:
        return fault_of(error) is Fault.TLS
    finally:
        writer.transport.abort()
    return False


def fault_of(error: BaseException) -> Fault:
    """What kept the answer away."""
    if any(_refuses(each) for each in _chain(error)):
        return Fault.TLS
    if isinstance(error, aiohttp.ClientConnectorError) and not isinstance(error, aiohttp.ClientSSLError):
        return Fault.UNREACHABLE
    return Fault.CUT


def _refuses(error: BaseException) -> bool:
    """Whether it is a certificate or a version of TLS; a handshake that was cut off is neither."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return True
    if not isinstance(error, ssl.SSLError) or isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return False
    # aiohttp wraps it in an SSLError of its own, which has no reason.
    reason = getattr(error, "reason", None) or ""
    return any(word in reason for word in _REFUSALS)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was made from."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__, getattr(each, "os_error", None)]
