"""How single values of config.yaml are written: times of day, days, moments, zones, names of slots."""

import re
from datetime import date, datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from ivr.person import OWN_TIME


def _time_of_day(given: object) -> object:
    if isinstance(given, str) and (found := re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", given)):
        return time(int(found[1]), int(found[2]))
    raise PydanticCustomError("time_of_day", "hh:mm")


def _moment(given: object) -> object:
    try:
        if isinstance(given, str) and (found := datetime.fromisoformat(given)).tzinfo is None:
            return found
    except ValueError:
        pass
    raise PydanticCustomError("moment", "such as 2026-11-04 09:00")


def _day(given: object) -> object:
    # Only as text: pydantic would take a number for seconds since 1970.
    if isinstance(given, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", given):
        try:
            return date.fromisoformat(given)
        except ValueError:
            pass
    raise PydanticCustomError("day", "yyyy-mm-dd")


def _off(given: object) -> object:
    if given == "off":
        return None
    if not isinstance(given, dict):
        raise PydanticCustomError("hours_or_off", "off, or from and until")
    return given


def _time_zone(given: str) -> str:
    try:
        ZoneInfo(given)
    except (ZoneInfoNotFoundError, ValueError):
        raise PydanticCustomError("time_zone", "such as Asia/Tokyo") from None
    return given


def _slot_name(given: str) -> str:
    # In a roster several stand in one cell, with such signs between them.
    if not re.fullmatch(r"[^\s;,=、；，]{1,30}", given) or given == OWN_TIME:
        raise PydanticCustomError("slot_name", "one word")
    return given


TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
DayOfYear = Annotated[date, BeforeValidator(_day)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
SlotName = Annotated[str, AfterValidator(_slot_name)]
OrOff = BeforeValidator(_off)  #: the word `off` is None
