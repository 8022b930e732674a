"""`kenko-call plan`, `simulate`, `call-list` and `alarms`: what will be, what might be, and what people must take over.

Nothing here touches the live schedule: the database is opened for reading, and simulations run in memory.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Annotated, Any

import typer

from ivr.calllist import Line, not_printable, to_csv, to_pdf
from ivr.cli.output import DEFAULT_CONFIG, AsJson, ConfigPath, day_of, local_time, now_at, print_json, word, write_out
from ivr.cli.screen import print_table
from ivr.cli.standing import unsent_line
from ivr.config import Config, read_config
from ivr.errors import BadInput, problem
from ivr.messages import text
from ivr.person import Person
from ivr.storage.alarms import acknowledge_alarm, list_alarms
from ivr.storage.calls import recent_ends
from ivr.storage.database import open_database, open_reader
from ivr.storage.outbox import backlog
from ivr.storage.people import list_people
from ivr.storage.reach import NotReached, not_reached
from ivr.storage.sofar import NOTHING, so_far
from scheduler.forecast import Changes, Forecast, changes, forecast, model_for
from scheduler.model import Model, made_up_people
from scheduler.simulate import World
from scheduler.tally import Result

OnDay = Annotated[str | None, typer.Option("--date", help=text("cli.plan.date"), metavar="YYYY-MM-DD|tomorrow")]
#: When nobody's settings are asked: all the hours in which people may be rung.
WHOLE_DAY = {"day": {"from": "8:00", "until": "21:00"}}


class Format(StrEnum):
    """Forms of the call list."""

    CSV = "csv"
    PDF = "pdf"


def plan(config: ConfigPath = DEFAULT_CONFIG, date: OnDay = None, as_json: AsJson = False) -> int:
    settings = read_config(config)
    day = chosen_day(settings, date)
    before, now = NOTHING, None
    with open_reader(settings.database) as reader:
        people = reader.read(list_people)
        model = model_for(settings, reader.read(recent_ends, day))
        if day == day_of(settings, None):
            before, now = reader.read(so_far, day), now_at(settings)
    # In practice every command begins at the same moment, and the record may be further.
    ended = [each.ended_at or each.planned_at for each in before.attempts]
    found = forecast(settings, people, day, model, before, now and max(now, *ended, now))
    if as_json:
        print_json(_as_json(settings, asdict(found)))
    else:
        _print_plan(settings, found, {each.id: each for each in people})
    return 1 if any(each.needs_staff for each in found.not_called) else 0


def chosen_day(settings: Config, wanted: str | None) -> date:
    """Today if nothing is given, tomorrow, or a date. Raises BadInput."""
    today = day_of(settings, None)
    if wanted is None:
        return today
    if wanted == "tomorrow":
        return today + timedelta(days=1)
    try:
        return datetime.strptime(wanted, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise BadInput(problem("cli.plan.bad_date", given=wanted)) from None


def _print_plan(settings: Config, found: Forecast, people: dict[str, Person]) -> None:
    columns = [f"column.{each}" for each in ("call_at", "risk", "id", "name", "slot", "attempts")]
    rows = [
        (
            local_time(settings, each.call_at) or text("cli.plan.not_in_time"),
            word("risk", people[each.person_id].risk),
            each.person_id,
            people[each.person_id].name,
            each.slot,
            str(each.attempts or ""),
        )
        for each in found.called
    ]
    print_table(text("cli.plan.title", day=found.day), columns, rows)
    if found.not_called:
        absent = [
            (each.person_id, people[each.person_id].name, each.slot, word("off", each.why)) for each in found.not_called
        ]
        print_table(text("cli.plan.absent"), [f"column.{each}" for each in ("id", "name", "slot", "why")], absent)
    for slot in found.slots:
        last = local_time(settings, slot.last_first_at) or "-"
        lines = slot.lines_for_an_hour
        typer.echo(text("cli.plan.slot", slot=slot.slot, people=slot.people, last=last, lines=lines, have=found.lines))
    end = local_time(settings, found.finished_at) or "-"
    typer.echo(text("cli.plan.end", end=end, reported=found.reported, follow_up=found.follow_up))


def preview_tomorrow(before: tuple[Config, Sequence[Person]], after: tuple[Config, Sequence[Person]]) -> Changes:
    """What a change of roster or settings does to tomorrow; for every command that makes one."""
    return changes(before, after, day_of(after[0], None) + timedelta(days=1))


def print_changes(settings: Config, found: Changes) -> None:
    """In a few lines: how many calls more or fewer, who moved, and whom nobody would ring."""
    counts = {"added": len(found.added), "gone": len(found.gone), "moved": len(found.moved)}
    typer.echo(text("cli.plan.changes", day=found.day, before=found.before, after=found.after, **counts))
    for one, other in found.moved[:20]:
        first = (local_time(settings, one.first), local_time(settings, other.first))
        typer.echo(text("cli.plan.moved", id=other.person_id, before=first[0], after=first[1]))
    for each in found.needs_staff[:20]:
        typer.echo(text("cli.plan.nobody_rings", id=each.person_id, why=word("off", each.why)), err=True)


def simulate(
    people: Annotated[int, typer.Option("--people", min=1, max=1_000_000, help=text("cli.simulate.people"))],
    channels: Annotated[int, typer.Option("--channels", min=1, max=1000, help=text("cli.simulate.channels"))],
    config: Annotated[Path | None, typer.Option("--config", "-c", help=text("cli.simulate.config"))] = None,
    answer_rate: Annotated[float, typer.Option(min=0, max=1, help=text("cli.simulate.answer_rate"))] = 0.7,
    faults: Annotated[float, typer.Option(min=0, max=1, help=text("cli.simulate.faults"))] = 0.0,
    crashes: Annotated[int, typer.Option(min=0, max=50, help=text("cli.simulate.crashes"))] = 0,
    closed: Annotated[float, typer.Option(min=0, max=1, help=text("cli.simulate.closed"))] = 0.0,
    seed: Annotated[int, typer.Option(help=text("cli.simulate.seed"))] = 1,
    as_json: AsJson = False,
) -> int:
    began, cpu = time.perf_counter(), time.process_time()
    settings = _simulated(read_config(config) if config else None, channels)
    day = day_of(settings, None)
    model = replace(model_for(settings), answered=answer_rate, faults=faults, crashes=crashes, closed=closed)
    model = replace(model, reports_in=Model().reports_in)
    world = World(settings, made_up_people(people, tuple(settings.slots)), day, model, Random(seed))
    result = world.run()
    spent = time.process_time() - cpu
    used = {
        "seconds": round(time.perf_counter() - began, 2),
        "cpu_seconds": round(spent, 2),
        "microseconds_per_decision": round(1e6 * spent / max(1, result.decisions), 1),
        "peak_memory_mb": _peak_memory_mb(),
    }
    _print_result(settings, result, used, as_json=as_json)
    return 0 if not result.dropped else 1


def _peak_memory_mb() -> int:
    # Not getrusage's ru_maxrss: a process that was started by vfork inherits there what its parent had used.
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return round(int(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) / 1024)


def _simulated(settings: Config | None, channels: int) -> Config:
    """The settings asked for, or plain ones with the whole day as slot; with so many lines for calls of ours."""
    if settings is None:
        plain: dict[str, Any] = {
            "centre": {"name": "-"},
            "pbx": {"secret_file": "-", "inbound_numbers": ["-"]},
            "slots": WHOLE_DAY,
        }
        settings = Config.model_validate(plain)
    lines = settings.lines.model_copy(update={"total": channels, "reserved_for_inbound": 0, "calls_per_second": 20.0})
    return settings.model_copy(update={"lines": lines, "trunks": ()})


def _print_result(settings: Config, result: Result, used: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(_as_json(settings, asdict(result) | {"utilisation": round(result.utilisation, 4)} | used))
        return
    shown = asdict(result) | {"end": local_time(settings, result.finished_at), "percent": f"{result.utilisation:.1%}"}
    typer.echo(text("cli.simulate.result", None, **shown, **used))


def _as_json(settings: Config, found: Any) -> Any:
    """Moments in the centre's zone."""
    if isinstance(found, datetime):
        return found.astimezone(settings.centre.zone).isoformat(timespec="seconds")
    if isinstance(found, dict):
        return {key: _as_json(settings, each) for key, each in found.items()}
    if isinstance(found, (list, tuple)):
        return [_as_json(settings, each) for each in found]
    return found


