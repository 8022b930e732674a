"""Scenario files: what they may say, and how mistakes are told."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from ivr.errors import BadInput
from ivr.numbers import Plan, normalise
from sandbox.journal import Invite, read_invites
from sandbox.script import HANG_UP, CallScript, Does, Person, load_behaviours, load_people, spoken_and_pressed

SCENARIOS = Path(__file__).parents[2] / "sandbox" / "scenarios"
ONE = '  - {id: "10000001", number: "09000000001", '


def people(tmp_path: Path, text: str) -> tuple[Person, ...]:
    path = tmp_path / "people.yaml"
    path.write_text("people:\n" + text, encoding="utf-8")
    return load_people(path)


def test_calls_take_behaviours_and_the_persons_keys(tmp_path: Path) -> None:
    (person,) = people(tmp_path, ONE + "calls: [busy, {like: slow, ring: 1}, silent], keys: ['1', '365']}")
    busy, slow, silent = person.calls
    assert (busy.script.does, busy.behaviour) == (Does.BUSY, "busy")
    assert (slow.script.think, slow.script.ring, slow.script.keys) == (10, 1, ("1", "365"))
    assert silent.script.keys == ("",)


def test_call_in(tmp_path: Path) -> None:
    own, other = people(
        tmp_path,
        ONE + "calls_in: {keys: ['1']}}\n"
        '  - {id: "10000002", number: "0310000002", calls_in: {from_number: withheld, order: 2}}',
    )
    assert own.calls_in
    assert own.calls_in.script.keys == ("1",)
    assert (own.calls_from, other.calls_from, other.calls_order) == ("09000000001", None, 2)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (ONE + "calls: [bussy]}", 2, "busy"),
        (ONE + "\n    keyss: ['1']}", 3, "keys"),
        (ONE + "\n    keys: ['1x']}", 3, "keys"),
        ('  - {id: "10000001",\n     number: "09012345678"}', 3, "number"),  # somebody's real number
        ('  - {id: "10000001",\n     number: "08001234567"}', 3, "number"),  # toll-free
        (ONE + "}\n" + ONE + "}", 3, "10000001"),
    ],
)
def test_mistakes_name_their_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(BadInput) as failed:
        people(tmp_path, text)
    told = failed.value.render("en")
    assert f"people.yaml:{line}:" in told
    assert said in told


def test_every_scenario_and_behaviour_loads() -> None:
    assert {"slow", "busy", "voicemail", "security_phone", "answers_late"} <= load_behaviours().keys()
    for path in SCENARIOS.glob("*.yaml"):
        assert load_people(path)


def test_the_demonstration_has_twelve_fictional_people_and_three_callers() -> None:
    demo = load_people(SCENARIOS / "demo.yaml")
    assert len(demo) == 12
    assert all(normalise(each.number, Plan.PRACTICE) == each.number for each in demo)
    callers = sorted((each for each in demo if each.calls_in), key=lambda each: each.calls_order)
    assert [each.id[-2:] for each in callers] == ["07", "09", "02"]
    assert all(len(each.answers) == 11 for each in demo if each.expect == "reported")


def test_invites_are_those_that_the_pbx_sent(tmp_path: Path) -> None:
    path = tmp_path / "invites.csv"
    assert read_invites(path) == []
    path.write_text(
        '"1.5","from-pbx","09000000001","05000000100","","PJSIP/pbx-00000000","1.0"\n'
        '"1.6","default","s","","","UnicastRTP/127.0.0.1:5-0x1","ear-1.0"\n'
        '"1.7","from-pbx","s","","","PJSIP/pbx-00000001","calling-abc"\n'
    )
    assert read_invites(path) == [Invite(1.5, "09000000001", "05000000100")]


@pytest.mark.parametrize(
    ("entry", "seconds", "then"),
    [("say_4#", 4, "#"), ("say_12", 12, ""), ("say_3hang_up", 3, HANG_UP), ("365#", 0, "365#"), (HANG_UP, 0, HANG_UP)],
)
def test_speaking_before_pressing(entry: str, seconds: int, then: str) -> None:
    assert CallScript(keys=(entry,)).keys == (entry,)
    assert spoken_and_pressed(entry) == (seconds, then)


@pytest.mark.parametrize("entry", ["say_", "say_4x", "hang_up1"])
def test_an_entry_that_nobody_can_make(entry: str) -> None:
    with pytest.raises(ValidationError):
        CallScript(keys=(entry,))
