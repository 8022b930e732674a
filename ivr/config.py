"""The settings of one installation, from config.yaml: what may be set, its unit, its default and its bounds."""

from collections.abc import Callable
from datetime import date, datetime
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ivr.asterisk import Asterisk, EndpointName, SipTrunk, Studio
from ivr.call import Outcome
from ivr.config_values import DayOfYear, Moment, OrOff, SlotName, TimeOfDay, TimeZone
from ivr.dialling import SHORTEST_SPACING_SECONDS, Dialling, Lines, Number, Trunk
from ivr.dialling import Part as _Part
from ivr.document import Document, FilePath, Place, read_document, validate, written_as
from ivr.duty import Duty, Inbound
from ivr.errors import BadInput, Problem, problem
from ivr.files.roster_rules import Rules
from ivr.ids import Ids
from ivr.numbers import BadNumber, Numbering, Plan, dialable, normalise, spelt
from ivr.person import Hours as PersonHours
from ivr.secondway import FastAgi
from ivr.sync.settings import Sync
from ivr.transfer_settings import Transfers
from ivr.trunks.dialled import place_of
from ivr.trunks.presented import Presented, presented
from ivr.watching import Watching
from ivr.window import EARLIEST, LATEST, Calendar, Dates, DayKind
from ivr.window import Slot as CalendarSlot


