"""The life of the connection to one Asterisk: connect, reconcile, open the gate, and again after every break.

Two applications share one WebSocket. With the subscription to the trunk on the main one, every event of a channel in
Stasis would come twice, and each key count double (22.10.1). So `<app>-trunk` has the subscription, and is filtered to
ChannelDestroyed and our own echo.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from ivr.ari.client import AriClient
from ivr.ari.events import Channel, ChannelUserevent, read_channel
from ivr.ari.leg import sort_legs
from ivr.ari.line import AriLine
from ivr.ari.link import HandshakeAbandoned, Link
from ivr.ari.phone import AriPhone
from ivr.ari.playing import Tail
from ivr.ari.settings import PbxSettings, check_version
from ivr.ari.subscriptions import at, subscribe
from ivr.endpoints import caller_number, endpoint_of
from ivr.errors import BadInput, PbxError, PbxRefused, PbxUnreachable, StorageError, problem
from ivr.phone import HungUp

log = logging.getLogger(__name__)

#: How often, and how long, we wait for an event that we asked for ourselves.
_ECHO_SECONDS = 5.0
#: Between two tries to write down which calls live.
_RECONCILE_SECONDS = 2.0
#: So long after a connection began a handshake that we had given up before may still take its place.
_LATE_SECONDS = 60.0
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 15.0


class Calls(Protocol):
    """What becomes of the calls. Each `arrived`, `studio` and `found` runs in a task of its own."""

    async def arrived(self, phone: AriPhone, caller: str | None, dialled: str) -> None:
        """Somebody rings us; `caller` is None if withheld. The call ends when this returns."""

    async def studio(self, phone: AriPhone, endpoint: str, extension: str) -> None:
        """A telephone in the house rings to record prompts. The call ends when this returns."""

    async def found(self, phone: AriPhone) -> None:
        """A call of ours without an owner, left by a process before us. It may still ring: then the first method waits.

        The call ends when this returns.
        """

    async def reconciled(self, live_ids: frozenset[str], restarted: bool) -> None:
        """Only these calls live; owners of the others are told HungUp. `restarted`: Asterisk is not the one it was."""


class Pbx:
    """Owns the connection and the tasks of inbound calls. `run` it in a task; dial through `line`.

    `now` is a steady clock in seconds, `sleep` waits on it, `jitter` gives 0 to 1. `startup_time` is Asterisk's own, as
    it stood before we began, if somebody kept it.
    """

    def __init__(
        self,
        settings: PbxSettings,
        calls: Calls,
        tail: Tail,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        jitter: Callable[[], float],
        startup_time: str | None = None,
    ) -> None:
        self._settings = settings
        self._calls = calls
        self._tail = tail
        self._sleep = sleep
        self._jitter = jitter
        self._gate = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._client = AriClient(settings, now, sleep)
        self._was_ready = False
        self._abandoned = 0  #: handshakes that we gave up and Asterisk may still carry out
        self.startup_time = startup_time
        self.version: str | None = None
        self.line = AriLine(self._client, tail, self._gate.is_set)

    @property
    def is_ready(self) -> bool:
        """Whether the gate is open: connected and reconciled."""
        return self._gate.is_set()

    def silence(self) -> float | None:
        """Seconds since Asterisk last answered a ping; None while we know that we are not connected."""
        return self._client.pong_age()

    def live_ids(self) -> frozenset[str]:
        """Channels that somebody here owns."""
        return self._client.watched()

    async def ready(self) -> None:
        """Wait until the gate is open."""
        await self._gate.wait()

    async def run(self) -> None:
        """Stay connected until cancelled.

        Raises BadInput (a wrong secret or a version that will not do, before the gate was ever open) and PbxError if
        another instance took our place: two that both came back would drive each other out for ever. An earlier
        handshake of our own is no other instance.
        """
        tries = 0
        async with self._client:
            arrivals = asyncio.create_task(self._take_arrivals())
            try:
                while True:
                    opened = await self._one_connection()
                    tries = 0 if opened else tries + 1
                    await self._sleep(self._back_off(tries))
            finally:
                await _end_all({arrivals, *self._tasks})

    def _back_off(self, tries: int) -> float:
        longest = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2.0 ** min(tries, 10))
        return longest * (0.5 + self._jitter() / 2)

    async def _one_connection(self) -> bool:
        """From connecting to the end; whether the gate was opened. Raises what must end `run`."""
        link: Link | None = None
        connected_at = 0.0
        try:
            link = await self._client.connect()
            connected_at = self._client.now()
            await self._open(link)
            log.info("connected to Asterisk %s", self.version, extra={"action": "pbx_ready"})
            await self._stay(link)
        except PbxError as error:
            self._abandoned += isinstance(error, HandshakeAbandoned)
            log.warning("%s", error.render("en"), extra={"action": "pbx_not_ready"})
        except BadInput as error:
            if not self._was_ready:
                raise
            # It did before: somebody is working on Asterisk. A telephone line does not give up.
            log.error("%s", error.render("en"), extra={"action": "pbx_not_ready"})
        finally:
            opened = self._gate.is_set()
            self._gate.clear()
            if link is not None:
                await link.close()
        if link is not None and link.replaced:
            self._judge_replacement(connected_at)
        return opened

    def _judge_replacement(self, connected_at: float) -> None:
        """Somebody has our applications now. Raises PbxError, unless it may be a handshake of ours that came late.

        An Asterisk that stood still carries out all that lies in its sockets when it goes on, in any order. Each such
        handshake takes our place once at most; we take our applications again.
        """
        late = self._client.now() - connected_at < _LATE_SECONDS
        if not (self._abandoned and late):
            raise PbxError(problem("pbx.replaced", app=self._settings.app))
        self._abandoned -= 1
        log.warning("a late handshake of our own took our place", extra={"action": "pbx_replaced_by_us"})

    async def _stay(self, link: Link) -> None:
        """Until the connection ends."""
        echoing = asyncio.create_task(self._keep_echoing(link))
        try:
            await link.ended()
        finally:
            await _end_all({echoing})

    async def _keep_echoing(self, link: Link) -> None:
        """End the connection when it has gone deaf."""
        with contextlib.suppress(PbxError):
            while True:
                await self._sleep(_ECHO_SECONDS)
                await self._echo()
        if link.is_open:
            log.error("connected to Asterisk, but its events do not come", extra={"action": "pbx_deaf"})
            link.stop()

    async def _echo(self) -> None:
        """Ask for an event of each application and wait for it. Raises PbxError if one does not come.

        Pongs are not enough. When Asterisk notices the end of an earlier connection only after the new one took over
        (it was stalled), it shuts down the applications under the new one: connected, answering, and deaf (22.10.1).
        """
        waiting = {self._settings.app, self._settings.trunk_app}
        while not self._client.echoes.is_empty():
            await self._client.echoes.next(0.0)
        for app in sorted(waiting):
            await self._client.request("POST", "/events/user/kenko-echo", params={"application": app})
        until = self._client.now() + _ECHO_SECONDS
        while waiting:
            item = await self._client.echoes.next(until)
            if item is None:
                raise PbxUnreachable(problem("pbx.deaf", url=self._settings.url))
            if isinstance(item[1], ChannelUserevent):
                waiting.discard(item[1].application)

    async def _open(self, link: Link) -> None:
        """Everything between the connection and the open gate, in this order."""
        restarted = await self._greet()
        await subscribe(self._client)
        await self._echo()
        living = await self._channels()
        self._client.reconcile({} if restarted else living)
        ours = {each.id: each for each in living.values() if self._is_ours(each)}
        talking = await sort_legs(self._client, ours)
        for channel in ours.values():
            if channel.id not in self._client.watched():
                self._adopt(channel, channel.id in talking)
        await self._reconciled(link, frozenset(ours), restarted)
        if link.is_open:
            self._was_ready = True
            self._gate.set()

    async def _reconciled(self, link: Link, live_ids: frozenset[str], restarted: bool) -> None:
        """Tell which calls live, again and again while that cannot be written: callers on the line are served all the
        same, and without it nobody is rung.
        """
        while link.is_open:
            try:
                await self._calls.reconciled(live_ids, restarted)
                return
            except StorageError as error:
                log.error("%s", error.render("en"), extra={"action": "not_reconciled"})
            await self._sleep(_RECONCILE_SECONDS)

    async def _greet(self) -> bool:
        """Wait for Asterisk to be booted, judge its version; whether it is another process than before."""
        try:
            info = await self._client.request("GET", "/asterisk/info")
        except PbxRefused as error:
            if error.status == 404:
                # Before its modules are loaded everything is 404.
                raise PbxUnreachable(problem("pbx.booting", url=self._settings.url)) from error
            raise
        self.version = str(at(info, "system", "version") or "")
        if not check_version(self.version):
            log.warning("Asterisk %s is tolerated; 22 LTS is better", self.version, extra={"action": "pbx_old_lts"})
        self._client.choose_transport(self.version)
        before, self.startup_time = self.startup_time, str(at(info, "status", "startup_time") or "")
        return before is not None and before != self.startup_time

    async def _channels(self) -> dict[str, Channel]:
        """Every channel that lives on this Asterisk, other people's too."""
        listed = await self._client.request("GET", "/channels")
        found = [read_channel(each) for each in listed] if isinstance(listed, list) else []
        return {each.id: each for each in found if each is not None}

    def _is_ours(self, channel: Channel) -> bool:
        """Whether the channel is in our application, or bears an id that only we give."""
        in_app = channel.app_name == "Stasis" and channel.app_data.split(",")[0] == self._settings.app
        return in_app or channel.id.startswith(self._settings.id_prefix)

    async def _take_arrivals(self) -> None:
        while True:
            event = await self._client.arrivals.get()
            try:
                self._begin(event.channel, event.args)
            except Exception:  # a task border: left alone, the call goes the dialplan's last way within 2 s
                log.exception("a call was not taken", extra={"action": "call_failed", "call": event.channel.id})

    def _adopt(self, channel: Channel, talks: bool) -> None:
        """A channel of ours that nobody owns at a (re)connect; `talks` to a telephone that it was put through to."""
        in_stasis = channel.app_name == "Stasis"
        words = tuple(channel.app_data.split(",")[1:]) if in_stasis else ()
        if in_stasis and channel.state == "Ring":
            # Inbound and not answered yet: it came while we connected, nobody has spoken to it.
            self._begin(channel, words)
            return
        phone = AriPhone(self._client, channel.id, self._tail, answered=in_stasis, taken_over=True, talks=talks)
        self._spawn(phone, self._calls.found(phone))

    def _begin(self, channel: Channel, words: tuple[str, ...]) -> None:
        """A channel came into our application. `words` are what the dialplan gave: `studio`; or `inbound`, the number
        that was dialled, and the seconds for which the call may last.
        """
        phone = AriPhone(self._client, channel.id, self._tail, answered=True)
        if words[:1] == ("inbound",):
            dialled = words[1] if len(words) > 1 else channel.exten
            longest = words[2] if len(words) > 2 else ""
            if longest:
                phone.take_up(longest)
            self._spawn(phone, self._calls.arrived(phone, caller_number(channel.caller), dialled))
        elif words[:1] == ("studio",):
            self._spawn(phone, self._calls.studio(phone, endpoint_of(channel.name), channel.exten))
        else:
            # An outbound call whose dialling was given up as lost, and which was answered after all.
            self._spawn(phone, self._calls.found(phone))

    def _spawn(self, phone: AriPhone, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._one_call(phone, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _one_call(self, phone: AriPhone, work: Coroutine[Any, Any, None]) -> None:
        """The task border: whatever goes wrong in one call ends here, with an apology, and hurts no other.

        What it leaves to be written is kept by `Calls`.
        """
        try:
            await work
        except HungUp:
            pass
        except Exception:
            log.exception("a call failed", extra={"action": "call_failed", "call": phone.call_id})
            with contextlib.suppress(HungUp, PbxError):
                await phone.answer()
                await phone.say([self._tail.apology])
        await phone.hang_up()


async def _end_all(tasks: set[asyncio.Task[None]]) -> None:
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
