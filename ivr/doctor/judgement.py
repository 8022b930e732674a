"""What the facts about an installation mean: green, yellow or red, and what to do. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum

from ivr.ari.settings import check_version
from ivr.errors import BadInput, Problem, problem
from ivr.pbx_check import NEEDED, Running
from ivr.trunks.presented import Presented, of_endpoint
from ivr.trunks.sound import PLAYED, SEEN

GIB = 1024**3
#: The dialler stops below this (the service must be able to write down what people answer).
LEAST_FREE, LEAST_PART = 500 * 1024**2, 0.05
_LOW_FREE, _LOW_PART = 2 * GIB, 0.15
#: Three looks of ivr.systemd.
LONGEST_HEARTBEAT = timedelta(seconds=30)
#: A nightly backup that was missed once.
LONGEST_BACKUP = timedelta(hours=36)
#: The codecs of telephone networks, and the module with which Asterisk turns our sounds into each.
_PLAYED_WITH = PLAYED | {"slin": "format_wav.so"}
_MOST_NAMED = 5


class Light(IntEnum):
    """The exit code for monitoring, too."""

    GREEN = 0
    YELLOW = 1
    RED = 2


@dataclass(frozen=True)
class Line:
    """One line of the screen."""

    check: str  #: id of the catalogue, `doctor_check.<check>`
    light: Light
    says: Problem


@dataclass(frozen=True)
class Owned:
    """Who owns a file or folder, and its permissions."""

    uid: int
    gid: int
    mode: int


@dataclass(frozen=True)
class Disk:
    """The room on the disk that holds `path`, in bytes."""

    path: str
    free: int
    total: int


@dataclass(frozen=True)
class Sounds:
    """The recordings on disk."""

    problems: Sequence[Problem]
    files: int
    unreadable: tuple[str, ...] | None  #: by Asterisk's user; None: there is no such user on this machine


@dataclass(frozen=True)
class Facts:
    """Everything that was found out. `None` where it could not be."""

    now: datetime
    pbx: Running | None
    pbx_problems: Sequence[Problem]  #: why there is no `pbx`
    app: str
    trunks: tuple[str, ...]
    registering: frozenset[str]  #: those of the trunks that register, as the settings say
    registrations: Mapping[str, str] | None  #: trunk -> Asterisk's word; None: Asterisk could not be asked
    sounds: Sounds
    clock_kept: bool
    zone: str
    zone_hours: float  #: the centre's zone now, in hours before UTC
    machine_hours: float
    disks: tuple[Disk, ...]
    database: str  #: its path
    database_there: bool
    database_problems: Sequence[Problem]
    backups: str | None  #: the folder of the settings
    newest_backup: datetime | None
    secrets: Mapping[str, Owned | None]  #: path -> None: there is no such file
    lock_held: bool
    heartbeat: datetime | None
    alarms: tuple[tuple[str, bool], ...]  #: kind, and whether staff have acknowledged it
    presented: Mapping[str, Presented] = field(default_factory=dict)  #: trunk -> who we are to be on it
    needed: frozenset[str] = NEEDED  #: modules without which a call fails
    centre: bool = False  #: one is set
    unsent: int = 0  #: documents that it has not got
    unsent_since: datetime | None = None  #: of the oldest of them
    unsent_hours: float = 0.0  #: after so many staff are told


def examine(facts: Facts) -> list[Line]:
    """All lines, in the order in which one would put things right."""
    return [
        asterisk(facts),
        *([] if facts.pbx is None else _of_pbx(facts, facts.pbx)),
        *(registration(each, facts.registrations) for each in sorted(facts.registering)),
        sounds(facts.sounds),
        clock(facts.clock_kept),
        zone(facts.zone, facts.zone_hours, facts.machine_hours),
        *(disk(each) for each in facts.disks),
        database(facts.database, facts.database_there, facts.database_problems),
        backup(facts.backups, facts.newest_backup, facts.now),
        *secrets(facts.secrets),
        service(facts.lock_held, facts.heartbeat, facts.now),
        outbox(facts),
        *alarms(facts.alarms),
    ]


def _of_pbx(facts: Facts, pbx: Running) -> list[Line]:
    return [
        modules(pbx, facts.needed),
        application(pbx, facts.app),
        *(trunk(pbx, each) for each in facts.trunks),
        *(codec(pbx, each) for each in facts.trunks if each in pbx.endpoints),
        *_presented(pbx, facts.presented),
    ]


def worst(lines: Sequence[Line]) -> Light:
    """The light of the whole."""
    return max((each.light for each in lines), default=Light.GREEN)


def asterisk(facts: Facts) -> Line:
    """Whether it answers, and whether its version will do."""
    if facts.pbx is None:
        return Line("asterisk", Light.RED, facts.pbx_problems[0])
    version = facts.pbx.version
    try:
        preferred = check_version(version)
    except BadInput as bad:
        return Line("asterisk", Light.RED, bad.problems[0])
    if preferred:
        return Line("asterisk", Light.GREEN, problem("doctor.version", version=version))
    return Line("asterisk", Light.YELLOW, problem("pbx.differs.version", version=version))


def modules(pbx: Running, needed: frozenset[str]) -> Line:
    """Whether everything runs that a call needs."""
    missing = sorted(needed - pbx.modules)
    if missing:
        return Line("modules", Light.RED, problem("doctor.modules_missing", names=_some(missing)))
    return Line("modules", Light.GREEN, problem("doctor.modules", count=len(needed)))


def application(pbx: Running, app: str) -> Line:
    """Whether calls would reach us."""
    if app in pbx.applications:
        return Line("application", Light.GREEN, problem("doctor.application", name=app))
    return Line("application", Light.RED, problem("pbx.differs.no_application", name=app))


def trunk(pbx: Running, name: str) -> Line:
    """Whether the provider answers Asterisk's question whether it is there."""
    state = pbx.endpoints.get(name)
    match state:
        case None:
            return Line("trunk", Light.RED, problem("pbx.differs.no_endpoint", name=name))
        case "online":
            return Line("trunk", Light.GREEN, problem("doctor.trunk_online", name=name))
        case "offline":
            return Line("trunk", Light.RED, problem("pbx.differs.trunk_offline", name=name, state=state))
    return Line("trunk", Light.YELLOW, problem("doctor.trunk_unknown", name=name))


