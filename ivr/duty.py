"""The settings of who is there for callers: the duty telephone and its hours, and how many calls are taken at once."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ivr.asterisk import EndpointName
from ivr.config_values import TimeOfDay
from ivr.dialling import Number, Part
from ivr.window import DayKind


class Inbound(Part):
    """Calls that people make to us."""

    #: None: as many as there are lines.
    most_calls: int | None = Field(default=None, ge=1, le=1000)


class OfficeHours(Part):
    """A part of a day, at whatever hour."""

    first: TimeOfDay = Field(alias="from")
    until: TimeOfDay

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.first < self.until:
            raise PydanticCustomError("office_hours", "from < until")
        return self


class Duty(Part):
    """The telephone to which a caller with a severe answer is put through, and when somebody is there."""

    endpoint: EndpointName | None = None
    number: Number | None = None
    hours: dict[DayKind, OfficeHours] = Field(default_factory=dict)
    answer_seconds: float = Field(default=30, ge=5, le=60)
    call_back_minutes: float = Field(default=15, ge=1, le=240)

    @model_validator(mode="after")
    def _one_telephone_with_hours(self) -> Self:
        if self.endpoint and self.number:
            raise PydanticCustomError("duty_telephone", "endpoint or number, not both")
        if (self.endpoint or self.number) and not self.hours:
            raise PydanticCustomError("duty_hours", "when somebody is there")
        return self

    def is_there(self, now: datetime, is_holiday: Callable[[date], bool]) -> bool:
        """Whether somebody sits by the telephone `now`, a moment in the centre's own time. A holiday is no weekday."""
        kind = DayKind.HOLIDAY if is_holiday(now.date()) else tuple(DayKind)[now.weekday()]
        hours = self.hours.get(kind)
        return hours is not None and hours.first <= now.time() < hours.until
