"""Finds out what `judgement` judges: asks Asterisk, the system and the database, and changes nothing."""

import asyncio
import grp
import os
import pwd
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ivr.ari.inspection import inspect
from ivr.ari.settings import PbxSettings
from ivr.clock import is_synchronised
from ivr.config import Config
from ivr.doctor.judgement import Disk, Facts, Owned, Sounds, may_read
from ivr.doctor.watch import Watched, read_watched
from ivr.errors import BadInput, KenkoError, Problem
from ivr.fastagi.settings import ADDRESS
from ivr.loading import find_problems
from ivr.lookout import FINDINGS
from ivr.pbx_check import NEEDED, SECOND_WAY, Running
from ivr.storage import facts as stored
from ivr.storage.alarms import list_alarms
from ivr.storage.backup import check_whole
from ivr.storage.database import open_reader
from ivr.storage.outbox import Backlog, backlog
from ivr.storage.pulled import Pulled, get_pulled
from ivr.storage.sqlite import is_locked
from ivr.systemd import HEARTBEAT

_SECONDS = 5.0
#: `pjsip show registrations`, 22.10.1: ` trunk/sip:provider:5060   auth   Registered   (exp. 3512s)`.
_REGISTRATION = re.compile(r"(?m)^\s*([A-Za-z0-9_-]+)/sips?:\S+\s+\S+\s+([A-Z][a-z]+)")
#: The folder and file names of `kenko-call backup`.
BACKUP = "kenko-call-*"
#: Stands for a file that is not there yet.
_ANYBODYS = Owned(0, 0, 0o444)


async def gather(config: Config, settings: PbxSettings | BadInput, now: datetime) -> Facts:
    """Everything. `settings`, or why there are none; `now` is aware and real, also in practice."""
    trunks = tuple(each.name for each in config.all_trunks())
    running, why = (None, settings.problems) if isinstance(settings, BadInput) else await _ask(settings, trunks)
    # The watch knows it at once and for every user; Asterisk's console is for root.
    unwatched = () if config.watch.ami_secret_file else config.pbx.asterisk.sip_trunks
    registering = frozenset(each.name for each in unwatched if each.user)
    stands = await asyncio.to_thread(_database, config.database)
    return Facts(
        now=now,
        pbx=running,
        pbx_problems=why,
        app=PbxSettings.app,
        needed=NEEDED | (SECOND_WAY if config.fastagi.port else frozenset()),
        trunks=trunks,
        presented=config.presented(),
        registering=registering,
        registrations=await _registrations(config.pbx.asterisk.etc) if registering else None,
        sounds=await asyncio.to_thread(_sounds, config),
        clock_kept=is_synchronised(),
        zone=config.centre.time_zone,
        zone_hours=_hours(now.astimezone(config.centre.zone)),
        machine_hours=_hours(now.astimezone()),
        disks=_disks(config),
        database=str(config.database),
        database_there=config.database.exists(),
        database_problems=stands.problems,
        backups=str(config.backups) if config.backups else None,
        newest_backup=_newest(config.backups) if config.backups else None,
        secrets={str(path): _owned(path) for path in _secrets(config)},
        lock_held=is_locked(config.database),
        heartbeat=stands.heartbeat,
        alarms=stands.alarms,
        centre=config.sync.destination is not None,
        unsent=stands.unsent.unsent,
        unsent_since=stands.unsent.oldest,
        unsent_hours=config.sync.alarm_hours,
    )


async def _ask(settings: PbxSettings, trunks: Sequence[str]) -> tuple[Running | None, Sequence[Problem]]:
    try:
        return await inspect(settings, [("endpoint", each) for each in trunks]), ()
    except KenkoError as error:
        return None, error.problems


