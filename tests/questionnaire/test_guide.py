"""docs/questionnaires.md: every example in it works, and nothing is left out."""

import re

import pytest

from ivr.prompt_texts import load_texts
from ivr.prompts import spoken_as
from ivr.questionnaire import forms
from ivr.questionnaire.checks import check
from ivr.questionnaire.model import Kind
from ivr.questionnaire.parse import parse
from ivr.questionnaire.said import prompt_ids
from tests.cases_runner import ROOT

GUIDE = (ROOT / "docs" / "questionnaires.md").read_text(encoding="utf-8")
HEAD = "id: guide\ntitle: {ja: 例}\nlanguage: ja\n"
#: (line of the guide before the block, block)
BLOCKS = [
    (GUIDE[: found.start()].count("\n") + 1, found[1]) for found in re.finditer(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
]


@pytest.mark.parametrize(("line", "block"), BLOCKS, ids=lambda given: given if isinstance(given, int) else "")
def test_every_example_is_in_order(line: int, block: str) -> None:
    whole = block if block.startswith("id:") else HEAD + block
    found = parse(whole.encode(), "docs/questionnaires.md")
    assert check(found, None) == []
    texts = {each: load_texts(ROOT / "prompts" / f"{each}.yaml") for each in found.languages}
    spoken = {spoken_as(prompt, language) for prompt in prompt_ids(found) for language in found.languages}
    assert {(language, prompt) for language, prompt in spoken if prompt not in texts[language]} == set()


def test_there_are_examples_of_everything() -> None:
    blocks = "\n".join(block for _, block in BLOCKS)
    for name in _names():
        assert re.search(rf"\b{name}:", blocks), name
    assert {each.value for each in Kind} <= set(re.findall(r"kind: (\w+)", blocks))


def test_every_key_is_in_the_list_of_keys() -> None:
    listed = set(re.findall(r"`(\w+)`", GUIDE[GUIDE.index("## 12.") : GUIDE.index("## 13.")]))
    assert _names() <= listed
    assert listed - _names() <= {each.value for each in Kind}


def test_links_lead_somewhere() -> None:
    heads = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in re.findall(r"^#+ (.*)$", GUIDE, re.M)}
    assert set(re.findall(r"\]\(#([^)]*)\)", GUIDE)) <= heads
    for file in re.findall(r"`(questionnaires/[\w/]+\.yaml)`", GUIDE):
        assert (ROOT / file).is_file()


def _names() -> set[str]:
    """Every key that may be written anywhere."""
    models = [each for each in vars(forms).values() if isinstance(each, type) and issubclass(each, forms.Form)]
    return {field.alias or name for model in models for name, field in model.model_fields.items()}
