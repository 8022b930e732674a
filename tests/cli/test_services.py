"""The questionnaires of real services in `try`: the same walks as through the engine alone."""

import json

import pytest

from tests.cases_runner import ROOT
from tests.cli.conftest import Command
from tests.questionnaire.test_examples import SERVICES, Walk, walks


@pytest.mark.parametrize(
    "case", [each for each in walks() if each.questionnaire in SERVICES], ids=lambda each: each.name
)
def test_walk(case: Walk, command: Command) -> None:
    questionnaire = str(ROOT / "questionnaires" / f"{case.questionnaire}.yaml")
    known = [each for pair in case.person.last_report.items() for each in ("--last", "=".join(pair))]
    prompts = ("--prompts", str(ROOT / "prompts"))
    code, out, _ = command("try", questionnaire, *known, *prompts, "--json", "--keys", case.presses)
    assert code == 0
    found = json.loads(out)
    assert found["answers"] == case.answers
    assert found["alerts"] == case.alerts
    assert found["status"] == case.status
