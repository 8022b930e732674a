"""Acts on what the watch on Asterisk's manager finds: alarms, log lines, the gates of the trunks, a fact for doctor."""

import asyncio
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ivr.ami.alarms import WATCHED, Rules, View, findings, lost, outside
from ivr.ami.link import AmiSettings
from ivr.ami.state import Seen, State, answers, count_failure, follow, judge
from ivr.ami.watch import Watch
from ivr.config import Config, read_secret
from ivr.errors import StorageError
from ivr.storage import facts
from ivr.storage.alarms import keep_alarms
from ivr.storage.database import Database
from scheduler.gates import Gates, Reason

log = logging.getLogger(__name__)

#: The fact of what the watch last found, as JSON: see `_as_fact`.
FINDINGS = "watch.findings"
#: How often it is written when nothing changes; doctor takes a much older one for that of a dead service.
WRITE_SECONDS = 20.0
#: Of the end of Asterisk's log: a hundred lines and more.
_TAIL_BYTES = 32 * 1024
#: How often the providers' names are looked up.
LOOK_UP_EVERY = timedelta(seconds=30)
#: A name that cannot be looked up in this time is not looked up.
_RESOLVE_SECONDS = 3.0

#: Why nothing goes out by a trunk that stands so.
_REASONS = {
    State.UNREACHABLE: Reason.UNREACHABLE,
    State.UNREGISTERED: Reason.UNREGISTERED,
    State.REFUSED: Reason.UNREGISTERED,
    State.PASSWORD: Reason.UNREGISTERED,
}
_OURS = (Reason.UNREACHABLE, Reason.UNREGISTERED)

Resolve = Callable[[str], Awaitable[Iterable[str]]]


def watch_settings(config: Config) -> AmiSettings | None:
    """How to reach the manager; None if nothing is to be watched. Raises BadInput if the secret cannot be read."""
    watch = config.watch
    if watch.ami_secret_file is None:
        return None
    return AmiSettings("127.0.0.1", watch.ami_port, watch.ami_user, read_secret(watch.ami_secret_file))


