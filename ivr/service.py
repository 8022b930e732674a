"""The composition root: puts the parts together, runs them, and stops them. Real clock, ids and sleep enter here."""

import asyncio
import gc
import logging
import random
import signal
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ivr import inbound, metrics, outbound, systemd, takeover, takes
from ivr.ami.link import AmiSettings
from ivr.ari.app import Pbx
from ivr.ari.settings import PbxSettings
from ivr.cdr import read_outcomes
from ivr.clock import is_synchronised
from ivr.config import Config
from ivr.conversation import Voice, apologise
from ivr.drivers import agi_settings, pbx_settings, tail_of
from ivr.errors import StorageError
from ivr.fastagi.server import AgiServer
from ivr.figures import read_figures
from ivr.inforce import IN_FORCE, hours_text
from ivr.live import Live, go_live, run_live
from ivr.loading import prepare
from ivr.lookout import Lookout, keep_watch, look_up, watch_settings
from ivr.missed import keep_looking
from ivr.phone import Phone
from ivr.recordings import orphans
from ivr.selftest import answer_wishes
from ivr.site import Site
from ivr.storage import facts
from ivr.storage.calls import close_lost_calls, open_calls
from ivr.storage.database import open_database
from ivr.storage.followups import set_follow_up_minutes
from ivr.storage.missed import end_failed
from ivr.storage.voice_messages import message_ids
from ivr.studio import record_prompts
from ivr.sync import exchange
from ivr.tidying import keep_tidy
from scheduler.clock import ClockGuard
from scheduler.dialer import Dialer
from scheduler.jobs import run_jobs
from scheduler.rows import DatabaseRows

log = logging.getLogger(__name__)

#: How long calls may go on after SIGTERM before they are apologised for, in seconds.
GRACE = 20.0
#: The fact under which Asterisk's start is remembered: another one means that all its calls are gone.
STARTUP_TIME = "asterisk.startup_time"


@dataclass(frozen=True)
class World:
    """Time, ids and waiting, as real as the caller wishes."""

    now: Callable[[], datetime]
    new_id: Callable[[], str]
    sleep: Callable[[float], Awaitable[None]]


def real_world(config: Config) -> World:
    """The real clock; in practice one that begins at `practice_clock` now."""
    begins = config.practice_begins
    shift = begins - datetime.now(UTC) if begins else timedelta()
    return World(lambda: datetime.now(UTC) + shift, lambda: f"kc-{uuid.uuid4().hex}", asyncio.sleep)


