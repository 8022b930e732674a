"""`kenko-call status`, `calls`, `reports export`: what a day brought, read beside the running service."""

from dataclasses import asdict
from datetime import datetime, timedelta

from ivr.cli.output import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigPath,
    OnDay,
    day_of,
    local_time,
    now_at,
    print_json,
    word,
)
from ivr.cli.screen import console, print_table
from ivr.cli.standing import is_troubled, pull_data, pull_lines, refusal_line, standing_data, unsent_line
from ivr.config import read_config
from ivr.handover import PERIOD_OVER
from ivr.messages import text
from ivr.numbers import mask
from ivr.storage.database import open_reader
from ivr.storage.figures import erased_on
from ivr.storage.followups import open_follow_ups
from ivr.storage.journal import calls_between
from ivr.storage.outbox import backlog
from ivr.storage.pulled import get_pulled
from ivr.storage.questionnaires import standing
from ivr.storage.status import DayState, PersonStatus, status_of_day
from ivr.storage.words import Figure


def status(config: ConfigPath = DEFAULT_CONFIG, date: OnDay = None, as_json: AsJson = False) -> None:
    settings = read_config(config)
    day = day_of(settings, date)
    with open_reader(settings.database) as reader:
        people, now = reader.read(status_of_day, day), reader.read(standing)
        strangers = [each for each in reader.read(open_follow_ups, day) if each.person_id is None]
        unsent, pulled, erased = reader.read(backlog), reader.read(get_pulled), reader.read(erased_on, day)
    if as_json:
        listed = [asdict(each) for each in people]
        callers = [
            {"reason": each.reason, "claimed_id": each.claimed_id, "number": each.number, "at": each.opened_at}
            for each in strangers
        ]
        sync = {"unsent": unsent.unsent, "parked": unsent.parked, "oldest_seconds": unsent.age(now_at(settings))}
        print_json(
            {
                "day": day,
                "people": listed,
                "unknown_callers": callers,
                "questionnaire": standing_data(now),
                "sync": {**sync, "pull": pull_data(settings, pulled)},
                "erased": erased,
            }
        )
        return
    print_table(text("cli.status.title", day=day), STATUS_COLUMNS, map(status_row, people))
    console.print(summary_line(people))
    if erased:
        counts = {each: sum(erased.get(each, {}).values()) for each in Figure}
        console.print(text("cli.status.erased", None, **counts))
    if strangers:
        columns = [f"column.{each}" for each in ("time", "follow_up", "claimed_id", "number")]
        # The whole number: it is there to be rung.
        rows = (
            (
                local_time(settings, each.opened_at),
                word("follow_up", each.reason),
                each.claimed_id or "",
                each.number or text("cli.status.no_number"),
            )
            for each in strangers
        )
        print_table(text("cli.status.strangers"), columns, rows)
    if now.refused is not None:
        console.print(refusal_line(now.refused))
    if waiting := unsent_line(settings, unsent):
        console.print(waiting)
    for line in pull_lines(settings, pulled) if is_troubled(settings, pulled) else ():
        console.print(line)


STATUS_COLUMNS = tuple(
    f"column.{each}" for each in ("id", "name", "slot", "state", "attempts", "outcome", "follow_up", "alert")
)


def status_row(person: PersonStatus) -> tuple[str, ...]:
    """One line of the table of people."""
    also = [word("state", "partial")] if person.partial else []
    also += [word("follow_up", PERIOD_OVER)] if person.period_over else []
    state = word("state", person.state) + (f" ({'、'.join(also)})" if also else "")
    return (
        person.person_id,
        person.name,
        person.slot,
        state,
        str(person.attempts),
        word("outcome", person.last_outcome),
        "、".join(word("follow_up", each) for each in person.follow_ups),
        "、".join(word("level", each) for each in person.alerts),
    )


def summary_line(people: tuple[PersonStatus, ...]) -> str:
    """How many stand where."""
    counts: dict[str, object] = {each: sum(person.state is each for person in people) for each in DayState}
    line = text("cli.status.summary", None, people=len(people), **counts)
    over = sum(person.period_over for person in people)
    return f"{line} {text('cli.status.period_over', None, count=over)}" if over else line


def calls(config: ConfigPath = DEFAULT_CONFIG, date: OnDay = None, as_json: AsJson = False) -> None:
    settings = read_config(config)
    day = day_of(settings, date)
    first = datetime.combine(day, datetime.min.time(), settings.centre.zone)
    with open_reader(settings.database) as reader:
        found = reader.read(calls_between, first, first + timedelta(days=1))
    if as_json:
        print_json({"day": day, "calls": [asdict(each) | {"number": mask(each.number)} for each in found]})
        return
    columns = ("time", "direction", "id", "number", "state", "outcome", "until")
    rows = (
        (
            local_time(settings, each.started_at),
            word("direction", each.direction),
            each.person_id or "",
            mask(each.number),
            word("call_state", each.state),
            word("outcome", each.outcome),
            local_time(settings, each.ended_at),
        )
        for each in found
    )
    print_table(text("cli.calls.title", day=day), [f"column.{each}" for each in columns], rows)
