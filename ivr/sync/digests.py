"""Asks the centre what it holds of a day: a digest, and page by page the documents. Believes no answer unchecked."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from urllib.parse import quote

import aiohttp

from ivr.sync import http
from ivr.sync.comparison import KEY, SHA256, Digest, digest_of
from ivr.sync.delivery import Fault
from ivr.sync.settings import Sync

PATH = "/v1/digests"
#: Documents that we ask for at once, and how long an answer with so many can be, in bytes (keys have 200 letters).
PAGE, LONGEST_PAGE = 1000, 512 * 1024
#: No installation has so many documents on a day: a centre that names more never ends.
MOST_DOCUMENTS = 1_000_000


class Unanswered(Exception):
    """Nobody can say what the centre holds. Its text is one word, for logs and screens."""


class Source(Protocol):
    """Somebody who says what the centre holds. Both raise Unanswered."""

    async def digest(self, day: date) -> Digest:
        """Of all documents of the day."""

    async def documents(self, day: date) -> Mapping[str, str]:
        """Key -> SHA-256."""


@dataclass(frozen=True)
class Asked:
    """The centre itself, over HTTPS."""

    session: aiohttp.ClientSession
    settings: Sync
    now: Callable[[], datetime]

    async def digest(self, day: date) -> Digest:
        """See Source."""
        return digest_from(await self._get(PATH, {"day": day.isoformat()}, http.LONGEST_ANSWER), day)

    async def documents(self, day: date) -> Mapping[str, str]:
        """See Source."""
        found: dict[str, str] = {}
        after, more = "", True
        while more:
            given = {"limit": str(PAGE), **({"after": after} if after else {})}
            body = await self._get(f"{PATH}/{quote(day.isoformat())}/documents", given, LONGEST_PAGE)
            page, more = page_from(body, day, after)
            found |= page
            after = next(reversed(page), after)
            if len(found) > MOST_DOCUMENTS:
                raise Unanswered(Fault.TOO_BIG)
        return found

    async def _get(self, path: str, given: Mapping[str, str], longest: int) -> object:
        reply = await http.get(self.session, self.settings, path, given, longest, self.now())
        if reply.fault is Fault.CUT and await http.refuses_us(self.settings):
            raise Unanswered(Fault.TLS)
        if reply.fault is not None:
            raise Unanswered(reply.fault)
        if reply.status != 200:
            raise Unanswered(f"http_{reply.status}")
        return reply.body


@dataclass(frozen=True)
class Listed:
    """What the receiver of files says that it holds."""

    days: Mapping[date, Mapping[str, str]]

    async def digest(self, day: date) -> Digest:
        """See Source."""
        return digest_of(await self.documents(day))

    async def documents(self, day: date) -> Mapping[str, str]:
        """See Source."""
        return self.days.get(day, {})


@asynccontextmanager
async def ask(settings: Sync, now: Callable[[], datetime]) -> AsyncIterator[Asked]:
    """The centre, to be asked. Raises Unanswered if our certificate cannot be read."""
    try:
        session = http.open_session(settings)
    except OSError:
        raise Unanswered(Fault.TLS) from None
    async with session:
        yield Asked(session, settings, now)


def digest_from(body: object, day: date) -> Digest:
    """The digest that an answer tells. Raises Unanswered: it tells none, or that of another day."""
    _check_day(body, day)
    match body:
        case {"documents": int(count), "sha256": str(sha256)} if (
            type(count) is int and count >= 0 and SHA256.fullmatch(sha256)
        ):
            return Digest(count, sha256)
    raise Unanswered("unreadable")


def page_from(body: object, day: date, after: str) -> tuple[dict[str, str], bool]:
    """Key -> SHA-256 of a page, and whether there are more.

    Raises Unanswered unless its keys go on strictly upwards from `after`: so no centre can go round in circles.
    """
    _check_day(body, day)
    match body:
        case {"documents": list(listed), "more": bool(more)} if listed or not more:
            pass
        case _:
            raise Unanswered("unreadable")
    found: dict[str, str] = {}
    for each in listed:
        match each:
            case {"key": str(key), "sha256": str(sha256)} if (
                key > after and KEY.fullmatch(key) and SHA256.fullmatch(sha256)
            ):
                found[key] = sha256
                after = key
            case _:
                raise Unanswered("unreadable")
    return found, more


def _check_day(body: object, day: date) -> None:
    if isinstance(body, dict) and body.get("day") != day.isoformat():
        raise Unanswered("wrong_day" if isinstance(body.get("day"), str) else "unreadable")
