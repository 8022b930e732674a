"""What `kenko-call --help`, `status` and `check` cost before they answer, against `python -c pass` run in between.

CPU and not seconds, and as a ratio: so the figure holds on a busy machine and on another one.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import yaml

from ivr.call import Direction, Ending, Outcome
from ivr.handover import HandOver
from ivr.messages import text
from ivr.person import Person
from ivr.questionnaire.model import Answer, Session, SessionStatus, Turn
from ivr.storage.calls import Attempt, Call, end_call, plan_attempt, start_call
from ivr.storage.database import Database, open_database
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.storage.people import upsert_people
from ivr.storage.questionnaires import store_questionnaire
from ivr.storage.sessions import StoredSession, open_session, save_turn
from ivr.storage.words import Auth, Source
from sandbox.script import load_people
from sandbox.service import PRACTICE_CLOCK, PRACTICE_DAY, QUESTIONNAIRE, ROOT
from sandbox.settings import PROMPTS

ROUNDS = 7
#: Seconds of CPU, on a machine on which `python -c pass` takes PASS_SECONDS.
GOAL_SECONDS, PASS_SECONDS = 0.35, 0.02
COMMANDS: Mapping[str, Sequence[str]] = {"--help": ("--help",), "status": ("status",), "check": ("check",)}
_NINE = datetime(2026, 11, 4, tzinfo=UTC)


async def make_site(folder: Path) -> Path:
    """A config.yaml with its database: the people of the demonstration, their morning over. The path of the former."""
    config = folder / "config.yaml"
    settings = {
        "centre": {"name": "さくら保健所"},
        "ids": {"check_digit": False},
        "numbers": "practice",
        "practice_clock": PRACTICE_CLOCK,
        "database": str(folder / "kenko-call.db"),
        "questionnaire": str(QUESTIONNAIRE),
        "prompts": str(PROMPTS),
        "pbx": {"secret_file": "-", "inbound_numbers": ["05000000100"]},
        "slots": {"morning": {"from": "9:00", "until": "11:30"}},
    }
    config.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    async with await open_database(folder / "kenko-call.db") as database:
        await _fill(database)
    return config


async def _fill(database: Database) -> None:
    scenario = load_people(ROOT / "sandbox" / "scenarios" / "demo.yaml")
    people = [Person(each.id, each.name or "見本", "ミホン", (each.number,), ("morning",)) for each in scenario]
    await database.write(upsert_people, people, _NINE)
    await database.write(store_questionnaire, "hash", "daily", "id: daily\n", _NINE)
    for person, played in zip(people, scenario, strict=True):
        attempt = Attempt(f"attempt-{person.id}", person.id, person.numbers[0], PRACTICE_DAY, "morning", _NINE)
        await database.write(plan_attempt, attempt)
        call = Call(f"call-{person.id}", Direction.OUTBOUND, _NINE, attempt.id, attempt.number)
        await database.write(start_call, call)
        if played.answers:
            await _report(database, person, call, played.answers)
        outcome = Outcome.ANSWERED if played.answers else Outcome.NO_KEY
        await database.write(end_call, call.id, Ending(None, 16), outcome, _NINE)
        if not played.answers:
            task = NewFollowUp(PRACTICE_DAY, HandOver.NOT_REACHED, person.id)
            await database.write(open_follow_up, task, _NINE)


async def _report(database: Database, person: Person, call: Call, answers: Mapping[str, str]) -> None:
    given = tuple(Answer(question, value) for question, value in answers.items())
    fresh = Session("hash", given[0].question)
    stored = StoredSession(
        *(f"session-{person.id}", person.id, None, PRACTICE_DAY, "ja"),
        *(Source.AUTOMATIC_CALL, Auth.OUTBOUND, fresh, _NINE, _NINE),
    )
    await database.write(open_session, stored)
    done = replace(fresh, answers=given, status=SessionStatus.COMPLETED)
    await database.write(save_turn, stored.id, call.id, Turn(done, (), None, given), _NINE)


def cpu_seconds(arguments: Sequence[str], environment: Mapping[str, str]) -> float:
    """User and system time of one process. Raises CalledProcessError if it ends with another exit code than 0."""
    process = subprocess.Popen(
        [sys.executable, *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, arguments)
    return used.ru_utime + used.ru_stime


def measure(config: Path, rounds: int = ROUNDS) -> dict[str, float]:
    """Command -> its CPU, as a multiple of `python -c pass`. Medians of rounds in which each takes its turn."""
    environment = os.environ | {"KENKO_CONFIG": str(config)}
    program = ("-c", "from ivr.cli import main; main()")
    spent: dict[str, list[float]] = {name: [] for name in ("pass", *COMMANDS)}
    for _ in range(rounds):
        spent["pass"].append(cpu_seconds(("-c", "pass"), environment))
        for name, arguments in COMMANDS.items():
            spent[name].append(cpu_seconds((*program, *arguments), environment))
    base = statistics.median(spent.pop("pass"))
    return {name: statistics.median(each) / base for name, each in spent.items()}


def main() -> int:
    """`scripts/bench startup`. 0; 1 if a command costs more than the goal."""
    with tempfile.TemporaryDirectory() as folder:
        ratios = measure(asyncio.run(make_site(Path(folder))))
    for name, ratio in ratios.items():
        said = text("bench.startup", name=name, ratio=f"{ratio:.1f}", seconds=f"{ratio * PASS_SECONDS:.2f}")
        print(said)  # noqa: T201
    print(text("bench.startup_goal", seconds=f"{GOAL_SECONDS:.2f}", base=f"{PASS_SECONDS:.2f}"))  # noqa: T201
    return int(max(ratios.values()) > GOAL_SECONDS / PASS_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
