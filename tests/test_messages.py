"""The catalogue: both languages, the same blanks, nothing missing, nothing left over."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from fnmatch import fnmatchcase
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
from pydantic_core.core_schema import ErrorType

from ivr.ami import alarms as ami
from ivr.ami.state import State
from ivr.call import CallState, Direction, Outcome
from ivr.cli.commands import COMMANDS
from ivr.cli.day import STATUS_COLUMNS
from ivr.cli.roster import DECISION_COLUMNS, Standing
from ivr.doctor.judgement import Light
from ivr.errors import BadInput, KenkoError, PbxRefused, problem
from ivr.handover import CALLING_GOES_ON, NOT_OURS, HandOver
from ivr.identity import GUESSING
from ivr.messages import LANGUAGES, catalogue, language_in_force, text
from ivr.missed import NO_CODEC
from ivr.person import Person, Risk
from ivr.questionnaire.model import FollowUpReason, Level, SessionStatus
from ivr.severe import SEVERE
from ivr.storage import pulled
from ivr.storage.arriving import ERASED
from ivr.storage.conflicts import CONFLICTS
from ivr.storage.erasure import Refusal
from ivr.storage.link import ALARMS
from ivr.storage.missed import NOT_TAKEN
from ivr.storage.pending import FAULT, STORAGE
from ivr.storage.personal import ABOUT
from ivr.storage.status import DayState
from ivr.storage.words import Cause, Decided, Verdict
from ivr.sync.comparison import Sort
from ivr.sync.documents import Kind
from ivr.sync.merging import CLOSED, FIELDS, OBSERVED, STANDING, Kept
from ivr.unknown_caller import NO_ID
from ivr.window import Off
from scheduler.watch import WATCHED
from tests.cases_runner import ROOT

SOURCES = [path for folder in ("ivr", "scheduler", "sandbox", "bench") for path in (ROOT / folder).rglob("*.py")]


def blanks(said: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(said) if name is not None}


@pytest.mark.parametrize("message", catalogue())
def test_both_languages_say_the_same(message: str) -> None:
    entry = catalogue()[message]
    assert tuple(entry) == LANGUAGES
    assert blanks(entry["ja"]) == blanks(entry["en"])
    assert all(blank.isidentifier() for blank in blanks(entry["ja"]))
    assert not re.search("[ぁ-んァ-ヶ一-龠。、「」]", entry["en"])
    assert all(each.strip() for each in entry.values())


def strings(path: Path) -> Iterator[str]:
    """Every text in a module, f-strings with `*` for what is filled in."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(each.value) if isinstance(each, ast.Constant) else "*" for each in node.values)


def asked_for(path: Path) -> Iterator[str]:
    """The ids that a module hands to text(), problem() and the like."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0]
            if name in ("text", "problem", "Problem", "BadNumber") and isinstance(first, ast.Constant):
                yield str(first.value)


USED = {each for path in SOURCES for each in strings(path)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_message_asked_for_exists(path: Path) -> None:
    # SQL and HTTP know a text() too: an id of ours has a point in it and no blank.
    ids = {each for each in asked_for(path) if re.fullmatch(r"[a-z_]+(\.[a-z0-9_]+)+", each)}
    assert ids <= catalogue().keys()


#: Families of ids that are put together: what may stand after the point.
FAMILIES: dict[str, Iterable[str]] = {
    "outcome": Outcome,
    "state": DayState,
    "follow_up": (*HandOver, *CALLING_GOES_ON, SEVERE, *FollowUpReason, NO_ID),
    "level": Level,
    "direction": Direction,
    "call_state": CallState,
    "session": SessionStatus,
    "risk": Risk,
    "standing": Standing,
    "decided": Decided,
    "sent": Kind,
    "differs": Sort,
    "table": ABOUT,
    "cli.person.refused": Refusal,
    "off": (*Off, "paused", "no_number", "reported", "with_staff", "slot_over"),
    "alarm": (
        *(*WATCHED, *ami.WATCHED, *ALARMS, *pulled.ALARMS),
        *(CONFLICTS, ERASED, GUESSING, NOT_OURS, STORAGE, FAULT, NO_CODEC, NOT_TAKEN),
    ),
    "trunk_state": State,
    "people_field": ({each.name for each in fields(Person)} | {"state", "household", "places"}),
    "cause": Cause,
    "light": [each.name.lower() for each in Light],
    "verdict": (*Verdict, "live"),
    "conflict_field": (*FIELDS, STANDING),
    "conflict_kept": Kept,
    "conflict_standing": (OBSERVED, CLOSED),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_each_value_of_an_enum_has_a_word(family: str) -> None:
    found = {each.removeprefix(f"{family}.") for each in catalogue() if each.startswith(f"{family}.")}
    assert found == {str(each) for each in FAMILIES[family]}


def test_each_column_has_a_word() -> None:
    found = {each for each in catalogue() if each.startswith("column.")}
    assert set(STATUS_COLUMNS) <= found
    assert set(DECISION_COLUMNS) <= found
    assert {each.removeprefix("column.") for each in found} <= USED


def test_what_a_value_may_be_has_a_sentence() -> None:
    found = {each.removeprefix("allowed.") for each in catalogue() if each.startswith("allowed.")}
    pydantics = set(get_args(ErrorType))
    ours = {
        str(node.args[0].value)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("written_as", "PydanticCustomError")
        if isinstance(node.args[0], ast.Constant)
    }
    assert ours <= found
    assert found - pydantics - {"path_type"} == ours


def test_no_message_is_left_over() -> None:
    families = (*FAMILIES, "column", "allowed")
    plain = {each for each in catalogue() if each.split(".")[0] not in families}
    # An id that is put together: text(f"demo.{step}")
    patterns = [each for each in USED if re.fullmatch(r"[a-z_.]+\.\*", each)]
    named = {*COMMANDS, *(each.split()[0] for each in COMMANDS)}
    helps = {f"cli.{each.replace(' ', '.').replace('-', '_')}.help" for each in named}
    assert {
        each for each in plain - USED - helps if not any(fnmatchcase(each, pattern) for pattern in patterns)
    } == set()


def test_the_language_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    for given, language in (("", "ja"), ("en", "en"), ("EN_GB.UTF-8", "en"), ("de", "ja"), ("ja", "ja")):
        monkeypatch.setenv("KENKO_LANG", given)
        assert language_in_force() == language
        assert text("direction.inbound") == {"ja": "着信", "en": "in"}[language]
        assert text("direction.inbound", "en") == "in"
    monkeypatch.delenv("KENKO_LANG")
    assert language_in_force() == "ja"
    with pytest.raises(KeyError):
        text("no.such.message")


def test_errors_say_all_their_problems() -> None:
    error = BadInput(problem("file.missing", "a.yaml"), problem("yaml.twice", "b.yaml", 3, key="x"))
    assert error.render("en").splitlines() == [
        "a.yaml: there is no such file; check the path",
        'b.yaml:3: "x" is given twice; keep one',
    ]
    assert str(error) == error.render()
    assert problem("file.missing").render("en") == "there is no such file; check the path"
    refused = PbxRefused(404, "Channel not found", "GET /channels/x")
    assert isinstance(refused, KenkoError)
    assert "404 Channel not found" in refused.render("en")
    inner = problem("number.own")
    assert problem("roster.number", "f", 2, column="number1", reason=inner).render("en").endswith("is never rung")