def call_list(
    config: ConfigPath = DEFAULT_CONFIG,
    form: Annotated[Format, typer.Option("--format", help=text("cli.call_list.format"))] = Format.CSV,
    date: OnDay = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help=text("cli.reports.export.output"))] = None,
) -> None:
    settings = read_config(config)
    day = chosen_day(settings, date)
    with open_reader(settings.database) as reader:
        found, unsent = reader.read(not_reached, day), reader.read(backlog)
    waiting = unsent_line(settings, unsent)
    columns = [
        text(f"column.{each}") for each in ("risk", "id", "name", "kana", "numbers", "slot", "calls", "follow_up")
    ]
    lines = [_line(each) for each in found]
    if form is Format.CSV:
        written = to_csv(columns, lines).encode()
    else:
        written = _on_paper(settings, text("cli.call_list.title", day=day), columns, lines, waiting)
    if waiting:
        # Beside the table, not in it: programs read that.
        typer.echo(waiting, err=True)
    write_out(output, written)
    if output is not None:
        typer.echo(text("cli.call_list.written", count=len(lines), file=output), err=True)


def _on_paper(
    settings: Config, title: str, columns: Sequence[str], lines: Sequence[Line], waiting: str | None
) -> bytes:
    """The PDF; those whose names no font here can print are told by their IDs, on it and on standard error."""
    from ivr.leaflet.fonts import find_fallbacks, find_fonts, register

    lettering = register(*find_fonts(None), find_fallbacks()).lettering()
    unprinted = not_printable(lines, lettering)
    notes = [waiting] if waiting else []
    if unprinted:
        notes.append(text("cli.call_list.not_printable", count=len(unprinted), ids=", ".join(unprinted)))
        typer.echo(notes[-1], err=True)
    return to_pdf(title, columns, lines, now_at(settings).astimezone(settings.centre.zone), lettering, notes)


