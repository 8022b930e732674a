"""The hours by which the running service calls, kept as a fact: so a command can tell what a changed file would do."""

import re

from pydantic import BaseModel

from ivr.config import Blocked, Config, Slot

#: The fact that holds them.
IN_FORCE = "service.hours"


class _Hours(BaseModel):
    slots: dict[str, Slot]
    blocked_days: tuple[Blocked, ...]
    own_time_minutes: float


def hours_text(config: Config) -> str:
    """What decides who is called when, as one text."""
    written = config.model_dump_json(include=set(_Hours.model_fields), by_alias=True)
    # As a file has them: times of day without seconds, and days without calls by their word.
    return re.sub(r'"(\d\d:\d\d):00"', r'"\1"', written).replace(":null", ':"off"')


def with_hours(config: Config, stored: str) -> Config:
    """These settings with the hours of such a text."""
    hours = _Hours.model_validate_json(stored)
    changed = config.model_copy(update={name: getattr(hours, name) for name in _Hours.model_fields})
    changed.__dict__.pop("calendar", None)  # computed once from the hours that were
    return changed