def registration(name: str, registrations: Mapping[str, str] | None) -> Line:
    """Whether the provider has accepted our registration."""
    if registrations is None:
        return Line("registration", Light.YELLOW, problem("doctor.registration_unasked", name=name))
    state = registrations.get(name, "-")
    if state == "Registered":
        return Line("registration", Light.GREEN, problem("doctor.registered", name=name))
    return Line("registration", Light.RED, problem("doctor.not_registered", name=name, state=state))


def codec(pbx: Running, name: str) -> Line:
    """Whether Asterisk can play 8 kHz sounds in every codec that the trunk may choose."""
    settings = pbx.objects.get(("endpoint", name))
    if settings is None:
        return Line("codec", Light.YELLOW, problem("doctor.codec_unasked", name=name))
    codecs = [each for each in settings.get("allow", "").strip("()").split("|") if each]
    if "configured" in settings.get("codec_prefs_incoming_offer", ""):
        # As we render it: what we can play goes first, and a call with nothing else does not come as far as a sound.
        codecs = [each for each in codecs if each not in SEEN]
    silent = [each for each in codecs if _PLAYED_WITH.get(each, "?") not in pbx.modules]
    if silent or not codecs:
        return Line("codec", Light.RED, problem("doctor.codec_silent", name=name, codecs=", ".join(silent) or "-"))
    return Line("codec", Light.GREEN, problem("doctor.codec", name=name, codecs=", ".join(codecs)))


def _presented(pbx: Running, wanted: Mapping[str, Presented]) -> Iterator[Line]:
    for name, who in wanted.items():
        settings = pbx.objects.get(("endpoint", name))
        if settings is not None:
            yield presented(name, who, of_endpoint(settings, who.number))


def presented(name: str, wanted: Presented, there: Presented) -> Line:
    """What the provider is told of us on each call, as Asterisk runs; and whether people see our number."""
    light, message = Light.GREEN, "doctor.presented"
    if there.shown != wanted.number:
        light, message = Light.RED, "doctor.presented_other"
    elif not there.host:
        light, message = Light.YELLOW, "doctor.presented_nowhere"
    said = problem(
        message,
        name=name,
        number=wanted.number,
        shown=there.shown,
        user=there.user,
        host=there.host or "-",
        asserted=there.number if there.asserted else "-",
    )
    return Line("presented", light, said)


def sounds(found: Sounds) -> Line:
    """Whether what calls say is there, in the format that Asterisk plays, and Asterisk may read it."""
    if found.problems:
        first = found.problems[0]
        return Line("sounds", Light.RED, problem("doctor.sounds_bad", count=len(found.problems), first=first))
    if found.unreadable is None:
        return Line("sounds", Light.YELLOW, problem("doctor.sounds_unknown", count=found.files))
    if found.unreadable:
        return Line("sounds", Light.RED, problem("doctor.sounds_closed", names=_some(found.unreadable)))
    return Line("sounds", Light.GREEN, problem("doctor.sounds", count=found.files))


def may_read(parts: Sequence[Owned], uid: int, groups: frozenset[int]) -> bool:
    """Whether a user may read the last of these; the parts are the folders above it, from the root, and it itself."""
    if uid == 0:
        return True
    return all(_allows(each, uid, groups, 0o4 if each is parts[-1] else 0o1) for each in parts)