@dataclass
class Desk:
    """Takes what Asterisk tells: arriving calls, calls left over from a process before, which calls live."""

    live: Live
    pin: str | None = None  #: of the studio; None: there is none
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    pbx: Pbx | None = None
    agi: AgiServer | None = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set)  #: calls in progress that we did not dial
    held: set[str] = field(default_factory=set)  #: their ids
    inherited: int = 0  #: those of them that a process before us began: they may be outbound, and use no reserve
    turned_away: int = 0  #: those of them that only hear when to ring again
    internal: int = 0  #: those of them that come from the house, and use no line
    keeping: asyncio.Lock = field(default_factory=asyncio.Lock)  #: one recorded prompt after another

    @property
    def inbound(self) -> int:
        """Calls in progress that people made to us."""
        return len(self.tasks) - self.inherited - self.internal

    async def arrived(self, phone: Phone, caller: str | None, dialled: str) -> None:
        """A person rings us."""
        site = self.live.site
        with self._in_progress(phone.call_id):
            if self.inbound - self.turned_away <= site.config.most_inbound:
                await self._guarded(phone, inbound.receive(site, phone, caller))
                return
            self.turned_away += 1
            try:
                await self._guarded(phone, inbound.turn_away(site, phone, caller))
            finally:
                self.turned_away -= 1

    async def studio(self, phone: Phone, endpoint: str, extension: str) -> None:
        """Staff ring to speak prompts. Anybody else has no business here, and hears nothing."""
        site = self.live.site
        allowed = site.config.studio
        if self.pin is None or extension != allowed.extension or endpoint not in allowed.endpoints:
            log.warning("a call to the studio was refused", extra={"action": "studio_refused", "call": phone.call_id})
            return
        with self._in_progress(phone.call_id):
            self.internal += 1
            try:
                studio = await asyncio.to_thread(
                    takes.studio_of, site, self.pin, lambda: uuid.uuid4().hex, self.sleep, self.keeping
                )
                await record_prompts(phone, Voice(site.prompts, site.questionnaire.language), studio)
            finally:
                self.internal -= 1

    async def found(self, phone: Phone) -> None:
        """A call that a process before us left: go on with it."""
        with self._in_progress(phone.call_id):
            self.inherited += 1
            try:
                await self._guarded(phone, takeover.take_over(self.live.site, phone))
            finally:
                self.inherited -= 1

    async def _guarded(self, phone: Phone, call: Awaitable[None]) -> None:
        """The task border of one call: whatever fails, the caller hears it, and the rows know of it in the end."""
        site = self.live.site
        try:
            await call
        except Exception as error:
            log.exception("a call failed", extra={"action": "call_failed", "call": phone.call_id})
            site.database.pending.note("call_failed", error)
            await apologise(phone, Voice(site.prompts, site.questionnaire.language))
            await site.database.pending.write(end_failed, phone.call_id, site.now())

    def alive(self) -> frozenset[str] | None:
        """Calls that have a channel or a task; None while nobody can say."""
        if self.pbx is None or not self.pbx.is_ready:
            return None
        return self.pbx.live_ids() | self.held | (self.agi.live_ids() if self.agi else frozenset())

    async def reconciled(self, live_ids: frozenset[str], restarted: bool) -> None:
        """The calls that are gone have ended, as far as anybody knows; only then are new ones placed."""
        site = self.live.site
        await site.database.pending.flush()  # what is known of an end comes before "lost"
        live_ids |= self.agi.live_ids() if self.agi else frozenset()  # ARI does not know whose those are
        live_ids |= self.held  # whose own task writes how they end
        open_ids = {each.id for each in await site.database.read(open_calls)} - live_ids
        cdr_file = site.config.pbx.cdr_file
        found = await asyncio.to_thread(read_outcomes, cdr_file, open_ids) if cdr_file else {}
        lost = await site.database.write(close_lost_calls, live_ids, site.now(), found)
        if lost:
            log.warning("%s calls were lost", len(lost), extra={"action": "calls_lost"})
        if self.pbx is not None and self.pbx.startup_time is not None:
            await site.database.write(facts.set_fact, STARTUP_TIME, self.pbx.startup_time)

    @contextmanager
    def _in_progress(self, call_id: str) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.held.add(call_id)
        try:
            yield
        finally:
            self.tasks.discard(task)
            self.held.discard(call_id)


async def serve(config: Config, world: World) -> int:
    """Run until SIGINT or SIGTERM. Raises BadInput, PbxError or StorageError if it cannot start or must not go on."""
    settings = pbx_settings(config)
    pin = takes.read_pin(config.studio.pin_file) if config.studio.extension else None
    manager = watch_settings(config)
    if not config.database.exists():
        prepare(config)  # Nothing is made for a service that could hold no call.
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with await open_database(config.database) as database:
        # Only now: the links to values are of whoever holds the database.
        live = await go_live(config, database, world.now, world.new_id, lambda: uuid.uuid4().hex)
        await live.look()
        await _look_for_orphans(live.site)
        await database.write(facts.set_fact, IN_FORCE, hours_text(config))
        await database.write(set_follow_up_minutes, config.dialling.follow_up_minutes)
        takes.forget_takes(config.pbx.value_links)
        # What is loaded now stays: walking through it at every full collection would hold up all calls for 60 ms.
        gc.collect()
        gc.freeze()
        await _run(live, world, settings, manager, pin, stop)
    return 0


async def _look_for_orphans(site: Site) -> None:
    """Recordings that no row names: somebody said something, and then we died. They stay, for staff to hear."""
    known = await site.database.read(message_ids)
    lost = await asyncio.to_thread(orphans, site.config.voice_messages, known)
    if lost:
        log.warning("%s recordings belong to nobody", len(lost), extra={"action": "recordings_unnamed"})


