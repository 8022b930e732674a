"""The settings of dialling: lines and trunks, how long to ring and when to ring again."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ivr.call import Outcome
from ivr.document import written_as
from ivr.numbers import spelt

#: A terminal must stop ringing within 2 minutes (Terminal Facilities Rules, Article 32-3).
LONGEST_RING_SECONDS = 110
#: ... and may redial at most twice within 3 minutes: a later call is a new one.
SHORTEST_SPACING_SECONDS = 180
#: ... unless all redials together are at most 15; more is never useful to a patient.
MOST_ATTEMPTS = 15


#: A number of ours or of our staff, in the form in which it is compared, written down and rung, however it was written.
#: Whether it is one is judged when it is known which numbers exist (ivr.config.read_config).
Number = Annotated[str, AfterValidator(spelt)]


class Part(BaseModel):
    """A part of config.yaml: a mistyped key is an error."""

    # defer_build: `Config` builds one validator for all parts, no part one more for itself.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Lines(Part):
    """How much of the trunk may be used."""

    total: int = Field(default=4, ge=1, le=1000)
    reserved_for_inbound: int = Field(default=1, ge=0)
    calls_per_second: float = Field(default=1.0, gt=0, le=20)

    @model_validator(mode="after")
    def _leave_one(self) -> Self:
        if self.reserved_for_inbound >= self.total:
            raise PydanticCustomError("no_line_left", "fewer reserved lines than lines")
        return self


class Trunk(Lines):
    """One of several trunks: a PJSIP endpoint with its own lines and the number it presents."""

    name: Annotated[str, written_as("trunk", r"[A-Za-z0-9_-]+")]
    caller_id: Number | None = None


def _retry_defaults() -> dict[Outcome, tuple[float, ...]]:
    minute = 60.0
    return {
        Outcome.BUSY: (15 * minute, 30 * minute),
        Outcome.NO_ANSWER: (30 * minute, 60 * minute),
        Outcome.UNREACHABLE: (30 * minute, 60 * minute),
        Outcome.BAD_NUMBER: (30 * minute,),
        Outcome.REJECTED: (60 * minute,),
        Outcome.REFUSED: (30 * minute, 60 * minute),
        Outcome.CONGESTION: (1 * minute, 2 * minute, 5 * minute, 10 * minute),
        Outcome.NO_KEY: (30 * minute, 60 * minute),
        Outcome.CUT_OFF: (5 * minute,),
        Outcome.FAILED: (15 * minute,),
        Outcome.UNKNOWN: (15 * minute,),
    }


class Dialling(Part):
    """How long to ring and when to ring again."""

    ring_seconds: float = Field(default=60, ge=10, le=LONGEST_RING_SECONDS)
    attempts: int = Field(default=3, ge=1, le=MOST_ATTEMPTS)
    attempts_per_day: int | None = Field(default=None, ge=1, le=MOST_ATTEMPTS)
    calls_per_number: int = Field(default=12, ge=1, le=MOST_ATTEMPTS)
    spread_minutes: float = Field(default=0, ge=0, le=240)
    follow_up_minutes: float = Field(default=60, ge=0, le=1440)
    rest_seconds: float = Field(default=SHORTEST_SPACING_SECONDS, ge=0, le=3600)
    retry_seconds: dict[Outcome, tuple[Annotated[float, Field(gt=0)], ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _a_day_holds_a_slot(self) -> Self:
        if self.most_a_day < self.attempts:
            raise PydanticCustomError("too_few_a_day", "attempts_per_day >= attempts")
        return self

    @property
    def most_a_day(self) -> int:
        """Calls to one person in all slots of a day together."""
        return self.attempts_per_day or max(6, self.attempts)

    def retry_table(self) -> dict[Outcome, tuple[float, ...]]:
        """Seconds to wait after the first, second, … attempt that ended so; no entry: never again."""
        return _retry_defaults() | self.retry_seconds