async def _registrations(etc: Path) -> dict[str, str] | None:
    """What Asterisk's console says; ARI does not know registrations (22.10.1). None: it lets us not ask."""
    program = shutil.which("asterisk", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        return None
    words = (program, "-C", str(etc / "asterisk.conf"), "-rx", "pjsip show registrations")
    process = await asyncio.create_subprocess_exec(
        *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(_SECONDS):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return None
    return read_registrations(said.decode("utf-8", "replace")) if process.returncode == 0 else None


def read_registrations(said: str) -> dict[str, str]:
    """Trunk -> state, from the console's table."""
    return dict(_REGISTRATION.findall(said))


def _sounds(config: Config) -> Sounds:
    files = sorted(config.prompts.glob("*/**/*.wav"))
    closed = unreadable(files, config.pbx.value_links, config.pbx.asterisk.run_as)
    return Sounds(find_problems(config), len(files), closed)


def unreadable(files: Iterable[Path], links: Path, user: str) -> tuple[str, ...] | None:
    """Those of the sounds that a user cannot read, and the folder of links if its links cannot be followed there."""
    try:
        uid, gid = pwd.getpwnam(user)[2:4]
    except KeyError:
        return None
    groups = frozenset({gid, *(each.gr_gid for each in grp.getgrall() if user in each.gr_mem)})
    known: dict[Path, Owned | None] = {}

    def readable(path: Path) -> bool:
        parts = [known.setdefault(each, _owned(each)) for each in (*reversed(path.parents), path)]
        there = [each for each in parts if each is not None]
        return len(there) == len(parts) and may_read(there, uid, groups)

    closed = [str(each) for each in files if not readable(each)]
    way = [_owned(each) for each in (*reversed(links.parents), links)]
    if links.is_dir() and not may_read([*(each for each in way if each), _ANYBODYS], uid, groups):
        closed.append(str(links))
    return tuple(closed)


def _owned(path: Path) -> Owned | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return Owned(found.st_uid, found.st_gid, found.st_mode & 0o777)


def _hours(moment: datetime) -> float:
    offset = moment.utcoffset()
    return offset.total_seconds() / 3600 if offset is not None else 0.0


def _disks(config: Config) -> tuple[Disk, ...]:
    """Each disk once: that of the database, of Asterisk's log and of the backups."""
    found: dict[int, Disk] = {}
    for wanted in (config.database.parent, config.pbx.asterisk.log, config.backups):
        if wanted is None:
            continue
        there = next(each for each in (wanted, *wanted.parents) if each.exists())
        usage = shutil.disk_usage(there)
        found.setdefault(there.stat().st_dev, Disk(str(there), usage.free, usage.total))
    return tuple(found.values())


_NOTHING = Backlog(0, 0, 0, None)


@dataclass(frozen=True)
class _Stands:
    """What the database says, and what is wrong with it."""

    problems: Sequence[Problem] = ()
    heartbeat: datetime | None = None  #: the service's last sign of life
    alarms: tuple[tuple[str, bool], ...] = ()  #: that are not over
    unsent: Backlog = _NOTHING


def _database(file: Path) -> _Stands:
    if not file.exists():
        return _Stands()
    try:
        check_whole(file)
        with open_reader(file) as reader:
            beat = reader.read(stored.get_fact, HEARTBEAT)
            alarms, unsent = reader.read(list_alarms, every=True), reader.read(backlog)
    except KenkoError as error:
        return _Stands(error.problems)
    standing = tuple((each.kind, each.acknowledged_at is not None) for each in alarms if each.ended_at is None)
    return _Stands((), datetime.fromisoformat(beat) if beat else None, standing, unsent)


def last_watched(file: Path) -> Watched | None:
    """What the watch of the running service last found."""
    if not file.exists():
        return None
    try:
        with open_reader(file) as reader:
            return read_watched(reader.read(stored.get_fact, FINDINGS))
    except KenkoError:
        return None  # the line of the database says it


def last_pulled(file: Path) -> Pulled | None:
    """How it stands with what comes in from the centre."""
    if not file.exists():
        return None
    try:
        with open_reader(file) as reader:
            return reader.read(get_pulled)
    except KenkoError:
        return None  # as above


async def fastagi_listens(port: int) -> bool:
    """Whether somebody listens on that port of loopback."""
    try:
        async with asyncio.timeout(_SECONDS):
            _, writer = await asyncio.open_connection(ADDRESS, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def _newest(folder: Path) -> datetime | None:
    made = [each.stat().st_mtime for each in folder.glob(BACKUP) if each.is_dir() and each.suffix != ".part"]
    return datetime.fromtimestamp(max(made), UTC) if made else None


def _secrets(config: Config) -> list[Path]:
    """Files that nobody else may read: passwords, and the database if there is one."""
    of_trunks = (each.password_file for each in config.pbx.asterisk.sip_trunks)
    passwords = [each for each in (*of_trunks, config.watch.ami_secret_file, config.sync.key_file) if each]
    ari = () if config.fastagi.only else (config.pbx.secret_file,)
    studio = config.studio
    of_studio = [studio.pin_file, *([studio.password_file] if studio.networks else [])] if studio.extension else []
    return [*ari, *passwords, *of_studio, *([config.database] if config.database.exists() else [])]
