"""One connection to Asterisk's manager, from its opening to its end: asks for lists, hears events, never reconnects.

On panoramisk's protocol, not on its Manager: that reconnects by itself and cannot be told not to, and sends again what
was lost. What the protocol writes to its log holds secrets (ours at login, the trunk's in a list), so it gets none.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from panoramisk.ami_protocol import AMIProtocol

from ivr.errors import PbxSilent, PbxUnreachable, problem

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 5.0
_NO_LOG = logging.Logger("panoramisk")
_NO_LOG.disabled = True


@dataclass(frozen=True)
class AmiSettings:
    """How to reach the manager of one Asterisk. `dialplan/manager.conf.j2` says what its user may do, and why."""

    host: str
    port: int
    user: str
    secret: str = field(repr=False)


class _Everything:
    """Actions that are forgotten when the connection ends: all."""

    def __contains__(self, _: object) -> bool:
        return True


class _Ear:
    """What the protocol wants for an owner."""

    save_stream = None
    forgetable_actions = _Everything()

    def __init__(self, heard: Callable[[str], None]) -> None:
        self._heard = heard
        self.awaiting_actions: deque[object] = deque(maxlen=0)
        self.ended = asyncio.Event()

    def dispatch(self, event: Any) -> None:
        self._heard(str(event.event))

    def connection_lost(self, _: object) -> None:
        self.ended.set()


class Link:
    """An open connection, logged in."""

    def __init__(self, protocol: Any, ear: _Ear, settings: AmiSettings) -> None:
        self._protocol = protocol
        self._ear = ear
        self._settings = settings

    @property
    def is_open(self) -> bool:
        """Whether questions can go out."""
        return not self._ear.ended.is_set()

    async def listed(self, action: str) -> list[Mapping[str, str]] | None:
        """The events of a list; None if this Asterisk has no such action, or we may not. Raises PbxSilent."""
        messages = await self.ask({"Action": action})
        first = messages[0]
        return [dict(each) for each in messages[1:]] if first.success else None

    async def ask(self, action: dict[str, str]) -> list[Any]:
        """Every message of an answer. Raises PbxSilent if it does not come, or the connection ends."""
        if not self.is_open:
            raise self._silent(action)
        reply = asyncio.ensure_future(self._protocol.send(action, as_list=None))
        ended = asyncio.ensure_future(self._ear.ended.wait())
        try:
            await asyncio.wait({reply, ended}, timeout=_ANSWER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not reply.done():
                raise self._silent(action)
            answer = reply.result()
        finally:
            reply.cancel()
            ended.cancel()
        return answer if isinstance(answer, list) else [answer]

    def close(self) -> None:
        """End it."""
        self._ear.ended.set()
        self._protocol.close()

    def _silent(self, action: dict[str, str]) -> PbxSilent:
        return PbxSilent(problem("ami.silent", action=action["Action"], port=self._settings.port))


async def open_link(settings: AmiSettings, heard: Callable[[str], None]) -> Link:
    """Connect and log in; `heard` is given the name of every event. Raises PbxUnreachable, PbxSilent."""
    unreachable = PbxUnreachable(problem("ami.unreachable", host=settings.host, port=settings.port))
    ear = _Ear(heard)
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            loop = asyncio.get_running_loop()
            _, protocol = await loop.create_connection(AMIProtocol, settings.host, settings.port)
    except (OSError, TimeoutError) as error:
        raise unreachable from error
    protocol.factory, protocol.encoding, protocol.log = ear, "utf8", _NO_LOG
    link = Link(protocol, ear, settings)
    try:
        login = {"Action": "Login", "Username": settings.user, "Secret": settings.secret, "Events": "on"}
        answers = await link.ask(login)
        if not answers[0].success:
            raise PbxUnreachable(problem("ami.refused", user=settings.user, port=settings.port))
    except BaseException:
        link.close()
        raise
    return link
