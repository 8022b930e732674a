"""`flow`: the drawing as a file, and what it says when it cannot."""

import re
import stat
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ivr.flow.page import A3
from tests.cases_runner import CASES, ROOT, daily
from tests.cli.conftest import Command
from tests.flow.test_cards import TEXTS

SVG = "{http://www.w3.org/2000/svg}"
PROMPTS = ("--prompts", str(ROOT / "prompts"))


def test_the_daily_questionnaire_on_one_page(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "daily.svg"
    code, _, err = command("flow", str(ROOT / "questionnaires" / "daily.yaml"), "-o", str(file), *PROMPTS)
    assert code == 0
    assert str(file) in err
    drawing = ET.parse(file).getroot()
    width, height = (float(drawing.attrib[each].removesuffix("pt")) / 72 for each in ("width", "height"))
    assert width <= A3[0] + 0.01
    assert height <= A3[1] + 0.01
    # 12 points of the drawing are 9 or more on paper.
    scale = re.search(r"scale\(([0-9.]+)", file.read_text(encoding="utf-8"))
    assert scale
    assert float(scale[1]) >= 0.75
    said = "".join(str(each.text) for each in drawing.iter(f"{SVG}text")).replace("\xa0", " ")
    for question in daily().questions:
        assert TEXTS[question.ask[0]] in said
    assert daily().hash[:8] in said


def test_without_graphviz_it_says_what_to_install(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    code, _, err = command("flow", str(CASES / "branching.yaml"), "-o", str(tmp_path / "a.svg"), *PROMPTS)
    assert code == 2
    assert "apt install graphviz" in err
    broken = tmp_path / "dot"
    broken.write_text("#!/bin/sh\necho out of ink >&2\nexit 1\n")
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    code, _, err = command("flow", str(CASES / "branching.yaml"), "-o", str(tmp_path / "a.svg"), *PROMPTS)
    assert code == 2
    assert "out of ink" in err
    broken.write_text("no program\n")
    code, _, err = command("flow", str(CASES / "branching.yaml"), "-o", str(tmp_path / "a.svg"), *PROMPTS)
    assert code == 2
    assert not (tmp_path / "a.svg").exists()


def test_wrong_input(command: Command, tmp_path: Path) -> None:
    file = str(CASES / "branching.yaml")
    for arguments in (("none.yaml", "-o", "a.svg"), (file,), (file, "-o", str(tmp_path / "none" / "a.svg"), *PROMPTS)):
        code, out, err = command("flow", *arguments)
        assert (code, out) == (2, "")
        assert err
        assert "Traceback" not in err
