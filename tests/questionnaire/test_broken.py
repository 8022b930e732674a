"""Files that must be refused: each problem at its line, as the file itself says behind `# <-`."""

import re
from pathlib import Path

import pytest

from ivr.errors import BadInput, Problem
from ivr.messages import catalogue
from ivr.questionnaire.checks import check
from ivr.questionnaire.parse import parse

FILES = sorted((Path(__file__).parent / "broken").glob("*.yaml"))


def problems(path: Path) -> list[Problem]:
    try:
        return check(parse(path.read_bytes(), path.name), None)
    except BadInput as bad:
        return list(bad.problems)


def expected(path: Path) -> list[tuple[int, str]]:
    """(line, message id) of each mark, sorted."""
    lines = path.read_text(encoding="utf-8").splitlines()
    marks = [(number, re.search(r"# <- (.*)", line)) for number, line in enumerate(lines, 1)]
    return sorted((number, each) for number, mark in marks if mark for each in mark[1].split(", "))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_problem_at_its_line(path: Path) -> None:
    found = problems(path)
    assert sorted((each.line or 0, each.message) for each in found) == expected(path)
    for each in found:
        said = {language: each.render(language) for language in ("ja", "en")}
        assert all(text.startswith(f"{path.name}:{each.line}: ") for text in said.values())
        assert said["ja"] != said["en"]


def test_there_are_files_for_every_message() -> None:
    assert len(FILES) >= 60
    marked = {message for path in FILES for _, message in expected(path)}
    # Audio that is missing, and what is pressed in `try`, are no mistakes of a file.
    elsewhere = {"questionnaire.prompts_missing", "questionnaire.bad_answer", "questionnaire.bad_pair"}
    elsewhere |= {"questionnaire.unknown_version"}  # of the command that goes back to one
    ours = {each for each in catalogue() if each.startswith("questionnaire.")}
    assert ours - elsewhere <= marked
