"""`kenko-call sync reconcile`: what the centre holds against the records here, row by row; sending lost ones again."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, local_moment, now_at, print_json, word
from ivr.cli.screen import console, print_table
from ivr.config import Config, read_config
from ivr.document import read_content
from ivr.errors import BadInput, problem
from ivr.messages import text
from ivr.storage.comparisons import send_again
from ivr.storage.database import Database, open_database, open_reader
from ivr.storage.outbox import Row, rows_of
from ivr.sync.comparison import LONGEST_BACK, Difference, Outcome, Sort, last_day
from ivr.sync.digests import Listed, Source, Unanswered, ask
from ivr.sync.listed import parse_listed
from ivr.sync.reconcile import compare_day
from ivr.sync.settings import Way

_DAY = ["%Y-%m-%d"]


def reconcile(
    config: ConfigPath = DEFAULT_CONFIG,
    day: Annotated[datetime | None, typer.Option("--day", formats=_DAY, help=text("cli.sync.reconcile.day"))] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=_DAY, help=text("cli.sync.reconcile.since"))
    ] = None,
    listed: Annotated[Path | None, typer.Option("--from", help=text("cli.sync.reconcile.from"))] = None,
    again: Annotated[bool, typer.Option("--send-again", help=text("cli.sync.reconcile.again"))] = False,
    as_json: AsJson = False,
) -> int:
    """Exit code 1 if anything differs, or the centre did not say what it holds."""
    settings = read_config(config)
    days = _days(settings, day.date() if day else None, since.date() if since else None)
    source = _source(settings, listed)
    open_reader(settings.database).close()  # a database that is missing is not to be made
    found = asyncio.run(_compare(settings, source, days, again=again))
    if as_json:
        print_json(found.as_json())
    else:
        _print(settings, found)
    return 1 if found.unanswered or any(each.differences for each in found.outcomes) else 0


@dataclass
class _Found:
    """What came of it."""

    outcomes: list[Outcome] = field(default_factory=list)
    unanswered: tuple[date, str] | None = None  #: the day at which it ended, and why
    rows: dict[int, Row] = field(default_factory=dict)
    again: int = 0  #: documents that wait once more

    def differences(self) -> Iterator[tuple[date, Difference, Row | None]]:
        """One by one, with the day and our row."""
        for outcome in self.outcomes:
            for each in outcome.differences:
                yield outcome.day, each, self.rows.get(each.id or 0)

    def as_json(self) -> dict[str, object]:
        """For programs; without the answers."""
        days = [
            {name: value for name, value in asdict(each).items() if name != "differences"} for each in self.outcomes
        ]
        differences = [
            {"day": day, **asdict(each)}
            | (
                {name: getattr(row, name) for name in ("kind", "about", "subject", "revision", "queued_at")}
                if row
                else {}
            )
            for day, each, row in self.differences()
        ]
        unanswered = {"day": self.unanswered[0], "reason": self.unanswered[1]} if self.unanswered else None
        return {"days": days, "differences": differences, "unanswered": unanswered, "sent_again": self.again}


def _days(settings: Config, day: date | None, since: date | None) -> Sequence[date]:
    """Those asked for; the last one that is over if none was."""
    last = last_day(now_at(settings))
    if day is not None and since is not None:
        raise BadInput(problem("cli.sync.reconcile.one"))
    if since is None:
        return [day or last]
    if not timedelta() <= last - since < timedelta(days=LONGEST_BACK):
        raise BadInput(problem("cli.sync.reconcile.range", days=LONGEST_BACK, last=last))
    return [since + timedelta(days=each) for each in range((last - since).days + 1)]


def _source(settings: Config, listed: Path | None) -> AbstractAsyncContextManager[Source]:
    """Whom to ask. Raises BadInput: there is nobody who could say."""
    if listed is not None:
        return nullcontext(Listed(parse_listed(read_content(listed), str(listed))))
    if settings.sync.destination is None:
        raise BadInput(problem("cli.sync.no_centre"))
    if settings.sync.way is not Way.HTTP:
        raise BadInput(problem(f"cli.sync.reconcile.way.{settings.sync.way}"))
    return ask(settings.sync, lambda: now_at(settings))


async def _compare(
    settings: Config, asked: AbstractAsyncContextManager[Source], days: Sequence[date], *, again: bool
) -> _Found:
    found, now, day = _Found(), now_at(settings), days[0]
    async with await open_database(settings.database, beside_service=True) as database:
        try:
            async with asked as source:
                for day in days:
                    found.outcomes.append(await compare_day(database, source, day, now))
        except Unanswered as unanswered:
            found.unanswered = (day, str(unanswered))
        await _look_up(database, found)
        if again:
            lost = [each.id for _, each, _ in found.differences() if each.sort is Sort.MISSING and each.id is not None]
            found.again = await database.write(send_again, lost, now)
    return found


async def _look_up(database: Database, found: _Found) -> None:
    ids = sorted({each.id for outcome in found.outcomes for each in outcome.differences if each.id is not None})
    found.rows = {each.id: each for each in await database.read(rows_of, ids)}


def _print(settings: Config, found: _Found) -> None:
    rows = [
        (
            str(day),
            word("differs", each.sort),
            str(row.id) if row else "",
            word("sent", row.kind) if row else "",
            row.about if row else "",
            local_moment(settings, row.queued_at) if row else "",
            each.key,
        )
        for day, each, row in found.differences()
    ]
    if rows:
        columns = ("utc_day", "difference", "parked_id", "sent_kind", "id", "frozen", "key")
        print_table(text("cli.sync.reconcile.title"), [f"column.{each}" for each in columns], rows)
    if found.outcomes:
        here, there = (sum(getattr(each, side) for each in found.outcomes) for side in ("here", "there"))
        told = {"here": here, "there": there, "differences": len(rows)}
        console.print(text("cli.sync.reconcile.summary", None, days=len(found.outcomes), **told))
    if found.unanswered:
        day, reason = found.unanswered
        console.print(text("cli.sync.reconcile.unanswered", day=day, reason=reason))
    if found.again:
        console.print(text("cli.sync.retry.done", count=found.again))
    elif any(each.sort is Sort.MISSING for _, each, _ in found.differences()):
        console.print(text("cli.sync.reconcile.how"))
