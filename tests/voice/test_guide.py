"""docs/prompts.md: its commands exist, its examples are scripts, and what it names is there."""

import re
from pathlib import Path

import pytest

from ivr.cli.commands import COMMANDS, load
from ivr.document import parse_document, validate
from ivr.voice.engines import VOICES
from ivr.voice.review import read_script
from ivr.voice.script import SILENCES, ScriptFile, lines

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/prompts.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"(?s)```yaml\n(.*?)```", GUIDE)
PROMPTS = {line.prompt for line in read_script(ROOT / "prompts", "ja").lines} | SILENCES.keys()


def test_commands_and_options_exist() -> None:
    commands = {each.split()[1]: load(each) for each in COMMANDS if each.startswith("prompts ")}
    named = set(re.findall(r"kenko-call prompts (\w+)", GUIDE))
    assert named == set(commands)
    options = {name for each in commands.values() for option in each.params for name in option.opts}
    assert set(re.findall(r"(?<= )--[a-z]+|(?<=`)--[a-z]+", GUIDE)) <= options


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_scripts(example: str) -> None:
    assert validate(parse_document(example, "docs/prompts.md"), ScriptFile)


def test_there_are_examples_of_all_there_is() -> None:
    together = {key for each in EXAMPLES for key in re.findall(r"(?m)^(\w+):", each)}
    assert together == {"prompts", "voice", "words", "counted"}
    assert all(lines(validate(parse_document(each, "x"), ScriptFile)) or "prompts: {}" in each for each in EXAMPLES)


def test_prompts_and_voices_that_are_named_are_there() -> None:
    named = set(re.findall(r"`((?:value|date|time|digit)/[a-z0-9_]+)`", GUIDE))
    assert len(named) > 9
    assert named <= PROMPTS
    table = GUIDE[GUIDE.index("| 声 |") :].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", table)) == VOICES.keys()


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\((\.\./[^)#]+)\)", GUIDE):
        assert (ROOT / "docs" / link).is_file()
