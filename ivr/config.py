"""The settings of one installation, from config.yaml: what may be set, its unit, its default and its bounds."""

import re
from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from ivr.call import Outcome
from ivr.document import Document, Place, read_document, validate, written_as
from ivr.errors import BadInput, Problem, problem
from ivr.numbers import BadNumber, Plan, normalise

#: Hours in which nobody is rung, whatever the settings say (Japanese custom is 9:00 to 21:00; see docs).
EARLIEST, LATEST = time(8), time(21)
#: A terminal must stop ringing within 2 minutes (Terminal Facilities Rules, Article 32-3).
LONGEST_RING_SECONDS = 110
#: ... and may redial at most twice within 3 minutes: a later call is a new one.
SHORTEST_SPACING_SECONDS = 180
#: ... unless all redials together are at most 15; more is never useful to a patient.
MOST_ATTEMPTS = 15


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _time_of_day(given: object) -> object:
    if isinstance(given, str) and (found := re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", given)):
        return time(int(found[1]), int(found[2]))
    raise PydanticCustomError("time_of_day", "hh:mm")


def _practice_clock(given: object) -> object:
    try:
        if isinstance(given, str) and (found := datetime.fromisoformat(given)).tzinfo is None:
            return found
    except ValueError:
        pass
    raise PydanticCustomError("moment", "such as 2026-11-04 09:00")


def _time_zone(given: str) -> str:
    try:
        ZoneInfo(given)
    except (ZoneInfoNotFoundError, ValueError):
        raise PydanticCustomError("time_zone", "such as Asia/Tokyo") from None
    return given


def _beside_config(given: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path())
    return (folder / given).resolve()


TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
#: Relative paths count from the folder of config.yaml.
FilePath = Annotated[Path, AfterValidator(_beside_config)]


class Centre(_Part):
    """Who we are."""

    name: str = Field(min_length=1)
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "Asia/Tokyo"
    #: As it is printed: may be any number that people ring, which we never do.
    telephone: Annotated[str, written_as("telephone", r"0[0-9]{1,4}(-?[0-9]{1,4}){1,3}")] | None = None
    telephone_hours: str | None = Field(default=None, min_length=1, max_length=40)

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
    trunk: Annotated[str, written_as("trunk", r"[A-Za-z0-9_-]+")] = "trunk"
    inbound_numbers: tuple[str, ...] = Field(min_length=1)
    cdr_file: FilePath | None = None
    value_links: FilePath = Field(default=Path("var/sounds"), validate_default=True)


class Lines(_Part):
    """How much of the trunk may be used."""

    total: int = Field(default=4, ge=1, le=200)
    reserved_for_inbound: int = Field(default=1, ge=0)
    calls_per_second: float = Field(default=1.0, gt=0, le=20)

    @model_validator(mode="after")
    def _leave_one(self) -> Self:
        if self.reserved_for_inbound >= self.total:
            raise PydanticCustomError("no_line_left", "fewer reserved lines than lines")
        return self


class Slot(_Part):
    """A named time of day at which persons are called."""

    first: TimeOfDay = Field(alias="from")
    until: TimeOfDay

    @model_validator(mode="after")
    def _inside_the_day(self) -> Self:
        if not EARLIEST <= self.first < self.until <= LATEST:
            raise PydanticCustomError("slot_hours", "8:00 <= from < until <= 21:00")
        return self


class Gate(_Part):
    """How an answered call finds out that a person listens."""

    times: int = Field(default=4, ge=1, le=10)
    wait_seconds: float = Field(default=8, ge=3, le=60)


def _retry_defaults() -> dict[Outcome, tuple[float, ...]]:
    minute = 60.0
    return {
        Outcome.BUSY: (15 * minute, 30 * minute),
        Outcome.NO_ANSWER: (30 * minute, 60 * minute),
        Outcome.UNREACHABLE: (30 * minute, 60 * minute),
        Outcome.REJECTED: (60 * minute,),
        Outcome.CONGESTION: (1 * minute, 2 * minute, 5 * minute, 10 * minute),
        Outcome.NO_KEY: (30 * minute, 60 * minute),
        Outcome.CUT_OFF: (5 * minute,),
        Outcome.FAILED: (15 * minute,),
        Outcome.UNKNOWN: (15 * minute,),
    }


class Dialling(_Part):
    """How long to ring and when to ring again."""

    ring_seconds: float = Field(default=60, ge=10, le=LONGEST_RING_SECONDS)
    attempts: int = Field(default=3, ge=1, le=MOST_ATTEMPTS)
    rest_seconds: float = Field(default=SHORTEST_SPACING_SECONDS, ge=0, le=3600)
    retry_seconds: dict[Outcome, tuple[Annotated[float, Field(gt=0)], ...]] = Field(default_factory=dict)

    def retry_table(self) -> dict[Outcome, tuple[float, ...]]:
        """Seconds to wait after the first, second, … attempt that ended so; no entry: never again."""
        return _retry_defaults() | self.retry_seconds


class Config(_Part):
    """Everything of config.yaml."""

    centre: Centre
    numbers: Plan = Plan.JAPAN
    practice_clock: Annotated[datetime, BeforeValidator(_practice_clock)] | None = None
    database: FilePath = Field(default=Path("var/kenko-call.db"), validate_default=True)
    questionnaire: FilePath = Field(default=Path("questionnaires/daily.yaml"), validate_default=True)
    prompts: FilePath = Field(default=Path("prompts"), validate_default=True)
    pbx: Pbx
    lines: Lines = Lines()
    slots: dict[str, Slot] = Field(min_length=1)
    gate: Gate = Gate()
    dialling: Dialling = Dialling()

    @property
    def voice_messages(self) -> Path:
        """The folder of what people say, beside the database: both are the same people's data."""
        return self.database.parent / "voice-messages"

    @property
    def practice_begins(self) -> datetime | None:
        """When practice begins, aware; None: the real time is kept."""
        return self.practice_clock and self.practice_clock.replace(tzinfo=self.centre.zone)


def read_config(path: Path) -> Config:
    """Read and check config.yaml. Raises BadInput with every problem at its line."""
    document = read_document(path)
    config = validate(document, Config, context={"folder": path.resolve().parent})
    problems = _spacing_problems(document, config)
    if config.practice_clock is not None and config.numbers is not Plan.PRACTICE:
        problems.append(document.problem("config.clock_refused", ("practice_clock",)))
    for index, number in enumerate(config.pbx.inbound_numbers):
        try:
            normalise(number, config.numbers)
        except BadNumber as bad:
            problems.append(document.problem(bad.message, ("pbx", "inbound_numbers", index)))
    if problems:
        raise BadInput(*problems)
    return config


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
    """The password of the ARI user: the first line of a file of its own. Raises BadInput."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadInput(problem("config.no_secret", str(path), reason=error.strerror or str(error))) from None
    if not secret:
        raise BadInput(problem("config.empty_secret", str(path)))
    return secret