class Centre(_Part):
    """Who we are."""

    name: str = Field(min_length=1)
    time_zone: TimeZone = "Asia/Tokyo"
    #: As it is printed: may be any number that people ring, which we never do.
    telephone: Annotated[str, written_as("telephone", r"0[0-9]{1,4}(-?[0-9]{1,4}){1,3}")] | None = None
    telephone_hours: str | None = Field(default=None, min_length=1, max_length=40)

    own_numbers: tuple[Number, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which days and windows are judged."""
        return ZoneInfo(self.time_zone)


class Pbx(_Part):
    """How to reach our Asterisk."""

    url: Annotated[str, written_as("url", r"https?://[^/\s]+")] = "http://127.0.0.1:8088"
    user: str = "kenko"
    secret_file: FilePath
    transport: Literal["auto", "http", "websocket"] = "auto"
    trunk: EndpointName = "trunk"
    inbound_numbers: tuple[Number, ...] = Field(min_length=1)
    cdr_file: FilePath | None = None
    value_links: FilePath = Field(default=Path("var/sounds"), validate_default=True)
    asterisk: Asterisk = Asterisk()


class Hours(_Part):
    """A part of a day."""

    first: TimeOfDay = Field(alias="from")
    until: TimeOfDay

    @model_validator(mode="after")
    def _inside_the_day(self) -> Self:
        if not EARLIEST <= self.first < self.until <= LATEST:
            raise PydanticCustomError("slot_hours", "8:00 <= from < until <= 21:00")
        return self

    def plain(self) -> PersonHours:
        """As the calendar wants them."""
        return PersonHours(self.first, self.until)


class Slot(Hours):
    """A named time of day at which persons are called."""

    days: dict[DayKind, Annotated[Hours | None, OrOff]] = Field(default_factory=dict)

    def rules(self) -> CalendarSlot:
        """As the calendar wants it."""
        return CalendarSlot(self.plain(), {kind: hours.plain() if hours else None for kind, hours in self.days.items()})


class Blocked(_Part):
    """Days on which nobody is rung."""

    first: DayOfYear = Field(alias="from")
    until: DayOfYear

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first > self.until:
            raise PydanticCustomError("blocked_days", "from <= until")
        return self


@cache
def _japanese_holidays() -> Callable[[date], bool]:
    # Costs 0.1 s and is wanted by those only who treat holidays in their own way.
    from holidays import country_holidays

    return country_holidays("JP").__contains__


def is_holiday(day: date) -> bool:
    """Whether it is a holiday by law in Japan, or a day in lieu of one; computed, never looked up."""
    return _japanese_holidays()(day)


class Gate(_Part):
    """How an answered call finds out that a person listens."""

    times: int = Field(default=4, ge=1, le=10)
    wait_seconds: float = Field(default=8, ge=3, le=60)


class Metrics(_Part):
    """Figures for monitoring."""

    port: int | None = Field(default=None, ge=1024, le=65535)


class Config(_Part):
    """Everything of config.yaml."""

    centre: Centre
    numbers: Plan = Plan.JAPAN
    practice_clock: Moment | None = None
    database: FilePath = Field(default=Path("var/kenko-call.db"), validate_default=True)
    questionnaire: FilePath = Field(default=Path("questionnaires/daily.yaml"), validate_default=True)
    prompts: FilePath = Field(default=Path("prompts"), validate_default=True)
    backups: FilePath | None = None
    pbx: Pbx
    studio: Annotated[Studio, Field(default_factory=dict, validate_default=True)]
    lines: Lines = Lines()
    trunks: tuple[Trunk, ...] = ()
    slots: dict[SlotName, Slot] = Field(min_length=1)
    blocked_days: tuple[Blocked, ...] = ()
    own_time_minutes: float = Field(default=150, ge=10, le=720)
    inbound: Inbound = Inbound()
    duty: Duty = Duty()
    gate: Gate = Gate()
    ids: Ids = Ids()
    metrics: Metrics = Metrics()
    sync: Sync = Sync()
    transfers: Transfers = Transfers()
    watch: Watching = Watching()
    fastagi: FastAgi = FastAgi()
    dialling: Dialling = Dialling()

    @property
    def voice_messages(self) -> Path:
        """The folder of what people say, beside the database: both are the same people's data."""
        return self.database.parent / "voice-messages"

    @property
    def erased(self) -> Path:
        """The file of those who were erased, beside the database: a restored backup does not know all of them."""
        return self.database.parent / "erased.jsonl"

    @property
    def erased_copy(self) -> Path | None:
        """Its copy beside the backups, for a machine that is set up anew."""
        return self.backups and self.backups / self.erased.name

    @property
    def practice_begins(self) -> datetime | None:
        """When practice begins, aware; None: the real time is kept."""
        return self.practice_clock and self.practice_clock.replace(tzinfo=self.centre.zone)

    def own_numbers(self) -> frozenset[str]:
        """Numbers that are ours and are never rung."""
        return frozenset(map(spelt, (*self.pbx.inbound_numbers, *self.centre.own_numbers, *self.callers())))

    def presented(self) -> dict[str, Presented]:
        """Trunk -> who we are on it; of one that is not reached by `sip_trunks` the host is not known."""
        reached = {each.name: each for each in self.pbx.asterisk.sip_trunks}
        return {
            each.name: _presented(spelt(each.caller_id or self.pbx.inbound_numbers[0]), reached.get(each.name))
            for each in self.all_trunks()
        }

    def places(self) -> dict[str, str]:
        """Trunk -> where calls by it are addressed (`ivr.trunks.dialled`); those only that `sip_trunks` reaches."""
        return {each.name: place_of(each.host, each.port, each.domain) for each in self.pbx.asterisk.sip_trunks}

    def caller_of_trunk(self) -> dict[str, str]:
        """Trunk -> the number that people see when we ring them by it."""
        return {name: each.number for name, each in self.presented().items()}

    def callers(self) -> tuple[str, ...]:
        """The numbers that people see when we ring them, each once."""
        return tuple(dict.fromkeys(self.caller_of_trunk().values()))

    @cached_property
    def numbering(self) -> Numbering:
        """What may be rung."""
        return Numbering(self.numbers, self.own_numbers())

    @cached_property
    def roster_rules(self) -> Rules:
        """What an entry of the roster may say."""
        return Rules(partial(dialable, numbering=self.numbering), tuple(self.slots), check_digit=self.ids.check_digit)

    @cached_property
    def calendar(self) -> Calendar:
        """What these settings say about days and hours."""
        return Calendar(
            self.centre.zone,
            {name: slot.rules() for name, slot in self.slots.items()},
            is_holiday,
            tuple(Dates(each.first, each.until) for each in self.blocked_days),
            self.own_time_minutes,
        )

    @cached_property
    def duty_number(self) -> str | None:
        """The number of the duty telephone in the form in which it is rung; None: it has none."""
        return self.duty.number and dialable(self.duty.number, self.numbering)

    @property
    def most_inbound(self) -> int:
        """Calls of people to us that are taken at once."""
        return self.inbound.most_calls or sum(each.total for each in self.all_trunks())

    def all_trunks(self) -> tuple[Trunk, ...]:
        """The trunks that calls go out by: those of `trunks`, or the one of `pbx.trunk` with `lines`."""
        return self.trunks or (Trunk(name=self.pbx.trunk, **self.lines.model_dump()),)


def _presented(number: str, sip: SipTrunk | None) -> Presented:
    return presented(number, sip.host, sip.domain, sip.from_user) if sip else presented(number, "")


def read_config(path: Path) -> Config:
    """Read and check config.yaml. Raises BadInput with every problem at its line."""
    document = read_document(path)
    config = validate(document, Config, context={"folder": path.resolve().parent})
    problems = [
        *_spacing_problems(document, config),
        *_trunk_problems(document, config),
        *_studio_problems(document, config),
    ]
    if config.practice_clock is not None and config.numbers is not Plan.PRACTICE:
        problems.append(document.problem("config.clock_refused", ("practice_clock",)))
    own: dict[Place, str] = {("pbx", "inbound_numbers", at): each for at, each in enumerate(config.pbx.inbound_numbers)}
    own |= {("trunks", at, "caller_id"): each.caller_id for at, each in enumerate(config.trunks) if each.caller_id}
    for place, number in own.items():
        try:
            normalise(number, config.numbers)
        except BadNumber as bad:
            problems.append(document.problem(bad.message, place))
    try:
        _ = config.duty_number
    except BadNumber as bad:
        problems.append(document.problem(bad.message, ("duty", "number")))
    if problems:
        raise BadInput(*problems)
    return config


def _trunk_problems(document: Document, config: Config) -> list[Problem]:
    """A problem for each trunk that is named twice, and for `lines` beside `trunks`: two places for one thing."""
    problems = []
    seen: set[str] = set()
    for at, each in enumerate(config.trunks):
        if each.name in seen:
            problems.append(document.problem("config.trunk_twice", ("trunks", at, "name"), name=each.name))
        seen.add(each.name)
    known = {each.name for each in config.all_trunks()}
    reached = config.pbx.asterisk.sip_trunks
    for at, sip in enumerate(reached):
        place: Place = ("pbx", "asterisk", "sip_trunks", at, "name")
        if sip.name not in known:
            problems.append(document.problem("config.trunk_unknown", place, name=sip.name, known=", ".join(known)))
        if sip.name in {each.name for each in reached[:at]}:
            problems.append(document.problem("config.trunk_twice", place, name=sip.name))
        if bool(sip.user) != bool(sip.password_file):
            problems.append(document.problem("config.user_and_password", place[:-1]))
    if config.trunks and "lines" in config.model_fields_set:
        problems.append(document.problem("config.lines_and_trunks", ("lines",)))
    return problems


def _studio_problems(document: Document, config: Config) -> list[Problem]:
    """A problem for each trunk among the telephones of the studio: from there anybody could ring it."""
    trunks = {each.name for each in config.all_trunks()}
    return [
        document.problem("config.studio_trunk", ("studio", "endpoints", at), name=each)
        for at, each in enumerate(config.studio.endpoints)
        if each in trunks
    ]


def _spacing_problems(document: Document, config: Config) -> list[Problem]:
    """A problem for each wait that is shorter than the law allows. On the practice network nobody is disturbed."""
    if config.numbers is Plan.PRACTICE:
        return []
    dialling = config.dialling
    waits: dict[Place, tuple[float, ...]] = {("dialling", "rest_seconds"): (dialling.rest_seconds,)}
    waits |= {("dialling", "retry_seconds", str(each)): given for each, given in dialling.retry_seconds.items()}
    waits.pop(("dialling", "retry_seconds", str(Outcome.CONGESTION)), None)  # such a call reached nobody
    return [
        document.problem("config.spacing", place, least=SHORTEST_SPACING_SECONDS)
        for place, given in waits.items()
        if any(wait < SHORTEST_SPACING_SECONDS for wait in given)
    ]


def read_secret(path: Path) -> str:
    """A password: the first line of a file of its own. Raises BadInput."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadInput(problem("config.no_secret", str(path), reason=error.strerror or str(error))) from None
    if not secret:
        raise BadInput(problem("config.empty_secret", str(path)))
    return secret