def _allows(owned: Owned, uid: int, groups: frozenset[int], wanted: int) -> bool:
    shift = 6 if uid == owned.uid else 3 if owned.gid in groups else 0
    return bool(owned.mode >> shift & wanted)


def clock(kept: bool) -> Line:
    """Windows and deadlines are only as right as the clock."""
    if kept:
        return Line("clock", Light.GREEN, problem("doctor.clock"))
    return Line("clock", Light.YELLOW, problem("doctor.clock_not_kept"))


def zone(name: str, hours: float, machine_hours: float) -> Line:
    """Nothing depends on the machine's zone, but people who read its logs do."""
    if hours == machine_hours:
        return Line("zone", Light.GREEN, problem("doctor.zone", zone=name))
    return Line("zone", Light.YELLOW, problem("doctor.zone_other", zone=name, hours=f"{hours - machine_hours:+g}"))


def disk(found: Disk) -> Line:
    """Answers that cannot be written are lost."""
    part = found.free / found.total if found.total else 0.0
    light, message = Light.GREEN, "doctor.disk"
    if found.free < LEAST_FREE or part < LEAST_PART:
        light, message = Light.RED, "doctor.disk_full"
    elif found.free < _LOW_FREE or part < _LOW_PART:
        light, message = Light.YELLOW, "doctor.disk_low"
    return Line("disk", light, problem(message, path=found.path, gib=f"{found.free / GIB:.1f}", percent=f"{part:.0%}"))


def database(path: str, there: bool, problems: Sequence[Problem]) -> Line:
    """Whether SQLite finds the file whole."""
    if problems:
        return Line("database", Light.RED, problems[0])
    if not there:
        return Line("database", Light.YELLOW, problem("doctor.no_database", path=path))
    return Line("database", Light.GREEN, problem("doctor.database"))


def backup(folder: str | None, newest: datetime | None, now: datetime) -> Line:
    """An installation without backups works, until its disk does not."""
    if folder is None:
        return Line("backup", Light.YELLOW, problem("doctor.no_backup_setting"))
    if newest is None:
        return Line("backup", Light.RED, problem("doctor.no_backup", folder=folder))
    hours = round((now - newest) / timedelta(hours=1))
    if now - newest > LONGEST_BACKUP:
        return Line("backup", Light.RED, problem("doctor.backup_old", folder=folder, hours=hours))
    return Line("backup", Light.GREEN, problem("doctor.backup", hours=hours))


def secrets(found: Mapping[str, Owned | None]) -> Iterator[Line]:
    """A line for each file that is missing or open to others; one if all are as they should be."""
    wrong = False
    for path, owned in found.items():
        if owned is None:
            wrong = True
            yield Line("secrets", Light.RED, problem("doctor.secret_missing", path=path))
        elif owned.mode & 0o007:
            wrong = True
            yield Line("secrets", Light.RED, problem("doctor.secret_open", path=path))
        elif owned.mode & 0o020:
            wrong = True
            yield Line("secrets", Light.YELLOW, problem("doctor.secret_writable", path=path))
    if not wrong:
        yield Line("secrets", Light.GREEN, problem("doctor.secrets", count=len(found)))


def service(lock_held: bool, heartbeat: datetime | None, now: datetime) -> Line:
    """Whether `kenko-call run` holds the database, and has written to it just now."""
    if not lock_held:
        return Line("service", Light.RED, problem("doctor.service_down"))
    if heartbeat is None:
        return Line("service", Light.YELLOW, problem("doctor.service_young"))
    seconds = round((now - heartbeat) / timedelta(seconds=1))
    if now - heartbeat > LONGEST_HEARTBEAT:
        return Line("service", Light.RED, problem("doctor.service_hangs", seconds=seconds))
    return Line("service", Light.GREEN, problem("doctor.service", seconds=seconds))


def outbox(facts: Facts) -> Line:
    """How long what people reported has been waiting for the centre."""
    if not facts.centre:
        return Line("sync", Light.GREEN, problem("doctor.sync_off"))
    waits = max(timedelta(), facts.now - facts.unsent_since) if facts.unsent_since else timedelta()
    old = waits > timedelta(hours=facts.unsent_hours)
    light, said = (Light.RED, "doctor.sync_old") if old else (Light.GREEN, "doctor.sync")
    return Line("sync", light, problem(said, count=facts.unsent, minutes=round(waits / timedelta(minutes=1))))


def alarms(standing: tuple[tuple[str, bool], ...]) -> Iterator[Line]:
    """A line for each alarm that is not over: red until staff have seen it."""
    for kind, acknowledged in standing:
        light = Light.YELLOW if acknowledged else Light.RED
        yield Line("alarms", light, problem("doctor.alarm", alarm=problem(f"alarm.{kind}")))
    if not standing:
        yield Line("alarms", Light.GREEN, problem("doctor.no_alarm"))


def _some(names: Sequence[str]) -> str:
    more = f" … ({len(names)})" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