def _line(found: NotReached) -> Line:
    person = found.person
    last = word("outcome", found.attempts[-1].outcome) if found.attempts else ""
    return Line(
        word("risk", person.risk),
        person.id,
        person.name,
        person.kana,
        person.numbers,
        "、".join(person.slots),
        f"{len(found.attempts)} {last}".strip(),
        "、".join(word("follow_up", each) for each in found.tasks),
    )


def alarms(
    config: ConfigPath = DEFAULT_CONFIG,
    acknowledge: Annotated[int | None, typer.Option("--acknowledge", help=text("cli.alarms.acknowledge"))] = None,
    by: Annotated[str, typer.Option("--by", help=text("cli.alarms.by"))] = "",
    every: Annotated[bool, typer.Option("--all", help=text("cli.alarms.all"))] = False,
    as_json: AsJson = False,
) -> int:
    settings = read_config(config)
    if acknowledge is not None:
        if not by.strip():
            raise BadInput(problem("cli.alarms.who"))
        if not asyncio.run(_acknowledge(settings, acknowledge, by.strip())):
            raise BadInput(problem("cli.alarms.none", id=acknowledge))
    with open_reader(settings.database) as reader:
        found = reader.read(list_alarms, every=every)
    if as_json:
        print_json(_as_json(settings, {"alarms": [asdict(each) for each in found]}))
    else:
        rows = (
            (
                str(each.id),
                each.raised_at.astimezone(settings.centre.zone).strftime("%m-%d %H:%M:%S"),
                word("alarm", each.kind),
                f"{each.subject} {each.details}".strip(),
                local_time(settings, each.ended_at),
                each.acknowledged_by or "",
            )
            for each in found
        )
        names = ("alarm_id", "time", "alarm_kind", "alarm_details", "until", "acknowledged_by")
        print_table(text("cli.alarms.title"), [f"column.{each}" for each in names], rows)
    return 1 if any(each.ended_at is None and each.acknowledged_at is None for each in found) else 0


async def _acknowledge(settings: Config, alarm_id: int, by: str) -> bool:
    async with await open_database(settings.database, beside_service=True) as database:
        return await database.write(acknowledge_alarm, alarm_id, by, now_at(settings))