@dataclass
class Lookout:
    """What is known, and where it goes."""

    config: Config
    database: Database
    gates: Gates
    now: Callable[[], datetime]  #: that of the installation, in practice too
    real_now: Callable[[], datetime]  #: for what doctor compares with its own clock
    resolve: Resolve  #: the IPv4 addresses of a name. Raises OSError
    view: View = field(default_factory=View)
    _told: Sequence[tuple[str, str, str]] | None = None  #: None: what stands is of a process before us
    _looked_up_at: datetime | None = None
    _written_at: datetime | None = None
    _written: Mapping[str, object] = field(default_factory=dict)

    def turned_away(self) -> None:
        """Somebody failed to come in."""
        self.view = replace(self.view, failures=count_failure(self.view.failures, self.now()))

    async def saw(self, seen: Seen | None) -> None:
        """A look found this; None: the manager cannot be reached."""
        self.view = lost(self.view, self.now()) if seen is None else await self._judged(seen)
        for trunk, standing in self.view.trunks.items():
            self._gate(trunk, standing.state)
        try:
            await self._tell()
            await self._write_fact()
        except StorageError as error:
            log.error("%s", error.render("en"), extra={"action": "watch_not_written"})
            self.database.pending.note("watch_not_written", error)

    def _gate(self, trunk: str, state: State) -> None:
        """Close or open: these reasons are ours, and nobody else's."""
        for reason in _OURS:
            if reason is _REASONS.get(state):
                self.gates.close(trunk, reason, self.now())
            else:
                self.gates.open(trunk, reason)

    async def _judged(self, seen: Seen) -> View:
        now, registering = self.now(), self._registering()
        rejected = any(each.status == "Rejected" for each in (seen.registrations or {}).values())
        said = await asyncio.to_thread(_tail, self.config.pbx.asterisk.log / "messages.log") if rejected else ""
        trunks = {}
        for trunk in (each.name for each in self.config.all_trunks()):
            before = self.view.trunks.get(trunk)
            answered = answers(trunk, seen, before)
            state, detail = judge(trunk, trunk in registering, seen, said, answered=answered)
            trunks[trunk] = follow(before, state, detail, now, answered=answered)
            if before is None or before.state is not state:
                log.info("trunk %s: %s", trunk, state.value, extra={"action": "trunk_state", "reason": state.value})
        channels = {each: seen.channels.get(each, 0) for each in trunks}
        return View(trunks, None, await self._outside(), channels, self.view.failures)

    def _registering(self) -> frozenset[str]:
        return frozenset(each.name for each in self.config.pbx.asterisk.sip_trunks if each.user)

    async def _outside(self) -> Mapping[str, tuple[str, ...]]:
        """Trunks whose provider has moved out of the networks that we let in: its calls would be refused."""
        if self._looked_up_at is not None and self.now() - self._looked_up_at < LOOK_UP_EVERY:
            return self.view.outside
        self._looked_up_at = self.now()
        found = {}
        for each in self.config.pbx.asterisk.sip_trunks:
            try:
                async with asyncio.timeout(_RESOLVE_SECONDS):
                    past = outside(await self.resolve(each.host), each.networks)
            except (OSError, TimeoutError):
                past = self.view.outside.get(each.name, ())  # nobody can say: as it was
            if past:
                found[each.name] = past
        return found

    async def _tell(self) -> None:
        watching = self.config.watch
        rules = Rules(timedelta(seconds=watching.settle_seconds), watching.failures_per_minute)
        found = [(each.kind, each.subject, each.details) for each in findings(self.view, rules, self.now())]
        if found == self._told:
            return
        raised, ended = await self.database.write(keep_alarms, WATCHED, found, self.now())
        self._told = found
        for kind in raised:
            log.error("alarm: %s", kind, extra={"action": "alarm", "reason": kind})
        for kind in ended:
            log.warning("alarm over: %s", kind, extra={"action": "alarm_over", "reason": kind})

    async def _write_fact(self) -> None:
        at, said = self.real_now(), _as_fact(self.view)
        fresh = self._written_at is not None and at - self._written_at < timedelta(seconds=WRITE_SECONDS)
        if said == self._written and fresh:
            return
        dated = {"at": at.astimezone(UTC).isoformat()} | said
        await self.database.write(facts.set_fact, FINDINGS, json.dumps(dated))
        self._written_at, self._written = at, said


async def keep_watch(
    lookout: Lookout,
    settings: AmiSettings | None,
    sleep: Callable[[float], Awaitable[None]],
    jitter: Callable[[], float],
) -> None:
    """Watch until cancelled; without settings only wait. `jitter` gives 0 to 1."""
    if settings is None:
        await asyncio.Event().wait()
        return
    seconds = lookout.config.watch.poll_seconds
    note = lookout.database.pending.note
    await Watch(settings, seconds, lookout.saw, lookout.turned_away, note, sleep, jitter).run()


async def look_up(name: str) -> set[str]:
    """The IPv4 addresses of a name, as this machine knows it. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(name, None, family=socket.AF_INET, type=socket.SOCK_DGRAM)
    return {str(each[4][0]) for each in found}


def _as_fact(view: View) -> dict[str, object]:
    trunks = {name: {"state": each.state, "detail": each.detail} for name, each in view.trunks.items()}
    return {"connected": view.lost_since is None, "trunks": trunks}


def _tail(file: Path) -> str:
    """The end of a log; "" if there is none, or it is not ours to read."""
    try:
        with file.open("rb") as opened:
            opened.seek(0, os.SEEK_END)
            opened.seek(max(0, opened.tell() - _TAIL_BYTES))
            return opened.read().decode("utf-8", "replace")
    except OSError:
        return ""
