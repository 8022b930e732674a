"""Column types that mean the same on SQLite and PostgreSQL, and refuse what a database would silently bend."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Date, DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator, TypeEngine


def moment_to_text(moment: datetime) -> str:
    """UTC, ISO 8601 with microseconds and Z. Raises ValueError for a naive datetime.

    Of one width, so that text sorts as time; the Z keeps whoever opens the file from taking it for local time.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without its zone cannot be stored")
    # isoformat, not strftime: the C library writes the year 999 with three digits.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class Moment(TypeDecorator[datetime]):
    """An aware datetime. SQLite: text as of `moment_to_text`; elsewhere the database's own time with zone."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        text = moment_to_text(value)
        return text if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        return None if value is None else value.astimezone(UTC)


class Day(TypeDecorator[date]):
    """A local calendar day. SQLite: `2025-01-31`; elsewhere the database's own date."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Date())

    def process_bind_param(self, value: date | None, dialect: Dialect) -> Any:
        # A datetime is a date to Python, but which day it is depends on a zone that only the caller knows.
        if isinstance(value, datetime):
            raise ValueError("a day is wanted, not a time")
        return value.isoformat() if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        return date.fromisoformat(value) if isinstance(value, str) else value


class TimeOfDay(TypeDecorator[time]):
    """A wall time of no particular day, to the minute: text such as `09:05`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: time | None, dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat("minutes")

    def process_result_value(self, value: str | None, dialect: Dialect) -> time | None:
        return None if value is None else time.fromisoformat(value)


def one_of(column: str, values: type[StrEnum] | Iterable[str]) -> CheckConstraint:
    """The column holds one of the values (NULL passes, where the column allows it)."""
    listed = ", ".join(f"'{each}'" for each in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)