async def _run(
    live: Live,
    world: World,
    settings: PbxSettings,
    manager: AmiSettings | None,
    pin: str | None,
    stop: asyncio.Event,
) -> None:
    site, desk = live.site, Desk(live, pin, world.sleep)
    pbx = Pbx(
        settings,
        desk,
        tail_of(site),
        now=time.monotonic,
        sleep=world.sleep,
        jitter=random.random,
        startup_time=await site.database.read(facts.get_fact, STARTUP_TIME),
    )
    desk.pbx = pbx
    desk.agi = _second_way(live, desk, world)
    dialer = Dialer(
        site.config,
        DatabaseRows(site.database),
        ring=lambda attempt, trunk: outbound.ring(live.site, pbx.line, attempt, trunk),
        is_open=lambda: pbx.is_ready and not stop.is_set(),
        inbound_now=lambda: desk.inbound,
        inherited_now=lambda: desk.inherited,
        alive=desk.alive,
        now=world.now,
        new_id=world.new_id,
        clock=ClockGuard(world.now, time.monotonic, is_synchronised),
    )
    lookout = Lookout(site.config, site.database, dialer.gates, world.now, _real_now, look_up)
    watching = asyncio.create_task(keep_watch(lookout, manager, world.sleep, random.random), name="watch")
    testing = asyncio.create_task(
        answer_wishes(lambda: live.site, pbx.line.dial_ourselves, _real_now, time.monotonic, world.sleep), name="test"
    )
    connection = asyncio.create_task(_connect(site.config, pbx, desk), name="pbx")
    listening = asyncio.create_task(desk.agi.run() if desk.agi else asyncio.Event().wait(), name="fastagi")
    accounting = keep_looking(lambda: live.site, _real_now, world.sleep, lambda: desk.held)
    missed = asyncio.create_task(accounting, name="missed")
    tidying = asyncio.create_task(keep_tidy(lambda: live.site, world.sleep), name="tidy")
    dialling = asyncio.create_task(run_jobs(dialer), name="dialer")
    writing = asyncio.create_task(site.database.pending.run(world.now, world.sleep), name="pending writes")
    looking = asyncio.create_task(run_live(live, world.sleep), name="live")
    told = systemd.of_process()
    living = asyncio.create_task(
        systemd.keep_alive(told, lambda: _prove(site), pbx.silence, time.monotonic, world.sleep), name="systemd"
    )
    figures = asyncio.create_task(
        metrics.serve(site.config.metrics.port, lambda: read_figures(site, lookout.view, connected=pbx.is_ready)),
        name="metrics",
    )
    sending = asyncio.create_task(
        exchange.serve(site.config, site.database, world.now, random.random, world.sleep), name="sync"
    )
    stopping = asyncio.create_task(stop.wait(), name="stop")
    log.info("started", extra={"action": "started"})
    # Also while Asterisk is away: we are there, and go on trying.
    told.tell("READY=1")
    parts = {connection, listening, missed, tidying, dialling, looking, watching, testing, living, figures, sending}
    parts |= {writing, stopping}
    try:
        done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        told.tell("STOPPING=1")
        for task in done - {stopping}:
            task.result()  # a part that must never end has ended: say why
        dialling.cancel()
        await _let_calls_end(dialer, desk)
    finally:
        ours = {*parts, *dialer.under_way}
        for task in ours:
            task.cancel()
        await asyncio.gather(*ours, return_exceptions=True)
        await site.database.pending.flush()
        log.info("stopped", extra={"action": "stopped"})


def _second_way(live: Live, desk: Desk, world: World) -> AgiServer | None:
    settings = agi_settings(live.site.config)
    if settings is None:
        return None
    return AgiServer(settings, desk, lambda: tail_of(live.site).apology, now=time.monotonic, sleep=world.sleep)


async def _connect(config: Config, pbx: Pbx, desk: Desk) -> None:
    """Over ARI, if there is one: else what a process before us left is gone with its connections."""
    if not config.fastagi.only:
        await pbx.run()
    await desk.reconciled(frozenset(), restarted=False)
    await asyncio.Event().wait()


async def _prove(site: Site) -> None:
    """Write down that we live: in real time, whatever time practice keeps. Raises StorageError."""
    try:
        await site.database.write(facts.set_fact, systemd.HEARTBEAT, _real_now().isoformat())
    except StorageError as error:
        site.database.pending.note("write_probe_failed", error)
        raise


def _real_now() -> datetime:
    return datetime.now(UTC)


async def _let_calls_end(dialer: Dialer, desk: Desk) -> None:
    """Nobody is cut off by a restart of ours, unless the conversation takes longer than the grace.

    Then the sound that is playing goes on to its apology: Asterisk says it, without us (see ivr.ari.playing).
    """
    calls_under_way = {*dialer.under_way, *desk.tasks}
    if calls_under_way:
        log.info("waiting for calls to end", extra={"action": "stopping"})
        await asyncio.wait(calls_under_way, timeout=GRACE)
